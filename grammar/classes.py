"""Word classes: what a word can do in a sentence. The grammar's terminals are exactly these."""

from __future__ import annotations

import enum

_FIRST_CODE = 0x100
"""The first of the Latin letters with marks, which are many and all plain."""


class WordClass(enum.Enum):
    """A class of words; the value is its one-letter code, :attr:`description` its name for people.

    A sentence is handed to the grammar as the codes of its words, so that the parse depends on
    classes alone and a new word never needs a new grammar. Codes are given out in order, from
    the letters that no regular expression takes for anything but themselves.
    """

    description: str

    def __new__(cls, description: str) -> WordClass:
        """Make a member whose value is the next free code."""
        member = object.__new__(cls)
        member._value_ = chr(_FIRST_CODE + len(cls.__members__))
        member.description = description
        return member

    NOUN = "a noun"
    PLURAL_NOUN = "a noun"
    GUESSED_NOUN = "a noun"
    GUESSED_PLURAL = "a noun"
    THING = "a noun"
    THINGS = "a noun"
    ANYTHING = '"anything"'
    EVERYTHING = '"everything"'
    ONE = '"one"'
    ONES = '"one"'
    ATTRIBUTE = "a colour, size or material"
    COLOUR = "a colour"
    ADJECTIVE = "an adjective"
    LOCATION = 'a place such as "left"'
    FAR = '"far"'
    SIDE = '"side" or "corner"'
    IMAGE = '"picture"'
    SUPERLATIVE = "a superlative"
    NEAREST = '"closest"'
    FARTHEST = '"farthest"'
    ORDINAL = "an ordinal"
    NUMBER = "a number"
    THE = '"the"'
    OPENING = '"the"'
    INDEFINITE = '"a" or "some"'
    ALL = '"all"'
    EACH = '"every"'
    BOTH = '"both"'
    NO = '"no"'
    COMPARISON = '"at least", "more than" or the like'
    RELATION = "a relation"
    SIDE_RELATION = "a relation"
    WITHOUT = '"without"'
    WITH_COLOUR = '"in" or "wearing"'
    PLACE = '"on", "at" or "in"'
    TO = '"to"'
    FROM = '"from"'
    OF = '"of"'
    WHICH = '"that" or "which"'
    IS = '"is"'
    THERE = '"there"'
    NOT = '"not"'
    DENIAL = '"it is not so that"'
    NEGATING = '"non-"'
    AND = '"and"'
    OR = '"or"'
    EITHER = '"either"'
    BUT = '"but"'
    WHILE = '"while"'
    EXCEPT = '"except"'
    COMMA = "a comma"
    HOW_MANY = '"how many"'
    VERB = 'a verb such as "riding"'
    POSTURE = '"standing" or "sitting"'
    ADVERB = 'an adverb such as "directly"'
    WHO = '"who"'
    COMMAND = "a command"
    POLITE = '"please"'
    STOP = "the end of the sentence"
    MOST = '"most"'
    MORE = '"more" or "fewer"'
    AS_MANY = '"as many"'
    EQUALLY_MANY = '"the same number of"'
    THAN = '"than"'
    AS = '"as"'
    SAME = '"same"'
    DIFFERENT = '"different"'
    SIMILAR = '"similar to"'
    IDENTICAL = '"identical"'
    UNIQUE = '"the only one of its"'
    EACH_OTHER = '"each other"'
    ASPECT = 'an attribute such as "colour"'
    COMPARATIVE = "a comparative"
    DEGREE = 'an adjective such as "tall"'
    MULTIPLE = '"twice"'
    FRACTION = '"half"'
    TIMES = '"times"'
    BETWEEN = '"between"'
    ONLY = '"only"'
    OTHER = '"other"'
    OTHERS = '"others"'
    HAS = '"has"'
    MADE_OF = '"made of"'
    DO = '"does"'
    WHAT = '"what"'
    HOW = '"how big"'
    QUESTION = '"where", "what" or "who"'
    PASSIVE = 'a participle such as "held by"'
    FORM = 'a group such as "row"'
    POINTING = '"this" or "that"'
    POINTING_MANY = '"these" or "those"'
    PRESENT = '"visible"'
    SEEN = '"do you see"'
    SINGLE = '"only" or "single"'
    SHAPED = '"shaped"'
    MOST_COMMON = '"most common"'
    FEWEST = '"the fewest"'
    NUMEROUS = '"more numerous"'
    OUTNUMBER = '"outnumber"'
    PARITY = '"an even number of"'
    SHARE = '"shares"'
    MATCH = '"matches"'
    IF = '"if"'
    GONE = '"were removed"'
    IF_GONE = '"if you removed"'
    LEFT_OVER = '"would be left"'
    PRONOUN = '"it" or "them"'
    POSSESSIVE = '"its" or "their"'
    GENITIVE = "a possessive"
    VIEWER = '"us" or "you"'
    WHOSE = '"whose"'
    LABEL = '"number"'
    SHADE = '"coloured"'
    FILLER = "an interjection"
    NOTHING = '"nothing"'
    NEITHER = '"neither"'
    NOR = '"nor"'
    SEVERAL = '"several"'
    ANSWER = '"yes" or "no"'
    PARTICLE = '"up"'
    UNKNOWN = "a word that is not known"

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
        WordClass.HAS,
        WordClass.DO,
        WordClass.THERE,
        WordClass.EITHER,
        WordClass.COMMA,
        WordClass.WHILE,
        WordClass.POLITE,
        WordClass.STOP,
        WordClass.AND,
        WordClass.BUT,
        WordClass.THE,
        WordClass.OPENING,
    }
)
"""Classes of function words: when the program has no use for one, that is no news."""

BOUND = frozenset(
    {
        WordClass.MOST,
        WordClass.MORE,
        WordClass.THAN,
        WordClass.AS,
        WordClass.SAME,
        WordClass.DIFFERENT,
        WordClass.COMPARATIVE,
        WordClass.BETWEEN,
        WordClass.ONLY,
        WordClass.OTHER,
        WordClass.OTHERS,
    }
)
"""Classes of words that mean something in their own constructions alone. Elsewhere they change
what is meant in a way that we cannot say, and a text is refused at them by name."""

NOUNS = (
    *(WordClass.NOUN, WordClass.PLURAL_NOUN),
    *(WordClass.GUESSED_NOUN, WordClass.GUESSED_PLURAL),
)
"""Classes of words that name a kind of thing, the surest first."""

OPEN = frozenset(
    {
        WordClass.NOUN,
        WordClass.PLURAL_NOUN,
        WordClass.GUESSED_NOUN,
        WordClass.GUESSED_PLURAL,
        WordClass.ATTRIBUTE,
        WordClass.COLOUR,
        WordClass.ADJECTIVE,
        WordClass.VERB,
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
