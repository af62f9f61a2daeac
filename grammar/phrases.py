"""Noun phrases: determiners, exceptions and coordination."""

from __future__ import annotations

from dataclasses import replace

from neurosym.grammar.classes import WordClass
from neurosym.grammar.meaning import (
    Coordinated,
    NoReadingError,
    NounPhrase,
    Quantified,
    Scored,
    cheapest,
    head_of,
    refer,
)
from neurosym.grammar.modifiers import Context, Step
from neurosym.grammar.nominals import Nominal, Nominals
from neurosym.grammar.tree import Tree
from neurosym.program import (
    Comparison,
    Everything,
    Kind,
    Minus,
    Op,
    Select,
)
from neurosym.span import Span

LOW_EXCEPTION = 0.8
"""Cost of an exception to a landmark: "but not" usually excepts from the whole expression."""

UNLIKE_PARTS = 0.4
"""Cost of joining phrases whose determiners differ."""

HIGH_JOIN = 0.2
"""Cost of joining whole expressions rather than the landmarks at the end."""

NUMBER_CLASH = 1.0
"""Cost of "two dog" and "one dogs"."""


class Phrases(Nominals):
    """Lowers noun phrases."""

    def _phrase(self, tree: Tree, context: Context) -> Scored[NounPhrase]:
        if tree.label in ("np_and", "np_or"):
            return cheapest(self._coordinated(tree, context), self._beam)
        return cheapest(self._quantified(tree, context), self._beam)

    def _coordinated(self, tree: Tree, context: Context) -> Scored[NounPhrase]:
        parts = [child for child in tree.children if child.unit is None]
        words = self._spans(tree, "AND", "OR", "BUT")
        base = 0.0 if context.landmark else HIGH_JOIN
        rows: Scored[tuple[NounPhrase, ...]] = [(base, ())]
        for part in parts:
            grown: Scored[tuple[NounPhrase, ...]] = []
            for cost, row in rows:
                here = self._after(row, parts, context)
                for extra, phrase in self._phrase(part, here):
                    for more, joined in _sharing(row, phrase):
                        grown.append((cost + extra + more, (*row, joined)))
            rows = cheapest(grown, self._beam)
        return [(cost, Coordinated(tree.label == "np_or", words, row)) for cost, row in rows]

    def _after(self, row: tuple[NounPhrase, ...], parts: list[Tree], context: Context) -> Context:
        """What a part can refer back to.

        That is the noun before it, or in "the red and the blue cup" the noun of the last part.
        """
        if row:
            head = head_of(row[0])
            return context if isinstance(head, Everything) else replace(context, head=head)
        if context.head is None and _lacks_noun(parts[0]) and parts[-1].label == "phrase":
            last = self._phrase(parts[-1], replace(context, landmark=True))
            if last:
                return replace(context, head=head_of(last[0][1]), gap=True)
        return context

    def _quantified(self, tree: Tree, context: Context) -> Scored[NounPhrase]:
        determiner, words, number, comparison = self._determiner(tree)
        body = tree.find("nominal", "anything")
        exception = tree.find("exception")
        assert body is not None
        found: Scored[NounPhrase] = []
        if body.label == "anything":
            nominals = self._anything(body)
        else:
            nominals = self._nominal(body, context, determiner, number)
        for cost, nominal in nominals:
            cost += self._number_clash(determiner, number, nominal)
            steps: list[Step] = []
            if exception is not None:
                steps.append(self._excepting(exception, context, nominal))
                cost += LOW_EXCEPTION if context.landmark else 0.0
            for total, objects in self._apply([(cost, nominal.objects)], steps):
                phrase = Quantified(
                    determiner,
                    words,
                    objects,
                    nominal.head,
                    nominal.plural,
                    nominal.ranked,
                    number or nominal.number,
                    comparison,
                )
                found.append((total, phrase))
        return found

    def _determiner(
        self, tree: Tree
    ) -> tuple[str, tuple[Span, ...], int | None, Comparison | None]:
        first = tree.children[0]
        if first.label in ("nominal", "anything"):
            return "bare", (), None, None
        number: int | None = 2 if first.label == "both" else None
        comparison = None
        for leaf in first.leaves():
            if leaf.label == "NUMBER":
                number = int(self._unit(leaf).sense(WordClass.NUMBER).concept)
            elif leaf.label == "COMPARISON":
                concept = self._unit(leaf).sense(WordClass.COMPARISON).concept
                comparison = Comparison(concept)
        if number == 0 and comparison is None:
            raise NoReadingError
        words = () if first.label == "indefinite" else tuple(leaf.span for leaf in first.leaves())
        return first.label, words, number, comparison

    @staticmethod
    def _number_clash(determiner: str, number: int | None, nominal: Nominal) -> float:
        if determiner == "each" or number == 1:
            return NUMBER_CLASH if nominal.plural else 0.0
        if determiner == "all" or (number is not None and number > 1):
            return 0.0 if nominal.plural else NUMBER_CLASH
        return 0.0

    def _anything(self, tree: Tree) -> Scored[Nominal]:
        concept = self._unit(tree.children[0]).sense(WordClass.ANYTHING).concept
        words = self._spans(tree, "ANYTHING")
        everything: Op = Everything(words=words)
        if concept != "everything":
            everything = Select(concept, words=words)
        posts = [child for child in tree.children if child.unit is None]
        steps = [self._step(post, everything, plural=True) for post in posts]
        return [
            (cost, Nominal(objects, everything, plural=True, ranked=False))
            for cost, objects in self._apply([(0.0, everything)], steps)
        ]

    def _excepting(self, tree: Tree, context: Context, nominal: Nominal) -> Step:
        """Take away what an exception names.

        "one" in it is the head noun, so that "but not the green one" means the green plate; with
        a superlative it is the set excepted from, because "except the leftmost one" of the
        people by the bottle means the leftmost of these, not of all people.
        """
        words = self._joined_spans(tree, "BUT", "NOT", "EXCEPT")
        excluded = tree.children[-1]
        if tree.find("BUT") and next(excluded.leaves()).label in ("NUMBER", "ONE"):
            raise NoReadingError('"but" with a number is not understood yet', [tree.span])

        if excluded.label not in ("phrase", "np_and", "np_or"):
            return self._minus(excluded, words, nominal.head, nominal.plural)

        def step(objects: Op) -> Scored[Op]:
            inner = Context(nominal.head, objects, context.landmark, gap=True)
            return [
                (cost + extra, Minus(objects, op, words=words))
                for cost, phrase in self._phrase(excluded, inner)
                for extra, op in refer(phrase)
                if op.returns is not Kind.TRUTH
            ]

        return step


def _lacks_noun(phrase: Tree) -> bool:
    nominal = phrase.find("nominal")
    return nominal is not None and nominal.children[0].label == "headless"


def _sharing(row: tuple[NounPhrase, ...], phrase: NounPhrase) -> Scored[NounPhrase]:
    """A part after others, as it is or with the determiner before it: "the apple and banana"."""
    if not row:
        return [(0.0, phrase)]
    before = row[-1]
    if isinstance(before, Quantified) and isinstance(phrase, Quantified) and _shares(phrase):
        if _kind(row[0]) == "no":
            return [(0.0, phrase)]
        if before.determiner in ("the", "indefinite", "all", "each") and before.number is None:
            shared = replace(phrase, determiner=before.determiner)
            return [(0.0, shared), (UNLIKE_PARTS, phrase)]
    return [(UNLIKE_PARTS if _kind(before) != _kind(phrase) else 0.0, phrase)]


def _shares(phrase: Quantified) -> bool:
    return phrase.determiner == "bare" and phrase.number is None


def _kind(phrase: NounPhrase) -> str:
    return phrase.determiner if isinstance(phrase, Quantified) else "coordinated"
