"""Questions about several things together: what they share, how many kinds, what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeGuard

from neurosym.grammar.classes import WordClass
from neurosym.grammar.division import divide
from neurosym.grammar.meaning import (
    Coordinated,
    NoReadingError,
    NounPhrase,
    Quantified,
    Scored,
    names_several,
    objects_of,
    refer,
)
from neurosym.grammar.others import OTHER_THAN_WHAT
from neurosym.grammar.questions import Questions
from neurosym.grammar.tree import Tree
from neurosym.grammar.words import Context, Words
from neurosym.program import (
    Alike,
    ChooseSet,
    Closest,
    CommonValue,
    Comparison,
    Conjunction,
    Count,
    CountEven,
    CountValues,
    Difference,
    Different,
    Equal,
    Every,
    Everything,
    Exist,
    Filter,
    Identical,
    Kind,
    Minus,
    Negation,
    Op,
    Query,
    RareValue,
    Relate,
    RelatedBy,
    Same,
    Select,
    Superlative,
    The,
    TheCount,
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
            "count_alike": self._count_alike,
            "count_values": self._count_values,
            "difference": self._difference,
            "common": self._common,
            "more_or": self._more_or,
            "more_that": self._more_that,
            "is_common": self._is_common,
            "parity": self._parity,
            "query_landmark": self._query_landmark,
            "query_of": self._query_of,
            "query_lone": self._query_lone,
            "query_which": self._query_which,
        }

    def _verify(self, tree: Tree) -> Scored[Op]:
        phrase_tree, *_, predicate = (child for child in tree.children if child.unit is None)
        if predicate.label not in ("mutual", "twins"):
            return super()._verify(tree)
        words = self._spans(tree, "IS", "DO", "floated", "ALL")
        if predicate.find("ASPECT") is not None and tree.label == "verify":
            in_some = self._of_each(phrase_tree, predicate)
            if in_some:
                return in_some
        elif tree.label == "verify":
            paired = self._paired(phrase_tree, predicate, words)
            if paired:
                return paired
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
        if predicate.label == "twins":
            said = self._all_identical
        found = [
            (cost + extra, op)
            for cost, objects in given
            for extra, op in said(predicate, objects, words)
        ]
        if tree.label == "verify":
            return found
        return [(cost, Negation(op, words=self._spans(tree, "NOT"))) for cost, op in found]

    def _paired(self, phrase_tree: Tree, predicate: Tree, words: Words) -> Scored[Op]:
        """A cup and a plate touch each other: there is a cup that touches a plate."""
        relation = predicate.find("RELATION", "SIDE_RELATION", "VERB", "HAS")
        if relation is None or phrase_tree.label != "np_and":
            return []
        said = (*words, *(leaf.span for leaf in predicate.leaves()))
        return [
            (
                cost,
                Exist(Relate(one.objects, self._concept_of(relation), other.objects, words=said)),
            )
            for cost, phrase in self._phrase(phrase_tree, Context())
            if isinstance(phrase, Coordinated) and len(phrase.parts) == 2
            for one, other in [phrase.parts]
            if _is_some_one(one) and _is_some_one(other)
        ]

    def _all_related(self, predicate: Tree, objects: Op, words: Words) -> Scored[Op]:
        """Whether things are all next to each other."""
        return [
            (cost, Every(objects, scope, words=words))
            for cost, scope in self._mutual(predicate)(objects)
        ]

    def _all_identical(self, predicate: Tree, objects: Op, words: Words) -> Scored[Op]:
        """Whether things are all alike in everything."""
        said = (*words, *(leaf.span for leaf in predicate.leaves()))
        if isinstance(objects, Union) or (isinstance(objects, TheCount) and objects.count == 2):
            return [(0.0, Every(objects, Identical(objects, objects, words=said), words=words))]
        # What is like something like another is like that other: one is compared with all.
        first = Superlative(objects, "leftmost")
        rest = Minus(objects, first)
        return [(0.0, Every(rest, Identical(rest, first, words=said), words=words))]

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
        # "How many different shapes" asks for values, "how many shapes" rather for things.
        varied = nominal is not None and nominal.find("varied") is not None
        values = bool(aspects) and (varied or all(sense.concept != "shape" for sense in aspects))
        cost = VALUES_AS_THINGS if values else 0.0
        return [(cost + extra, op) for extra, op in super()._count(tree)]

    def _count_alike(self, tree: Tree) -> Scored[Op]:
        """The cup is the same size as how many other things."""
        phrase_tree, nominal = (child for child in tree.children if child.unit is None)
        aspects = tree.all("ASPECT")
        if len(aspects) != 1:
            raise NoReadingError("this is understood of one aspect only", [tree.span])
        words = self._spans(tree, "IS", "HOW_MANY", "SAME", "AS", "ASPECT")
        return [
            (cost + more + c + extra, Count(alike, words=words))
            for cost, phrase in self._phrase(phrase_tree, Context())
            for more, given in objects_of(phrase)
            for c, counted in self._nominal(nominal, Context(), "bare")
            for extra, name in self._attribute_names(aspects[0])
            # Nothing is counted as alike itself, so "other" says no more.
            for objects in [counted.objects.at(*counted.objects.words, *counted.other)]
            for alike in [Same(objects, name, given)]
        ]

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
        nominal = tree.find("nominal")
        if nominal is not None:
            return self._count_shades(tree, nominal)
        leaf = tree.all("ASPECT")[-1]
        words = self._spans(
            tree, "HOW_MANY", "DIFFERENT", "ASPECT", "DO", "HAS", "SHARE", "MADE_OF"
        )
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

    def _count_shades(self, tree: Tree, nominal: Tree) -> Scored[Op]:
        """How many differently coloured cups there are: how many colours these have."""
        words = self._spans(tree, "HOW_MANY", "DIFFERENT", "SHADE")
        words += self._joined_spans(tree, "IS", "THERE")
        attribute = self._concept(tree, "SHADE")
        steps = [child for child in tree.children if child.unit is None and child is not nominal]
        return [
            (extra, CountValues(objects, attribute, words=words))
            for cost, counted in self._nominal(nominal, Context(), "bare")
            for extra, objects in self._apply(
                [(cost, counted.objects)], self._counted_by(steps, counted)
            )
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
        words = self._spans(tree, "WHAT", "IS", "MOST_COMMON", "ASPECT", "HAS", "THERE", "SEEN")
        words += self._spans(tree, "MOST", "MORE", "FEWEST", "DO", "SHARE")
        extreme = tree.find("MORE", "MOST_COMMON", "MOST", "FEWEST")
        assert extreme is not None
        rare = self._concept_of(extreme) in ("least_common", "fewest", "fewer_than")
        value = RareValue if rare else CommonValue
        of, nominal = tree.find("phrase", "np_and", "np_or"), tree.find("nominal")
        steps = [c for c in tree.children if c.unit is None and c not in (of, nominal)]
        these = self._these(of)
        if nominal is not None:
            # "Which shape has the most red things".
            these = [(c, n.objects) for c, n in self._nominal(nominal, Context(), "bare")]
        return [
            (extra + more, value(objects, name, words=words))
            for cost, start in these
            for extra, objects in self._apply(
                [(cost, start)], [self._step(child, start, plural=True) for child in steps]
            )
            for more, name in self._attribute_names(leaf)
        ]

    def _more_or(self, tree: Tree) -> Scored[Op]:
        """Whether there are more cups or plates: the more common value, or the larger set."""
        words = self._joined_spans(tree, "IS", "THERE")
        words += self._spans(tree, "WHAT", "ASPECT", "MORE", "OF", "OR")
        comparison = Comparison(self._concept(tree, "MORE"))
        first, *others = tree.all("nominal")
        found: Scored[Op] = []
        for cost, left in self._nominal(first, Context(), "bare"):
            if not others and isinstance(left.objects, Union):
                either = left.objects
                said = (*words, *either.words)
                found.append((cost, _larger_of(either.left, comparison, either.right, said)))
            for other in others:
                found += [
                    (cost + more, _larger_of(left.objects, comparison, right.objects, words))
                    for more, right in self._nominal(other, Context(left.head, gap=True), "bare")
                ]
        if not found:
            raise NoReadingError("what these are compared with is not said", words)
        return found

    def _more_that(self, tree: Tree) -> Scored[Op]:
        """Whether more cups are red or blue."""
        words = self._spans(tree, "IS", "MORE")
        nominal, predicate = (child for child in tree.children if child.unit is None)
        comparison = Comparison(self._concept(tree, "MORE"))
        parts = [child for child in predicate.children if child.label != "OR"]
        if len(parts) != 2 or not predicate.find("OR"):
            raise NoReadingError("this chooses between two only", [predicate.span])
        if predicate.label == "attributes":
            parts = [Tree("attribute", (part,), part.span) for part in parts]
        words += self._spans(predicate, "OR")
        found: Scored[Op] = []
        for cost, counted in self._nominal(nominal, Context(), "bare"):
            first, second = (
                self._apply([(0.0, counted.objects)], [self._step(part, counted.head, plural=True)])
                for part in parts
            )
            found += [
                (cost + c + d, _larger_of(left, comparison, right, words))
                for c, left in first
                for d, right in second
            ]
        return found

    def _is_common(self, tree: Tree) -> Scored[Op]:
        """Whether red is the most common colour."""
        said = tree.find("attribute")
        assert said is not None
        rest = replace(tree, children=tuple(c for c in tree.children if c is not said))
        return [
            (cost + extra, Equal(Query(those, common.attribute), common, words=common.words))
            for cost, common in self._common(rest)
            if isinstance(common, CommonValue | RareValue)
            for extra, those in self._attribute(common.objects, said.children[0])
            if isinstance(those, Filter) and those.attribute == common.attribute
        ]

    def _parity(self, tree: Tree) -> Scored[Op]:
        """Whether there is an even number of cups, or an odd one."""
        nominal = tree.find("nominal")
        assert nominal is not None
        words = self._joined_spans(tree, "IS", "THERE") + self._spans(tree, "PARITY", "HOW_MANY")
        odd = self._concept(tree, "PARITY") == "odd"
        steps = [c for c in tree.children if c.unit is None and c is not nominal]
        found: Scored[Op] = []
        for cost, counted in self._nominal(nominal, Context(), "bare"):
            for extra, objects in self._apply(
                [(cost, counted.objects)], self._counted_by(steps, counted)
            ):
                even = CountEven(objects, words=words)
                found.append((extra, Negation(even, words=words) if odd else even))
        return found

    def _query_landmark(self, tree: Tree) -> Scored[Op]:
        """The plate is next to what colour: the colour of what the plate is next to."""
        leaf = tree.find("ASPECT")
        phrase_tree = tree.find("phrase", "np_and")
        link = tree.find("RELATION", "SIDE_RELATION", "PASSIVE", "NEAREST")
        assert leaf is not None
        assert link is not None
        if phrase_tree is None:
            raise NoReadingError
        words, said = self._spans(tree, "WHAT", "ASPECT", "IS"), self._spans(tree, "TO")
        said += (link.span,)
        relation, everything = self._concept_of(link), Everything()

        def related(op: Op) -> Op:
            match link.label:
                case "NEAREST":
                    return Closest(everything, op, words=said)
                case "PASSIVE":
                    # What holds the cup, where the cup is held by it.
                    return Relate(everything, relation, op, words=said)
            return RelatedBy(everything, relation, op, words=said)

        return [
            (cost + more + extra, Query(The(thing), name, words=words))
            for cost, phrase in self._phrase(phrase_tree, Context())
            for more, op in refer(phrase)
            if Kind.OBJECTS.accepts(op.returns)
            for thing in [related(op)]
            for extra, name in self._attribute_names(leaf)
        ]

    def _query_of(self, tree: Tree) -> Scored[Op]:
        """Of the cups, what colour is the largest."""
        topic, predicate = (child for child in tree.children if child.unit is None)
        leaf = tree.find("ASPECT")
        words = self._spans(tree, "OF", "WHAT", "ASPECT", "IS")
        found: Scored[Op] = []
        for cost, phrase in self._phrase(topic, Context()):
            for more, objects in refer(phrase):
                if not Kind.OBJECTS.accepts(objects.returns):
                    continue
                step = self._step(predicate, objects, plural=False)
                for extra, kept in self._apply([(cost + more, objects)], [step]):
                    thing = The(kept, words=words)
                    if leaf is None:
                        found.append((extra, thing))
                        continue
                    found += [
                        (extra + last, Query(thing, name, words=words))
                        for last, name in self._attribute_names(leaf)
                    ]
        return found

    def _query_lone(self, tree: Tree) -> Scored[Op]:
        """What shape there is only one of."""
        leaf = tree.find("ASPECT")
        assert leaf is not None
        words = self._spans(tree, "WHAT", "ASPECT", "IS", "THERE", "ONLY", "NUMBER", "OF")
        if self._concept(tree, "NUMBER") != "1":
            raise NoReadingError("values are not told apart by how often there are", words)
        everything = Everything()
        return [
            (cost, Query(Different(everything, name, everything, words=words), name, words=words))
            for cost, name in self._attribute_names(leaf)
        ]

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


def _is_some_one(phrase: NounPhrase) -> TypeGuard[Quantified]:
    """Whether a phrase names one thing of several: "a cup"."""
    return (
        isinstance(phrase, Quantified)
        and not phrase.plural
        and (phrase.determiner == "indefinite" or phrase.number == 1)
    )


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


def _larger_of(left: Op, comparison: Comparison, right: Op, words: Words) -> Op:
    """Of two sets the larger, or smaller; by its value where it is values that tell them apart."""
    name = next(_told_apart_by(left, right), None)
    if name is not None and comparison is Comparison.MORE_THAN:
        return CommonValue(Union(left, right), name, words=words)
    return ChooseSet(left, comparison, right, words=words)
