"""What modifiers say, in short, and what it costs that they are said of the noun before them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from neurosym.grammar.classes import WordClass
from neurosym.grammar.division import PLACES, divide
from neurosym.grammar.heads import Heads
from neurosym.grammar.preferences import ACTING, CARRYING, Said
from neurosym.grammar.ranks import place_is_plain, read_place
from neurosym.grammar.tree import Tree
from neurosym.grammar.words import Context
from neurosym.program import Op, Select

PLACE_OF_LANDMARK = 1.2
"""Cost of a place that ends a text as that of a landmark: "the dog by the car left" is left."""

_JOINED = ("coordination", "predicate_and", "predicate_or", "not_simple")
_SAYING = (
    *("related", "related_by", "between", "acting", "nearest", "coloured", "sided", "juxtaposed"),
    *_JOINED,
)


class Suiting(Heads):
    """Tells how well modifiers suit the noun that a tree hangs them on."""

    def _misplaced(
        self,
        noun: Op,
        tree: Tree,
        posts: list[Tree],
        context: Context,
        determiner: str,
    ) -> float:
        """What it costs that modifiers are said of a noun, which may rather be of another."""
        # "The block at the top" of a tower is no place in the picture.
        kind = noun.category if isinstance(noun, Select) else ""
        beheld = context.relation == "with"
        # What is "in the box on the left" is no nearer to the left than the box.
        scene = self._holds(noun) or (beheld and self._preferences.is_of(kind, "ground"))
        placed = [
            post
            for post in posts
            if not (self._is_inner_place(post) or scene or (beheld and self._is_upon(post)))
        ]
        carried = context.relation in CARRYING - {"of"}
        some = determiner in ("bare", "indefinite")
        cost = 0.0
        if context.landmark:
            cost = self._clothes_aside(noun, posts) + _placed_aside(placed, carried or some)
        here, there = (
            op.category if isinstance(op, Select) else ""
            for op in (noun, context.beside or context.head)
        )
        apart, by_who = _set_apart(tree), self._said_by_who(tree)
        said = [
            replace(each, aside=post.span.start in apart, who=post.span.start in by_who)
            for post in posts
            if post.label in _SAYING
            for each in self._said(post)
        ]
        if not context.landmark:
            return sum(self._preferences.of_head(here, each) for each in said)
        if any(post.label == "possessor" for post in posts) and posts[0].label in _SAYING:
            said[0] = replace(said[0], own=True)
        return cost + sum(
            self._preferences.of_landmark(there, here, each, context.relation, some=some)
            for each in said
        )

    def _is_upon(self, post: Tree) -> bool:
        """Whether a place is one of what has the thing: "a cake with cherries on top"."""
        leaf = post.find("location") if post.label == "located" else None
        if leaf is None or post.find("THE") or post.find("IMAGE") or post.find("SIDE"):
            return False
        return [each.label for each in leaf.leaves()] == ["LOCATION"] and any(
            sense.concept == "top" and sense.dimension == "vertical"
            for each in leaf.leaves()
            for sense in self._unit(each).all(WordClass.LOCATION)
        )

    def _said_by_who(self, tree: Tree) -> set[int]:
        """Where in the text begins what is said of somebody: "who is tall"."""
        return {
            clause.children[-1].span.start
            for clause in tree.all("clause")
            for leaf in clause.all("WHICH")
            if leaf.words.lower() == "who"
        }

    def _said(self, post: Tree) -> Iterator[Said]:
        """What a modifier says, in short, and each of those that are joined."""
        if post.label in _JOINED:
            for child in post.children:
                if child.unit is None:
                    yield from self._said(child)
            return
        first = next(post.leaves())
        noun = ""
        landmark = post.find("phrase", "np_and", "np_or")
        while landmark is not None and landmark.label != "nominal":
            landmark = landmark.find("phrase", "nominal")
        if landmark is not None:
            head = divide(landmark)[1]
            names = [] if head is None else [*head.leaves()]
            noun = " ".join(self._concept_of(leaf) for leaf in names)
        bound = any(leaf.label in ("PRONOUN", "POSSESSIVE") for leaf in post.leaves())
        if post.label == "acting":
            yield Said(ACTING, noun, self._concept_of(first), bound=bound)
        elif first.label == "WITH_COLOUR":
            yield Said("in", noun, bound=bound)
        else:
            linked = post.label == "related" and first.label in ("RELATION", "SIDE_RELATION")
            name = self._concept_of(first) if linked else post.label
            yield Said(name, noun, bound=bound)

    def _is_inner_place(self, post: Tree) -> bool:
        """Whether a place is one in what holds the thing, where nothing is farthest out."""
        return post.label in PLACES and place_is_plain(read_place(post, self._units))


def _set_apart(tree: Tree) -> set[int]:
    """Where in a nominal what a comma sets apart begins."""
    found: set[int] = set()
    for before, after in pairwise(tree.children):
        if before.label == "COMMA":
            found.add(after.span.start)
    for clause in tree.all("clause"):
        if clause.find("COMMA") is not None:
            found.add(clause.children[-1].span.start)
    return found


def _placed_aside(posts: list[Tree], loose: bool) -> float:
    """What it costs that a place belongs to a landmark rather than to the whole expression.

    Args:
        posts: what follows the landmark.
        loose: whether the landmark is hardly told apart by places: the hat of "man with hat".
    """
    said = [post for post in posts if post.label in ("located", "direction", "counted", "in_row")]
    picked = [post for post in posts if post.label == "picked"]
    bare = any(p.label == "picked" or p.children[0].label == "location" for p in (*said, *picked))
    return PLACE_OF_LANDMARK if bare or (loose and said) else 0.0
