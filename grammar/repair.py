"""Slips of the keyboard: misspelt words, spaces in the wrong place, words written twice.

A slip is repaired only when that is safe: the word is no word of English as far as the pipeline
knows, and one word of the domain alone is nearest to it. What was repaired is reported.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from neurosym.grammar.classes import OPEN, WordClass
from neurosym.grammar.lexicon import Lexicon, pieces
from neurosym.span import Span

SHORTEST = 3
"""Fewest letters of a word that is repaired; up to here, swapped letters alone."""
SHORT = 4
"""Up to so many letters, swapped twice are too many."""
LONG = 8
"""From this many letters on, two slips in one word are repaired too."""

SPELLING = "spelling"
SPACE = "space"
DOUBLED = "doubled word"

_CLASH = 0.5
"""How much less likely a value is before no noun, and another word before one."""
_MAY_DOUBLE = frozenset({"that"})
_WORD = re.compile(r"[^\W\d_]+")
_SWAPPED, _LEFT_OUT, _OTHER, _FIRST_LETTER = 0, 1, 2, 2
_ENDINGS = ("er", "est", "ish", "like", "less", "ing", "ed", "es", "s", "y")
_PREFIXES = ("non", "un", "re", "pre", "multi", "semi")
_SAID_TWICE = OPEN | {WordClass.POINTING, WordClass.WHICH, WordClass.NUMBER}
"""Classes of words that may well follow themselves: "the cup that that man holds"."""
_NAMES = frozenset({WordClass.NOUN, WordClass.GUESSED_NOUN})


@dataclass(frozen=True, slots=True)
class Repair:
    """A slip and what it was taken for.

    Attributes:
        written: the words as they stand in the text.
        meant: what they are read as.
        span: the characters of the text.
        reason: "spelling", "space" or "doubled word".
    """

    written: str
    meant: str
    span: Span
    reason: str

    def __str__(self) -> str:
        return f'"{self.written}" at {self.span} read as "{self.meant}" ({self.reason})'


def distance(one: str, other: str, most: int = 2) -> int:
    """Edits between two words: letters added, left out, exchanged, or swapped with the next one.

    The optimal string alignment distance (Damerau 1964, restricted).

    Args:
        one: a word.
        other: another word.
        most: distances beyond this are not told apart.

    Returns:
        The distance, or ``most + 1`` when it is larger.

    Example:
        >>> distance("traingle", "triangle"), distance("yelow", "yellow"), distance("bat", "cats")
        (1, 1, 2)
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


