"""Nominals: nouns with what stands before and after them, and what picks from them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from neurosym.grammar.classes import WordClass
from neurosym.grammar.division import PICKING, PLACES, divide
from neurosym.grammar.links import LAST_CLOSEST
from neurosym.grammar.meaning import (
    NoReadingError,
    Scored,
    cheapest,
)
from neurosym.grammar.modifiers import counting, names_part, placed
from neurosym.grammar.preferences import CARRYING, MODIFIED_LANDMARK
from neurosym.grammar.ranks import (
    ORDER_OF_SIZE,
    SIZE_AS_RANK,
    UNSAID_ORDER,
    Rank,
    one_place,
    only_places,
    place_is_plain,
    ranked,
    read_place,
    read_rank,
)
from neurosym.grammar.suiting import Suiting
from neurosym.grammar.tree import Tree
from neurosym.grammar.words import Context, Step, Words
from neurosym.program import (
    Everything,
    Intersect,
    Op,
    Pointed,
    Select,
    Superlative,
    TheCount,
    Union,
)
from neurosym.span import Span

INNER_SCOPE = 1.0
"""Cost of a superlative that picks before what follows the noun restricts."""

OPTIONAL_PLURAL = "(s)"
"""The ending of a noun that is written for one or several."""


@dataclass(frozen=True, slots=True)
class Nominal:
    """A noun phrase without its determiner.

    Attributes:
        objects: the set that it describes.
        head: the set of its head noun alone.
        plural: whether the head is a plural.
        ranked: whether a superlative or an ordinal picks from it.
        number: the number beside an ordinal.
        other: the word "other", while nothing has said other than what.
        besides: the word "other", where it is other than what the phrase is a landmark of.
        open_number: whether the head is written for one or several, as "cube(s)".
        each: what there must be some of, each by itself: for "black and blue cups" the black cups
            and the blue cups.
        whole: for "three cups, which are red" the cups, of which there are three.
    """

    objects: Op
    head: Op
    plural: bool
    ranked: bool = False
    number: int | None = None
    other: Words = ()
    besides: Words = ()
    open_number: bool = False
    each: tuple[Op, ...] = ()
    whole: Op | None = None


class Nominals(Suiting):
    """Lowers nominals."""

    def _nominal(
        self, tree: Tree, context: Context, determiner: str, number: int | None = None
    ) -> Scored[Nominal]:
        inner = tree.children[0]
        if inner.label in ("of_nominal", "headless"):
            tree = inner
        pres, head, posts = divide(tree)
        bare = inner.label == "headless"
        counted = inner.label == "of_nominal" and inner.find("NUMBER") is not None
        if (bare or counted) and context.landmark and only_places(pres):
            # "On the left", "in the middle of the two".
            raise NoReadingError
        if bare and any(post.label == "juxtaposed" for post in posts):
            raise NoReadingError
        if context.landmark and any(pre.label == "in_row" for pre in pres):
            # "In the front row" is no landmark that is in a row.
            raise NoReadingError
        picks = any(part.label in PICKING for part in (*pres, *posts))
        found: Scored[Nominal] = []
        for cost, base in self._heads(head, context, picks, determiner, not (pres or posts)):
            rest = inner.find("OTHERS") if inner.label == "of_nominal" else None
            if rest is not None:
                base = replace(base, other=(rest.span,))
            elif inner.label == "of_nominal":
                # "The largest of the dogs" is one dog; "the middle of the dog" is none, but a part.
                halves = any(self._is_half(leaf) for pre in pres for leaf in pre.leaves())
                if not picks or not base.plural or halves:
                    raise NoReadingError("a part of a thing is not understood here", [tree.span])
                base = replace(base, plural=False, objects=self._among(inner, base.objects))
            cost += (
                self._misformed(head)
                + self._unlikely_compound(head)
                + self._place_as_thing(
                    head, pres, posts, alone=not (context.landmark or determiner != "bare")
                )
            )
            cost += self._misplaced(base.head, tree, posts, context, determiner)
            cost += self._place_of_clothes(base.head, pres if context.landmark else [], determiner)
            loose = bare and context.relation in CARRYING
            cost += self._garment_as_place(pres if loose else [], posts)
            if context.landmark and [pre.label for pre in pres[:2]] == ["location", "participle"]:
                # "The guy in the middle reading a book" is in the middle, and reads.
                cost += MODIFIED_LANDMARK
            if determiner in ("bare", "only") and self._lists_kinds(base.head, pres):
                base = replace(base, plural=True)
            each = self._each_named(base, pres, posts, determiner, number)
            whole = self._whole(tree, base, pres, posts, determiner)
            found += [
                (cost + extra, replace(nominal, each=each, whole=whole))
                for extra, nominal in self._modified(base, pres, posts, determiner, number)
            ]
        return cheapest(found, self._beam)

    def _among(self, tree: Tree, objects: Op) -> Op:
        """Those of some objects that are pointed at, or all that there are: "of these three"."""
        leaf, number = tree.find("POINTING_MANY"), tree.find("NUMBER")
        if leaf is not None:
            objects = among(self._pointed(leaf), objects)
        if number is not None:
            objects = TheCount(objects, int(self._concept(tree, "NUMBER")), words=(number.span,))
        return objects

    def _pointed(self, leaf: Tree) -> Pointed:
        """What is pointed at, by "this" or "those"."""
        concept = self._unit(leaf).sense(WordClass[leaf.label]).concept
        return Pointed(concept, words=(leaf.span,))

    def _each_named(
        self,
        base: Nominal,
        pres: list[Tree],
        posts: list[Tree],
        determiner: str,
        number: int | None,
    ) -> tuple[Op, ...]:
        """For "black and blue cups" the black cups and the blue cups; else nothing."""
        lists = [part for part in (*pres, *posts) if _values_joined(part) is not None]
        if not base.plural or len(lists) != 1:
            return ()
        joined = _values_joined(lists[0])
        assert joined is not None
        each: list[Op] = []
        for leaf in joined.all("ATTRIBUTE"):
            one = Tree("attribute", (leaf,), leaf.span)
            swap = {True: one, False: _with_child(lists[0], joined, one)}[lists[0] is joined]
            before, after = (
                [swap if part is lists[0] else part for part in parts] for parts in (pres, posts)
            )
            found = self._modified(base, before, after, determiner, number)
            each += [nominal.objects for _, nominal in found[:1]]
        return tuple(each)

    def _whole(
        self, tree: Tree, base: Nominal, pres: list[Tree], posts: list[Tree], determiner: str
    ) -> Op | None:
        """For "exactly three cups, which are red" the cups: what is said later is no condition."""
        asides = [part for part in (*pres, *posts) if _says_aside(part, tree)]
        strict = determiner == "comparison" or any(part.find("ONLY") for part in asides)
        if not asides or not strict:
            return None
        before, after = ([part for part in parts if part not in asides] for parts in (pres, posts))
        found = self._modified(base, before, after, determiner)
        return found[0][1].objects if found else None

    def _heads(
        self,
        head: Tree | None,
        context: Context,
        picks: bool,
        determiner: str,  # noqa: ARG002 - what was said before is for a subclass
        alone: bool,  # noqa: ARG002
    ) -> Scored[Nominal]:
        """What the head of a nominal may stand for.

        Args:
            head: the head; None for a nominal of modifiers alone.
            context: where the nominal stands.
            picks: whether something in the nominal picks from it.
            determiner: the label of the determiner before it.
            alone: whether the head is all there is.
        """
        return [(0.0, self._head(head, context, picks))]

    def _head(self, tree: Tree | None, context: Context, picks: bool) -> Nominal:
        if tree is None:
            known = context.head if context.gap else None
            return self._plain(known or self._things(), plural=False)
        if tree.label == "joined":
            return self._joined_heads(tree, context, picks)
        words = tuple(leaf.span for leaf in tree.leaves())
        if tree.label == "digits":
            return self._plain(self._numbered(tree), plural=False)
        plural = tree.label in ("nouns", "things", "ones")
        optional = plural and next(tree.leaves()).words.endswith(OPTIONAL_PLURAL)
        if tree.label in ("thing", "things"):
            return replace(self._plain(self._things(words), plural), open_number=optional)
        if tree.label == "others":
            return replace(self._plain(context.head or Everything(), plural=True), other=words)
        if tree.label in ("one", "ones"):
            antecedent = context.whole if picks and context.whole else context.head
            if antecedent is None:
                return self._plain(self._things(words), plural)
            return self._plain(antecedent.at(*antecedent.words, *words), plural)
        silent = ("ONE", "ONES", "THING", "THINGS")
        named_by = [leaf for leaf in tree.leaves() if leaf.label not in silent]
        name = self._concept_of if len(named_by) == 1 else self._name_of
        concept = " ".join(name(leaf) for leaf in named_by)
        named = Select(concept, words=(Span(words[0].start, words[-1].end),))
        return replace(self._plain(named, plural), open_number=optional)

    def _joined_heads(self, tree: Tree, context: Context, picks: bool) -> Nominal:
        heads = [self._head(child, context, picks) for child in tree.children if child.unit is None]
        either = heads[0].objects
        for head in heads[1:]:
            either = Union(either, head.objects, words=self._spans(tree, "OR"))
        return self._plain(either, any(head.plural for head in heads))

    @staticmethod
    def _plain(objects: Op, plural: bool) -> Nominal:
        return Nominal(objects, objects, plural=plural)

    def _modified(
        self,
        base: Nominal,
        pres: list[Tree],
        posts: list[Tree],
        determiner: str,
        number: int | None = None,
    ) -> Scored[Nominal]:
        """Restrict by everything, then pick; or, dearer, pick before what follows the noun."""
        unique = not base.plural and determiner != "indefinite" and not self._is_of_each(base.head)
        several = base.plural or (number is not None and number > 1)
        before = self._qualities(base, pres)
        pres = one_place(pres)
        if isinstance(base.head, Everything) and names_part([*pres, *posts]):
            raise NoReadingError
        picks, rest, count = self._picks(pres, posts, unique, number)
        if any(post.label == "owned" for post in posts[1:]):
            # What follows "of" belongs to the noun before it: "in the middle of the bench".
            raise NoReadingError
        other = (*base.other, *(pre.span for pre in pres if pre.label == "other"))
        of_others = next((post for post in rest if takes_other(post)), None)
        near, aside = (
            [
                self._step(post, base.head, several, number, other if post is of_others else ())
                for post in rest
                if (post.label == "clause") is apart
            ]
            for apart in (False, True)
        )
        after = [*near, *aside]
        if of_others is not None:
            other = ()
        # "The largest cup, which is red" says something more of the largest of all cups.
        scopes = [[*near, *picks, *aside], [*after, *picks], [*picks, *after]]
        if not (picks and aside):
            del scopes[0]
        found: Scored[Op] = []
        for steps in scopes if picks and after else [[*after, *picks]]:
            cost = INNER_SCOPE if found else 0.0
            found += self._apply([(cost, base.objects)], [*before, *steps])
        whole = [
            (
                cost,
                Nominal(
                    objects,
                    base.head,
                    base.plural or (count is not None and count > 1),
                    bool(picks) and unique and self._really_picks(pres, posts),
                    count,
                    other,
                    open_number=base.open_number,
                ),
            )
            for cost, objects in found
        ]
        if unique and not picks and not any(pre.label == "other" for pre in pres):
            whole += self._by_size(base, pres, after)
        return whole

    def _really_picks(self, pres: list[Tree], posts: list[Tree]) -> bool:
        """Whether something picks from a set by an order, and not by a place that has none."""
        return any(
            part.label not in PLACES or not place_is_plain(read_place(part, self._units))
            for part in (*pres, *posts)
            if part.label in PICKING
        )

    def _qualities(self, base: Nominal, pres: list[Tree]) -> list[Step]:
        return [
            self._step(pre, base.head, base.plural)
            for pre in reversed(pres)
            if pre.label
            in (
                *("attribute", "attributes", "negated", "quality", "participle", "varied"),
                *("measured", "in_row", "twins"),
            )
        ]

    def _by_size(self, base: Nominal, pres: list[Tree], after: list[Step]) -> Scored[Nominal]:
        """A size as a superlative: "the big dog" is the biggest one when several are big."""
        sizes = [(pre, order) for pre in pres if (order := self._order_of_size(pre))]
        if len(sizes) != 1:
            return []
        size, order = sizes[0]
        words = tuple(leaf.span for leaf in size.leaves())
        before = self._qualities(base, [pre for pre in pres if pre is not size])
        found = self._apply([(SIZE_AS_RANK, base.objects)], [*before, *after])
        return [
            (
                cost,
                Nominal(Superlative(o, order, words=words), base.head, plural=False, ranked=True),
            )
            for cost, o in found
        ]

    def _order_of_size(self, pre: Tree) -> str | None:
        if pre.label != "attribute":
            return None
        senses = self._unit(next(pre.leaves())).all(WordClass.ATTRIBUTE)
        named = (ORDER_OF_SIZE.get(s.concept) for s in senses if s.dimension == "size")
        return next(named, None)

    def _picks(
        self,
        pres: list[Tree],
        posts: list[Tree],
        unique: bool,
        number: int | None,
    ) -> tuple[list[Step], list[Tree], int | None]:
        """The steps that pick from a set, innermost first, and the modifiers that are left."""
        rest = list(posts)
        steps: list[Step] = []
        count: int | None = None
        rank: Rank | None = None
        for pre in pres:
            if pre.label == "counted_before":
                steps.append(self._counted(pre))
            elif pre.label == "ordinal":
                if rank is not None:
                    raise NoReadingError("two ordinals are not understood together", [pre.span])
                rank = read_rank(pre, self._units)
                count = rank.number
            elif pre.label == "superlative":
                several = pre.find("NUMBER")
                if several is not None:
                    count = int(self._concept(pre, "NUMBER"))
                    use = Rank(1, (several.span,), count)
                    if rank is not None or count < 2:
                        raise NoReadingError("this number is not understood here", [several.span])
                else:
                    use = rank or Rank(1, (), number if number and number > 1 else None)
                steps.append(self._superlative(pre, use, rest))
                rank = None
            elif pre.label == "location":
                place = read_place(pre, self._units)
                if rank is None:
                    steps.append(placed(place, unique, number))
                else:
                    steps.append(counting(place, rank, from_there=False))
                    rank = None
        for post in posts:
            if post.label == "picked":
                rest.remove(post)
                border = self._border(post, rest)
                if border is not None:
                    rest.remove(border)
                    place = read_place(border, self._units)
                    place = replace(place, far=True, words=(post.span, *place.words))
                    steps.append(placed(place, unique, number))
                    continue
                steps.append(self._superlative(post, rank or Rank(1, (), None), rest))
                rank = None
        if rank is not None:
            steps.append(self._ordinal(rank, rest))
        counted = next((post for post in rest if post.label == "counted"), None)
        if counted is not None:
            rest.remove(counted)
            steps.append(self._counted(counted))
        direction = next((post for post in rest if post.label == "direction"), None)
        if direction is not None:
            rest.remove(direction)
            if steps or place_is_plain(read_place(direction, self._units)):
                raise NoReadingError
            if unique or number:
                steps.append(placed(read_place(direction, self._units), unique, number))
        near = next((post for post in rest if post.label == "nearest"), None)
        if near is not None and not near.find("TO", "FROM"):
            # In "the closest dog to the door" it is "closest" that "to" belongs to.
            goals = [post.span for post in rest if post.label == "goal"]
            if goals:
                raise NoReadingError(LAST_CLOSEST, [near.children[0].span, *goals])
        place_tree = next((post for post in rest if post.label == "located"), None)
        if not steps and place_tree is not None and (unique or number):
            rest.remove(place_tree)
            steps.append(placed(read_place(place_tree, self._units), unique, number))
        return steps[::-1], rest, count

    def _border(self, picked: Tree, rest: list[Tree]) -> Tree | None:
        """The side that something is closest to or farthest in: "closest to the bottom"."""
        after = (post for post in rest if post.span.start > picked.span.start)
        post = next(after, None)
        if post is not None and post.label == "related" and self._is_side_of_image(post):
            return post if picked.find("FARTHEST") else None
        if post is None or not picked.find("NEAREST") or post.label != "located":
            return None
        return post if next(post.leaves()).words.lower() == "to" else None

    def _superlative(self, tree: Tree, rank: Rank, rest: list[Tree]) -> Step:
        leaf = tree.children[0]
        words = (leaf.span,)
        if leaf.label != "SUPERLATIVE":
            goal = next((post for post in rest if post.label == "goal"), None)
            if goal is not None:
                rest.remove(goal)
                return self._by_distance(leaf, rank, goal)
        else:
            direction = next((post for post in rest if post.label == "direction"), None)
            if direction is not None:
                raise NoReadingError(
                    "a superlative cannot be counted from a side", [leaf.span, direction.span]
                )
        order = self._unit(leaf).sense(WordClass[leaf.label]).concept
        return lambda objects: [(0.0, ranked(objects, order, rank, words))]

    def _ordinal(self, rank: Rank, rest: list[Tree]) -> Step:
        """An ordinal alone counts from the side that the text names, or else from the left.

        Rows lie one above the other, and count from the top.
        """
        said = next((post for post in rest if post.label in ("direction", "located")), None)
        if said is None:
            return lambda objects: [
                (UNSAID_ORDER, ranked(objects, self._order_of_rows(objects), rank, ()))
            ]
        rest.remove(said)
        place = read_place(said, self._units)
        return counting(place, rank, from_there=said.label == "direction")


def _values_joined(part: Tree) -> Tree | None:
    """The values joined by "and" in a modifier: "black and blue", "of black and blue colour"."""
    joined = part.find("attributes") if part.label == "coloured" else part
    return (
        joined
        if joined is not None and joined.label == "attributes" and joined.find("AND")
        else None
    )


def _with_child(tree: Tree, old: Tree, new: Tree) -> Tree:
    return replace(tree, children=tuple(new if child is old else child for child in tree.children))


def _says_aside(part: Tree, nominal: Tree) -> bool:
    """Whether a modifier after a number says what all of so many things are like."""
    if part.label in ("attribute", "attributes"):
        clauses = nominal.all("clause")
        return _values_joined(part) is not None or any(part in c.children for c in clauses)
    return part.label == "coloured" and part.find("ASPECT") is not None


def takes_other(post: Tree) -> bool:
    """Whether a modifier names what "other" things are other than: they are all like it."""
    if post.label == "clause":
        return takes_other(post.children[-1])
    return post.label in ("likeness", "similar", "compared", "equated")


def among(pointed: Pointed, objects: Op) -> Op:
    """Those of some objects that are pointed at; "these ones" are no more than "these"."""
    if isinstance(objects, Everything):
        return pointed.at(*pointed.words, *objects.words)
    return Intersect(objects, pointed)
