"""Syntax trees to programs.

Every method of the lowering classes returns alternatives with costs. Costs add up; the score of a
reading is the negative of their sum. Lowering may refuse a tree (:class:`NoReadingError`): the
grammar admits a little more than the language means.
"""

from __future__ import annotations

from dataclasses import replace

from neurosym.grammar.classes import WordClass
from neurosym.grammar.meaning import (
    Coordinated,
    NoReadingError,
    Scored,
    cheapest,
    exists,
    refer,
)
from neurosym.grammar.modifiers import Context, Step
from neurosym.grammar.nominals import Nominal
from neurosym.grammar.phrases import Phrases
from neurosym.grammar.tree import Tree
from neurosym.program import (
    Count,
    Everything,
    Exist,
    Kind,
    Minus,
    Negation,
    Op,
    Select,
    The,
)


class Lowering(Phrases):
    """Lowers the trees of one sentence: expressions and questions.

    Attributes:
        refused: why trees or parts of them have no meaning, first tree first.
    """

    def programs(self, tree: Tree) -> Scored[Op]:
        """The programs of a whole tree, cheapest first; empty when it means nothing."""
        utterance = tree.find("refer", "count", "exist", "exist_not", "verify")
        if utterance is None:
            return []
        lower = {
            "refer": self._refer,
            "count": self._count,
            "exist": self._exist,
            "exist_not": self._exist,
            "verify": self._verify,
        }[utterance.label]
        try:
            return cheapest(lower(utterance), self._beam)
        except NoReadingError as error:
            self.refused.append(error)
            return []

    def _refer(self, tree: Tree) -> Scored[Op]:
        inner = tree.children[0]
        if inner.label in ("fragment", "asked"):
            posts = [child for child in inner.children if child.unit is None]
            nominals = self._modified(self._left_out(inner), [], posts, "bare")
            return [(cost, The(nominal.objects)) for cost, nominal in nominals]
        return [
            (cost + extra, op)
            for cost, phrase in self._phrase(inner, Context())
            for extra, op in refer(phrase)
        ]

    def _left_out(self, tree: Tree) -> Nominal:
        """The noun that a text goes without: things, or persons after "who"."""
        who = tree.find("WHO")
        if who is None:
            return self._plain(Everything(), plural=False)
        concept = self._unit(who).sense(WordClass.WHO).concept
        return self._plain(Select(concept, words=(who.span,)), plural=False)

    def _count(self, tree: Tree) -> Scored[Op]:
        words = self._spans(tree, "HOW_MANY") + self._joined_spans(tree, "IS", "THERE")
        exception = tree.find("exception")
        nominal = tree.find("nominal")
        assert nominal is not None
        predicates = [
            child
            for child in tree.children
            if child.unit is None and child.label not in ("nominal", "exception")
        ]
        found: Scored[Op] = []
        for cost, counted in self._nominal(nominal, Context(), "bare"):
            steps: list[Step] = [
                self._step(child, counted.head, plural=True) for child in predicates
            ]
            if exception is not None:
                steps.append(self._excepting(exception, Context(), counted))
            for extra, objects in self._apply([(cost, counted.objects)], steps):
                found.append((extra, Count(objects, words=words)))
        return found

    def _exist(self, tree: Tree) -> Scored[Op]:
        words = self._joined_spans(tree, "IS", "THERE")
        found = [
            (cost + extra, op)
            for cost, phrase in self._phrase(tree.children[-1], Context())
            for extra, op in exists(phrase, words)
        ]
        if tree.label == "exist":
            return found
        return [(cost, Negation(op, words=self._spans(tree, "NOT"))) for cost, op in found]

    def _verify(self, tree: Tree) -> Scored[Op]:
        """A claim about a noun phrase: "is the dog on the table", "all dogs are black"."""
        words = self._spans(tree, "IS")
        phrase_tree, predicate = (child for child in tree.children if child.unit is None)
        found: Scored[Op] = []
        for cost, phrase in self._phrase(phrase_tree, Context()):
            if isinstance(phrase, Coordinated):
                raise NoReadingError("questions about several things are not understood yet", words)
            step = self._step(predicate, phrase.head, plural=phrase.plural)
            quantifier = phrase.determiner
            every = quantifier in ("all", "each", "both") or (
                phrase.plural and quantifier in ("the", "the_number")
            )
            if quantifier in ("no", "indefinite", "bare", "comparison", "number"):
                for extra, objects in step(phrase.objects):
                    claim = replace(phrase, objects=objects)
                    found += [(cost + extra + e, op) for e, op in exists(claim, words)]
                continue
            for more, subject in refer(phrase):
                if subject.returns is Kind.TRUTH:
                    continue
                for extra, objects in step(subject):
                    op: Op
                    if every:
                        op = Negation(Exist(Minus(subject, objects), words=words))
                    else:
                        op = Exist(objects, words=words)
                    found.append((cost + more + extra, op))
        return found
