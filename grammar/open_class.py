"""Words that the lexicon does not list: what they can be, by their tags and their forms.

Verbs, adjectives and nouns are open classes: no list has them all. A tagger tells them apart, but
not reliably in careless text, where plurals are taken for verbs and participles for nouns; so a
word often has several senses, and the grammar prefers those that fit.
"""

from __future__ import annotations

import re

from neurosym.grammar.classes import WordClass
from neurosym.grammar.lexicon import Lexicon, Sense
from neurosym.grammar.tokens import Token

UNLISTED = "unlisted"
"""The concept of an unknown word that the lexicon does not list; a listed one has its kind."""

_VERBS = frozenset({"VB", "VBP", "VBZ", "VBD", "VBG", "VBN"})
_PAST = frozenset({"VBN", "VBD"})
_ADJECTIVES = frozenset({"JJ", "JJR", "JJS"})
_GUESSES = frozenset({"FW", "UH", "XX", "ADD", "AFX", "NFP", "LS"})
_AFTER_A_PAIR = frozenset(
    {
        *(WordClass.VERB, WordClass.POSTURE, WordClass.RELATION, WordClass.SIDE_RELATION),
        *(WordClass.PLACE, WordClass.WITH_COLOUR, WordClass.WITHOUT, WordClass.STOP),
        *(WordClass.IS, WordClass.HAS, WordClass.WHICH, WordClass.AND, WordClass.COMMA),
    }
)
"""Classes of words that begin nothing that a number counts."""
_NOUN_TAGS = frozenset({"NN", "NNS", "NNP", "NNPS"})
_NAMING = frozenset(
    {
        *(WordClass.NOUN, WordClass.GUESSED_NOUN, WordClass.THING, WordClass.THINGS),
        *(WordClass.ONE, WordClass.ONES, WordClass.COMMA),
    }
)
_VERBAL = frozenset({WordClass.IS, WordClass.VERB, WordClass.POSTURE})
_HAVING = frozenset({"with", "has", "have", "having", "w/"})
_NEGATED = re.compile(r"(?:non|un)(\w{3,})|(\w{3,})less")
_DOUBLING = re.compile(r"[^aeiou]+[aeiou][bcdgklmnprtvz]")
_ADVERBS = frozenset({"RB", "RBR", "RBS", "RP"})
"""What says how or where of what it follows: "together", "upside down"."""
_ORDINAL = re.compile(r"(\d{1,3})(?:st|nd|rd|th)")

_PARTICLES = frozenset(
    (
        *("up", "down", "out", "over", "off", "away", "around", "forward", "along", "through"),
        *("across", "at", "to", "for", "into", "onto", "toward", "towards", "against", "from"),
        *("after", "past", "about"),
    )
)
"""What a verb takes into its name: "looking at" is ``look_at``. Plain places ("on", "under") are
not among them: what sleeps on a couch sleeps, and is on the couch."""
_OBJECT_BEGINS = frozenset({"DT", "PRP$", "CD", "JJ", "NN", "NNS", "NNP", "PRP"})
_NOT_COUNTED = frozenset({"VBZ", "VBP", "VBD", "VBG", "IN", "CC", ".", ",", "WDT", "WP"})
"""Tags of what a number cannot stand before."""
_NOUN_TAGS = frozenset({"NN", "NNS", "NNP", "NNPS"})
_HEADS = frozenset({"NN", "NNS", "NNP", "NNPS", "JJ", "VBG", "VBN"})
_ENDING = frozenset({",", ".", "and", "with", "in"})
"""What "on" may stand before when it has no object."""
_DEGREES = frozenset(
    {"very", "quite", "really", "so", "too", "rather", "somewhat", "even", "super"}
)
_BARELY = frozenset({"slightly", "somewhat", "much", "bit"})
_NEARLY = frozenset({"slightly", "somewhat", "almost", "nearly", "mostly"})
"""What softens a quality, and elsewhere goes with a place: "slightly taller"."""
_ALMOST = frozenset({"almost", "nearly", "practically", "basically"})
_GRADES = frozenset({"more", "less", "most", "least"})
_ONWARD = frozenset({"away", "forward", "forwards", "backward", "backwards", "ahead", "together"})
"""What a verb is joined to that has no object after it: "looking away"."""
_OURS = frozenset({"this", "that", "same", "our", "your"})
_WHICH_WAY = _OURS | {"other", "another", "opposite", "wrong", "different"}
_WAYS = frozenset({"way", "direction"})
_BEFORE_A_PLACE = frozenset({"to", "towards", "toward", "at", "from", "for"})


