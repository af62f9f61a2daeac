"""Noun phrases of a dependency tree."""

from __future__ import annotations

import abc
from dataclasses import replace

from neurosym.grammar import landmarks
from neurosym.grammar.anaphora import Antecedent, agreement
from neurosym.grammar.classes import NOUNS, WordClass
from neurosym.grammar.dependency.arcs import Word
from neurosym.grammar.dependency.referents import best, refer_to_members, referred, things_of
from neurosym.grammar.lexicon import Lexicon
from neurosym.grammar.meaning import (
    NOT_HERE,
    Coordinated,
    NoReadingError,
    NounPhrase,
    Quantified,
)
from neurosym.grammar.ranks import Place, Rank, located, ranked
from neurosym.program import (
    Closest,
    Comparison,
    Everything,
    Farthest,
    Filter,
    Intersect,
    Minus,
    Op,
    Pointed,
    Relate,
    Select,
    TheGroup,
    Union,
)
from neurosym.span import Span

QUALITY = "quality"
"""The attribute whose values are the adjectives that the lexicon does not list."""
_PLURAL_TAGS = ("NNS", "NNPS")
_PERSONS = {
    **dict.fromkeys(("he", "him", "himself"), "man"),
    **dict.fromkeys(("she", "her", "herself"), "woman"),
}
_STANDS_FOR = {
    **{word: "he" if person == "man" else "she" for word, person in _PERSONS.items()},
    **dict.fromkeys(("itself", "its", "this", "that"), "it"),
    **dict.fromkeys(("them", "themselves", "these", "those"), "they"),
}
"""Pronouns by the ones whose number and gender they share."""
_PRONOUNS = {"it", "itself", "they", "them", "themselves", *_PERSONS}
SPEAKERS = {"i", "me", "you", "we", "us", "myself", "yourself"}
_SEVERAL = {"they", "them", "themselves", "we", "us", "these", "those"}
_NOBODY = {"nobody": "person", "no one": "person", "none": "", "nothing": ""}
_RECIPROCAL = {"each other", "one another"}
_ONE_ALONE = {"single", "lone", "sole"}
_DETERMINERS = {
    WordClass.THE: "the",
    WordClass.INDEFINITE: "indefinite",
    WordClass.NO: "no",
    WordClass.ALL: "all",
    WordClass.EACH: "each",
    WordClass.BOTH: "both",
    WordClass.MOST: "most",
}


