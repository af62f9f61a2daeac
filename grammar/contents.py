"""What is said of a thing by its contents: "a box with items of two colours".

Such a modifier stands with the contents, but restricts what holds them: it is not each item that
has two colours. So it is taken away from the landmark, and said of what the landmark restricts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from neurosym.grammar import landmarks
from neurosym.grammar.classes import WordClass
from neurosym.grammar.landmarks import VALUE, Aspect
from neurosym.grammar.meaning import (
    NOT_HERE,
    Coordinated,
    NoReadingError,
    NounPhrase,
    Quantified,
    Scored,
    refer,
)
from neurosym.grammar.tree import Tree
from neurosym.grammar.value_names import Values
from neurosym.grammar.words import Context, Step, Words
from neurosym.program import (
    Comparison,
    Different,
    Equative,
    Everything,
    Identical,
    Intersect,
    Minus,
    Op,
    Relate,
    RelateCount,
    RelatedBy,
    Same,
    Select,
    Union,
)
from neurosym.span import Span

LOW_LIST = 0.3
"""Cost of "a box with a cup on a plate and a fork" as a cup on both of these."""

_A_LANDMARK = Context(landmark=True)

HOLDING = "with"
"""The relation of what holds something to it."""


class Contents(Values):
    """Lowers what is said of a thing by what it holds."""

    def _related(self, objects: Op, tree: Tree, head: Op) -> Scored[Op]:
        self._check_holder(tree, head)
        unlike = self._than_itself(objects, tree, head)
        if unlike is not None:
            return unlike
        if self._link_name(tree) == VALUE and self._is_mixed(tree.children[-1]):
            raise NoReadingError
        if self._concept_of(tree.children[-2]) == HOLDING:
            tree = replace(tree, children=(*tree.children[:-1], self._all_alike_in(tree)))
        if self._concept_of(tree.children[-2]) == HOLDING and _lists_below(tree.children[-1]):
            return [(LOW_LIST + cost, op) for cost, op in self._by_contents(objects, tree, head)]
        return self._by_contents(objects, tree, head)

    def _by_contents(self, objects: Op, tree: Tree, head: Op) -> Scored[Op]:
        listed = self._each_with_values(tree)
        if listed:
            found: Scored[Op] = [(0.0, objects)]
            for part in listed:
                found = [
                    (cost + extra, op)
                    for cost, kept in found
                    for extra, op in self._related(kept, part, head)
                ]
            return found
        rest, partly = _without_values(tree.children[-1], _is_partly)
        if partly is not None:
            whole = replace(tree, children=(*tree.children[:-1], rest))
            return [
                (cost + extra, op)
                for cost, kept in self._related(objects, whole, head)
                for extra, op in self._partly(kept, whole, partly, head)
            ]
        landmark, lifted = _without_values(tree.children[-1], self._names_values)
        if lifted is not None:
            of_part = self._of_part(objects, landmark, lifted)
            if of_part:
                return of_part
            landmark = _some_of(landmark)
        if lifted is None:
            found = super()._related(objects, tree, head)
            return [*self._as_part(found, objects, tree, head)]
        alike = self._has_one_alike(objects, tree, landmark, lifted, head)
        if alike:
            return alike
        if not self._holds_all(tree):
            raise NoReadingError("this is understood of all that a thing holds only", [lifted.span])
        plain = replace(tree, children=(*tree.children[:-1], landmark))
        step = self._step(lifted, head, plural=True)
        return [
            (cost + extra, op)
            for cost, kept in super()._related(objects, plain, head)
            for extra, op in self._of_values(lifted, kept, step)
        ]

    def _has_one_alike(
        self, objects: Op, tree: Tree, landmark: Tree, lifted: Tree, head: Op
    ) -> Scored[Op]:
        """What has another thing of the same colour: there is one, wherever it is."""
        aspects = lifted.all("ASPECT")
        if (
            lifted.label != "mutual"
            or lifted.find("DIFFERENT")
            or len(aspects) != 1
            or self._concept_of(tree.children[-2]) != HOLDING
        ):
            return []
        words = (tree.children[-2].span, *self._spans(lifted, "SAME", "ASPECT"))
        found: Scored[Op] = []
        for cost, phrase in self._phrase(landmark, Context(head, landmark=True)):
            if not isinstance(phrase, Quantified) or phrase.plural:
                continue
            for extra, name in self._attribute_names(aspects[0]):
                there = Same(objects, name, phrase.objects, words=words)
                if phrase.determiner == "no":
                    found.append((cost + extra, Minus(objects, there, words=phrase.words)))
                elif phrase.determiner in ("indefinite", "bare"):
                    found.append((cost + extra, there))
        return found

    def _partly(self, objects: Op, tree: Tree, partly: Tree, head: Op) -> Scored[Op]:
        """With three cups, one of which is red: and with so many cups that are red."""
        *_, leaf, landmark = tree.children
        if partly.find("NUMBER") is None:
            *_, leaf, landmark = tree.children
            words = self._spans(partly, "NO", "ALL", "BOTH", "EACH", "WHICH", "PRONOUN", "IS")
            return [
                (cost + extra, op)
                for cost, phrase in self._phrase(landmark, Context(head, landmark=True))
                if isinstance(phrase, Quantified)
                for extra, op in self._of_all(
                    objects, phrase, partly.children[-1], words, no=partly.find("NO") is not None
                )
            ]
        number = int(self._concept(partly, "NUMBER"))
        words = self._spans(partly, "COMPARISON", "NUMBER", "OF", "WHICH", "PRONOUN", "IS")
        comparison = None
        if partly.find("COMPARISON") is not None:
            comparison = Comparison(self._concept(partly, "COMPARISON"))
        found: Scored[Op] = []
        for cost, phrase in self._phrase(landmark, Context(head, landmark=True)):
            if isinstance(phrase, Coordinated):
                continue
            step = self._step(partly.children[-1], phrase.head, number > 1)
            for extra, part in self._apply([(cost, phrase.objects)], [step]):
                # One is at least one, as in "one of them".
                said = "number" if number > 1 else "indefinite"
                so_many = Quantified(
                    "comparison" if comparison is not None else said,
                    words,
                    part,
                    phrase.head,
                    number > 1,
                    number=number,
                    comparison=comparison,
                )
                found += [
                    (extra + more, op)
                    for more, op in landmarks.related(
                        objects, self._concept_of(leaf), (leaf.span, *words), so_many
                    )
                ]
        return found

    def _of_all(
        self, objects: Op, held: Quantified, predicate: Tree, words: Words, *, no: bool = False
    ) -> Scored[Op]:
        """Those that hold of what a phrase names only what is, or is not, as it is said.

        "A tower where all blocks are black": none of its blocks is not black.
        """
        if predicate.label == "mutual" and predicate.find("ASPECT") is not None:
            if no or not self._is_content(held.objects):
                raise NoReadingError(NOT_HERE, [predicate.span])
            return self._of_values(
                predicate, objects, lambda kept: [(0.0, kept)], number=held.number
            )
        step = self._step(predicate, held.head, plural=True)
        return [
            (cost, Minus(objects, Relate(objects, HOLDING, unlike, words=words), words=words))
            for cost, kept in self._apply([(0.0, held.objects)], [step])
            for unlike in [kept if no else Minus(held.objects, kept, words=words)]
        ]

    def _all_alike_in(self, tree: Tree) -> Tree:
        """The landmark of "with all yellow items", read as "with only yellow items"."""
        landmark = tree.children[-1]
        nominal = landmark.find("nominal")
        if landmark.label != "phrase" or nominal is None or landmark.children[0].label != "all":
            return landmark
        said = landmark.children[0]
        if len(said.children) > 1 or nominal.find("attribute", "attributes") is None:
            return landmark
        phrases = self._phrase(landmark, Context(landmark=True))
        if not any(isinstance(p, Quantified) and self._is_content(p.head) for _, p in phrases):
            return landmark
        return replace(landmark, children=(replace(said, label="only"), *landmark.children[1:]))

    def _is_content(self, objects: Op) -> bool:
        content = self._lexicon.feature("content")
        return isinstance(objects, Select) and objects.category in content

    def _each_with_values(self, tree: Tree) -> list[Tree]:
        """Of a landmark "items of two colors and a cup", "items of two colors" and "a cup"."""
        landmark = tree.children[-1]
        if landmark.label != "np_and":
            return []
        parts = [child for child in landmark.children if child.unit is None]
        if all(_without_values(part, self._names_values)[1] is None for part in parts):
            return []
        return [replace(tree, children=(*tree.children[:-1], part)) for part in parts]

    def _check_holder(self, tree: Tree, head: Op) -> None:
        """Refuse "with" after what can hold nothing, where the lexicon says what can."""
        holders = self._lexicon.feature("container")
        leaf = next(
            leaf for leaf in tree.children if leaf.unit is not None and leaf.label != "ONLY"
        )
        if (
            holders
            and isinstance(head, Select)
            and head.category not in holders
            and self._concept_of(leaf) == HOLDING
        ):
            raise NoReadingError("this has no contents", [leaf.span])
        landmark = tree.children[-1]
        if (
            isinstance(head, Select)
            and head.category in holders
            and self._concept_of(leaf) in ("in", "on", "at")
            and any(self._is_part(phrase) for _, phrase in self._phrase(landmark, _A_LANDMARK))
        ):
            # "A box with a cup in the corner": it is the cup that is there.
            raise NoReadingError("what holds things is at none of its parts", [leaf.span])
        first = landmark.children[0] if landmark.label == "np_and" else landmark
        nominal = first.find("nominal")
        if (
            holders
            and self._concept_of(leaf) == HOLDING
            and nominal is not None
            and nominal.find("one") is not None
        ):
            # "One" after a box would be another box.
            raise NoReadingError("nothing holds its own like", [leaf.span])

    def _than_itself(self, objects: Op, tree: Tree, head: Op) -> Scored[Op] | None:
        """Related to one thing that is like or unlike it: "above a block of another colour"."""
        landmark, mutual = _without_values(tree.children[-1], _likens)
        if mutual is None or self._concept_of(tree.children[-2]) == HOLDING:
            return None
        if not mutual.find("ASPECT"):
            return None
        found: Scored[Op] = []
        words = self._spans(mutual, "SAME", "DIFFERENT", "ASPECT")
        for cost, phrase in self._phrase(landmark, Context(head, landmark=True)):
            if isinstance(phrase, Coordinated) or phrase.plural:
                return None
            for extra, aspect in self._aspects(mutual.all("ASPECT")[0]):
                kind = Same if mutual.find("SAME") else Different
                if aspect.of_measure:
                    continue
                such = kind(phrase.objects, aspect.name, objects, words=words)
                one = replace(phrase, objects=such, determiner="indefinite")
                name = self._concept_of(tree.children[-2])
                found += [
                    (cost + extra + more, op)
                    for more, op in landmarks.related(objects, name, (tree.children[-2].span,), one)
                ]
        return found

    def _of_part(self, objects: Op, landmark: Tree, mutual: Tree) -> Scored[Op]:
        """With bases of the same colour: alike in the colour of their bases."""
        aspect = mutual.find("ASPECT")
        if aspect is None:
            return []
        found: Scored[Op] = []
        words = self._spans(mutual, "SAME", "DIFFERENT", "ASPECT")
        for cost, phrase in self._phrase(landmark, _A_LANDMARK):
            if not isinstance(phrase, Quantified) or not self._is_part(phrase):
                return []
            for extra, name in self._attribute_names(aspect):
                part = f"{phrase.head.category} {name}" if isinstance(phrase.head, Select) else ""
                if any(s.word_class is WordClass.ASPECT for s in self._lexicon.senses(part)):
                    kind = Aspect(part, of_measure=False)
                    same = mutual.find("SAME") is not None
                    op = _as_each_other(objects, kind, words, same=same)
                    found.append((cost + extra, op))
        return found

    def _may_be_thing(self, head: Op) -> bool:
        """Whether a noun for values is one for things as well: a shape."""
        return isinstance(head, Select) and any(
            sense.word_class is WordClass.ASPECT and sense.concept == "shape"
            for sense in self._lexicon.senses(head.category)
        )

    def _holds_all(self, tree: Tree) -> bool:
        """Whether a landmark names contents without leaving any out: "items", not "squares"."""
        phrases = self._phrase(
            _without_values(tree.children[-1], self._names_values)[0], Context(landmark=True)
        )
        return any(
            isinstance(phrase, Quantified) and self._is_content(phrase.objects)
            for _, phrase in phrases
        )

    def _as_part(self, found: Scored[Op], objects: Op, tree: Tree, head: Op) -> Scored[Op]:
        """What is at a part, and what is that part: "a block at the base of the tower"."""
        if self._concept_of(tree.children[-2]) != "at" or not self._lexicon.feature("container"):
            return found
        parts = [
            part
            for _, phrase in self._phrase(tree.children[-1], Context(head, landmark=True))
            if self._is_part(phrase)
            for _, part in refer(phrase)
        ]
        if not parts:
            return found
        return [
            (cost, Union(op, Intersect(objects, parts[0], words=op.words))) for cost, op in found
        ]

    def _lists_kinds(self, noun: Op, pres: list[Tree]) -> bool:
        """Whether contents are of several kinds: "only black and blue block" is about blocks."""
        return self._is_content(noun) and any(
            pre.label == "attributes" and pre.find("AND") is not None for pre in pres
        )

    def _measured(self, tree: Tree) -> Step:
        """A three block tower: one with three blocks."""
        noun = tree.find("NOUN", "PLURAL_NOUN")
        assert noun is not None
        count = int(self._concept(tree, "NUMBER"))
        words = tuple(leaf.span for leaf in tree.children)
        kind = Select(self._concept_of(noun), words=(noun.span,))
        comparison = Comparison.EXACTLY
        if tree.find("COMPARISON") is not None:
            comparison = Comparison(self._concept(tree, "COMPARISON"))
        return lambda objects: [
            (0.0, RelateCount(objects, HOLDING, comparison, count, kind, words=words))
        ]

    def _role(self, tree: Tree, head: Op) -> Step:
        """As the base of a tower, as the second block: what is one."""
        word = tree.children[0].span
        return lambda objects: [
            (cost, Intersect(objects, op, words=(word,)))
            for cost, phrase in self._phrase(tree.children[-1], Context(head, landmark=True))
            for op in self._parts(phrase)
        ]

    def _parts(self, phrase: NounPhrase) -> Iterator[Op]:
        """What is the part that a phrase names, of whatever that is a part."""
        if isinstance(phrase, Coordinated):
            if self._is_part(phrase):
                yield from (op for _, op in refer(phrase))
        elif self._is_part(phrase) or self._is_content(phrase.head):
            yield phrase.objects

    def _is_part(self, phrase: NounPhrase) -> bool:
        """Whether a phrase names a part that everything of a kind has: "the base"."""
        if isinstance(phrase, Coordinated):
            return all(self._is_part(part) for part in phrase.parts)
        return self._is_of_each(phrase.head)

    def _is_of_each(self, head: Op) -> bool:
        """Whether everything of some kind has one: of walls, none is the one on the left."""
        return isinstance(head, Select) and self._lexicon.has_feature(
            "weak_definite", head.category
        )

    def _holds(self, head: Op) -> bool:
        """Whether a noun names what holds things, where the lexicon says what does."""
        return isinstance(head, Select) and head.category in self._lexicon.feature("container")

    def _mutual(self, tree: Tree) -> Step:
        """Of the same colour, or touching each other: as, or to, others of the same set."""
        relation = tree.find("RELATION", "SIDE_RELATION", "VERB", "HAS")
        if relation is not None and tree.find("ASPECT") is None:
            words = self._spans(tree, "RELATION", "SIDE_RELATION", "VERB", "HAS", "EACH_OTHER")
            name = self._concept_of(relation)
            return lambda objects: [(0.0, _to_each_other(objects, name, words))]
        linked = tree.find("RELATION")
        if linked is not None and self._concept_of(linked) not in (HOLDING, "in"):
            raise NoReadingError
        aspects = self._same_aspects(tree)
        words = self._spans(tree, "MADE_OF", "RELATION", "SAME", "SHARE", "DIFFERENT", "ASPECT")
        same = tree.find("DIFFERENT") is None

        def step(objects: Op) -> Scored[Op]:
            found: Scored[Op] = [(0.0, objects)]
            for aspect in aspects:
                found = [
                    (cost + extra, _as_each_other(kept, kind, words, same=same))
                    for cost, kept in found
                    for extra, kind in self._aspects(aspect)
                ]
            return found

        return step

    def _unique(self, tree: Tree) -> Step:
        """The only one of its colour, of a unique colour: unlike everything else in it."""
        words = self._spans(tree, "UNIQUE", "DIFFERENT", "ASPECT")
        leaves = tree.all("ASPECT")
        if len(leaves) != 1:
            raise NoReadingError("this is understood of one aspect only", words)
        return lambda objects: [
            (cost, Different(objects, name, Everything(), words=words))
            for cost, name in self._attribute_names(leaves[0])
        ]

    def _twins(self, tree: Tree, *, plural: bool) -> Step:
        """Identical, or the same: as others of the same set."""
        words = tuple(leaf.span for leaf in tree.leaves())
        if not plural:
            raise NoReadingError("this is understood of several things only", words)
        return lambda objects: [(0.0, Identical(objects, objects, words=words))]

    def _claimed(self, tree: Tree, head: Op) -> Step:
        """A tower where the base is black: one with a black base."""
        holders = self._lexicon.feature("container")
        if isinstance(head, Everything) or (
            holders and isinstance(head, Select) and head.category not in holders
        ):
            raise NoReadingError
        phrase_tree, *floated, predicate = (child for child in tree.children if child.unit is None)
        if self._names_values(predicate) and self._names_contents(phrase_tree, head):
            # "A box where the items are of two colours".
            step = self._step(predicate, head, plural=True)
            return lambda objects: self._of_values(predicate, objects, step)
        if floated or phrase_tree.children[0].label in ("all", "each"):
            words = self._spans(tree, "WHICH", "IS")
            return lambda objects: [
                (cost + extra, op)
                for cost, phrase in self._phrase(phrase_tree, Context(head, landmark=True))
                if isinstance(phrase, Quantified)
                for some in [Relate(objects, HOLDING, phrase.objects, words=words)]
                for extra, op in self._of_all(some, phrase, predicate, words)
            ]
        return lambda objects: [
            (cost + extra, op)
            for cost, phrase in self._said_of(phrase_tree, predicate, head)
            for extra, op in landmarks.related(objects, HOLDING, (), phrase)
        ]

    def _held_there(self, tree: Tree, head: Op) -> Step:
        """A box in which there are two cups: one with two cups."""
        words = self._joined_spans(tree, "THERE", "IS")
        return lambda objects: [
            (cost + extra, op)
            for cost, phrase in self._phrase(tree.children[-1], Context(head, landmark=True))
            for extra, op in landmarks.related(objects, HOLDING, words, phrase)
        ]

    def _names_contents(self, phrase_tree: Tree, head: Op) -> bool:
        """Whether a phrase names all that something holds: "the items", "all of its items"."""
        return all(
            isinstance(phrase, Quantified)
            and self._is_content(phrase.head)
            and phrase.determiner in ("the", "all", "each", "both")
            and (phrase.objects == phrase.head or phrase.determiner == "the")
            for _, phrase in self._phrase(phrase_tree, Context(head, landmark=True))
        )

    def _said_of(self, phrase_tree: Tree, predicate: Tree, head: Op) -> Scored[NounPhrase]:
        """A noun phrase restricted by what is said of it."""
        found: Scored[NounPhrase] = []
        for cost, phrase in self._phrase(phrase_tree, Context(head, landmark=True)):
            if isinstance(phrase, Coordinated):
                continue
            step = self._step(predicate, phrase.head, phrase.plural)
            for extra, objects in self._apply([(cost, phrase.objects)], [step]):
                found.append((extra, _indefinite(replace(phrase, objects=objects))))
        return found


def _indefinite(phrase: Quantified) -> Quantified:
    """The phrase without its "the": what is spoken of is in the thing that is spoken of."""
    match phrase.determiner:
        case "the" if phrase.number is None and not phrase.plural:
            return replace(phrase, determiner="indefinite", words=())
        case "the_number" | "both":
            return replace(phrase, determiner="number")
    return phrase


def _to_each_other(objects: Op, relation: str, words: tuple[Span, ...]) -> Op:
    """Those of which one stands in a relation to the other, whichever way round."""
    there = Relate(objects, relation, objects, words=words)
    if relation in ("touching", "touch", "next_to"):
        return there
    return Union(there, RelatedBy(objects, relation, objects, words=words), words=words)


def _as_each_other(objects: Op, aspect: Aspect, words: tuple[Span, ...], *, same: bool) -> Op:
    if aspect.of_measure:
        alike = Equative(objects, aspect.name, objects, words=words)
        return alike if same else Minus(objects, alike, words=words)
    kind = Same if same else Different
    return kind(objects, aspect.name, objects, words=words)


def _lists_below(landmark: Tree) -> bool:
    """Whether the list in "a cup on a plate and a fork" is one of the cup's landmarks."""
    nominal = landmark.find("nominal")
    post = nominal.children[-1] if nominal is not None else None
    return post is not None and post.label == "related" and post.children[-1].label == "np_and"