def is_softener(
    before: Token | None, token: Token, after: Token | None, found: int, lexicon: Lexicon
) -> bool:
    """Whether a word only says how much or how: "very old", "slowly moving".

    Args:
        before: the word before it.
        token: the word.
        after: the next word.
        found: how many words the longest phrase of the lexicon has that begins here.
        lexicon: tells places: "very left" is the leftmost.
    """
    if token.lower in _NEARLY and found < 2 and after is not None and after.tag in _ADJECTIVES:
        return True
    if token.lower in _DEGREES and found < 2:
        places = lexicon.senses(after.lower) if after else ()
        return not any(sense.word_class is WordClass.LOCATION for sense in places)
    following = lexicon.senses(after.lower) if after else ()
    if token.lower in _BARELY and found < 2:
        return any(s.word_class is WordClass.COMPARATIVE for s in following)
    if token.lower in _ALMOST and found < 2:
        return any(s.word_class in (WordClass.NO, WordClass.WITHOUT) for s in following)
    if token.lower == "just" and (before is None or before.lower != "but"):
        return found < 2
    if after is not None and after.tag in _NOUN_TAGS:
        # "A frilly top", which taggers take for an adverb.
        return False
    return not found and token.tag in ("RB", "RBR", "RBS") and token.lower.endswith("ly")


def is_seeming(before: Token | None, token: Token, after: Token | None) -> bool:
    """Whether "looking" belongs to the adjective before it: "the old looking clock"."""
    if token.lower != "looking" or before is None or after is None:
        return False
    return before.tag in _ADJECTIVES and after.tag in ("NN", "NNS")


def is_covered(tokens: tuple[Token, ...], position: int, lexicon: Lexicon) -> bool:
    """Whether a noun belongs to the participle after it: "a snow covered hill".

    Not in "man striped shirt", where persons and what they have on stand side by side.
    """
    if len(tokens) < position + 3:
        return False
    noun, participle, after = tokens[position : position + 3]
    if noun.tag != "NN" or participle.tag not in _PAST or not participle.lower.endswith("ed"):
        return False
    before = tokens[position - 1].tag if position else ""
    opened = before in ("DT", "JJ", "CD", "IN", "PRP$")
    acts = any(lexicon.has_feature(kind, noun.lower) for kind in ("person", "animal", "child"))
    return opened and not acts and after.tag in _NOUN_TAGS and not lexicon.senses(participle.lower)


def is_pair(tokens: tuple[Token, ...], start: int, end: int, lexicon: Lexicon) -> bool:
    """Whether "a couple" is two people: nothing that it could count follows."""
    if tokens[end - 1].lower != "couple" or end - start != 2:
        return False
    if end == len(tokens):
        return True
    # What is listed is known without a tagger, so that batches read it in the same way.
    listed = lexicon.senses(tokens[end].lower)
    if listed:
        return listed[0].word_class in _AFTER_A_PAIR
    return tokens[end].tag in ("VBZ", "VBP", "VBD", "VBG")


def is_graded(before: Token | None, rest: tuple[Token, ...], lexicon: Lexicon) -> bool:
    """Whether words begin with a compared quality: "more toasted", "the most toasted".

    Qualities that the lexicon lists, and what something is compared with, have constructions of
    their own: "more red than blue".

    Args:
        before: the word before them.
        rest: the words.
        lexicon: tells which qualities are listed.
    """
    if len(rest) < 2 or rest[0].lower not in _GRADES or any(t.lower == "than" for t in rest):
        return False
    several = any(token.tag == "NNS" for token in rest)
    opens = before is None and not several
    if rest[0].lower == "most" and not (opens or (before is not None and before.lower == "the")):
        return False
    senses = lexicon.senses(rest[1].lower)
    plain = all(s.word_class in (WordClass.PRESENT, WordClass.ADJECTIVE) for s in senses)
    return plain and (rest[1].tag in _ADJECTIVES or rest[1].tag in _PAST)


