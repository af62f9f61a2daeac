"""Sentences of a dependency tree: expressions, claims, questions and commands."""

from __future__ import annotations

from dataclasses import replace

from neurosym.grammar.anaphora import Antecedent, antecedent_of, remembered
from neurosym.grammar.claims import said_of
from neurosym.grammar.classes import WordClass
from neurosym.grammar.dependency.arcs import FINITE, Word
from neurosym.grammar.dependency.clauses import Clauses
from neurosym.grammar.dependency.nouns import SPEAKERS, is_number_of
from neurosym.grammar.dependency.referents import best, refer_to_members, referred, things_of
from neurosym.grammar.meaning import NOT_HERE, Coordinated, NoReadingError, NounPhrase, exists
from neurosym.program import (
    Command,
    Conjunction,
    Count,
    Disjunction,
    Everything,
    Kind,
    Op,
    Query,
    Select,
    The,
    ThePlural,
    claim_of,
)
from neurosym.span import Span

_QUESTION_WORDS = {"what", "who", "which", "where", "whom", "whose"}
_DEMONSTRATIVE = {"this", "that", "these", "those", "it"}
_ASKING = {"be", "do", "have", "can", "could", "will", "would"}
"""Verbs that come first where yes or no is asked for."""
_UNSEEN = {"why", "if", "whether", "suppose", "imagine", "pretend"}
"""Words that open what no picture answers: reasons, and what would be."""
_ANSWERS = (Kind.TRUTH, Kind.NUMBER, Kind.VALUE)
_COMPARING = (WordClass.MORE, WordClass.AS_MANY, WordClass.EQUALLY_MANY)


