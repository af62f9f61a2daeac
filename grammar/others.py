"""What is other than something that was named: "the other cups", "another one", "the rest"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from neurosym.grammar.anaphora import Antecedent, is_given, kind_of
from neurosym.grammar.belonging import Belonging
from neurosym.grammar.meaning import NoReadingError
from neurosym.grammar.nominals import Nominal
from neurosym.grammar.tree import Tree
from neurosym.program import Everything, Minus, Op

OTHER_THAN_WHAT = "this is not understood without what it is other than"
"""Reason to refuse "other" where nothing says other than what."""


class Others(Belonging):
    """Lowers "other" where no landmark says other than what."""

    def _other_than(self, nominal: Nominal, tree: Tree) -> Nominal:
        """A nominal without what was named of its kind before.

        Beside the head of a phrase ("the cup left of the other cups") nothing needs to be taken
        away, for nothing is related to itself.

        Args:
            nominal: with "other" in it.
            tree: the phrase that it is in.
        """
        leaf = next(leaf for leaf in tree.leaves() if leaf.span in nominal.other)
        around = next((a for a in self._around(leaf, 1) if _is_of_kind(a, nominal.head)), None)
        if around is not None:
            if isinstance(nominal.head, Everything):
                nominal = self._of_kind(nominal, around.head)
            objects = nominal.objects.at(*nominal.objects.words, *nominal.other)
            return replace(nominal, objects=objects, besides=nominal.other, other=())
        named = [a for a in self._named_before(leaf) if _is_of_kind(a, nominal.head)]
        first = named[0] if named else None
        any_of_them = (
            first is not None
            and first not in self.said
            and first.objects == nominal.objects
            and not is_given(first.objects)
        )
        if any_of_them or (first is None and self._asks_for_unnamed()):
            # "Which cup is unlike the others", "what color is": nothing is related to itself.
            objects = nominal.objects.at(*nominal.objects.words, *nominal.other)
            return replace(nominal, objects=objects, besides=nominal.other, other=())
        if first is None:
            raise NoReadingError(OTHER_THAN_WHAT, nominal.other)
        if _names_things(tree.children[-1]) and not first.plural:
            # "The cup is like any other object": other than the cup, and of any kind.
            named = [first]
        elif isinstance(nominal.head, Everything) and not isinstance(first.head, Everything):
            named = [a for a in named if a.head == first.head]
            nominal = self._of_kind(nominal, first.head)
        last = next((a for a in named if _group_of(a, named)), first)
        group = _group_of(last, named)
        if group is not None:
            nominal = self._of_kind(nominal, kind_of(group))
        left = nominal.objects
        for antecedent in named:
            if antecedent.objects == left and not antecedent.plural:
                # "A cup touches another cup": the other one is told apart by no words.
                left = left.at(*left.words, *nominal.other)
            elif antecedent is last or not antecedent.plural:
                left = Minus(left, antecedent.objects, words=nominal.other)
        if kind_of(last) in (nominal.head, nominal.objects) and last.plural:
            raise NoReadingError(OTHER_THAN_WHAT, nominal.other)
        return replace(nominal, objects=left, other=())

    def _asks_for_unnamed(self) -> bool:
        """Whether what a question asks for has no noun: "what color is unlike the others"."""
        asked = self.root.find("query") if self.root is not None else None
        return asked is not None and not asked.find("phrase", "np_and", "np_or", "valued")

    def _named_before(self, leaf: Tree) -> Iterator[Antecedent]:
        seen: list[Antecedent] = []
        for antecedent in (*self._within(leaf, itself=True), *self.said):
            if antecedent not in seen:
                seen.append(antecedent)
                yield antecedent

    @staticmethod
    def _of_kind(nominal: Nominal, kind: Op) -> Nominal:
        """A nominal with another set for its head, and what restricts it kept."""
        base = nominal.head
        said = kind.at(*kind.words, *base.words)
        changed = nominal.objects.rebuild(lambda node: said if node == base else node)
        return replace(nominal, objects=changed, head=kind)


def _is_of_kind(antecedent: Antecedent, head: Op) -> bool:
    return isinstance(head, Everything) or antecedent.head == head


def _group_of(last: Antecedent, named: list[Antecedent]) -> Antecedent | None:
    """The things among which one or some were named: the cups, of which two are red."""
    several = [a for a in named if a.plural and a.objects != last.objects]
    if not last.plural:
        return next(iter(several), None)
    return next((a for a in several if kind_of(a) in last.objects.walk()), None)


def _names_things(nominal: Tree) -> bool:
    """Whether a nominal speaks of things of any kind: "objects", and not "ones"."""
    return nominal.find("thing", "things") is not None