def is_joint_quality(words: tuple[Token, ...], lexicon: Lexicon) -> bool:
    """Whether two words before a noun are one quality: "snow covered bench", "arm up girl".

    Args:
        words: the two words and the one after them.
        lexicon: tells what things are made or covered with, and what has a body.
    """
    if len(words) < 3:
        return False
    if lexicon.has_feature("made_with", words[1].lower):
        named, qualified = (_may_be(word, lexicon) for word in (words[0], words[2]))
        return WordClass.NOUN in named and bool(qualified)
    first, last = ((word.lemma, singular(word.lower)) for word in (words[0], words[2]))
    body = any(lexicon.has_feature("body", form) for form in first)
    owner = any(lexicon.has_feature(kind, form) for kind in ("person", "animal") for form in last)
    return body and owner and lexicon.has_feature("turned_so", words[1].lower)


def _may_be(word: Token, lexicon: Lexicon) -> set[WordClass]:
    """Which of noun and adjective a word may be."""
    kinds = {sense.word_class for sense in lexicon.senses(word.lower)}
    noun = kinds & {WordClass.NOUN, WordClass.PLURAL_NOUN, WordClass.ONE, WordClass.THING}
    quality = kinds & {WordClass.ADJECTIVE, WordClass.ATTRIBUTE}
    found = {WordClass.NOUN} if noun or (not kinds and word.tag in _NOUN_TAGS) else set()
    return found | (
        {WordClass.ADJECTIVE} if quality or (not kinds and word.tag in _ADJECTIVES) else set()
    )


def is_stative(
    token: Token, after: Token | None, found: list[tuple[int, tuple[Sense, ...]]], lexicon: Lexicon
) -> bool:
    """Whether a verb that could be a command is a quality of the noun after it: "open sandwich".

    Args:
        token: the word.
        after: the next word.
        found: what the lexicon has where it stands, the longest phrases first.
        lexicon: lists such verbs.
    """
    if (
        after is None
        or after.tag not in ("NN", "NNS")
        or not lexicon.has_feature("stative", token.lower)
    ):
        return False
    return bool(found) and any(s.word_class is WordClass.COMMAND for s in found[0][1])


def is_handed(tokens: tuple[Token, ...], position: int) -> bool:
    """Whether "left hand" says where what is named after it is: "the left hand picture"."""
    here = tokens[position : position + 3]
    if len(here) < 3 or here[0].lower not in ("left", "right") or here[1].lower != "hand":
        return False
    owned = position > 0 and tokens[position - 1].tag in ("PRP$", "POS")
    return not owned and here[2].tag in ("NN", "JJ") and here[2].lower != "side"


def participial(tokens: tuple[Token, ...], position: int) -> Sense | None:
    """The quality that hyphens make of two words: "long-haired", "middle - aged"."""
    here = tokens[position : position + 3]
    if len(here) < 3 or here[1].lower != "-" or not here[0].is_word:
        return None
    last = here[2].lower
    if len(last) < 4 or not last.endswith("ed") or last in ("colored", "coloured"):
        return None
    return Sense(WordClass.ADJECTIVE, f"{here[0].lower}-{last}")


def is_donned(tokens: tuple[Token, ...], position: int, lexicon: Lexicon) -> bool:
    """Whether "on" ends the mention of what is worn, or shines: "the girl with a hat on"."""
    if tokens[position].lower != "on" or position == 0:
        return False
    before, after = tokens[position - 1], tokens[position + 1 : position + 2]
    ends = not after or after[0].lower in _ENDING or after[0].tag == "VBG"
    features = ("worn", "switched")
    forms = (before.lower, singular(before.lower))
    return ends and any(lexicon.has_feature(f, form) for f in features for form in forms)


def is_amount(before: Token | None, rest: tuple[Token, ...]) -> bool:
    """Whether "more" only tells things apart by what they have: "the pie with more cherries".

    Args:
        before: the word before it.
        rest: the words from it on.
    """
    having = before is not None and before.lower in _HAVING
    than = any(token.lower == "than" for token in rest)
    return having and rest[0].lower in ("more", "less") and len(rest) > 1 and not than


