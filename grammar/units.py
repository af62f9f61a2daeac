"""From tokens to units: words and multi-word phrases with all their senses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from neurosym.grammar.classes import BOUND, NOUNS, WordClass
from neurosym.grammar.lexicon import Lexicon, Sense
from neurosym.grammar.open_class import (
    UNLISTED,
    also_verb,
    is_amount,
    is_covered,
    is_donned,
    is_graded,
    is_handed,
    is_joint_quality,
    is_lone,
    is_pair,
    is_seeming,
    is_softener,
    is_stative,
    opens_clause,
    participial,
    senses_of,
    singular,
    verb_end,
    verb_of,
    verb_senses,
)
from neurosym.grammar.tokens import Token
from neurosym.span import Span

_PARTICIPLES = {"VBN", "VBG", "VBD"}
_BEFORE_COMMANDS = frozenset({WordClass.POLITE, WordClass.COMMA, WordClass.FILLER})
"""Classes of what may come before a command."""
_PLACE_OF = {
    "above": Sense(WordClass.LOCATION, "top", "vertical"),
    "below": Sense(WordClass.LOCATION, "bottom", "vertical"),
    "between": Sense(WordClass.LOCATION, "middle", "horizontal"),
}
"""The places that relations stand for when nothing follows them: "the dog behind"."""
_BEFORE_GOALS = frozenset({"closest", "nearest", "closer", "nearer", "close", "next", "farthest"})
"""What before "to" says that what follows is a thing, and no deed: "closest to trash"."""
_AFTER_COMMANDS = frozenset(
    {
        "the",
        "a",
        "an",
        "this",
        "that",
        "these",
        "those",
        "it",
        "them",
        "all",
        "every",
        "both",
        "please",
    }
)
"""What tells that a word which may also be a quality is a command: "open the fridge"."""
_PROGRESSIVE = frozenset({"being", "getting"})
"""What before a participle says that it is going on: "being held by"."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A word or phrase that the grammar takes as one.

    Attributes:
        tokens: what it is made of.
        senses: everything it can be.
    """

    tokens: tuple[Token, ...]
    senses: tuple[Sense, ...]

    @property
    def span(self) -> Span:
        """The characters from its first to its last token."""
        return Span(self.tokens[0].span.start, self.tokens[-1].span.end)

    @property
    def code(self) -> str:
        """The codes of its classes, in a fixed order."""
        if len(self.senses) == 1:
            return str(self.senses[0].word_class.value)
        return "".join(sorted({sense.word_class.value for sense in self.senses}))

    def sense(self, *classes: WordClass) -> Sense:
        """The first sense that is of one of ``classes``."""
        return next(sense for sense in self.senses if sense.word_class in classes)

    @property
    def forms(self) -> tuple[tuple[str, ...], ...]:
        """Its words as written, and with the last one in its base forms: how a lexicon lists it."""
        words = tuple(token.lower for token in self.tokens)
        return (words, *((*words[:-1], form) for form in base_forms(self.tokens[-1])))

    @property
    def is_name(self) -> bool:
        """Whether it names a kind of thing: then its words may also be meant one by one."""
        return any(s.word_class in (WordClass.NOUN, WordClass.PLURAL_NOUN) for s in self.senses)

    @property
    def listed_unknown(self) -> bool:
        """Whether it is listed as a word that changes what is meant in a way we cannot say."""
        return any(s.concept != UNLISTED for s in self.all(WordClass.UNKNOWN))

    @property
    def not_understood(self) -> bool:
        """Whether it changes what is meant, in a way we cannot say but in its own constructions."""
        return self.listed_unknown or any(s.word_class in BOUND for s in self.senses)

    def all(self, word_class: WordClass) -> tuple[Sense, ...]:
        """Every sense of a class."""
        return tuple(sense for sense in self.senses if sense.word_class is word_class)


def segmentations(
    tokens: tuple[Token, ...], lexicon: Lexicon, limit: int
) -> Iterator[tuple[tuple[Unit, ...], Unit | None]]:
    """The ways to cut a sentence into units: longest phrases first, then with one phrase split.

    Yields the units and the phrase that was split, if any. Marks that are not words and that the
    lexicon does not list are left out.
    """
    lowers = tuple(token.lower for token in tokens)
    bases = tuple(base_forms(token) for token in tokens)
    longest = _cut(tokens, lowers, bases, lexicon, split=None)
    yield longest, None
    phrases = [
        unit
        for unit in longest
        # "Pick up" is no picking of what is up.
        if len(unit.tokens) > 1 and not unit.listed_unknown and not unit.all(WordClass.COMMAND)
    ]
    for unit in phrases[: limit - 1]:
        split = unit.tokens[0].index - tokens[0].index
        yield _cut(tokens, lowers, bases, lexicon, split=split), unit


def _cut(
    tokens: tuple[Token, ...],
    lowers: tuple[str, ...],
    bases: tuple[tuple[str, ...], ...],
    lexicon: Lexicon,
    split: int | None,
) -> tuple[Unit, ...]:
    units: list[Unit] = []
    position = 0
    while position < len(tokens):
        start = position
        position = _verb_start(tokens, position)
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        next_word = lowers[position + 1 : position + 2]
        found = _in_place(lexicon.matches(lowers, bases, position), units, next_word)
        if is_stative(tokens[position], following, found, lexicon):
            found = [(position + 1, (Sense(WordClass.ADJECTIVE, lowers[position]),))]
        if is_handed(tokens, position):
            # "The right hand picture" is the picture on the right.
            units.append(Unit(tokens[position : position + 2], lexicon.senses(lowers[position])))
            position += 2
            continue
        longest = found[0][0] - position if found else 0
        after = tokens[position + 1] if position + 1 < len(tokens) else None
        previous = tokens[position - 1] if position else None
        if is_softener(previous, tokens[position], after, longest, lexicon):
            position += 1
            continue
        if units and is_seeming(previous, tokens[position], after):
            units[-1] = Unit((*units[-1].tokens, tokens[position]), units[-1].senses)
            position += 1
            continue
        if found and found[0][1][0].word_class is WordClass.FILLER:
            position = found[0][0]
            continue
        if position == split or (found and is_pair(tokens, position, found[0][0], lexicon)):
            found = found[1:]
        if longest < 2 and is_covered(tokens, position, lexicon):
            covered = tokens[position : position + 2]
            name = " ".join(token.lower for token in covered)
            units.append(Unit(covered, (Sense(WordClass.ADJECTIVE, name),)))
            position += 2
            continue
        if longest < 2 and (compound := participial(tokens, position)):
            units.append(Unit(tokens[position : position + 3], (compound,)))
            position += 3
            continue
        if longest < 2 and is_graded(previous, tokens[position:], lexicon):
            grade, adjective = tokens[position : position + 2]
            quality = Sense(WordClass.ADJECTIVE, f"{grade.lower} {adjective.lower}")
            units.append(Unit((grade, adjective), (quality,)))
            position += 2
            continue
        if longest < 2 and is_amount(previous, tokens[position:]):
            amount = Sense(WordClass.ADJECTIVE, tokens[position].lower)
            units.append(Unit(tokens[position : position + 1], (amount,)))
            position += 1
            continue
        if longest < 2 and is_joint_quality(tokens[position : position + 3], lexicon):
            noun, quality_of = tokens[position : position + 2]
            joint = Sense(WordClass.ADJECTIVE, f"{noun.lower} {quality_of.lower}")
            units.append(Unit((noun, quality_of), (joint,)))
            position += 2
            continue
        verb = verb_of(tokens[position], found[0] if found else None)
        if verb:
            head = found[0][0] if found else position + 1
            end = verb_end(tokens, bases, head, verb, lexicon)
            if end > head:
                senses = verb_senses(verb, tokens[head:end], lexicon)
                units.append(Unit(tokens[start:end], senses))
                position = end
                continue
        if found:
            end, senses = found[0]
            if all(sense.word_class is WordClass.PARTICLE for sense in senses):
                # "Find the man with his arm up" has no particle.
                senses += senses_of(tokens[position:end], lexicon, first=False)
            place = _PLACE_OF.get(senses[0].concept) if units and end == len(tokens) else None
            if place is not None and not _is_worn(units[-1], lexicon):
                senses = (*senses, place)
            if end == position + 1 and is_donned(tokens, position, lexicon):
                senses = (*senses, Sense(WordClass.ADJECTIVE, "on"))
            if is_lone(tokens, position, lexicon):
                senses = (*senses, Sense(WordClass.LOCATION, "back", "depth"))
            if senses[0].word_class is WordClass.THE and opens_clause(tokens, position, lexicon):
                senses = (*senses, Sense(WordClass.OPENING, "the"))
            nouns = end == position + 1 and all(s.word_class in NOUNS for s in senses)
            if nouns and tokens[position].tag != "NNS":
                senses = (*senses, *also_verb(previous, tokens[position], after, lexicon))
            units.append(Unit(tokens[start:end], senses))
            position = end
            continue
        end = _hyphenated(tokens, position)
        if _is_genitive(lowers, tokens, position):
            units.append(Unit(tokens[position:end], (Sense(WordClass.GENITIVE, "of"),)))
        elif tokens[position].is_word:
            senses = senses_of(tokens[position:end], lexicon, first=position == 0)
            if not any(sense.word_class is WordClass.VERB for sense in senses):
                following = tokens[end] if end < len(tokens) else None
                senses += also_verb(previous, tokens[end - 1], following, lexicon)
            units.append(Unit(tokens[start:end], senses))
        position = end
    return tuple(units)


def _in_place(
    found: list[tuple[int, tuple[Sense, ...]]], before: list[Unit], after: tuple[str, ...]
) -> list[tuple[int, tuple[Sense, ...]]]:
    """What the lexicon has for words, as far as it can stand where they do.

    A command opens a sentence, and only a command has a particle after what it names: "the cut
    pizza" and "arm up" have neither.
    """
    dropped = set()
    if any(unit.senses[0].word_class not in _BEFORE_COMMANDS for unit in before):
        dropped.add(WordClass.COMMAND)
    like = {s.word_class for end, senses in found for s in senses}
    if WordClass.ADJECTIVE in like and not {*after} & _AFTER_COMMANDS:
        # "Open fridge" is one that is open.
        dropped.add(WordClass.COMMAND)
    if not any(unit.all(WordClass.COMMAND) for unit in before):
        dropped.add(WordClass.PARTICLE)
    kept = [(end, tuple(s for s in senses if s.word_class not in dropped)) for end, senses in found]
    return [(end, senses) for end, senses in kept if senses]


def _is_worn(unit: Unit, lexicon: Lexicon) -> bool:
    """Whether a word names clothes, which are under and over each other: "red shirt under"."""
    return any(lexicon.has_feature("worn", sense.concept) for sense in unit.senses)


def _verb_start(tokens: tuple[Token, ...], position: int) -> int:
    """Past what only leads up to a verb: "being held by", "to catch a ball"."""
    after = tokens[position + 1].tag if position + 1 < len(tokens) else ""
    word = tokens[position].lower
    leads = word in _PROGRESSIVE and after in _PARTICIPLES
    goal = position > 0 and tokens[position - 1].lower in _BEFORE_GOALS
    return position + 1 if leads or (word == "to" and after == "VB" and not goal) else position


def _is_genitive(lowers: tuple[str, ...], tokens: tuple[Token, ...], position: int) -> bool:
    """Whether an apostrophe is a genitive ("the dogs' ball"), and no quotation mark."""
    return (
        lowers[position] == "'"
        and 0 < position < len(tokens) - 1
        and tokens[position - 1].span.end == tokens[position].span.start
        and lowers[position - 1].endswith("s")
        and tokens[position + 1].is_word
        and not lowers[:position].count("'") % 2
    )


def _hyphenated(tokens: tuple[Token, ...], start: int) -> int:
    """The end of the word at ``start`` with what hyphens join to it ("u-turn")."""
    end = start + 1
    while (
        end + 1 < len(tokens)
        and tokens[end].lower == "-"
        and tokens[end - 1].span.end == tokens[end].span.start
        and tokens[end].span.end == tokens[end + 1].span.start
        and tokens[end + 1].is_word
    ):
        end += 2
    return end


def base_forms(token: Token) -> tuple[str, ...]:
    """What the word may be the plural of: its lemma, and its form less the ending.

    The latter because taggers take bare plurals for verbs: "cubes" of a verb "cub". The lemma of
    a participle is a verb, though, which the noun may look like: "stacked".
    """
    forms: tuple[str, ...] = (token.lemma, singular(token.lower))
    if token.tag in _PARTICIPLES:
        forms = forms[1:]
    return tuple(dict.fromkeys(form for form in forms if form != token.lower))


def listed(tokens: tuple[Token, ...], lexicon: Lexicon) -> frozenset[int]:
    """The positions of the tokens that are, or are part of, a phrase of the lexicon."""
    lowers = tuple(token.lower for token in tokens)
    bases = tuple(base_forms(token) for token in tokens)
    found: set[int] = set()
    position = 0
    while position < len(tokens):
        matches = lexicon.matches(lowers, bases, position)
        end = matches[0][0] if matches else position
        found.update(range(position, end))
        position = max(end, position + 1)
    return frozenset(found)