class Sentences(Clauses):
    """Lowers the sentences of a text."""

    def program(self, trees: list[Word]) -> Op:
        """The program of a sentence; of several trees, that all of what they claim holds.

        Args:
            trees: its dependency trees.

        Raises:
            NoReadingError: it means nothing that can be said.
        """
        first = min((w for root in trees for w in root.walk()), key=lambda w: w.index, default=None)
        if first is not None and first.lower in _UNSEEN:
            raise NoReadingError("what a picture does not show is not understood", [first.span])
        if len(trees) == 1:
            return self._typed(trees[0], self._sentence(trees[0]))
        claims: list[Op] = []
        for root in trees:
            self._later = self._later or bool(claims)
            claims.append(claim_of(self._sentence(root), self._written))
        if not claims:
            raise NoReadingError
        made = claims[0]
        for claim in claims[1:]:
            made = Conjunction(made, claim)
        return made

    def _typed(self, root: Word, op: Op) -> Op:
        """What a sentence means, as a truth where it asks for yes or no: "is the dog asleep"."""
        first = min(root.walk(), key=lambda word: word.index)
        if first.tag not in FINITE or first.lemma not in _ASKING:
            return op
        compared = next((w for w in root.walk() if w.has(*_COMPARING)), None)
        if compared is not None:
            raise NoReadingError(NOT_HERE, [compared.span])
        return op if op.returns in _ANSWERS else claim_of(op, self._written)

    def mentioned(self, program: Op) -> tuple[Antecedent, ...]:
        """What a next sentence can refer back to, the most salient first.

        Args:
            program: what the sentence means.
        """
        named = [antecedent_of(phrase) for key, phrase in self.named() if key >= 0]
        return remembered([a for a in named if a is not None], self._said, program)

    def _sentence(self, root: Word) -> Op:
        asked = self._question(root)
        if asked is not None:
            return asked
        if root.has(WordClass.COMMAND) and self._is_command(root):
            return self._command(root)
        if root.is_verb:
            return self._verbal(root)
        return self._nominal(root)

    def _nominal(self, root: Word) -> Op:
        """A sentence without a verb, or with one in what is joined to it."""
        clauses = list(root.below("conj", "advcl", "appos", "ccomp", "parataxis"))
        clauses = [c for c in clauses if c.is_verb and self.subject_of(c) is not None]
        clauses += [c for c in self._meanwhile(root) if c not in clauses]
        if root.tag in ("IN", "TO", "RP") or (root.below("pobj") and not root.below("det")):
            return The(self._attached(Everything(), root, Everything()))
        if root.tag in ("JJ", "JJR", "JJS", "RB", "VBG", "VBN") and not root.below("det"):
            return The(self._complement(Everything(), root))
        phrase = self.phrase(root)
        if not clauses:
            return referred(phrase)
        return self._joined(root, best(exists(phrase, ())), clauses)

    def _meanwhile(self, root: Word) -> list[Word]:
        """The clauses anywhere in a sentence that say what else goes on: "while a cat watches"."""
        if root.head is not None:
            return []
        return [
            word
            for word in root.walk()
            if word.relation == "advcl" and word.is_verb and self.subject_of(word) is not None
        ]

    def _joined(self, root: Word, first: Op, clauses: list[Word]) -> Op:
        made = first
        for named in root.below("dep"):
            # What is named before the sentence: "a plate of food, it is a salad".
            if named.tag.startswith("NN"):
                made = Conjunction(best(exists(self.phrase(named), ())), made)
        for clause in clauses:
            words = tuple(c.span for c in (*root.below("cc"), *clause.below("mark")))
            either = any(c.has(WordClass.OR) for c in root.below("cc"))
            join = Disjunction if either and clause.relation == "conj" else Conjunction
            made = join(made, claim_of(self._verbal(clause), self._written), words=words)
        return made

    def _verbal(self, verb: Word) -> Op:
        clauses = [
            clause
            for clause in verb.below("conj", "advcl", "ccomp", "parataxis")
            if clause.is_verb
            and self.subject_of(clause) is not None
            and (clause.is_finite or clause.relation in ("advcl", "conj"))
            and not (clause.relation == "ccomp" and verb.below("dobj", "nsubj"))
        ]
        clauses += [c for c in self._meanwhile(verb) if c not in clauses]
        subject = self.subject_of(verb)
        there = verb.below("expl")
        if there:
            subject = next(iter(verb.below("attr", "nsubj", "dobj", "oprd")), None)
        if subject is None:
            return self._without_subject(verb, clauses)
        if subject.lower in SPEAKERS and verb.lemma == "see" and verb.below("dobj"):
            # "You see two people": there are.
            said = (subject.span, verb.span)
            return best(exists(self.phrase(verb.below("dobj")[0]), said))
        finite = verb.is_finite or bool(there)
        if subject.lower in _DEMONSTRATIVE and not self._later and verb.below("attr") and not there:
            # "This is a dog": there is one.
            thing = verb.below("attr")[0]
            claim = best(exists(self._plus(thing, verb, [thing]), ()))
            return self._joined(verb, claim, clauses)
        words = tuple(c.span for c in (*there, *([verb] if verb.lemma == "be" else [])))
        words = (Span.cover(words),) if len(words) > 1 else words  # type: ignore[assignment]
        if there:
            phrase = self._plus(subject, verb, [subject])
            return self._joined(verb, best(exists(phrase, words)), clauses)
        phrase = self.phrase(subject)
        if not finite and not clauses:
            return referred(_restricted(phrase, lambda objects: self.predicated(objects, verb)))
        return self._joined(verb, self._claim(phrase, verb, words), clauses)

    def _plus(self, noun: Word, verb: Word, but: list[Word]) -> NounPhrase:
        """A noun with what hangs on the verb beside it."""
        kept = verb.children
        verb.children = [c for c in kept if c not in but and c.relation != "expl"]
        try:
            phrase = self.phrase(noun)
            return _restricted(phrase, lambda objects: self.predicated(objects, verb))
        finally:
            verb.children = kept

    def _claim(self, phrase: NounPhrase, verb: Word, words: tuple[Span, ...]) -> Op:
        if isinstance(phrase, Coordinated):
            left, *others = (self._claim(part, verb, words) for part in phrase.parts)
            for other in others:
                join = Disjunction if phrase.any_of else Conjunction
                left = join(left, other, words=phrase.words)
            return left
        return best(said_of(phrase, lambda o: [(0.0, self.predicated(o, verb))], words))

    def _without_subject(self, verb: Word, clauses: list[Word]) -> Op:
        if verb.tag in ("VB", "VBP") and verb.below("dobj"):
            raise NoReadingError("this is no command that is known here", [verb.span])
        made = The(self.predicated(Everything(), verb))
        return self._joined(verb, claim_of(made, self._written), clauses) if clauses else made

    def _is_command(self, root: Word) -> bool:
        return self.subject_of(root) is None and root.tag in ("VB", "VBP", "NN", "NNP")

    def _command(self, root: Word) -> Op:
        """Something to be done with what is named; where to is not understood."""
        things = root.below("dobj")
        elsewhere = list(root.below("prep", "prt", "advmod", "conj", "xcomp"))
        if len(things) != 1 or elsewhere:
            raise NoReadingError("this command is not understood", [root.span])
        action = root.sense(WordClass.COMMAND).concept
        return Command(best(things_of(self.phrase(things[0]))), action, words=(root.span,))

    def _question(self, root: Word) -> Op | None:
        """What a question asks for; None for one that yes or no answers, and for what is none."""
        for word in root.walk():
            if word.has(WordClass.HOW_MANY) and not is_number_of(word):
                return self._how_many(root, word)
        asking = [w for w in root.walk() if w.lower in _QUESTION_WORDS and not _in_relative(w)]
        if not asking:
            return None
        word = asking[0]
        noun = word.head
        if noun is not None and noun.has(WordClass.ASPECT) and word.relation in ("det", "attr"):
            return self._value(root, noun)
        named = self.subject_of(root) if word.lower == "what" else None
        if named is not None and root.lemma == "be" and named.has(WordClass.ASPECT):
            # "What is the colour of the cup".
            return self._value(root, named, word)
        return self._which(root, word)

    def _how_many(self, root: Word, word: Word) -> Op:
        noun = word.head
        if noun is None or noun.is_verb:
            inner = [p for c in word.below("prep") for p in c.below("pobj")]
            if not inner:
                raise NoReadingError("what is counted is not understood", [word.span])
            noun = inner[0]
        kept = noun.children
        noun.children = [c for c in kept if c is not word]
        try:
            objects = refer_to_members(self.phrase(noun))
        finally:
            noun.children = kept
        subject = self.subject_of(root)
        if subject is word and root.is_verb:
            # "How many of the cups are red": it is they that are.
            rest = root.children
            root.children = [c for c in rest if c is not word]
            try:
                return Count(self.predicated(objects, root), words=(word.span,))
            finally:
                root.children = rest
        if root.is_verb and subject not in (None, noun) and noun.relation in ("dobj", "pobj"):
            assert subject is not None
            objects = self._gapped(objects, root, subject)
        elif root is not noun and root.is_verb and noun.relation in ("nsubj", "nsubjpass", "attr"):
            rest = root.children
            root.children = [c for c in rest if c is not noun]
            try:
                objects = self.predicated(objects, root)
            finally:
                root.children = rest
        return Count(objects, words=(word.span,))

    def _value(self, root: Word, aspect: Word, word: Word | None = None) -> Op:
        """The value of an attribute: "what colour is the cup", "what colour of cup is on it"."""
        named = root.below("nsubj", "attr", "nsubjpass")
        subjects = [c for c in named if c not in (aspect, word)]
        of = [p for c in aspect.below("prep") for p in c.below("pobj")]
        senses = [s for s in aspect.unit.all(WordClass.ASPECT) if s.dimension == "attribute"]
        if not senses or not (subjects or of):
            raise NoReadingError("what is asked for is not understood", [aspect.span])
        asked = (*subjects, *of)[0]
        if aspect.head is asked and aspect.relation in ("compound", "nmod", "amod"):
            # "What colour cup is on the table": the colour of the cup that is.
            asked.children = [c for c in asked.children if c is not aspect]
            members = refer_to_members(self.phrase(asked))
            root.children = [c for c in root.children if c is not asked]
            thing: Op = self.predicated(members, root) if root.is_verb else members
        else:
            thing = best(things_of(self.phrase(asked)))
        if thing.returns is not Kind.REFERENT:
            thing = The(thing)
        return Query(thing, senses[0].concept, words=(aspect.span,))

    def _which(self, root: Word, word: Word) -> Op:
        """The things that a question asks to name: "who is holding the cup"."""
        noun = word.head if word.relation == "det" else None
        subjects = [s for s in root.below("nsubj", "nsubjpass") if s not in (word, noun)]
        if noun is not None:
            aspect = next((c for c in noun.below("compound", "nmod") if _is_attribute(c)), None)
            if aspect is not None and root is not noun:
                return self._value(root, aspect)
            objects = refer_to_members(self.phrase(noun))
            plural = self._is_plural(noun)
        else:
            persons = word.lower in ("who", "whom")
            whole: Op = Everything(words=(word.span,))
            objects = Select("person", words=(word.span,)) if persons else whole
            plural = False
        if root is word or root is noun:
            return objects
        asked = noun or word
        kept = root.children
        root.children = [c for c in kept if c is not asked]
        try:
            if subjects and root.lemma == "be":
                return best(things_of(self.phrase(subjects[0])))
            if subjects:
                objects = self._gapped(objects, root, subjects[0])
            else:
                objects = self.predicated(objects, root)
        finally:
            root.children = kept
        return (ThePlural if plural else The)(objects)


def _restricted(phrase: NounPhrase, step) -> NounPhrase:  # type: ignore[no-untyped-def]
    if isinstance(phrase, Coordinated):
        return replace(phrase, parts=tuple(_restricted(part, step) for part in phrase.parts))
    return replace(phrase, objects=step(phrase.objects))


def _is_attribute(word: Word) -> bool:
    """Whether a word names an attribute: "colour"."""
    return any(s.dimension == "attribute" for s in word.unit.all(WordClass.ASPECT))


def _in_relative(word: Word) -> bool:
    """Whether a question word is rather one of a relative clause."""
    here = word
    while here.head is not None:
        if here.relation in ("relcl", "acl", "advcl", "pcomp", "ccomp"):
            return True
        here = here.head
    return False