def is_lone(tokens: tuple[Token, ...], position: int, lexicon: Lexicon) -> bool:
    """Whether "behind" has no object, and is a place: "the man behind", "behind, left"."""
    if tokens[position].lower != "behind" or position == 0:
        return False
    before = lexicon.senses(tokens[position - 1].lower)
    if any(s.word_class is WordClass.IS for s in before):
        return False
    after = tokens[position + 1 : position + 2]
    places = lexicon.senses(after[0].lower) if after else ()
    placed = any(s.word_class is WordClass.LOCATION for s in places)
    return not after or after[0].lower in (",", ".") or (placed and position + 2 == len(tokens))


def opens_clause(tokens: tuple[Token, ...], position: int, lexicon: Lexicon) -> bool:
    """Whether "the" after a noun may begin what says more of it: "the kite the boy is flying".

    That is a clause with a verb, or the thing once more: "the boy, the small one".
    """
    if position == 0 or tokens[position - 1].lower == ";":
        # What a semicolon sets apart is a sentence of its own.
        return False
    before = tokens[position - 1]
    listed = lexicon.senses(before.lower) + lexicon.senses(singular(before.lower))
    named = any(s.word_class in _NAMING for s in listed)
    if not named and (listed or before.tag not in _NOUN_TAGS):
        return False
    rest = tokens[position + 1 :]
    acts = before.lower != "," and any(_is_verb(token, lexicon) for token in rest)
    return acts or any(token.lower == "one" for token in rest[:3])


def _is_verb(token: Token, lexicon: Lexicon) -> bool:
    senses = lexicon.senses(token.lower)
    return any(s.word_class in _VERBAL for s in senses) or (not senses and token.tag in _VERBS)


def verb_of(token: Token, found: tuple[int, tuple[Sense, ...]] | None) -> str:
    """The base form of a verb, listed or not; empty for other words.

    Args:
        token: the word, or the first of a phrase.
        found: what the lexicon has there.
    """
    if found is None:
        return base_of(token) if token.tag in _VERBS or _is_gerund(token) else ""
    verbs = (WordClass.VERB, WordClass.POSTURE)
    return next((s.concept for s in found[1] if s.word_class in verbs), "")


def verb_end(
    tokens: tuple[Token, ...],
    bases: tuple[tuple[str, ...], ...],
    end: int,
    verb: str,
    lexicon: Lexicon,
) -> int:
    """The end of a verb with the particle, preposition or direction that belongs to it.

    Args:
        tokens: the sentence.
        bases: what each word may be the plural of.
        end: the end of the verb itself.
        verb: its base form.
        lexicon: tells what is a phrase of its own, and which verbs take directions.
    """
    if end >= len(tokens):
        return end
    lowers = tuple(token.lower for token in tokens)
    direction = _direction_end(lowers, end, lexicon)
    if lexicon.has_feature("directed", verb) and direction > end:
        return direction
    after, resting = lowers[end], lexicon.has_feature("resting", verb)
    if after == "by" and _may_be_passive(tokens[end - 1]):
        return end if resting else end + 1
    found = lexicon.matches(lowers, bases, end)
    if after not in _PARTICLES or (found and found[0][0] > end + 1):
        return end
    # "To catch a ball": the next verb names what is done.
    infinitive = after == "to" and tokens[end + 1 : end + 2] and tokens[end + 1].tag == "VB"
    if infinitive or (after in _BEFORE_A_PLACE and (resting or direction > end)):
        return end
    return end + 1


def _direction_end(lowers: tuple[str, ...], start: int, lexicon: Lexicon) -> int:
    """The end of "left", "to the left" or the like at ``start``; else ``start``."""
    end = start
    turned = {*lowers[end + 1 : end + 3]} & _WHICH_WAY and {*lowers[end + 2 : end + 4]} & _WAYS
    if end < len(lowers) and (lowers[end] in _BEFORE_A_PLACE or (turned and lowers[end] == "in")):
        end += 1
    the = lowers[end : end + 1] == ("the",)
    if the and (end > start or {*lowers[end + 1 : end + 2]} <= _WHICH_WAY):
        end += 1
    if {*lowers[end : end + 1]} & _WHICH_WAY and {*lowers[end + 1 : end + 2]} & _WAYS:
        return end + 2
    here = lexicon.senses(lowers[end]) if end < len(lowers) else ()
    if not any(s.word_class is WordClass.LOCATION and s.dimension != "" for s in here):
        return start
    # "Facing left of the table" is about the table.
    return start if lowers[end + 1 : end + 2] == ("of",) else end + 1


