"""Words that stand for what was said before: pronouns, "one", and definites said again.

An antecedent is a program that was said already. A word that stands for it repeats that program,
with the word's span added to its own, so that the two are one node to whoever runs the program.

What was introduced as one of several ("a cup") is repeated as the set that it was drawn from,
narrowed by all that has been claimed of it since: "There is a cup. It is red. It is on the table."
says that there is a cup that is red and on the table, and does not fail when there is another
cup. What was introduced as the only one ("the cup") is repeated as that.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from neurosym.grammar.classes import WordClass
from neurosym.grammar.lexicon import Lexicon
from neurosym.grammar.meaning import (
    Coordinated,
    NoReadingError,
    NounPhrase,
    Quantified,
    Scored,
    refer,
)
from neurosym.grammar.nominals import Nominal, Nominals
from neurosym.grammar.preferences import CARRYING
from neurosym.grammar.tree import Tree
from neurosym.grammar.words import Context
from neurosym.program import (
    Command,
    Conjunction,
    Count,
    CountIs,
    Everything,
    Exist,
    Intersect,
    Kind,
    Op,
    Pointed,
    Select,
    The,
    TheCount,
    ThePlural,
    Union,
)

RUNNER_UP = 0.5
"""Cost of each antecedent that would have been rather meant."""
MOST_ANTECEDENTS = 3
"""Most antecedents tried for one word."""
SINGULAR_THEY = 0.6
"""Cost of "they" for one person whose sex is not said."""
ANIMAL_AS_PERSON = 0.5
"""Cost of "he" and "she" for an animal, and of "it" for a child."""
UNKNOWN_AS_PERSON = 0.8
"""Cost of "he" and "she" for what a noun names that the lexicon does not list."""
SAID_ANEW = 0.3
"""Cost of "the cup" after a cup was named as whatever is the cup, and not as that cup."""
REMEMBERED = 24
"""Most things that are kept in mind to be referred back to."""

REFERRING_BACK = frozenset(
    {WordClass.PRONOUN, WordClass.POSSESSIVE, WordClass.OTHER, WordClass.OTHERS}
)
"""Classes of words that stand for, or are measured by, what the rest of a sentence names."""

_ONES = ("one", "ones")
PERSON_OF = {"he": "man", "she": "woman"}
"""The noun for somebody whom a pronoun is about and no phrase has named."""

OUT_OF_NOWHERE = 1.0
"""Cost of a pronoun for somebody whom no phrase has named."""

_OF_TWO = ("former", "latter")
_CLAUSES = frozenset({"exist", "verify", "verify_not", "value_is", "compare", "equal"})


@dataclass(frozen=True, slots=True)
class Antecedent:
    """Something that was named and can be referred back to.

    Attributes:
        objects: what it is, as a program.
        head: the set of its head noun alone, which "one" can stand for.
        plural: whether it is several things; None when it can be taken either way.
        start: where in the text it was named last; -1 when nothing there names it.
    """

    objects: Op
    head: Op
    plural: bool | None
    start: int = field(default=-1, compare=False)


class Anaphora(Nominals):
    """Lowers words that stand for what was said before.

    Attributes:
        said: what earlier sentences named, the most salient first.
        root: the tree that is being lowered.
    """

    said: tuple[Antecedent, ...] = ()
    root: Tree | None = None

    @cached_property
    def _refers_back(self) -> bool:
        """Whether a word of the sentence stands for what another phrase names."""
        return any(sense.word_class in REFERRING_BACK for u in self._units for sense in u.senses)

    def _begin(self, tree: Tree) -> None:
        """Turn to a tree; a pronoun may mean something else in it than in the last one."""
        if tree is not self.root and self._refers_back:
            self._lowered.clear()
        self.root = tree

    def mentioned(self, tree: Tree, program: Op) -> tuple[Antecedent, ...]:
        """What can be referred back to after a sentence, the most salient first.

        What the sentence itself names comes first, outer phrases before those inside them and
        earlier ones before later ones; then what was named before it.

        Args:
            tree: the sentence.
            program: what it means.
        """
        self._begin(tree)
        named: list[tuple[int, int, Antecedent]] = []
        topics: list[Antecedent] = []
        answer = program.objects if isinstance(program, Command) else program
        if answer.returns in (Kind.OBJECTS, Kind.REFERENT, Kind.GROUP):
            several = isinstance(answer, ThePlural | TheCount)
            base = next(iter(answer.walk()))
            named.append((-1, 0, Antecedent(answer, base, several)))
        for depth, node in _phrases(tree):
            found = self._named_by(node)
            if found is not None:
                named.append((2 * depth, node.span.start, found))
            if node.children[0].label == "of_them":
                # One of them: that of which it is one stays what is spoken of.
                *amount, them = node.children[0].children
                found_whole = self._pronoun(them) if amount else self._standing_for("they", them)
                whole = found_whole[0][1]
                spoken_of = Antecedent(whole.objects, whole.head, True, node.span.start)
                named.append((2 * depth - 1, node.span.start, spoken_of))
                topics.append(spoken_of)
        here = [a for _, _, a in sorted(named, key=lambda entry: entry[:2])]
        return remembered(here, self.said, program, topics)

    def _pronoun(self, leaf: Tree) -> Scored[Quantified]:
        """What a pronoun stands for: the antecedents that agree with it."""
        found: Scored[Quantified] = []
        for sense in self._unit(leaf).all(WordClass[leaf.label]):
            stands_for = "they" if leaf.label == "POINTING_MANY" else sense.concept
            if sense.concept in _OF_TWO:
                found += [
                    (0.0, _again(antecedent, leaf, False))
                    for antecedent in self._of_two(leaf, sense.concept)
                ]
                continue
            found += self._standing_for(stands_for, leaf)
        if not found and not self.said and leaf.label != "POINTING_MANY":
            found = self._deictic(leaf)
        if not found:
            reason = "nothing was named before that this could stand for"
            raise NoReadingError(reason, [leaf.span])
        return found

    def _deictic(self, leaf: Tree) -> Scored[Quantified]:
        """Somebody in view, where a pronoun stands for nobody who was named."""
        person = PERSON_OF.get(self._concept_of(leaf))
        if person is None or self.root is None or self.root.find("refer") is None:
            return []
        named = Select(person, words=(leaf.span,))
        return [(OUT_OF_NOWHERE, Quantified("the", (), named, named, plural=False))]

    def _standing_for(self, pronoun: str, leaf: Tree) -> Scored[Quantified]:
        """What he, she, it or they can stand for in the place of a word."""
        candidates = [*self._antecedents(leaf)]
        if pronoun == "they":
            candidates += _together(candidates)
        agreeing = sorted(
            (
                (cost, antecedent)
                for antecedent in candidates
                if (cost := agreement(pronoun, antecedent, self._lexicon)) is not None
            ),
            key=lambda scored: scored[0],
        )
        return [
            (cost + RUNNER_UP * rank, _again(antecedent, leaf, several))
            for rank, (cost, antecedent) in enumerate(agreeing[:MOST_ANTECEDENTS])
            for several in [pronoun == "they" and antecedent.plural is not False]
        ]

    def _group_said(self) -> Op | None:
        """The things that were named last as several."""
        group = next((a for a in self.said if a.plural), None)
        return None if group is None else kind_of(group)

    def _is_of_no_thing(self, head: Op) -> bool:
        """Whether a noun before "of" names no thing: a row of cups is the cups, a colour none."""
        return isinstance(head, Everything) or (
            isinstance(head, Select)
            and any(
                sense.word_class in (WordClass.FORM, WordClass.ASPECT)
                for sense in self._lexicon.senses(head.category)
            )
        )

    def _of_two(self, leaf: Tree, which: str) -> Iterator[Antecedent]:
        """The former or the latter of the two things that were named last."""
        single = [a for a in self._antecedents(leaf) if a.plural is False and a.start >= 0][:2]
        if len(single) == 2:
            yield sorted(single, key=lambda a: a.start)[_OF_TWO.index(which)]

    def _antecedents(self, leaf: Tree) -> Iterator[Antecedent]:
        """What a pronoun may stand for, the most salient first: each program once."""
        seen: set[tuple[str, bool | None]] = set()
        for antecedent in (*self._within(leaf), *self.said):
            key = (str(antecedent.objects), antecedent.plural)
            if key not in seen:
                seen.add(key)
                yield antecedent

    def _within(self, leaf: Tree, itself: bool = False) -> Iterator[Antecedent]:
        """What the sentence itself names before a pronoun, or is naming around it.

        A pronoun never stands for what its own phrase is a landmark of: "the cup next to it" is
        next to something else, but "the table with a cup on it" may have the cup.

        Args:
            leaf: the pronoun.
            itself: whether it may be about what its own phrase is a landmark of after all.
        """
        if self.root is None:
            return
        local = not itself and leaf.label != "POSSESSIVE"
        # Nothing is on its own side: "a bus with a sign on the side of it".
        part = self._is_of_part(_path(self.root, leaf))
        around = [*self._around(leaf, (3 if part else 2) if local else 1)]
        if not local and self._is_place(_path(self.root, leaf)):
            # The back in "a dog with a star on its back" is the dog's.
            around = [*around[1:], *around[:1]]
        yield from around
        path = _path(self.root, leaf)
        phrases = [node for node in path if node.label == "phrase"]
        clause = next((node for node in path[::-1] if node.label in _CLAUSES), None)
        own = None
        if clause is not None and len(phrases) == 1 and local:
            own = next((c for c in clause.children if c.unit is None and c not in path), None)
        before = sorted(
            (
                (depth, node.span.start, node)
                for depth, node in _phrases(self.root)
                if node.span.end <= leaf.span.start and node is not own
            ),
            key=lambda entry: entry[:2],
        )
        for _, _, node in before:
            found = self._named_by(node)
            if found is not None:
                yield self._as_claimed(found, node, path)

    def _as_claimed(self, found: Antecedent, node: Tree, path: list[Tree]) -> Antecedent:
        """What a phrase names, narrowed by a claim about it earlier in the same sentence."""
        assert self.root is not None
        claim = next((c for c in _path_to(self.root, node)[::-1] if c.label == "verify"), None)
        if claim is None or claim in path or node not in claim.children:
            return found
        claimed = self._claim_made(claim)
        return found if claimed is None else _narrowed(found, claimed)

    @abc.abstractmethod
    def _claim_made(self, tree: Tree) -> Op | None:
        """What a clause claims."""

    def _is_of_part(self, path: list[Tree]) -> bool:
        """Whether a pronoun says of what the place of something is a part: "on the side of it"."""
        related = next((node for node in reversed(path) if node.label == "related"), None)
        owned = any(node.label in ("owned", "possessor") for node in path[-4:])
        leaf = related.children[0] if related is not None and owned else None
        if leaf is None or leaf.label != "RELATION":
            return False
        return self._concept_of(leaf) not in CARRYING - {"in"}

    def _is_place(self, path: list[Tree]) -> bool:
        """Whether the phrase of a possessive is what something is on, in or near."""
        related = next((node for node in reversed(path) if node.label == "related"), None)
        if related is None or related.children[-1] is not path[-2 if len(path) > 1 else -1]:
            return False
        leaf = related.children[0]
        return leaf.label == "RELATION" and self._concept_of(leaf) not in CARRYING - {"in"}

    def _around(self, leaf: Tree, first: int) -> Iterator[Antecedent]:
        """What the phrases around a word are naming, from the ``first`` outer one on."""
        if self.root is None:
            return
        path = _path(self.root, leaf)
        phrases = [node for node in path if node.label == "phrase"][::-1]
        for node in phrases[first:]:
            nominal = node.find("nominal")
            if nominal is not None:
                yield from self._being_named(nominal)

    def _being_named(self, nominal: Tree) -> Iterator[Antecedent]:
        """The set of the head noun of a phrase around a pronoun."""
        inner = nominal.children[0]
        tree = inner if inner.label in ("of_nominal", "headless") else nominal
        head = tree.find("noun", "nouns", "thing", "things", "one", "ones")
        if head is not None:
            base = self._head(head, Context(), picks=False)
            yield Antecedent(base.objects, base.head, base.plural)

    def _named_by(self, node: Tree) -> Antecedent | None:
        """What a phrase of the sentence names; None when that is nothing to refer back to."""
        try:
            if node.label == "nominal":
                nominals = self._nominal(node, Context(), "bare")
                phrases: Scored[NounPhrase] = [
                    (cost, Quantified("bare", (), n.objects, n.head, n.plural))
                    for cost, n in nominals
                ]
            else:
                phrases = self._phrase(node, Context())
        except NoReadingError:
            return None
        named = antecedent_of(phrases[0][1]) if phrases else None
        return named and replace(named, start=node.span.start)

    def _heads(
        self, head: Tree | None, context: Context, picks: bool, determiner: str, alone: bool
    ) -> Scored[Nominal]:
        plain = super()._heads(head, context, picks, determiner, alone)
        if head is None and determiner == "the" and context.head is None:
            # "The first", "the red", after two cups were named.
            return self._of_group(plain)
        if head is None or not self.said:
            return plain
        words = tuple(leaf.span for leaf in head.leaves())
        if head.label in _ONES and context.head is None and context.whole is None:
            bases: list[Op] = []
            for antecedent in self.said:
                objects = kind_of(antecedent)
                if objects not in bases and not isinstance(antecedent.head, Everything):
                    bases.append(objects)
            found = [
                (RUNNER_UP * rank, self._plain(op.at(*op.words, *words), head.label == "ones"))
                for rank, op in enumerate(bases[:MOST_ANTECEDENTS])
            ]
            return found or plain
        if head.label not in ("noun", "nouns") or determiner != "the" or alone:
            return plain
        # "The red cup", after two cups were named, is one of these; not so "the red cup(s)".
        (cost, noun), *_ = plain
        of_those = next((a for a in self.said if a.plural and a.head == noun.head), None)
        if of_those is None or noun.open_number:
            return plain
        objects = kind_of(of_those)
        again = replace(noun, objects=objects.at(*objects.words, *words), head=noun.head)
        return [(cost, again), *((cost + SAID_ANEW, nominal) for cost, nominal in plain)]

    def _of_group(self, plain: Scored[Nominal]) -> Scored[Nominal]:
        """What goes without a noun as one of several things that were named before."""
        group = self._group_said()
        if group is None or not all(isinstance(noun.head, Everything) for _, noun in plain):
            return plain
        again = Nominal(group, group, plural=False)
        return [(0.0, again), *((cost + SAID_ANEW, noun) for cost, noun in plain)]

    def _said_again(self, found: Scored[Quantified], label: str) -> Scored[Quantified]:
        """A definite that may name what was named before: "the cup", after "a red cup".

        Args:
            found: the phrase, as what it names by itself.
            label: its determiner.
        """
        result: Scored[Quantified] = []
        for cost, phrase in found:
            again = self._same_again(phrase, pointed=label in ("this", "these"))
            if again is None and label == "same":
                # Without a reason where it rather is a value that is compared.
                thing = isinstance(phrase.head, Select) and not self._is_of_no_thing(phrase.head)
                reason = "nothing was named before that this could be" if thing else ""
                raise NoReadingError(reason, phrase.words)
            if again is None:
                result.append((cost, phrase))
                continue
            spans = (*phrase.words, *phrase.head.words)
            objects = again.objects.at(*again.objects.words, *spans)
            same = Quantified("pronoun", (), objects, again.head, phrase.plural)
            result.append((cost, same))
            if label != "same":
                result.append((cost + SAID_ANEW, phrase))
        return result

    def _same_again(self, phrase: Quantified, pointed: bool) -> Antecedent | None:
        """What was named before and may be named again, or pointed back at: "this cup"."""
        bare = isinstance(phrase.objects, Pointed) if pointed else phrase.objects == phrase.head
        bare = bare or (
            isinstance(phrase.objects, Intersect)
            and pointed
            and phrase.objects.operands[0] == phrase.head
        )
        if phrase.determiner not in ("the", "same") or phrase.number or not bare:
            return None
        anything = pointed and isinstance(phrase.head, Everything)
        if not anything and not isinstance(phrase.head, Select):
            return None
        fitting = (a for a in self.said if anything or a.head == phrase.head)
        return next((a for a in fitting if a.plural in (phrase.plural, None)), None)


def is_given(objects: Op) -> bool:
    """Whether a program names something already known ("the cup"), and not one of several."""
    return objects.returns is not Kind.OBJECTS or isinstance(objects, ThePlural | TheCount)


def _together(named: list[Antecedent]) -> list[Antecedent]:
    """The two things that were named last, as what "they" stands for: a man and a woman."""
    single = [antecedent for antecedent in named if antecedent.plural is False][:2]
    if len(single) < 2:
        return []
    last, before = single
    return [Antecedent(Union(before.objects, last.objects), before.head, True)]


def _again(antecedent: Antecedent, leaf: Tree, plural: bool) -> Quantified:
    objects = antecedent.objects
    return Quantified("pronoun", (), objects.at(*objects.words, leaf.span), antecedent.head, plural)


def _phrases(tree: Tree, depth: int = 0, inside: bool = False) -> Iterator[tuple[int, Tree]]:
    """The noun phrases of a sentence, and how many others each one is inside."""
    # "On the stove is a pot": the pot is what is spoken of.
    placed = tree.label in ("fronted", "inverted")
    for child in tree.children:
        if child.unit is not None:
            continue
        if child.label in ("denied", "exist_not", "exception"):
            # What is said not to be there cannot be referred back to.
            continue
        if placed and child is not tree.children[-1]:
            yield from _phrases(Tree("place", (child,), child.span), depth + 1, inside)
            continue
        named = child.label in ("phrase", "np_and") or (child.label == "nominal" and not inside)
        if named:
            yield depth, child
        deeper = depth + (child.label in ("phrase", "nominal") and named)
        yield from _phrases(child, deeper, child.label == "phrase")


def _path(tree: Tree, leaf: Tree) -> list[Tree]:
    """The nodes from a tree down to one of its words, the word left out."""
    path = [tree]
    while True:
        below = (
            child
            for child in path[-1].children
            if child.unit is None and any(word.unit == leaf.unit for word in child.leaves())
        )
        node = next(below, None)
        if node is None:
            return path
        path.append(node)


def _path_to(tree: Tree, node: Tree) -> list[Tree]:
    """The nodes from a tree down to one that it holds."""
    return _path(tree, next(node.leaves()))


def antecedent_of(phrase: NounPhrase) -> Antecedent | None:
    """What a noun phrase names; None when that is nothing to refer back to."""
    if isinstance(phrase, Coordinated):
        if phrase.any_of:
            return None
        parts = [antecedent_of(part) for part in phrase.parts]
        whole: Op | None = None
        for part in parts:
            if part is None:
                return None
            whole = part.objects if whole is None else Union(whole, part.objects)
        first = parts[0]
        return Antecedent(whole, first.head, True) if whole is not None and first else None
    several = phrase.plural or (phrase.number is not None and phrase.number > 1)
    match phrase.determiner:
        case "no" | "only" | "most" | "most_of":
            return None
        case "pronoun":
            return Antecedent(phrase.objects, phrase.head, phrase.plural)
        case "group":
            return Antecedent(phrase.objects, phrase.head, None)
        case "indefinite" | "bare" | "number" | "number_of" | "comparison":
            return Antecedent(phrase.objects, phrase.head, several)
    try:
        (_, objects), *_ = refer(phrase)
    except NoReadingError:
        return None
    if objects.returns is Kind.TRUTH:
        return None
    return Antecedent(objects, phrase.head, several or phrase.determiner in ("all", "each"))


def remembered(
    named: list[Antecedent],
    said: tuple[Antecedent, ...],
    program: Op,
    topics: Sequence[Antecedent] = (),
) -> tuple[Antecedent, ...]:
    """What can be referred back to after a sentence, the most salient first.

    Args:
        named: what the sentence itself names, the most salient first.
        said: what was named before it.
        program: what the sentence means: its claims narrow down what they are about.
        topics: those of ``named`` that stay as they are.
    """
    fresh = [a if a in topics else _narrowed(a, program) for a in named]
    kept: dict[tuple[str, bool | None], Antecedent] = {}
    replaced = {str(a.objects) for a, b in zip(named, fresh, strict=True) if a != b}
    for antecedent in fresh:
        kept.setdefault((str(antecedent.objects), antecedent.plural), antecedent)
    for antecedent in said:
        if str(antecedent.objects) not in replaced or antecedent.plural:
            kept.setdefault((str(antecedent.objects), antecedent.plural), antecedent)
    return tuple(kept.values())[:REMEMBERED]


def _narrowed(antecedent: Antecedent, program: Op) -> Antecedent:
    """An antecedent with what a sentence claims of it: "It is red" makes a cup a red cup."""
    if is_given(antecedent.objects):
        return antecedent
    for claim in _claims(program):
        below = claim
        while below != antecedent.objects and below.operands:
            if below.returns is not Kind.OBJECTS:
                break
            below = below.operands[0]
        if below == antecedent.objects and claim != below:
            return replace(antecedent, objects=claim)
    return antecedent


def _claims(program: Op) -> Iterator[Op]:
    """The sets of which a sentence says or asks how many members they have."""
    if isinstance(program, Conjunction):
        for side in program.operands:
            yield from _claims(side)
    elif isinstance(program, Exist | Count | CountIs):
        yield program.objects


def kind_of(antecedent: Antecedent) -> Op:
    """The set that "one" after an antecedent is drawn from: several things, or their kind."""
    if not antecedent.plural:
        return antecedent.head
    objects = antecedent.objects
    return objects.operands[0] if isinstance(objects, The | ThePlural | TheCount) else objects


def agreement(concept: str, antecedent: Antecedent, lexicon: Lexicon) -> float | None:
    """What it costs that a pronoun stands for an antecedent; None when it cannot."""
    head, plural = antecedent.head, antecedent.plural
    noun = head.category if isinstance(head, Select) else ""
    last = noun.rpartition(" ")[2]

    def has(feature: str) -> bool:
        return lexicon.has_feature(feature, noun) or lexicon.has_feature(feature, last)

    person, animal = has("person"), has("animal")
    match concept:
        case "it":
            if plural or (person and not has("child")):
                return None
            return ANIMAL_AS_PERSON if person else 0.0
        case "they":
            if plural is not False:
                return 0.0
            return SINGULAR_THEY if person else None
        case "he" | "she":
            if isinstance(head, Everything) and not plural:
                # "The one with his back turned"
                return UNKNOWN_AS_PERSON
            if plural or not noun or has("female" if concept == "he" else "male"):
                return None
            if person or animal:
                return 0.0 if person else ANIMAL_AS_PERSON
            listed = any(s.word_class is WordClass.NOUN for s in lexicon.senses(noun))
            return None if listed else UNKNOWN_AS_PERSON
    return None
