"""Word classes: what a word can do in a sentence. The grammar's terminals are exactly these."""

from __future__ import annotations

import enum


class WordClass(enum.Enum):
    """A class of words; the value is its one-letter code, :attr:`description` its name for people.

    A sentence is handed to the grammar as the codes of its words, so that the parse depends on
    classes alone and a new word never needs a new grammar.
    """

    description: str

    def __new__(cls, code: str, description: str) -> WordClass:
        """Make a member whose value is ``code``."""
        member = object.__new__(cls)
        member._value_ = code
        member.description = description
        return member

    NOUN = "n", "a noun"
    PLURAL_NOUN = "N", "a noun"
    GUESSED_NOUN = "u", "a noun"
    GUESSED_PLURAL = "U", "a noun"
    THING = "t", "a noun"
    THINGS = "T", "a noun"
    ANYTHING = "e", '"everything" or "anything"'
    ONE = "1", '"one"'
    ONES = "2", '"one"'
    ATTRIBUTE = "j", "a colour, size or material"
    COLOUR = "c", "a colour"
    MODIFIER = "x", "a colour, size or material"
    LOCATION = "l", 'a place such as "left"'
    FAR = "f", '"far"'
    SIDE = "s", '"side" or "corner"'
    IMAGE = "i", '"picture"'
    SUPERLATIVE = "p", "a superlative"
    NEAREST = "m", '"closest"'
    FARTHEST = "M", '"farthest"'
    ORDINAL = "o", "an ordinal"
    NUMBER = "k", "a number"
    THE = "d", '"the"'
    INDEFINITE = "a", '"a" or "some"'
    ALL = "q", '"all"'
    EACH = "E", '"every"'
    BOTH = "b", '"both"'
    NO = "z", '"no"'
    COMPARISON = "v", '"at least", "more than" or the like'
    RELATION = "r", "a relation"
    SIDE_RELATION = "R", "a relation"
    WITHOUT = "g", '"without"'
    WITH_COLOUR = "W", '"in" or "wearing"'
    PLACE = "P", '"on", "at" or "in"'
    TO = "O", '"to"'
    FROM = "F", '"from"'
    OF = "I", '"of"'
    WHICH = "w", '"that" or "which"'
    IS = "B", '"is"'
    THERE = "Y", '"there"'
    NOT = "X", '"not"'
    NEGATING = "h", '"non-"'
    AND = "A", '"and"'
    OR = "V", '"or"'
    EITHER = "L", '"either"'
    BUT = "D", '"but"'
    EXCEPT = "C", '"except"'
    COMMA = "Q", "a comma"
    HOW_MANY = "H", '"how many"'
    POSTURE = "G", '"standing" or "sitting"'
    WHO = "y", '"who"'
    COMMAND = "K", "a command"
    POLITE = "J", '"please"'
    STOP = "S", "the end of the sentence"
    UNKNOWN = "Z", "a word that is not known"

    @property
    def key(self) -> str:
        """The name of the class in lexicon files."""
        return self.name.lower()


WORD_CLASSES: dict[str, WordClass] = {member.key: member for member in WordClass}
"""Every word class by its name in lexicon files."""

UNSPOKEN = frozenset(
    {
        WordClass.INDEFINITE,
        WordClass.PLACE,
        WordClass.TO,
        WordClass.FROM,
        WordClass.OF,
        WordClass.WHICH,
        WordClass.WHO,
        WordClass.IS,
        WordClass.THERE,
        WordClass.EITHER,
        WordClass.COMMA,
        WordClass.POLITE,
        WordClass.STOP,
        WordClass.AND,
        WordClass.THE,
    }
)
"""Classes of function words: when the program has no use for one, that is no news."""

OPEN = frozenset(
    {
        WordClass.NOUN,
        WordClass.PLURAL_NOUN,
        WordClass.GUESSED_NOUN,
        WordClass.GUESSED_PLURAL,
        WordClass.ATTRIBUTE,
        WordClass.COLOUR,
        WordClass.MODIFIER,
        WordClass.UNKNOWN,
    }
)
"""Classes of content words. Other languages share some of these words, but not the others."""

EXPECTED_FIRST = frozenset(
    {
        WordClass.NOUN,
        WordClass.PLURAL_NOUN,
        WordClass.ATTRIBUTE,
        WordClass.COLOUR,
        WordClass.RELATION,
        WordClass.THE,
        WordClass.NUMBER,
    }
)
"""What a message names first when many classes could follow."""