def senses_of(tokens: tuple[Token, ...], lexicon: Lexicon, *, first: bool) -> tuple[Sense, ...]:
    """The senses of a word that the lexicon does not list.

    Args:
        tokens: the word; several where hyphens join it.
        lexicon: tells which negated words have a plain form that is known.
        first: whether the sentence begins with it.
    """
    last = tokens[-1]
    if _is_highest(last.lower, lexicon):
        return (Sense(WordClass.ADJECTIVE, last.lower),)
    joined = "".join(token.lower for token in tokens[:-1])
    concept, form = joined + last.lemma, joined + last.lower
    ordinal = _ORDINAL.fullmatch(form)
    if ordinal and int(ordinal.group(1)) > 0:
        return (Sense(WordClass.ORDINAL, str(int(ordinal.group(1)))),)
    if form.isascii() and form.isdecimal() and len(form) <= 4:
        number = Sense(WordClass.NUMBER, str(int(form)))
        # "The bottle with the 2007 label": what is counted seldom comes in hundreds.
        named = (Sense(WordClass.ADJECTIVE, f"number {int(form)}"),) if len(form) > 2 else ()
        return (number, *named)
    gerund = (Sense(WordClass.VERB, base_of(last)),) if _is_gerund(last) else ()
    if last.tag in ("NNS", "NNPS"):
        return (Sense(WordClass.PLURAL_NOUN, concept),)
    if last.tag in ("NN", "NNP"):
        if len(form) > 6 and form.endswith("less"):
            # "Shirtless", which taggers take for a noun as readily.
            return (Sense(WordClass.ADJECTIVE, form), Sense(WordClass.GUESSED_NOUN, form))
        return (Sense(WordClass.NOUN, concept), *gerund)
    if last.tag == "VBZ":
        plural = Sense(WordClass.GUESSED_PLURAL, joined + singular(last.lower))
        return (plural, Sense(WordClass.VERB, base_of(last)))
    if (last.tag in _ADJECTIVES or last.tag in _PAST) and _denies(form, lexicon):
        return (Sense(WordClass.UNKNOWN, "comparison"),)
    guess = Sense(WordClass.GUESSED_NOUN, form)
    if last.tag in _PAST or last.tag in _ADJECTIVES:
        finite = (Sense(WordClass.VERB, base_of(last)),) if last.tag == "VBD" else gerund
        return (Sense(WordClass.ADJECTIVE, form), guess, *finite)
    if last.tag in _VERBS:
        # A bare verb that begins a text is a command, and no command that is known.
        bare = first and last.tag in ("VB", "VBP")
        return (guess,) if bare else (Sense(WordClass.VERB, base_of(last)), guess)
    if last.tag in _ADVERBS:
        return (Sense(WordClass.ADJECTIVE, form), guess)
    if last.tag in _GUESSES:
        return (guess,)
    return (Sense(WordClass.UNKNOWN, UNLISTED),)


def _is_highest(form: str, lexicon: Lexicon) -> bool:
    """Whether a word is the superlative of a listed quality: "darkest"."""
    stem = form.removesuffix("est")
    listed = (WordClass.ADJECTIVE, WordClass.ATTRIBUTE, WordClass.DEGREE)
    stems = {stem, f"{stem}e", stem[:-1]} if stem != form and len(stem) > 2 else set()
    return any(s.word_class in listed for each in stems for s in lexicon.senses(each))


