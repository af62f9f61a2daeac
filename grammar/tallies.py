"""Questions about several things together: what they share, how many kinds, what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from neurosym.grammar.classes import WordClass
from neurosym.grammar.meaning import (
    Coordinated,
    NoReadingError,
    NounPhrase,
    Scored,
    names_several,
    objects_of,
    refer,
)
from neurosym.grammar.nominals import divide
from neurosym.grammar.others import OTHER_THAN_WHAT
from neurosym.grammar.questions import Questions
from neurosym.grammar.tree import Tree
from neurosym.grammar.words import Context, Words
from neurosym.program import (
    Alike,
    CommonValue,
    Comparison,
    Conjunction,
    Count,
    CountValues,
    Difference,
    Every,
    Everything,
    Exist,
    Filter,
    Kind,
    Minus,
    Negation,
    Op,
    Query,
    Same,
    Select,
    The,
    Union,
)

CATEGORY = "category"
"""The attribute that says what a thing is."""

VALUES_AS_THINGS = 1.0
"""Cost of "how many colours" as one for things called colours."""

SHAPES_AS_VALUES = 0.6
"""Cost of "how many shapes" as one for values, which may as well be for things."""


class Tallies(Questions):
    """Lowers questions and claims about what several things come to."""

    def rules(self) -> dict[str, Callable[[Tree], Scored[Op]]]:
        """What lowers each kind of question and claim, by its label."""
        return {
            **super().rules(),
            "left_over": self._left_over,
            "count_values": self._count_values,
            "difference": self._difference,
            "common": self._common,
            "more_or": self._more_or,
            "query_which": self._query_which,
        }

    def _verify(self, tree: Tree) -> Scored[Op]:
        phrase_tree, *_, predicate = (child for child in tree.children if child.unit is None)
        if predicate.label != "mutual":
            return super()._verify(tree)
        words = self._spans(tree, "IS", "DO", "floated", "ALL")
        given: Scored[Op] = []
        for cost, phrase in self._phrase(phrase_tree, Context()):
            floated = tree.find("floated", "ALL") is not None
            for extra, objects in _given(
                phrase, floated=floated, pairs=not predicate.find("ASPECT")
            ):
                given.append((cost + extra, objects))
        if not given:
            return super()._verify(tree)
        said = self._all_alike if predicate.find("ASPECT") else self._all_related
        found = [
            (cost + extra, op)
            for cost, objects in given
            for extra, op in said(predicate, objects, words)
        ]
        if tree.label == "verify":
            return found
        return [(cost, Negation(op, words=self._spans(tree, "NOT"))) for cost, op in found]

    def _all_related(self, predicate: Tree, objects: Op, words: Words) -> Scored[Op]:
        """Whether things are all next to each other."""
        return [
            (cost, Every(objects, scope, words=words))
            for cost, scope in self._mutual(predicate)(objects)
        ]

    def _all_alike(self, predicate: Tree, objects: Op, words: Words) -> Scored[Op]:
        """Whether things are all of the same colour, or all of different colours."""
        silent = ("AND", "COMMA", "INDEFINITE", "THE")
        said = (*words, *(c.span for c in predicate.children if c.label not in silent))
        differing = predicate.find("DIFFERENT") is not None
        found: Scored[Op | None] = [(0.0, None)]
        aspects = self._same_aspects(predicate)
        if all(kind.of_measure for leaf in aspects for _, kind in self._aspects(leaf)):
            # Extents are about the same, and have no values to be told apart.
            return self._all_related(predicate, objects, words)
        for leaf in aspects:
            found = [
                (cost + extra, op if before is None else Conjunction(before, op, words=said))
                for cost, before in found
                for extra, name in self._attribute_names(leaf)
                for op in [_alike(objects, name, said, differing=differing)]
            ]
        return [(cost, op) for cost, op in found if op is not None]

    def _count(self, tree: Tree) -> Scored[Op]:
        nominal = tree.find("nominal")
        head = divide(nominal)[1] if nominal is not None else None
        leaf = next(head.leaves()) if head is not None else None
        aspects = self._unit(leaf).all(WordClass.ASPECT) if leaf is not None else ()
        values = bool(aspects) and all(sense.concept != "shape" for sense in aspects)
        cost = VALUES_AS_THINGS if values else 0.0
        return [(cost + extra, op) for extra, op in super()._count(tree)]

    def _left_over(self, tree: Tree) -> Scored[Op]:
        """How many would be left if some were removed."""
        nominal = tree.find("nominal")
        removed = tree.find("phrase", "np_and", "np_or")
        assert nominal is not None
        assert removed is not None
        words = self._spans(tree, "HOW_MANY", "LEFT_OVER") + self._joined_spans(tree, "IS", "THERE")
        gone = self._spans(tree, "IF", "GONE", "IF_GONE", "EXCEPT")
        predicates = [
            child
            for child in tree.children
            if child.unit is None and child not in (nominal, removed)
        ]
        found: Scored[Op] = []
        for cost, counted in self._nominal(nominal, Context(), "bare"):
            steps = self._counted_by(predicates, counted)
            for extra, objects in self._apply([(cost, counted.objects)], steps):
                for more, phrase in self._phrase(removed, Context(counted.head, gap=True)):
                    found += [
                        (extra + more + last, Count(Minus(objects, op, words=gone), words=words))
                        for last, op in refer(phrase)
                        if Kind.OBJECTS.accepts(op.returns)
                    ]
        return found

    def _difference(self, tree: Tree) -> Scored[Op]:
        """How many more there are of these than of those; with "fewer", the other way round."""
        left, *others = tree.all("nominal")
        words = self._spans(tree, "HOW_MANY", "MORE", "THAN", "AND", "OR")
        words += self._joined_spans(tree, "IS", "THERE")
        fewer = Comparison(self._concept(tree, "MORE")) is Comparison.FEWER_THAN
        found: Scored[Op] = []
        for cost, first in self._nominal(left, Context(), "bare"):
            for more, second in self._counterparts(others, first):
                if first.other or second.other:
                    raise NoReadingError(OTHER_THAN_WHAT, first.other or second.other)
                larger, smaller = first.objects, second.objects
                if fewer:
                    larger, smaller = smaller, larger
                found.append((cost + more, Difference(larger, smaller, words=words)))
        return found

    def _count_values(self, tree: Tree) -> Scored[Op]:
        """How many different colours there are."""
        leaf = tree.all("ASPECT")[-1]
        words = self._spans(tree, "HOW_MANY", "DIFFERENT", "ASPECT", "DO", "HAS", "SHARE")
        words += self._joined_spans(tree, "IS", "THERE")
        of = tree.find("phrase", "np_and", "np_or")
        steps = [child for child in tree.children if child.unit is None and child is not of]
        names = self._attribute_names(leaf)
        said = {name for _, name in names}
        base = 0.0
        if tree.find("DIFFERENT") is None and (CATEGORY in said or "shape" in said):
            base = SHAPES_AS_VALUES
        return [
            (base + cost + extra + more, CountValues(objects, name, words=words))
            for cost, start in self._these(of)
            for extra, objects in self._apply(
                [(cost, start)], [self._step(child, start, plural=True) for child in steps]
            )
            for more, name in names
        ]

    def _these(self, of: Tree | None) -> Scored[Op]:
        """What a question is about: what a phrase names, or everything."""
        if of is None:
            return [(0.0, Everything())]
        return [
            (cost + extra, op)
            for cost, phrase in self._phrase(of, Context())
            for extra, op in refer(phrase)
            if Kind.OBJECTS.accepts(op.returns)
        ]

    def _common(self, tree: Tree) -> Scored[Op]:
        """The most common colour of the cups."""
        leaf = tree.find("ASPECT")
        assert leaf is not None
        words = self._spans(tree, "WHAT", "IS", "MOST_COMMON", "ASPECT", "HAS", "THERE")
        words += self._spans(tree, "MOST", "MORE", "DO", "SHARE")
        of, nominal = tree.find("phrase", "np_and", "np_or"), tree.find("nominal")
        steps = [c for c in tree.children if c.unit is None and c not in (of, nominal)]
        these = self._these(of)
        if nominal is not None:
            # "Which shape has the most red things".
            these = [(c, n.objects) for c, n in self._nominal(nominal, Context(), "bare")]
        return [
            (extra + more, CommonValue(objects, name, words=words))
            for cost, start in these
            for extra, objects in self._apply(
                [(cost, start)], [self._step(child, start, plural=True) for child in steps]
            )
            for more, name in self._attribute_names(leaf)
        ]

    def _more_or(self, tree: Tree) -> Scored[Op]:
        """Whether there are more cups or plates: which value is the more common one."""
        words = self._joined_spans(tree, "IS", "THERE") + self._spans(tree, "MORE", "OR")
        first, *others = tree.all("nominal")
        found: Scored[Op] = []
        for cost, left in self._nominal(first, Context(), "bare"):
            if not others:
                found += [(cost, op) for op in _more_of_one(left.objects, words)]
            for other in others:
                here = Context(left.head, gap=True)
                found += [
                    (
                        cost + more,
                        CommonValue(Union(left.objects, right.objects), name, words=words),
                    )
                    for more, right in self._nominal(other, here, "bare")
                    for name in _told_apart_by(left.objects, right.objects)
                ]
        if not found:
            raise NoReadingError("these are not compared by one attribute", words)
        return found

    def _query_which(self, tree: Tree) -> Scored[Op]:
        """What colour of cup is on the table: the colour of the one that is."""
        leaf, nominal, predicate = tree.find("ASPECT"), tree.find("nominal"), tree.children[-1]
        assert leaf is not None
        assert nominal is not None
        words = self._spans(tree, "WHAT", "ASPECT", "IS")
        found: Scored[Op] = []
        for cost, asked in self._nominal(nominal, Context(), "bare"):
            head = asked.objects if predicate.label == "same_as" else asked.head
            step = self._step(predicate, head, plural=asked.plural)
            for extra, kept in self._apply([(cost, asked.objects)], [step]):
                found += [
                    (extra + more, Query(kept if asked.plural else The(kept), name, words=words))
                    for more, name in self._attribute_names(leaf)
                ]
        return found


def _given(phrase: NounPhrase, *, floated: bool, pairs: bool) -> Scored[Op]:
    """What a claim about all of several given things is about; empty when it is about some."""
    if isinstance(phrase, Coordinated):
        two = len(phrase.parts) == 2 and not any(_is_several(part) for part in phrase.parts)
        if phrase.any_of or (two and not pairs):
            # The values of two things are compared by name.
            return []
        return objects_of(phrase)
    if phrase.determiner == "bare" and phrase.plural:
        return [(0.0, phrase.objects)]
    all_meant = ("all", "each", "both", "these")
    if not (names_several(phrase) or phrase.determiner in all_meant or floated):
        return []
    return objects_of(phrase)


def _is_several(phrase: NounPhrase) -> bool:
    """Whether a noun phrase names more than one thing."""
    return isinstance(phrase, Coordinated) or phrase.plural


def _alike(objects: Op, name: str, words: Words, *, differing: bool) -> Op:
    if differing:
        return Negation(Exist(Same(objects, name, objects, words=words)), words=words)
    return Alike(objects, name, words=words)


def _said_of(objects: Op) -> dict[str, str] | None:
    """Attribute -> value of all that is said of a set; None where more is said than values."""
    said: dict[str, str] = {}
    while isinstance(objects, Filter) and objects.attribute not in said:
        said[objects.attribute] = objects.value
        objects = objects.objects
    if isinstance(objects, Select):
        said[CATEGORY] = objects.category
    return said if isinstance(objects, Select | Everything) else None


def _told_apart_by(left: Op, right: Op) -> Iterator[str]:
    """The one attribute by which two sets differ: "red cups or blue cups", "cups or plates"."""
    first, second = _said_of(left), _said_of(right)
    if first is not None and second is not None and first.keys() == second.keys():
        differing = [name for name, value in first.items() if value != second[name]]
        if len(differing) == 1:
            yield differing[0]


def _more_of_one(objects: Op, words: Words) -> Iterator[Op]:
    """More red or blue cups: the set was read as those that are either."""
    if isinstance(objects, Union):
        for name in _told_apart_by(objects.left, objects.right):
            yield CommonValue(objects, name, words=words)