class NounPhrases(abc.ABC):
    """Noun phrases of a text; what clauses inside them mean is said by a subclass.

    Args:
        lexicon: what words mean.
        text: as given.
        said: what earlier sentences named, the most salient first.
        later: whether there are earlier sentences.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        text: str,
        said: tuple[Antecedent, ...] = (),
        *,
        later: bool = False,
    ) -> None:
        self._lexicon = lexicon
        self._written = text
        self._said = said
        # What was named, by the position of its noun; what earlier sentences named comes first.
        self._mentioned: dict[int, Quantified] = {
            index - len(said): Quantified("pronoun", (), a.objects, a.head, bool(a.plural))
            for index, a in enumerate(said)
        }
        self._later = later
        self._open: set[int] = set()

    def named(self) -> list[tuple[int, Quantified]]:
        """What was named, in order of the nouns' positions; negative in earlier sentences."""
        return sorted(self._mentioned.items(), key=lambda entry: entry[0])

    @abc.abstractmethod
    def _clause(self, objects: Op, verb: Word) -> Op:
        """The part of a set that a participle or relative clause leaves."""

    @abc.abstractmethod
    def _attached(self, objects: Op, preposition: Word, head: Op) -> Op:
        """The part of a set that a preposition with its noun leaves."""

    def phrase(self, word: Word, antecedent: Op | None = None) -> NounPhrase:
        """A noun with all that hangs on it.

        Args:
            word: the noun.
            antecedent: the set whose members "each other" speaks of.

        Raises:
            NoReadingError: it means nothing that can be said.
        """
        whole = self._roughly(word)
        if whole is not None:
            return whole
        first = self._one(word, antecedent)
        others = [child for child in word.below("conj", "appos") if not child.is_verb]
        if not others:
            return first
        joints = [c for c in (word, *others) for c in c.below("cc")]
        parts: list[NounPhrase] = [first]
        any_of = any(joint.has(WordClass.OR) for joint in joints)
        for other in others:
            part = self.phrase(other)
            if isinstance(part, Coordinated):
                any_of = any_of or part.any_of
                joints += [c for c in other.walk() if c.relation == "cc"]
                parts += part.parts
            else:
                parts.append(part)
        words = tuple(dict.fromkeys(joint.span for joint in joints))
        return Coordinated(any_of, words, tuple(parts))

    def _roughly(self, word: Word) -> NounPhrase | None:
        """Several of some things: "a lot of dogs and cats", "a number of cups"."""
        of = next((c for c in word.below("prep") if c.has(WordClass.OF)), word)
        inner = next(iter(of.below("pobj")), None)
        if inner is None or not (word.is_refused_as("quantity") or is_number_of(word)):
            return None
        phrase = self.phrase(inner)
        if isinstance(phrase, Coordinated):
            return phrase
        objects = self._followed(word, phrase.objects, phrase.head, {of.index})
        return replace(phrase, determiner="bare", words=(), objects=objects)

    def _one(self, word: Word, antecedent: Op | None) -> Quantified:
        if word.index in self._open:
            raise NoReadingError
        self._open.add(word.index)
        try:
            pronoun = self._pronoun(word, antecedent)
            if pronoun is not None:
                return pronoun
            made = self._noun(word)
        finally:
            self._open.discard(word.index)
        self._mentioned[word.index] = made
        return made

    def _pronoun(self, word: Word, antecedent: Op | None) -> Quantified | None:
        lower, words = word.lower, (word.span,)
        if lower in _RECIPROCAL or (lower == "other" and word.below("det")):
            whole = antecedent or Everything()
            said = (*words, *(c.span for c in word.below("det")))
            return Quantified("bare", (), whole.at(*whole.words, *said), whole, plural=True)
        anaphoric = self._later and lower in ("this", "that", "these", "those")
        if lower not in _PRONOUNS and lower not in SPEAKERS and not anaphoric:
            return None
        plural = lower in _SEVERAL
        found = self._antecedent(lower, word)
        if found is not None:
            objects = found.objects.at(*found.objects.words, *words)
            return replace(found, objects=objects, words=found.words)
        named = _PERSONS.get(lower) or ("person" if lower in SPEAKERS else None)
        objects = Select(named, words=words) if named else Everything(words=words)
        return Quantified("bare", (), objects, objects, plural=plural)

    def _antecedent(self, pronoun: str, word: Word) -> Quantified | None:
        """What a pronoun stands for: the first thing named that agrees best with it.

        What someone does to "him" is not done to himself.

        Args:
            pronoun: he, she, it or they in any of their forms.
            word: where it is said.
        """
        own = None if word.relation == "poss" or "sel" in pronoun else _doer_of(word)
        concept = _STANDS_FOR.get(pronoun, pronoun)
        agreeing = [
            (cost, rank, phrase)
            for rank, (index, phrase) in enumerate(self.named())
            if own is None or index != own.index
            for antecedent in [Antecedent(phrase.objects, phrase.head, phrase.plural)]
            if (cost := agreement(concept, antecedent, self._lexicon)) is not None
        ]
        return min(agreeing, key=lambda entry: entry[:2])[2] if agreeing else None

    def _noun(self, word: Word) -> Quantified:
        counted = self._counted_noun(word)
        if counted is not None:
            return counted
        if word.lower in _NOBODY:
            named = _NOBODY[word.lower]
            none: Op = Select(named) if named else Everything()
            return Quantified(
                "no", (word.span,), self._followed(word, none, none, set()), none, True
            )
        plural = self._is_plural(word)
        head, used = self._head(word)
        determiner = self._determined(word)
        # "A pizza with something on it": until all is said of it, it is but a pizza.
        self._mentioned[word.index] = Quantified("bare", (), head, head, plural)
        objects = self._described(word, head, plural, used)
        objects = self._followed(word, objects, head, used)
        objects, is_ranked = self._picked(word, objects, used)
        number = _number(word)
        if isinstance(head, Everything) and determiner.number is None and number not in (None, 1):
            # "Two are red": of whatever there is.
            determiner.number = number
            determiner.words = (*determiner.words, word.span)
            determiner.label = "the_number" if determiner.label == "the" else "number"
        if determiner.label == "pointed" and not self._later:
            pointer = "this" if determiner.lower in ("this", "these") else "that"
            objects = Intersect(objects, Pointed(pointer, words=determiner.words))
        return Quantified(
            "the" if determiner.label == "pointed" else determiner.label,
            () if determiner.label in ("bare", "pointed") else determiner.words,
            objects,
            head,
            plural or (determiner.number or 0) > 1,
            is_ranked,
            determiner.number,
            determiner.comparison,
        )

    def _counted_noun(self, word: Word) -> Quantified | None:
        """A group of dogs; two of the dogs, a lot of dogs: what is "of" is the noun."""
        of = next((c for c in word.below("prep") if c.has(WordClass.OF)), None)
        inner = next(iter(of.below("pobj")), None) if of is not None else None
        if of is None or inner is None:
            return None
        if word.has(WordClass.FORM) and self._is_plural(inner):
            whole = self.phrase(inner)
            form = word.sense(WordClass.FORM).concept
            articles = [c.span for c in word.below("det")]
            members = refer_to_members(whole)
            group: Op = TheGroup(members, form, words=(*articles, word.span))
            made: Op = self._followed(word, group, members, {of.index})
            return Quantified("group", (), made, members, plural=False)
        counts = word.has(WordClass.NUMBER, WordClass.ONE) or word.tag == "CD"
        if not counts:
            return None
        whole = self.phrase(inner)
        if not isinstance(whole, Quantified):
            raise NoReadingError("an amount of several things is not understood", [word.span])
        objects = self._followed(word, whole.objects, whole.head, {of.index})
        number = _number(word)
        if number is None:
            raise NoReadingError("this number is not understood", [word.span])
        comparison, words = self._compared(word)
        label = "comparison" if comparison else "number_of"
        return Quantified(
            label,
            (*words, word.span),
            objects,
            whole.head,
            plural=number != 1,
            number=number,
            comparison=comparison,
        )

    @staticmethod
    def _is_plural(word: Word) -> bool:
        if word.has(WordClass.PLURAL_NOUN, WordClass.THINGS, WordClass.ONES):
            return True
        return word.tag in _PLURAL_TAGS or word.lower in ("these", "those")

    def _head(self, word: Word) -> tuple[Op, set[int]]:
        """The set of a noun with what it is compounded with, and the words that took."""
        if word.has(WordClass.THING, WordClass.THINGS, WordClass.ONE, WordClass.ONES):
            return Everything(words=(word.span,)), set()
        if word.has(WordClass.ANYTHING, WordClass.EVERYTHING):
            concept = word.sense(WordClass.ANYTHING, WordClass.EVERYTHING).concept
            if concept == "everything":
                return Everything(words=(word.span,)), set()
            return Select(concept, words=(word.span,)), set()
        if word.has(WordClass.THE, WordClass.OF) or word.lower in ("a", "an", "every"):
            raise NoReadingError("a noun is missing", [word.span])
        if word.tag in ("DT", "WP", "WDT", "EX", "CD") and not word.has(WordClass.NOUN):
            persons = word.has(WordClass.WHO) and not word.has(WordClass.WHICH)
            named: Op = Everything(words=(word.span,))
            return (Select("person", words=(word.span,)) if persons else named), set()
        parts = [
            child
            for child in word.below("compound", "nmod")
            if child.span.start < word.span.start and not child.has(*_QUALIFYING)
        ]
        if word.has(WordClass.ATTRIBUTE) and not word.tag.startswith("NN"):
            sense = word.sense(WordClass.ATTRIBUTE)
            everything = Everything()
            return Filter(everything, sense.dimension, sense.concept, words=(word.span,)), set()
        # Compounds hang on each other: "polar bear exhibit".
        named_by = sorted(
            {w.index: w for part in parts for w in part.walk() if _is_name_part(w)}.values(),
            key=lambda w: w.index,
        )
        concept = " ".join([*(_name(w) for w in named_by), _name(word)])
        span = Span(min([word, *named_by], key=lambda w: w.index).span.start, word.span.end)
        return Select(concept, words=(span,)), {w.index for w in named_by}

    def _determined(self, word: Word) -> _Determiner:
        """What says how many of the things are meant."""
        said = _Determiner()
        before = [*word.below("predet", "det", "preconj"), *word.below("nummod", "amod", "poss")]
        before += [c for c in word.below("advmod", "quantmod") if c.has(WordClass.COMPARISON)]
        for child in sorted(before, key=lambda c: c.index):
            number = _number(child) if child.relation != "amod" or child.tag == "CD" else None
            if child.lower in _ONE_ALONE and not self._is_plural(word):
                number = 1
            if number is not None and child.relation != "poss":
                comparison, words = self._compared(child)
                comparison = comparison or said.comparison
                the = said.label == "the"
                said.label = "comparison" if comparison else "the_number" if the else "number"
                said.number, said.comparison = number, comparison
                said.words = (*said.words, *words, child.span)
                continue
            if child.has(WordClass.COMPARISON) and child.relation not in ("det", "amod"):
                said.comparison = Comparison(child.sense(WordClass.COMPARISON).concept)
                said.words = (*said.words, child.span)
                continue
            if child.has(WordClass.POINTING, WordClass.POINTING_MANY):
                said.label, said.lower, said.words = "pointed", child.lower, (child.span,)
                continue
            classes = [c for c in _DETERMINERS if child.has(c)]
            if classes and child.relation != "poss":
                label = _DETERMINERS[classes[0]]
                if label == "the" and said.label in ("all", "both", "each"):
                    label = said.label
                if label == "most" and said.label == "the":
                    # "With the most cups" compares, "with most cups" counts.
                    raise NoReadingError(NOT_HERE, [child.span])
                said.label = label
                silent = label == "indefinite"
                said.words = () if silent else (*said.words, child.span)
                if label == "both":
                    said.number = 2
            elif child.relation == "poss" and said.label == "bare":
                said.label = "the"
        if said.comparison is not None and said.number is None:
            said.comparison = None
        return said

    def _compared(self, word: Word) -> tuple[Comparison | None, tuple[Span, ...]]:
        """At least, exactly and the like, said of a number."""
        for child in word.children:
            if child.has(WordClass.COMPARISON):
                concept = child.sense(WordClass.COMPARISON).concept
                return Comparison(concept), (child.span,)
        return None, ()

    def _described(self, word: Word, head: Op, plural: bool, used: set[int]) -> Op:
        """A noun with the adjectives before it, the last one first."""
        objects = head
        labels = ("amod", "compound", "nmod", "poss", "nummod", "advmod", "det", "npadvmod")
        for child in word.below(*labels)[::-1]:
            if child.index in used or child.span.start > word.span.start:
                continue
            if child.relation == "poss":
                objects = self._owned(objects, child)
            elif (
                self._is_pick(child)
                or _number(child) is not None
                or child.is_refused_as("quantity")
            ):
                continue
            elif child.relation in ("det", "advmod", "npadvmod", "nummod"):
                if child.has(WordClass.ATTRIBUTE):
                    objects = self.qualified(objects, child, plural)
            elif (
                child.lower in _ONE_ALONE
                or child.has(WordClass.OTHER, WordClass.SAME)
                or (child.has(*_DETERMINERS) and child.tag not in ("JJ", "NN"))
            ):
                continue
            else:
                objects = self.qualified(objects, child, plural)
        return objects

    def qualified(self, objects: Op, word: Word, plural: bool = False) -> Op:
        """The part of a set that an adjective keeps, with those that are joined to it."""
        made = self._quality(objects, word)
        for other in word.below("conj"):
            if other.is_verb or (other.tag in ("NN", "NNS") and not other.has(WordClass.ATTRIBUTE)):
                continue
            joints = tuple(c.span for c in word.below("cc"))
            either = any(c.has(WordClass.OR) for c in word.below("cc"))
            both = other.has(WordClass.COLOUR) and word.has(WordClass.COLOUR) and plural
            if either or both:
                made = Union(made, self.qualified(objects, other, plural), words=joints)
            else:
                made = self.qualified(made, other, plural)
        return made

    def _quality(self, objects: Op, word: Word) -> Op:
        denied = word.below("neg")
        if denied:
            keep = self._plain_quality(objects, word)
            return Minus(objects, keep, words=tuple(c.span for c in denied))
        linked = self._adjectival_relation(objects, word)
        made = self._plain_quality(objects, word) if linked is None else linked
        for preposition in word.below("prep")[0 if linked is None else 1 :]:
            made = self._attached(made, preposition, objects)
        for verb in word.below("xcomp"):
            made = self._clause(made, verb) if verb.is_verb else made
        return made

    def _adjectival_relation(self, objects: Op, word: Word) -> Op | None:
        """What an adjective with its preposition relates: "full of", "parallel to"."""
        preposition = next(iter(word.below("prep")), None)
        landmark = next(iter(preposition.below("pobj")), None) if preposition else None
        if preposition is None or landmark is None or word.has(*_QUALIFYING, WordClass.COMPARATIVE):
            return None
        if preposition.span.start < word.span.start:
            return None
        name = f"{word.lower}_{preposition.lower}".replace(" ", "_")
        words = (word.span, preposition.span)
        return best(landmarks.related(objects, name, words, self.phrase(landmark, objects)))

    def _plain_quality(self, objects: Op, word: Word) -> Op:
        words = (*(c.span for c in word.below("advmod", "npadvmod") if _is_shade(c)), word.span)
        if word.has(WordClass.ATTRIBUTE):
            sense = word.sense(WordClass.ATTRIBUTE)
            return Filter(objects, sense.dimension, sense.concept, words=(word.span,))
        if word.has(WordClass.COMPARATIVE):
            than = next((c for c in word.below("prep") if c.has(WordClass.THAN)), None)
            landmark = next(iter(than.below("pobj")), None) if than is not None else None
            order = word.sense(WordClass.COMPARATIVE).concept
            if than is None or landmark is None:
                # "The bigger dog": no other is as big.
                return ranked(objects, order, Rank(1, (), None), words)
            to = self.phrase(landmark)
            return best(landmarks.ahead(objects, order, 1, (word.span, than.span), to))
        if word.has(WordClass.LOCATION):
            place = Place(tuple((s,) for s in word.unit.all(WordClass.LOCATION)), False, words)
            return best(located(objects, place, unique=False))
        forms = [c.lower for c in word.below("advmod", "npadvmod") if _is_shade(c)]
        return Filter(objects, QUALITY, " ".join([*forms, word.lower]), words=words)

    def _owned(self, objects: Op, owner: Word) -> Op:
        """The man's hat; her hat."""
        if owner.tag == "PRP$":
            pronoun = {"his": "he", "her": "she", "its": "it", "their": "they"}.get(owner.lower)
            found = self._antecedent(pronoun, owner) if pronoun else None
            if found is None:
                return objects
            of = replace(found, objects=found.objects.at(*found.objects.words, owner.span))
            return Relate(objects, "of", best(things_of(of)), words=(owner.span,))
        words = tuple(c.span for c in owner.below("case"))
        return best(landmarks.related(objects, "of", words, self.phrase(owner)))

    def _followed(self, word: Word, objects: Op, head: Op, used: set[int]) -> Op:
        """A noun with what follows it, in the order of the text."""
        made = objects
        for child in word.children:
            if child.index in used or (child.span.start < word.span.start):
                continue
            if child.relation == "prep" or (
                child.relation in ("advmod", "agent") and child.below("prep", "pobj")
            ):
                made = self._attached(made, child, head)
            elif child.relation in ("acl", "relcl", "advcl"):
                made = self._clause(made, child)
            elif (child.relation in ("amod", "acomp") and child.span.start > word.span.end) or (
                child.relation in ("advmod", "npadvmod", "nmod") and child.has(WordClass.ATTRIBUTE)
            ):
                made = self.qualified(made, child)
        return made

    def _is_pick(self, word: Word) -> bool:
        return word.has(
            WordClass.SUPERLATIVE, WordClass.NEAREST, WordClass.FARTHEST, WordClass.ORDINAL
        )

    def _picked(self, word: Word, objects: Op, used: set[int]) -> tuple[Op, bool]:
        """A set with the superlative or ordinal that picks from it."""
        picks = [
            child
            for child in word.below("amod", "advmod", "nummod", "acomp", "compound", "det")
            if child.index not in used and self._is_pick(child)
        ]
        rank, made = Rank(1, ()), objects
        for pick in [p for p in picks if p.has(WordClass.ORDINAL)]:
            concept = pick.sense(WordClass.ORDINAL).concept
            rank = Rank(None if concept == "last" else int(concept), (pick.span,))
        sorts = (WordClass.SUPERLATIVE, WordClass.NEAREST, WordClass.FARTHEST)
        orders = [p for p in picks if p.has(*sorts)]
        for pick in orders[:1]:
            goal = next((c for c in (*pick.below("prep"), *word.below("prep")) if _to(c)), None)
            thing = next(iter(goal.below("pobj")), None) if goal else None
            near = pick.has(WordClass.NEAREST)
            if goal and thing and pick.has(WordClass.NEAREST, WordClass.FARTHEST):
                to = referred(self.phrase(thing))
                words = (*rank.words, pick.span, goal.span)
                made = (Closest if near else Farthest)(made, to, rank.place or 1, words=words)
            else:
                made = ranked(made, pick.sense(*sorts).concept, rank, (pick.span,))
        if picks and not orders:
            made = ranked(made, "leftmost", rank, ())
        return made, bool(picks)