def also_verb(
    before: Token | None, token: Token, after: Token | None, lexicon: Lexicon
) -> tuple[Sense, ...]:
    """The verb that a word which is listed or tagged as a noun may be: "a singer hums a tune".

    Taggers that see few singular verbs with an "s" take them for plurals of nouns. A plural after
    a singular noun without a mark between them is a compound, or else a verb; a compound is
    followed by what follows a noun, and not by another noun phrase. "Two dogs sleep" has a noun
    for taggers, too. What is tagged as a verb may be listed as a noun only: "they drink water".
    """
    if before is None or before.tag not in _NOUN_TAGS:
        return ()
    if token.tag == "VBP":
        return listed_verbs(token.lower, lexicon)
    if token.tag == "NNS" and before.tag in ("NN", "NNP") and after is not None:
        verb = after.tag in _OBJECT_BEGINS
        return (Sense(WordClass.VERB, singular(token.lower)),) if verb else ()
    if token.tag == "NN" and before.tag == "NNS" and (after is None or after.tag not in _HEADS):
        listed = listed_verbs(token.lower, lexicon)
        return tuple(s for s in listed if s.word_class is WordClass.POSTURE)
    return ()


def listed_verbs(bare: str, lexicon: Lexicon) -> tuple[Sense, ...]:
    """The verbs of the lexicon whose bare form a word is: "drink" of "drinks"."""
    verbs = (WordClass.VERB, WordClass.POSTURE)
    forms = (f"{bare}s", f"{bare}es")
    found = (s for form in forms for s in lexicon.senses(form) if s.word_class in verbs)
    return tuple(dict.fromkeys(sense for sense in found if sense.concept == bare))


def verb_senses(verb: str, particle: tuple[Token, ...], lexicon: Lexicon) -> tuple[Sense, ...]:
    """The senses of a verb with its particle or direction: "looking at", "held by".

    Args:
        verb: the base form.
        particle: the particle or direction.
        lexicon: tells directions.
    """
    last = particle[-1]
    if last.lower == "by":
        return (Sense(WordClass.PASSIVE, verb),)
    if last.lower in _WAYS:
        which = particle[-2].lower
        said = which if which in _OURS else "other"
        return (Sense(WordClass.POSTURE, f"{verb}_{said}_way"),)
    places = [s for s in lexicon.senses(last.lower) if s.word_class is WordClass.LOCATION]
    if places:
        return (Sense(WordClass.POSTURE, f"{verb}_{places[0].concept}"),)
    if last.lower in _ONWARD:
        return (Sense(WordClass.POSTURE, f"{verb}_{last.lower}"),)
    return (Sense(WordClass.VERB, f"{verb}_{last.lower}"),)


def base_of(token: Token) -> str:
    """The base form of a verb: a tagger's lemma, or the form less "ing" where it is no verb's."""
    stem = token.lower.removesuffix("ing")
    if token.tag in _VERBS or not _is_gerund(token):
        # "Staring" is no form of "star", which would be "starring".
        single = stem != token.lower and stem == token.lemma and _DOUBLING.fullmatch(stem)
        return f"{stem}e" if single else token.lemma
    if re.search(r"([bdgmnprt])\1$", stem):
        return stem[:-1]
    # "Riding" of "ride", but "eating" of "eat": one vowel before one consonant wants its "e".
    bare = re.search(r"(^|[^aeiou])[aeiou][vczsukg]$|[^aeiou]l$|[aeiou]dg$|^[^aeiou]+[io]d$", stem)
    return f"{stem}e" if bare or re.search(r"[vu]$|[^s]c$|[^n]g$", stem) else stem


def singular(word: str) -> str:
    """A plural less its ending."""
    if len(word) < 4 or not word.endswith("s") or word.endswith("ss"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("ches", "shes", "sses", "xes", "zes")) else word[:-1]


def _is_gerund(token: Token) -> bool:
    return len(token.lower) > 5 and token.lower.endswith("ing")


def _may_be_passive(token: Token) -> bool:
    return token.tag in _PAST or token.lower.endswith("ed")


def _denies(form: str, lexicon: Lexicon) -> bool:
    """Whether a word denies one that is known: "nonyellow" is no quality beside "yellow"."""
    found = _NEGATED.fullmatch(form)
    senses = lexicon.senses(found.group(1) or found.group(2)) if found else ()
    return any(sense.word_class is WordClass.ATTRIBUTE for sense in senses)