class Speller:
    """Repairs texts over the words of a lexicon.

    Args:
        lexicon: the words of the domain.
        english: what else is a word: called once, when the first text needs it.
    """

    def __init__(self, lexicon: Lexicon, english: Callable[[], frozenset[str]]) -> None:
        self._english = english
        self._lexicon = lexicon
        self._foreign = lexicon.foreign
        listed = lexicon.feature("closed")
        self._closed = listed | {
            form
            for word in listed
            if any(sense.word_class in _NAMES for sense in lexicon.senses(word))
            for form in _plurals(word)
        }
        self._domain = frozenset(_domain(lexicon))
        self._function = frozenset(
            phrase
            for phrase in lexicon.phrases()
            if all(sense.word_class not in _SAID_TWICE for sense in lexicon.senses(phrase))
        )

    def repairs(self, text: str, plain: str, vocabulary: Iterable[str] = ()) -> tuple[Repair, ...]:
        """The slips in a text, left to right; they do not overlap.

        Args:
            text: as it was given.
            plain: the same in lower case with plain marks, character by character.
            vocabulary: further words of the domain, such as the categories of a scene.
        """
        words = [Span(m.start(), m.end()) for m in _WORD.finditer(plain)]
        if any(word.of(plain) in self._foreign for word in words):
            return ()
        domain = self._domain
        extra = {piece for phrase in vocabulary for piece in pieces(phrase.lower())} - domain
        if extra:
            domain = domain | {form for word in extra for form in (word, *_plurals(word))}
        found: list[Repair] = []
        position = 0
        while position < len(words):
            repair = self._at(words, position, text, plain, domain)
            if repair is None:
                position += 1
                continue
            found.append(repair)
            while position < len(words) and words[position].start < repair.span.end:
                position += 1
        return tuple(found)

    def alternatives(
        self, text: str, plain: str, vocabulary: Iterable[str] = ()
    ) -> Iterator[tuple[Repair, ...]]:
        """What else the slips of a text may be, the likeliest first.

        Only a domain that lists all its words ("closed") has more than one: there a word that is
        none of them may be one slip away from several.

        Args:
            text: as it was given.
            plain: the same in lower case with plain marks, character by character.
            vocabulary: further words of the domain.
        """
        likeliest = self.repairs(text, plain, vocabulary)
        yield likeliest
        if not self._closed:
            return
        for number, repair in enumerate(likeliest):
            if repair.reason == SPELLING:
                for form in self._closest(repair.span.of(plain), plain[repair.span.end :])[1:]:
                    other = Repair(repair.written, form, repair.span, SPELLING)
                    yield (*likeliest[:number], other, *likeliest[number + 1 :])

    def knows(self, word: str) -> bool:
        """Whether this is a word: of the lexicon, or of English as far as the pipeline knows."""
        return self._known(word, self._domain)

    def _at(
        self, words: list[Span], position: int, text: str, plain: str, domain: Collection[str]
    ) -> Repair | None:
        here = words[position]
        word = here.of(plain)
        after = words[position + 1] if position + 1 < len(words) else None
        if self._closed:
            return self._in_closed(words, position, text, plain)
        if after is not None and not plain[here.end : after.start].strip(" "):
            both = Span(here.start, after.end)
            following = after.of(plain)
            if word == following and word in self._function and len(word) > 1:
                return self._doubled(words, position, text, plain)
            if not (self._known(word, domain) and self._known(following, domain)):
                moved = _moved(word, following, domain)
                if moved is not None:
                    return Repair(both.of(text), moved, both, SPACE)
        if self._known(word, domain) or _beside_a_mark(plain, here) or _is_name(text, here):
            return None
        meant, rank = self._nearest(word, domain)
        parts = _parted(word, domain)
        rest = word[1:]
        if word[0] == "w" and len(rest) > SHORT and self._known(rest, domain) and meant is None:
            # "Wglasses".
            parts = f"with {rest}"
        likely = _OTHER if len(word) >= LONG else _LEFT_OUT
        if parts is not None and (meant is None or rank > likely):
            return Repair(here.of(text), parts, here, SPACE)
        return None if meant is None else Repair(here.of(text), meant, here, SPELLING)

    def _in_closed(self, words: list[Span], position: int, text: str, plain: str) -> Repair | None:
        """The slip at a word, where the domain lists all words that it needs."""
        here = words[position]
        word = here.of(plain)
        beside = _with_digits(plain, here)
        if beside is not None and word in self._closed:
            return Repair(beside.of(text), _spaced(beside.of(plain)), beside, SPACE)
        rest = plain[here.end :]
        if position + 1 < len(words) and not rest[: words[position + 1].start - here.end].strip(
            " "
        ):
            following = words[position + 1].of(plain)
            if word == following and word in self._closed and word not in _MAY_DOUBLE:
                return self._doubled(words, position, text, plain)
        if word in self._closed or word in self._function or not word.isascii():
            return None
        if _beside_a_mark(plain, here):
            return None
        parts = _parted(word, self._closed)
        near = [] if len(word) < SHORTEST else self._closest(word, rest)
        if parts is not None:
            return Repair(here.of(text), parts, here, SPACE)
        return Repair(here.of(text), near[0], here, SPELLING) if near else None

    def _closest(self, word: str, rest: str) -> list[str]:
        """The words of a closed domain that are one slip away, the likeliest first.

        Args:
            word: what was written.
            rest: what follows it.
        """
        following = next(iter(_WORD.findall(rest)), "")
        named = any(
            sense.word_class in _NAMES
            for form in (following, following.removesuffix("s"))
            for sense in self._lexicon.senses(form)
        )
        built = any(sense.word_class is WordClass.IS for sense in self._lexicon.senses(following))
        ranks: dict[str, float] = {}
        for form, rank in _slips(word):
            if form not in self._closed:
                continue
            classes = {sense.word_class for sense in self._lexicon.senses(form)}
            if built and WordClass.THERE in classes:
                # "Thre is" opens a sentence, and is no number.
                rank = _SWAPPED
            unlikely = _CLASH if named is not (WordClass.ATTRIBUTE in classes) else 0.0
            ranks[form] = min(rank + unlikely, ranks.get(form, rank + unlikely))
        if not ranks and len(word) >= LONG:
            ranks = {form: 0.0 for form in self._closed if distance(word, form) == 2}
        return sorted(ranks, key=lambda form: (ranks[form], form))

    def _doubled(self, words: list[Span], position: int, text: str, plain: str) -> Repair:
        word = words[position].of(plain)
        last = position
        while (
            last + 1 < len(words)
            and words[last + 1].of(plain) == word
            and not plain[words[last].end : words[last + 1].start].strip(" ")
        ):
            last += 1
        span = Span(words[position].start, words[last].end)
        return Repair(span.of(text), word, span, DOUBLED)

    def _known(self, word: str, domain: Collection[str]) -> bool:
        """Whether this is a word: listed, English, or made of one by an ending."""
        if not word.isascii() or word in domain or word in self._function:
            return True
        english = self._english()
        if word in english:
            return True
        return any(base in english or base in domain for base in _bases(word))

    def _nearest(self, word: str, domain: Collection[str]) -> tuple[str | None, int]:
        """The one word of the domain that is nearest, and how good a reason there is for it."""
        if len(word) < SHORTEST:
            return None, 0
        english = self._english()
        ranks: dict[str, int] = {}
        rival = 2 * _OTHER + 1
        for form, rank in _slips(word):
            if form in domain:
                ranks[form] = min(rank, ranks.get(form, rank))
            elif form in english:
                rival = min(rank, rival)
        if len(word) <= SHORTEST:
            ranks = {form: rank for form, rank in ranks.items() if rank == _SWAPPED}
        if ranks:
            best = min(ranks.values())
            nearest = [form for form, rank in ranks.items() if rank == best]
            shuffled = [form for form in nearest if sorted(form) == sorted(word)]
            nearest = shuffled if len(shuffled) == 1 else nearest
            return (nearest[0], best) if len(nearest) == 1 and rival >= best else (None, 0)
        near = [form for form in domain if form[0] == word[0] and distance(word, form) == 2]
        if len(word) > SHORT:
            # All the letters are there: "bornw" for "brown".
            shuffled = [form for form in near if sorted(form) == sorted(word)]
            if len(shuffled) == 1:
                return shuffled[0], _OTHER
        if len(word) < LONG or rival <= 2 * _OTHER:
            return None, 0
        return (near[0], _OTHER) if len(near) == 1 else (None, 0)