def _likens(post: Tree) -> bool:
    """Whether a modifier says that things have the same, or different, values."""
    said = post.children[-1] if post.label == "clause" else post
    return said.label == "mutual" and said.find("ASPECT") is not None


def _some_of(landmark: Tree) -> Tree:
    """A landmark "all items" as "items", where what follows says what all of them are like."""
    first = landmark.children[0]
    if landmark.label != "phrase" or first.label != "all":
        return landmark
    return replace(landmark, children=landmark.children[1:])


def _is_partly(post: Tree) -> bool:
    """Whether a modifier says what some of so many things are like: "one of which is red"."""
    if post.label != "clause":
        return False
    return post.children[-1].label == "partly" or post.find("floated") is not None


def _without_values(tree: Tree, names_values: Callable[[Tree], bool]) -> tuple[Tree, Tree | None]:
    """A landmark without the modifier that says which values its members have, and that."""
    nominal = tree.find("nominal")
    if tree.label != "phrase" or nominal is None:
        return tree, None
    lifted = next((c for c in nominal.children if c.unit is None and names_values(c)), None)
    if lifted is None:
        return tree, None
    rest = replace(nominal, children=tuple(c for c in nominal.children if c is not lifted))
    children = tuple(rest if child is nominal else child for child in tree.children)
    said = (
        lifted.children[-1] if lifted.label == "clause" and not lifted.find("floated") else lifted
    )
    return replace(tree, children=children), said