class _Determiner:
    """What stands before a noun and says how many are meant; filled word by word."""

    def __init__(self) -> None:
        self.label = "bare"
        self.lower = ""
        self.words: tuple[Span, ...] = ()
        self.number: int | None = None
        self.comparison: Comparison | None = None


_QUALIFYING = (
    *(WordClass.ATTRIBUTE, WordClass.LOCATION, WordClass.SUPERLATIVE, WordClass.ORDINAL),
    *(WordClass.NUMBER, WordClass.NEAREST, WordClass.FARTHEST),
)


def _doer_of(word: Word) -> Word | None:
    """The subject of the clause that a word is in, when the word is not in it."""
    below, here = word, word.head
    while here is not None and not here.is_verb:
        below, here = here, here.head
    subjects = here.below("nsubj", "nsubjpass") if here is not None else []
    return next((s for s in subjects if s is not below), None)


def _name(word: Word) -> str:
    """The concept of a noun, or of a word that is part of a compound."""
    for word_class in (*NOUNS, WordClass.ADJECTIVE):
        if word.has(word_class):
            return word.sense(word_class).concept
    return word.lemma


def _is_name_part(word: Word) -> bool:
    return word.relation in ("compound", "nmod") and not word.has(*_QUALIFYING)


def _number(word: Word) -> int | None:
    if word.has(WordClass.NUMBER):
        return int(word.sense(WordClass.NUMBER).concept)
    return None


def is_number_of(word: Word) -> bool:
    """Whether a word is "a number of", which is several, and not a question for how many."""
    return word.has(WordClass.HOW_MANY) and any(
        child.has(WordClass.INDEFINITE) for child in word.below("det")
    )


def _is_shade(word: Word) -> bool:
    """Whether an adverb makes another quality of an adjective: "snow covered", not "very"."""
    return word.relation == "npadvmod" or word.tag in ("NN", "JJ")


def _to(word: Word) -> bool:
    return word.has(WordClass.TO, WordClass.FROM) and bool(word.below("pobj"))