def _domain(lexicon: Lexicon) -> Iterator[str]:
    """The single words of the lexicon, nouns in the plural as well."""
    for phrase in lexicon.phrases():
        parts = [piece for piece in pieces(phrase) if piece.isalpha()]
        yield from (piece for piece in parts if len(piece) > 1 or piece == "a")
        if parts and any(sense.word_class in _NAMES for sense in lexicon.senses(phrase)):
            yield from _plurals(parts[-1])


def _plurals(word: str) -> tuple[str, ...]:
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return (f"{word}es",)
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return (f"{word[:-1]}ies",)
    return (f"{word}s",)


def _bases(word: str) -> Iterator[str]:
    """What the word may be made from by an ending or a beginning of English."""
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if len(stem) < 3 or stem == word:
            continue
        yield stem
        if ending in ("er", "est", "ish", "ing", "ed", "es"):
            yield f"{stem}e"
            if stem[-1] == stem[-2]:
                yield stem[:-1]
            if stem[-1] == "i":
                yield f"{stem[:-1]}y"
    for prefix in _PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) > 3:
            yield word.removeprefix(prefix)


def _slips(word: str) -> Iterator[tuple[str, int]]:
    """Every string one slip away, with a rank: how unlikely that slip is.

    Letters in the wrong order, and one for two or two for one, are the likeliest; then a letter
    left out. People rarely get the first letter wrong.
    """
    for i in range(len(word) - 1):
        if word[i] != word[i + 1]:
            yield word[:i] + word[i + 1] + word[i] + word[i + 2 :], _SWAPPED
    for i, letter in enumerate(word):
        twice = letter in (word[i - 1 : i], word[i + 1 : i + 2])
        first = _FIRST_LETTER if i == 0 and not twice else 0
        yield word[:i] + word[i + 1 :], _SWAPPED if twice else _OTHER + first
        for other in string.ascii_lowercase:
            if other != letter:
                yield word[:i] + other + word[i + 1 :], _OTHER + first
    for i in range(len(word) + 1):
        for other in string.ascii_lowercase:
            twice = other in (word[i - 1 : i], word[i : i + 1])
            first = _FIRST_LETTER if i == 0 and not twice else 0
            yield word[:i] + other + word[i:], _SWAPPED if twice else _LEFT_OUT + first


def _moved(word: str, following: str, domain: Collection[str]) -> str | None:
    """Two words whose space slipped by a letter ("lefto f"), or that are one ("tri angle")."""
    letters = word + following
    found = [
        f"{letters[:cut]} {letters[cut:]}"
        for cut in (len(word) - 1, len(word) + 1)
        if _is_part(letters[:cut], domain) and _is_part(letters[cut:], domain)
    ]
    if letters in domain:
        found.append(letters)
    return found[0] if len(found) == 1 else None


def _parted(word: str, domain: Collection[str]) -> str | None:
    """Two words that lack their space: "leftof"."""
    found = [
        f"{word[:cut]} {word[cut:]}"
        for cut in range(1, len(word) - 1)
        if _is_part(word[:cut], domain) and _is_part(word[cut:], domain)
    ]
    return found[0] if len(found) == 1 else None


def _is_part(word: str, domain: Collection[str]) -> bool:
    return word in domain and (len(word) > 1 or word == "a")


def _with_digits(plain: str, word: Span) -> Span | None:
    """A word with the number that it was written together with: "2boxes", "has2"; or None."""
    start, end = word.start, word.end
    while start and plain[start - 1].isdigit():
        start -= 1
    while end < len(plain) and plain[end].isdigit():
        end += 1
    return Span(start, end) if (start, end) != (word.start, word.end) else None


def _spaced(written: str) -> str:
    """Numbers and letters with spaces between them."""
    return " ".join(re.findall(r"\d+|\D+", written))


def _beside_a_mark(plain: str, word: Span) -> bool:
    """Whether the letters are part of something longer: "don't", "t-shirt", "x2"."""
    around = plain[max(0, word.start - 1) : word.start] + plain[word.end : word.end + 1]
    return any(mark in "'-_/&@.#" or mark.isdigit() for mark in around.rstrip("."))


def _is_name(text: str, word: Span) -> bool:
    """Whether a capital inside a text tells a name."""
    return word.start > 0 and word.of(text).istitle()
