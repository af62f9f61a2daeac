"""Syntax trees to programs.

Every method of the lowering classes returns alternatives with costs. Costs add up; the score of a
reading is the negative of their sum. Lowering may refuse a tree (:class:`NoReadingError`): the
grammar admits a little more than the language means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from neurosym.grammar.anaphora import PERSON_OF
from neurosym.grammar.classes import WordClass
from neurosym.grammar.division import divide, spread
from neurosym.grammar.meaning import (
    MAX_SIZE,
    TOO_LARGE,
    NoReadingError,
    NounPhrase,
    Quantified,
    Scored,
    as_one,
    cheapest,
    head_of,
    refer,
)
from neurosym.grammar.nominals import Nominal
from neurosym.grammar.others import OTHER_THAN_WHAT
from neurosym.grammar.tallies import Tallies
from neurosym.grammar.tree import Tree
from neurosym.grammar.words import Context, Words
from neurosym.program import (
    PORTIONS,
    Command,
    CommandTo,
    Everything,
    Intersect,
    Kind,
    Minus,
    Op,
    Part,
    Relate,
    Select,
    Superlative,
    The,
    TheCount,
)

WHERE_IT_IS = 0.6
"""Cost of "move the cup on the table" as moving the cup that is on the table."""
PART_OF_SEVERAL = 0.6
"""Cost of "the left of the dogs" as a part of each: it usually picks one of them."""


_MOVING = frozenset({"move", "push", "put", "put_down", "bring", "pour"})
"""Actions that take things elsewhere."""
_TOWARDS = frozenset({"to", "toward", "towards", "onto"})


class Lowering(Tallies):
    """Lowers the trees of one sentence: expressions, commands and questions.

    Attributes:
        said: what earlier sentences named, the most salient first.
        refused: why trees or parts of them have no meaning, first tree first.
    """

    def programs(self, tree: Tree) -> Scored[Op]:
        """The programs of a whole tree, cheapest first; empty when it means nothing."""
        rules = self.rules()
        self._begin(tree)
        utterance = tree.find(*rules, "refer")
        if utterance is None:
            return []
        lower = rules.get(utterance.label, self._refer)
        try:
            found = self._commanded(tree, lower(utterance))
            small = [(cost, op) for cost, op in found if op.size <= MAX_SIZE]
            if found and not small:
                raise NoReadingError(TOO_LARGE, [tree.span])
            return cheapest(small, self._beam)
        except NoReadingError as error:
            self.refused.append(error)
            return []

    def _commanded(self, tree: Tree, found: Scored[Op]) -> Scored[Op]:
        """What is to be done with what the rest of a command names, and where it is to go."""
        verb = tree.find("COMMAND")
        if verb is None:
            return found
        actions, words = self._actions(tree, verb)
        destination = tree.find("destination")
        moving = [action for action in actions if action in _MOVING]
        if destination is None and moving:
            goal = next(self._destinations(tree), None)
            if goal is not None:
                raise NoReadingError("where to is not understood here", [goal.span])
        named = [(cost, op) for cost, op in found if Kind.OBJECTS.accepts(op.returns)]
        if found and not named:
            raise NoReadingError("nothing is named that this could be done with", [verb.span])
        if destination is not None:
            if not moving:
                # "Pick up the screwdriver next to the mug" says where it is.
                raise NoReadingError
            return self._taken(named, moving, words, destination)
        if "put" in actions:
            raise NoReadingError("where to is not said", words)
        return [
            (cost + (WHERE_IT_IS if action in moving and _is_placed(op) else 0.0), command)
            for cost, op in named
            for action in actions
            for command in [Command(op, action, words=words)]
        ]

    def _actions(self, tree: Tree, verb: Tree) -> tuple[list[str], Words]:
        """What a verb, with the particle after what is named, asks for: "pick it up"."""
        particle = tree.find("PARTICLE")
        senses = self._unit(verb).all(WordClass.COMMAND)
        words: Words = (verb.span,)
        if particle is not None:
            said = f"{verb.words.lower()} {self._unit(particle).tokens[0].lower}"
            listed = self._lexicon.senses(said)
            senses = tuple(s for s in listed if s.word_class is WordClass.COMMAND)
            words = (verb.span, particle.span)
            if not senses:
                raise NoReadingError("these are no command together", words)
        return [sense.concept for sense in senses], words

    def _taken(
        self, named: Scored[Op], actions: list[str], words: Words, destination: Tree
    ) -> Scored[Op]:
        """Things to be taken to a destination: to the left of the plate, in the bowl."""
        leaf, landmark = destination.children
        goals = [sense.concept for sense in self._unit(leaf).all(WordClass[leaf.label])]
        said = (*words, leaf.span)
        return [
            (cost + more + extra, CommandTo(op, action, goal, place, words=said))
            for cost, op in named
            for more, phrase in self._phrase(landmark, Context(landmark=True))
            for extra, place in refer(phrase)
            if Kind.OBJECTS.accepts(place.returns)
            for action in actions
            for goal in goals
        ]

    def _destinations(self, tree: Tree) -> Iterator[Tree]:
        """What says where to things are moved: "to the left", "onto the table"."""
        for child in tree.children:
            if child.unit is not None or child.label == "clause":
                continue
            if child.label in ("located", "related", "sided", "goal"):
                first = self._unit(next(child.leaves())).tokens[0]
                if first.lower in _TOWARDS:
                    yield child
            yield from self._destinations(child)

    def _refer(self, tree: Tree) -> Scored[Op]:
        inner = tree.children[0]
        if inner.label == "part":
            return self._part(inner)
        if inner.label == "asked" and inner.find("nominal"):
            return self._asked_which(inner)
        if inner.label == "chosen":
            return self._chosen_one(inner)
        if inner.label == "but_not":
            return self._but_not(inner)
        if inner.label == "preposed":
            return self._preposed(inner)
        if inner.label in ("fragment", "asked"):
            posts = spread([child for child in inner.children if child.unit is None])
            if inner.find("PRONOUN") and any(post.label == "juxtaposed" for post in posts):
                # "Her hat" is no woman.
                raise NoReadingError
            nominals = self._modified(self._left_out(inner), [], posts, "bare")
            return [(cost, The(nominal.objects)) for cost, nominal in nominals]
        return [
            (cost + extra, op)
            for cost, phrase in self._phrase(inner, Context())
            for extra, op in (as_one(phrase) if _is_it(phrase) else refer(phrase))
        ]

    def _preposed(self, tree: Tree) -> Scored[Op]:
        """A thing after its place: "in the back, the man in red"."""
        place, phrase = (child for child in tree.children if child.unit is None)
        nominal = phrase.find("nominal")
        if nominal is None or nominal.children[0].label in ("of_nominal", "headless"):
            raise NoReadingError
        head = divide(nominal)[1]
        if place.label != "in_row" and head is not None and self._is_row(head):
            raise NoReadingError
        placed = replace(nominal, children=(*nominal.children, place))
        changed = tuple(placed if child is nominal else child for child in phrase.children)
        return [
            (cost + extra, op)
            for cost, found in self._phrase(replace(phrase, children=changed), Context())
            for extra, op in refer(found)
        ]

    def _but_not(self, tree: Tree) -> Scored[Op]:
        """What a text does not mean: "not the red cup" is another cup."""
        words = self._spans(tree, "NOT")
        denied, *meant = (child for child in tree.children if child.unit is None)
        if meant:
            # "Not the red cup, the blue one": what is denied is another thing.
            told = (*words, *(leaf.span for leaf in denied.leaves()))
            return [
                (cost + extra, op.at(*op.words, *told))
                for _, other in self._phrase(denied, Context())[:1]
                for cost, phrase in self._phrase(meant[0], Context(head_of(other)))
                for extra, op in refer(phrase)
                if Kind.OBJECTS.accepts(op.returns)
            ]
        return [
            (cost + extra, The(Minus(_others(phrase), op, words=words)))
            for cost, phrase in self._phrase(denied, Context())
            if isinstance(phrase, Quantified)
            for extra, op in refer(phrase)
            if Kind.OBJECTS.accepts(op.returns) and op != phrase.head
        ]

    def _asked_which(self, tree: Tree) -> Scored[Op]:
        """Which of some things something is said of: "which cup is red"."""
        nominal = tree.find("nominal")
        assert nominal is not None
        predicate = tree.children[-1]
        found: Scored[Op] = []
        number = tree.find("NUMBER")
        for cost, asked in self._nominal(nominal, Context(), "bare"):
            if number is not None and tree.find("OF"):
                # "Which of the two cups".
                asked = self._so_many(asked, number)
            if self._is_value(asked.head) and asked.objects == asked.head:
                raise NoReadingError("this can be asked of one thing only", self._spans(tree, "IS"))
            if asked.other:
                raise NoReadingError(OTHER_THAN_WHAT, asked.other)
            # "Which cup on the table is the largest" means the largest of those.
            head = asked.objects if predicate.label == "same_as" else asked.head
            several = asked.plural and not tree.find("OF")
            step = self._step(predicate, head, plural=asked.plural)
            kept = self._apply([(cost, asked.objects)], [step])
            if several and number is not None:
                # "Which two cups are red": there are two that are.
                kept = [(extra, self._so_many_of(op, number)) for extra, op in kept]
            found += [(extra, op if several else The(_picked(op))) for extra, op in kept]
        return found

    def _chosen_one(self, tree: Tree) -> Scored[Op]:
        """Which of two things something is said of: "which is larger, the cup or the plate"."""
        predicate, choices = (child for child in tree.children if child.unit is None)
        return [
            (extra, The(_picked(op)))
            for cost, phrase in self._phrase(choices, Context(landmark=True))
            for more, either in refer(phrase)
            if Kind.OBJECTS.accepts(either.returns)
            for extra, op in self._apply(
                [(cost + more, either)], [self._step(predicate, either, plural=False)]
            )
        ]

    def _part(self, tree: Tree) -> Scored[Op]:
        """A part of a thing: "the left half of the table"."""
        place, side = tree.find("LOCATION"), tree.find("SIDE")
        assert place is not None
        words = self._joined_spans(tree, "LOCATION", "SIDE")
        half = " half" if side and self._concept(tree, "SIDE") == "half" else ""
        places = self._unit(place).all(WordClass.LOCATION)
        portion = next((p for s in places if (p := s.concept + half) in PORTIONS), None)
        if self._is_image(tree.children[-1]) and not half:
            # "The top of the picture" is a place.
            raise NoReadingError
        if portion is None or (side and self._concept(tree, "SIDE") == "corner"):
            raise NoReadingError("this part of a thing is not understood", words)
        found: Scored[Op] = []
        for cost, phrase in self._phrase(tree.children[-1], Context()):
            several = not isinstance(phrase, Quantified) or phrase.plural
            extra = PART_OF_SEVERAL if several and not half else 0.0
            found += [
                (cost + extra + more, Part(op, portion, words=words))
                for more, op in refer(phrase)
                if Kind.OBJECTS.accepts(op.returns)
            ]
        return found

    def _so_many(self, nominal: Nominal, number: Tree) -> Nominal:
        """What a nominal names, of which there are to be so many."""
        if not nominal.plural:
            raise NoReadingError("this does not agree with its noun", [number.span])
        return replace(nominal, objects=self._so_many_of(nominal.objects, number))

    def _so_many_of(self, objects: Op, number: Tree) -> Op:
        count = int(self._concept_of(number))
        if count < 1:
            raise NoReadingError("this does not agree with its noun", [number.span])
        return TheCount(objects, count, words=(number.span,))

    def _left_out(self, tree: Tree) -> Nominal:
        """The noun that a text goes without: things, or persons after "who"."""
        him = tree.find("PRONOUN")
        if him is not None:
            return self._in_view(him)
        who = tree.find("WHO")
        if who is None:
            return self._plain(Everything(), plural=False)
        concept = self._unit(who).sense(WordClass.WHO).concept
        return self._plain(Select(concept, words=(who.span,)), plural=False)

    def _in_view(self, leaf: Tree) -> Nominal:
        """Whom or what a pronoun is about that stands for nothing that was named."""
        if self.said:
            raise NoReadingError
        concept = self._concept_of(leaf)
        named = PERSON_OF.get(concept)
        objects: Op = Everything(words=(leaf.span,))
        if named is not None:
            objects = Select(named, words=(leaf.span,))
        return self._plain(objects, plural=concept == "they")


def _picked(op: Op) -> Op:
    """What is the largest of some things, as the largest of them."""
    match op:
        case Intersect(
            left=objects, right=The(objects=Superlative(objects=among) as largest) as the
        ):
            said = (*largest.words, *the.words, *op.words)
            return largest.at(*said) if among == objects else op
    return op


def _others(phrase: Quantified) -> Op:
    """What there may be besides what a text denies: "not the red cup" leaves cups."""
    return Everything() if phrase.objects == phrase.head else phrase.head


def _is_placed(op: Op) -> bool:
    """Whether a program says where something is by what it is related to."""
    return any(isinstance(node, Relate) for node in op.walk())


def _is_it(phrase: NounPhrase) -> bool:
    """Whether a phrase is one thing by a word that stands for it."""
    return isinstance(phrase, Quantified) and phrase.determiner == "pronoun" and not phrase.plural
