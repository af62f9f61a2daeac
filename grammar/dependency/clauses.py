"""Verbs and prepositions of a dependency tree: what they leave of a set."""

from __future__ import annotations

import itertools
from dataclasses import replace

from neurosym.grammar import landmarks
from neurosym.grammar.classes import WordClass
from neurosym.grammar.dependency.arcs import Word
from neurosym.grammar.dependency.nouns import QUALITY, NounPhrases
from neurosym.grammar.dependency.referents import best, referred, things_of
from neurosym.grammar.lexicon import Sense
from neurosym.grammar.meaning import NOT_HERE, NoReadingError, NounPhrase, Quantified
from neurosym.grammar.ranks import Place, located
from neurosym.program import (
    Everything,
    Filter,
    Intersect,
    Minus,
    Op,
    Union,
)
from neurosym.span import Span

ACTION = "action"
"""The attribute whose values are what things do."""
_SUBJECTS = ("nsubj", "nsubjpass", "csubj", "csubjpass", "expl")
_RELATIVE = ("WDT", "WP", "WP$", "WRB")
_LIGHT = {"be", "become", "get", "look", "seem", "appear", "stay", "remain"}
"""Verbs that say of their subject what the adjective after them says."""


class Clauses(NounPhrases):
    """Verbs and prepositions as restrictions of a set."""

    def _clause(self, objects: Op, verb: Word) -> Op:
        """A participle or relative clause after a noun."""
        if not verb.is_verb and verb.relation not in ("acl", "relcl"):
            return objects
        owner = next((c for s in verb.below(*_SUBJECTS) for c in s.below("poss")), None)
        subject = self.subject_of(verb)
        if subject is not None and owner is not None and owner.lower == "whose":
            # "whose shirt is red": with a shirt that is red
            phrase = self._said_of(subject, verb)
            return best(landmarks.related(objects, "with", (owner.span,), phrase))
        if subject is not None and subject.tag not in _RELATIVE and not _is_relative(subject):
            return self._gapped(objects, verb, subject)
        return self.predicated(objects, verb)

    def _said_of(self, subject: Word, verb: Word) -> NounPhrase:
        phrase = self._one(subject, None)
        return replace(phrase, objects=self.predicated(phrase.objects, verb))

    def _gapped(self, objects: Op, verb: Word, subject: Word) -> Op:
        """The ball that the man is holding."""
        by = self.phrase(subject)
        stranded = [c for c in verb.below("prep") if not c.below("pobj", "pcomp")]
        name, words = self._relation_of(verb)
        for preposition in stranded[:1]:
            name, words = f"{name}_{preposition.lower}", (*words, preposition.span)
        made = best(landmarks.related_by(objects, name, words, by))
        for preposition in verb.below("prep"):
            if preposition not in stranded:
                made = self._attached(made, preposition, objects)
        return self._denied(objects, made, verb)

    def subject_of(self, verb: Word) -> Word | None:
        """Who or what does it."""
        return next(iter(verb.below("nsubj", "nsubjpass", "csubj")), None)

    def predicated(self, objects: Op, verb: Word) -> Op:
        """The part of a set of which a verb with all that hangs on it holds."""
        made = self._denied(objects, self._done(objects, verb), verb)
        for other in verb.below("conj"):
            if self.subject_of(other) is not None:
                continue
            joints = list(verb.below("cc"))
            more = self.predicated if other.is_verb else self._complement
            if any(c.has(WordClass.OR) for c in joints):
                words = tuple(c.span for c in joints)
                made = Union(made, more(objects, other), words=words)
            else:
                made = more(made, other)
        return made

    def _denied(self, objects: Op, made: Op, verb: Word) -> Op:
        denials = [c for c in verb.below("neg", "advmod") if c.has(WordClass.NOT) or c.is_negation]
        if not denials:
            return made
        return Minus(objects, made, words=tuple(c.span for c in denials))

    def _complement(self, objects: Op, word: Word) -> Op:
        """What is said with "be" by a word that is no verb."""
        if word.relation == "prep" or word.tag in ("IN", "TO"):
            return self._attached(objects, word, objects)
        likeness = self._likeness(objects, word)
        if likeness is not None:
            return likeness
        if word.tag.startswith("NN") or word.tag in ("PRP", "CD", "DT"):
            phrase = self.phrase(word)
            named = best(things_of(phrase))
            return Intersect(objects, named)
        return self.qualified(objects, word)

    def _likeness(self, objects: Op, word: Word) -> Op | None:
        """What is the same colour as something; None where nothing is said to be the same."""
        same = next((c for c in (word, *word.children) if c.has(WordClass.SAME)), None)
        if same is None or (same is not word and not word.has(WordClass.ASPECT)):
            return None
        hung = [p for w in (word, same) for p in w.below("prep") if p.has(WordClass.AS)]
        to = next((p for c in hung for p in c.below("pobj")), None)
        aspects = [word, *(c for c in word.below("conj") if c.has(WordClass.ASPECT))]
        either = any(c.has(WordClass.OR) for c in word.below("cc"))
        if to is None or same is word or either:
            raise NoReadingError(NOT_HERE, [same.span])
        made, landmark = objects, self.phrase(to)
        for leaf in aspects:
            sense = leaf.sense(WordClass.ASPECT)
            kind = landmarks.Aspect(sense.concept, sense.dimension == "order")
            words = (same.span, leaf.span, *(p.span for p in hung))
            made = best(landmarks.alike(made, kind, words, landmark))
        return made

    def _done(self, objects: Op, verb: Word) -> Op:
        made = objects
        complements = verb.below("attr", "acomp", "oprd")
        things = [c for c in verb.below("dobj", "pobj") if c.tag not in _RELATIVE]
        agents = [p for a in verb.below("agent") for p in a.below("pobj")]
        if verb.has(WordClass.PASSIVE):
            # A phrase of the lexicon holds its preposition: "held by".
            agents, things = [*things, *agents], []
        if (
            verb.lemma in _LIGHT
            and not things
            and not agents
            and (complements or verb.lemma == "be")
        ):
            for word in complements:
                made = self._complement(made, word)
        elif verb.has(WordClass.HAS) or verb.lemma == "have":
            for thing in things:
                made = best(landmarks.related(made, "with", (verb.span,), self.phrase(thing)))
        else:
            made = self._acted(made, verb, things, agents)
            for word in complements:
                made = self._complement(made, word)
        return self._placed(made, verb, objects)

    def _acted(self, objects: Op, verb: Word, things: list[Word], agents: list[Word]) -> Op:
        name, words = self._relation_of(verb)
        passive = _is_passive(verb)
        embedded = [
            (clause, subject)
            for clause in verb.below("ccomp")
            if (subject := self.subject_of(clause)) is not None and not clause.is_finite
        ]
        if agents:
            by = self.phrase(agents[0], objects)
            said = (*words, *(a.span for a in verb.below("agent")))
            made = best(landmarks.related_by(objects, name, said, by))
        elif things:
            made = objects
            for thing in things:
                made = best(landmarks.related(made, name, words, self.phrase(thing, objects)))
        elif embedded:
            clause, subject = embedded[0]
            made = best(landmarks.related(objects, name, words, self._said_of(subject, clause)))
        elif passive and verb.has(WordClass.LOCATION):
            return self._plain_quality(objects, verb)
        elif passive:
            form = "_".join([verb.lower, *(c.lower for c in verb.below("prt"))])
            made = Filter(objects, QUALITY, form, words=words)
        else:
            made = Filter(objects, ACTION, name, words=words)
        for receiver in verb.below("dative"):
            inner = next(iter(receiver.below("pobj")), receiver)
            said = (receiver.span,) if inner is not receiver else ()
            made = best(landmarks.related(made, "to", said, self.phrase(inner)))
        return made

    def _placed(self, objects: Op, verb: Word, head: Op) -> Op:
        """A set with the places, manners and further actions that hang on its verb."""
        made = objects
        for child in verb.children:
            if child.relation == "prep" and (
                child.below("pobj", "pcomp", "prep") or _is_place(child)
            ):
                made = self._attached(made, child, head)
            elif child.relation in ("xcomp", "ccomp", "advcl", "pcomp") and child.is_verb:
                if self.subject_of(child) is None and not child.is_finite:
                    made = self.predicated(made, child)
            elif child.relation in ("xcomp", "acomp") and verb.lemma not in _LIGHT:
                made = self._complement(made, child) if child.relation == "xcomp" else made
            elif child.relation in ("advmod", "npadvmod"):
                made = self._adverb(made, child, head)
            elif child.relation == "acl" and not child.below(*_SUBJECTS):
                made = self.predicated(made, child)
        return made

    def _adverb(self, objects: Op, word: Word, head: Op) -> Op:
        """Where or how it is done: "outside", "next to it", "upside down"."""
        if word.below("prep", "pobj"):
            return self._attached(objects, word, head)
        if word.is_negation or word.has(WordClass.NOT, WordClass.POSTURE, WordClass.COMPARISON):
            return objects
        if word.has(WordClass.LOCATION):
            place = Place(
                tuple((s,) for s in word.unit.all(WordClass.LOCATION)), False, (word.span,)
            )
            return best(located(objects, place, unique=False))
        if len(word.unit.tokens) > 1 and word.has(WordClass.RELATION, WordClass.SIDE_RELATION):
            raise NoReadingError("it is not understood to what this relates", [word.span])
        if word.tag in ("RB", "RP", "IN", "JJ") and word.lower not in _EMPTY_ADVERBS:
            return Filter(objects, QUALITY, word.lower, words=(word.span,))
        return objects

    def _relation_of(self, verb: Word) -> tuple[str, tuple[Span, ...]]:
        """The relation that a verb names, with its particle: "hold", "pick_up"."""
        particles = [c for c in verb.below("prt") if c.span.start > verb.span.end]
        words = (verb.span, *(c.span for c in particles))
        classes = (WordClass.PASSIVE, WordClass.RELATION, WordClass.VERB, WordClass.POSTURE)
        named = [verb.sense(c).concept for c in classes if verb.has(c)]
        name = next(iter(named), verb.lemma)
        return "_".join([name, *(c.lower for c in particles)]), words

    def _attached(self, objects: Op, preposition: Word, head: Op) -> Op:
        """The part of a set that a preposition with its noun leaves."""
        made = objects
        for word in preposition.children:
            if word.relation in ("pobj", "prep", "pcomp", "advmod", "amod", "agent"):
                made = self._related(made, preposition, word, head)
        for other in preposition.below("conj"):
            made = self._attached(made, other, head)
        return made

    def _related(self, objects: Op, preposition: Word, word: Word, head: Op) -> Op:
        if word.relation == "pcomp" and word.is_verb:
            subject = self.subject_of(word)
            if subject is None:
                return self.predicated(objects, word)
            said = self._said_of(subject, word)
            return best(
                landmarks.related(objects, self._named(preposition), (preposition.span,), said)
            )
        if word.relation in ("advmod", "amod"):
            return self._adverb(objects, word, head) if word.has(WordClass.LOCATION) else objects
        if word.relation in ("prep", "agent"):
            # "from behind the couch", "next to", "close to": one relation by two words.
            return self._compound(objects, preposition, word, head)
        if word.has(WordClass.IMAGE) and not word.below("acl", "relcl", "amod", "compound"):
            of = [c for c in word.below("prep") if c.has(WordClass.OF)]
            if not of and self._named(preposition) in ("in", "on", "at", "of", "within"):
                return objects
        place = self._place(preposition, word)
        if place is not None:
            return best(located(objects, place, unique=False))
        if preposition.lower == "by" and word.lower.endswith(("self", "selves")):
            return Filter(objects, QUALITY, "alone", words=(preposition.span, word.span))
        colour = (
            preposition.has(WordClass.WITH_COLOUR)
            and word.has(WordClass.COLOUR)
            and not word.below("det")
        )
        if colour:
            sense = word.sense(WordClass.COLOUR)
            words = (preposition.span, word.span)
            return Filter(objects, sense.dimension, sense.concept, words=words)
        return self._linked(objects, preposition, (preposition.span,), self.phrase(word, head))

    def _compound(self, objects: Op, preposition: Word, inner: Word, head: Op) -> Op:
        made = objects
        for word in inner.below("pobj"):
            words = (preposition.span, inner.span)
            name = f"{preposition.lower} {inner.lower}"
            senses = [s for s in self._lexicon.senses(name) if s.word_class is WordClass.RELATION]
            relation = senses[0].concept if senses else name.replace(" ", "_")
            made = best(landmarks.related(made, relation, words, self.phrase(word, head)))
        return made

    def _linked(
        self, objects: Op, preposition: Word, words: tuple[Span, ...], to: NounPhrase
    ) -> Op:
        if preposition.has(WordClass.WITHOUT):
            name = preposition.sense(WordClass.WITHOUT).concept
            return Minus(objects, best(landmarks.related(objects, name, (), to)), words=words)
        if preposition.has(WordClass.EXCEPT):
            if isinstance(to, Quantified) and to.number and isinstance(to.head, Everything):
                raise NoReadingError("this is not understood with a number", [preposition.span])
            return Minus(objects, referred(to), words=words)
        if preposition.has(WordClass.BETWEEN):
            return best(landmarks.between(objects, words, to))
        if preposition.has(WordClass.SIMILAR):
            return best(landmarks.similar(objects, words, to))
        if preposition.has(WordClass.THAN):
            raise NoReadingError("this comparison is not understood", words)
        return best(landmarks.related(objects, self._named(preposition), words, to))

    @staticmethod
    def _named(preposition: Word) -> str:
        for word_class in (WordClass.RELATION, WordClass.SIDE_RELATION, WordClass.HAS):
            if preposition.has(word_class):
                return preposition.sense(word_class).concept
        return "_".join(preposition.lower.split())

    def _place(self, preposition: Word, word: Word) -> Place | None:
        """A place in the image: "on the left", "in the top left corner of the picture"."""
        if not preposition.has(WordClass.PLACE, WordClass.FROM) or not _is_place(word):
            return None
        inner = [c for c in word.below("amod", "compound") if c.has(WordClass.LOCATION)]
        side = word if word.has(WordClass.SIDE) else None
        named = [*inner, *([word] if word.has(WordClass.LOCATION) else [])]
        if not named:
            return None
        of = [p for c in word.below("prep") if c.has(WordClass.OF) for p in c.below("pobj")]
        if word.below("poss") or any(not p.has(WordClass.IMAGE) for p in of):
            return None
        senses = [w.unit.all(WordClass.LOCATION) for w in named]
        words = tuple(w.span for w in (*named, *([side] if side else []), *of))
        values = _combined(senses)
        return Place(values, False, words) if values else None


def _combined(senses: list[tuple[Sense, ...]]) -> tuple[tuple[Sense, ...], ...]:
    return tuple(
        chosen
        for chosen in itertools.product(*senses)
        if len({s.dimension for s in chosen}) == len(chosen)
    )


_EMPTY_ADVERBS = {
    *("very", "really", "quite", "too", "also", "just", "there", "here", "then", "so"),
    *("now", "still", "already", "even", "rather", "as", "somewhat", "currently", "apparently"),
}


def _is_place(word: Word) -> bool:
    return word.has(WordClass.LOCATION, WordClass.SIDE)


def _is_passive(verb: Word) -> bool:
    if verb.below("auxpass", "nsubjpass"):
        return True
    helped = verb.below("aux")
    return verb.tag in ("VBN", "VBD") and not helped and not verb.below("nsubj")


def _is_relative(word: Word) -> bool:
    return word.lower in ("that", "which", "who") and not word.children
