"""Claims about several things at once: what is said of each part, or of each thing in turn."""

from __future__ import annotations

import abc
from dataclasses import replace

from neurosym.grammar import landmarks
from neurosym.grammar.claims import said_of
from neurosym.grammar.classes import WordClass
from neurosym.grammar.contents import HOLDING
from neurosym.grammar.meaning import (
    NOT_HERE,
    Coordinated,
    NoReadingError,
    NounPhrase,
    Quantified,
    Scored,
    cheapest,
    exists,
    refer,
)
from neurosym.grammar.phrases import Phrases
from neurosym.grammar.tree import Tree
from neurosym.grammar.words import Context, Words
from neurosym.program import (
    Alike,
    Conjunction,
    Disjunction,
    Every,
    Exist,
    Negation,
    Op,
    Relate,
    RelateCount,
    RelateOnly,
    Select,
)
from neurosym.span import Span

INVERSE = {
    "in": "with",
    "with": "in",
    "above": "below",
    "below": "above",
    "left_of": "right_of",
    "right_of": "left_of",
    "in_front_of": "behind",
    "behind": "in_front_of",
    "next_to": "next_to",
    "touching": "touching",
}
"""Relation -> the same seen from the landmark."""
_SOME = ("indefinite", "number", "number_of", "comparison")
NARROW_EACH = 0.5
"""Cost of "a cup in each box" as one cup that is in every box."""
WITH_JOIN = 0.6
"""Cost of "there is a box with a cup and a fork" as a box with a cup, and a fork elsewhere."""
UNBRIDGED = 0.5
"""Cost of "there is a box with two cups, and the red one is large" as a red cup anywhere."""


class Distribution(Phrases):
    """Lowers claims that are distributed over several things."""

    def _existing(self, tree: Tree, words: Words) -> Scored[Op]:
        """Whether there is what a noun phrase describes."""
        last = tree.children[-1] if tree.label == "np_and" else tree
        nominal = last.find("nominal")
        shared = nominal.find("shared") if nominal is not None else None
        if nominal is not None and shared is not None:
            return [
                (cost + extra, op)
                for cost, phrase in self._phrase(_without(tree, nominal, shared), Context())
                for extra, op in self._in_the_same(phrase, shared)
            ]
        each = self._distributed(tree, words)
        base = NARROW_EACH if each else 0.0
        if tree.label == "np_and" and self._ends_in_contents(tree.children[0]):
            base += WITH_JOIN
        return each + [
            (base + cost + extra, op)
            for cost, phrase in self._phrase(tree, Context())
            for extra, op in exists(phrase, words)
        ]

    def _described(self, tree: Tree) -> Scored[Op]:
        """A description among claims: that there is what it describes, which does something."""
        if not any(leaf.label in ("VERB", "POSTURE", "PASSIVE") for leaf in tree.leaves()):
            raise NoReadingError
        return [
            (cost + extra, op)
            for cost, phrase in self._phrase(tree.children[0], Context())
            for extra, op in exists(phrase, ())
        ]

    def _distributed(self, tree: Tree, words: Words) -> Scored[Op]:
        """There is a cup in each box: every box has a cup in it, not all of them the same.

        Likewise in two of the boxes, and "two cups in a box" are in one box.
        """
        nominal, post = _ending(tree)
        inner = _ending(post.children[-1]) if post is not None else (None, None)
        if inner[1] is not None and _says_each(inner[1]):
            # "A cup on a plate in each box" is in each box.
            nominal, post = inner
        if nominal is None or post is None or len(post.children) != 2:
            return []
        leaf, landmark = post.children
        name = self._unit(leaf).sense(WordClass[leaf.label]).concept
        relation = INVERSE.get(name)
        if any(leaf.label in ("OTHER", "OTHERS") for leaf in landmark.leaves()):
            # "Each other" is none of several that were named.
            return []
        said = landmark.children[0].label if landmark.label == "phrase" else ""
        if relation is None or len(nominal.children) < 2:
            return []
        if said in ("all", "both") and name == HOLDING:
            # "A box with all the cups" is one that holds every one of them.
            return []
        every = _says_each(post)
        if not every and (name != "in" or said not in _SOME):
            return []
        stripped = _without(tree, nominal, post)
        found: Scored[Op] = []
        for cost, place in self._phrase(landmark, Context(landmark=True)):
            if not isinstance(place, Quantified) or (place.of_values and name == HOLDING):
                continue
            for more, phrase in self._phrase(stripped, Context(landmark=True)):
                if said in _SOME and not _is_counted(phrase) and place.determiner == "indefinite":
                    continue
                for extra, scope in landmarks.related(
                    place.objects, relation, (leaf.span,), phrase
                ):
                    total = cost + more + extra
                    if every:
                        found.append((total, Every(place.objects, scope, words=place.words)))
                        continue
                    found += [
                        (total + further, op)
                        for further, op in exists(replace(place, objects=scope), words)
                    ]
        return cheapest(found, self._beam)

    def _in_each(self, subject: Tree, predicate: Tree) -> Scored[Op]:
        """A cup is in each box: there is a cup in each box."""
        some = subject.label == "phrase" and subject.children[0].label in (*_SOME, "nominal")
        nominal = subject.find("nominal")
        if not some or nominal is None or predicate.label != "related":
            return []
        if not _says_each(predicate) or self._concept_of(predicate.children[0]) != "in":
            return []
        whole = replace(nominal, children=(*nominal.children, predicate))
        children = tuple(whole if child is nominal else child for child in subject.children)
        return self._distributed(replace(subject, children=children), ())

    def _fronted(self, tree: Tree) -> Scored[Op]:
        """In each box there is a cup: there is a cup in each box."""
        post, _, claim = _placed_first(tree)
        subject = claim.children[-1]
        nominal = subject.find("nominal")
        if claim.label != "exist" or nominal is None:
            raise NoReadingError("this is not understood before what there is", [post.span])
        whole = replace(nominal, children=(*nominal.children, post))
        children = tuple(whole if child is nominal else child for child in subject.children)
        words = self._joined_spans(claim, "IS", "THERE")
        return self._existing(replace(subject, children=children), words)

    def _inverted(self, tree: Tree) -> Scored[Op]:
        """On the stove is a pot, behind the man stands a horse: it is there, and so placed."""
        # "Directly behind" is behind.
        told = tuple(child for child in tree.children if child.label != "ADVERB")
        place, verb, subject = _placed_first(replace(tree, children=told))
        done = [part for part in verb if part.label == "acting"]
        predicate = Tree("standing", (*done, place), tree.span) if done else place
        be = tuple(part for part in verb if part.label == "IS")
        claim = Tree("verify", (subject, *be, predicate), tree.span)
        return self._verify(claim)

    @abc.abstractmethod
    def _verify(self, tree: Tree) -> Scored[Op]:
        """A claim about a noun phrase."""

    def _in_the_same(self, phrase: NounPhrase, shared: Tree) -> Scored[Op]:
        """All cups are in the same box: there is a box that has all of them."""
        leaf = shared.children[0]
        relation = INVERSE.get(self._unit(leaf).sense(WordClass[leaf.label]).concept)
        denied = phrase.any_of if isinstance(phrase, Coordinated) else phrase.determiner == "no"
        if relation is None or denied:
            raise NoReadingError(NOT_HERE, self._spans(shared, "SAME"))
        subject = phrase
        if isinstance(phrase, Quantified) and phrase.plural:
            several = phrase.determiner in ("bare", "the", "the_number")
            subject = replace(phrase, determiner="all") if several else phrase
        words = (leaf.span, *self._spans(shared, "SAME"))
        return [
            (cost + extra, Exist(op, words=words))
            for cost, place in self._nominal(shared.children[-1], Context(landmark=True), "bare")
            for extra, op in landmarks.related(place.objects, relation, words, subject)
        ]

    def _of_each(self, tree: Tree, predicate: Tree) -> Scored[Op]:
        """The base of both towers is blue: both have a blue base."""
        in_each = self._in_each(tree, predicate)
        if in_each:
            return in_each
        nominal = tree.find("nominal")
        post = nominal.children[-1] if nominal is not None else None
        if nominal is None or post is None or post.label not in ("related", "owned"):
            return []
        leaf, landmark = post.children[0], post.children[-1]
        if not any(sense.concept in ("of", "in") for sense in self._unit(leaf).senses):
            return []
        found: Scored[Op] = []
        for cost, place in self._phrase(landmark, Context(landmark=True)):
            if isinstance(place, Quantified) and place.determiner in _SOME:
                found += [
                    (cost + extra, op)
                    for extra, op in self._of_some(tree, nominal, post, place, predicate)
                ]
            if not isinstance(place, Quantified) or not _is_several(place):
                continue
            plain = _without(tree, nominal, post)
            if predicate.label == "mutual":
                found += [
                    (cost + extra, op) for extra, op in self._alike_parts(place, plain, predicate)
                ]
                continue
            for more, phrase in self._said_of(plain, predicate, place.head):
                found += [
                    (cost + more + extra, Every(owners, scope, words=place.words))
                    for extra, owners in refer(place)
                    for _, scope in landmarks.related(owners, HOLDING, (leaf.span,), phrase)
                    if isinstance(phrase, Quantified) and self._is_part(phrase)
                ]
        return cheapest(found, self._beam)

    def _alike_parts(self, place: Quantified, part: Tree, predicate: Tree) -> Scored[Op]:
        """The base of all towers is the same colour: their bases are alike in it."""
        aspect = predicate.find("ASPECT")
        if aspect is None or predicate.find("SAME") is None:
            return []
        words = self._spans(predicate, "SAME", "ASPECT")
        return [
            (cost + extra + more, Alike(Relate(phrase.objects, "of", owners), name, words=words))
            for cost, phrase in self._phrase(part, Context(place.head, landmark=True))
            if isinstance(phrase, Quantified) and self._is_part(phrase)
            for extra, owners in refer(place)
            for more, name in self._attribute_names(aspect)
        ]

    def _of_some(
        self, tree: Tree, nominal: Tree, post: Tree, place: Quantified, predicate: Tree
    ) -> Scored[Op]:
        """The base of two towers is blue, all items in one box are red: so many are like that."""
        if not self._holds(place.head):
            return []
        plain = _without(tree, nominal, post)
        scopes: Scored[Op] = []
        if plain.children[0].label in ("all", "each"):
            for cost, phrase in self._phrase(plain, Context(place.head, landmark=True)):
                if isinstance(phrase, Quantified):
                    some = Relate(place.objects, HOLDING, phrase.objects, words=phrase.words)
                    scopes += [
                        (cost + extra, scope)
                        for extra, scope in self._of_all(some, phrase, predicate, phrase.words)
                    ]
        else:
            scopes = [
                (cost + extra, scope)
                for cost, phrase in self._said_of(plain, predicate, place.head)
                if isinstance(phrase, Quantified) and self._is_part(phrase)
                for extra, scope in landmarks.related(
                    place.objects, HOLDING, (post.children[0].span,), phrase
                )
            ]
        return [
            (cost + extra, op)
            for cost, scope in scopes
            for extra, op in exists(replace(place, objects=scope), ())
        ]

    def _ends_in_contents(self, tree: Tree) -> bool:
        """Whether a phrase ends in what its head holds, which "and" then goes on to list."""
        nominal = tree.find("nominal")
        post = nominal.children[-1] if nominal is not None else None
        post = post.children[-1] if post is not None and post.label == "clause" else post
        if post is None or post.label != "related":
            return False
        return any(
            sense.concept == HOLDING
            for leaf in post.children
            if leaf.unit is not None and leaf.label in ("RELATION", "HAS")
            for sense in self._unit(leaf).all(WordClass[leaf.label])
        )

    def _bridged(self, first: Tree, others: list[Tree]) -> Scored[Op]:
        """Claims that go on about the contents of what the first says there is.

        "There is a box with two cups, and the red one is large": there is one with a large red
        cup. Empty when the claims are about something else.
        """
        if first.label != "exist" or first.children[-1].label != "phrase":
            return []
        if any(claim.label != "verify" or not self._is_bridge(claim, first) for claim in others):
            return []
        words = self._joined_spans(first, "IS", "THERE")
        found: Scored[Op] = []
        for cost, phrase in self._phrase(first.children[-1], Context()):
            if isinstance(phrase, Coordinated):
                continue
            held = [op for op in phrase.objects.walk() if isinstance(op, Select)]
            contents = _contents(phrase.objects)
            rows: Scored[Op] = [(cost, phrase.objects)]
            for claim in others:
                subject, *_, predicate = (c for c in claim.children if c.unit is None)
                if self._is_of_them(subject):
                    rows = [
                        (before + extra, op)
                        for before, objects in rows
                        for extra, op in self._some_of_them(objects, subject, predicate, contents)
                    ]
                    continue
                rows = [
                    (before + more + extra, op)
                    for before, objects in rows
                    for more, part in self._said_of(subject, predicate, held[-1])
                    for extra, op in landmarks.related(objects, HOLDING, (), part)
                ]
            found += [
                (before + extra, op)
                for before, objects in rows
                for extra, op in exists(replace(phrase, objects=objects), words)
            ]
        return cheapest(found, self._beam)

    def _is_of_them(self, subject: Tree) -> bool:
        """Whether a subject is some of what was named before: "two of them", "they", "both"."""
        if subject.label != "phrase" or len(subject.children) > 1:
            return False
        part = subject.children[0]
        if part.label == "anything":
            return len(part.children) == 1 and part.find("EVERYTHING") is not None
        if part.label == "pronoun":
            return self._concept_of(part.children[0]) == "they"
        return part.label in ("of_them", "both")

    def _some_of_them(
        self, objects: Op, subject: Tree, predicate: Tree, contents: Op | None
    ) -> Scored[Op]:
        """Those of whose contents so many are as a claim says: "and two of them are red"."""
        if contents is None:
            raise NoReadingError("this could stand for several things", [subject.span])
        part = subject.children[0]
        held = Quantified("all", (part.span,), contents, contents, plural=True)
        if part.label != "of_them" or part.find("ALL", "EACH", "BOTH", "NO") is not None:
            no = part.find("NO") is not None
            return self._of_all(objects, held, predicate, (part.span,), no=no)
        found: Scored[Op] = []
        step = self._step(predicate, contents, plural=True)
        for cost, such in self._apply([(0.0, contents)], [step]):
            for extra, some in self._phrase(subject, Context()):
                if isinstance(some, Quantified):
                    some = replace(some, objects=such)
                    found += [
                        (cost + extra + more, op)
                        for more, op in landmarks.related(objects, HOLDING, (), some)
                    ]
        return found

    def _is_bridge(self, claim: Tree, first: Tree) -> bool:
        """Whether a claim's subject is a part of what was named before: "the red one"."""
        subject = claim.children[0]
        if self._is_of_them(subject):
            return True
        if subject.label == "phrase" and subject.children[0].label == "the_number":
            return subject.find("nominal") is None
        if subject.label != "phrase" or subject.children[0].label != "the":
            return False
        named = self._phrase(subject, Context(landmark=True))
        ones = any(leaf.label in ("ONE", "ONES") for leaf in subject.leaves())
        held = {
            node.category
            for _, phrase in self._phrase(first.children[-1], Context())[:1]
            if isinstance(phrase, Quantified)
            for node in phrase.objects.walk()
            if isinstance(node, Select) and node != phrase.head
        }
        return ones or any(
            isinstance(phrase, Quantified)
            and isinstance(phrase.head, Select)
            and (
                phrase.head.category in held
                or self._lexicon.has_feature("weak_definite", phrase.head.category)
            )
            for _, phrase in named
        )

    def _claims_of_parts(
        self, tree: Tree, phrase: Coordinated, predicate: Tree, words: Words
    ) -> Scored[Op]:
        """A predicate said of several things joined by "and" or "or"."""
        if predicate.label == "mutual":
            raise NoReadingError
        asked = tree.children[0].unit is not None
        if asked and any(leaf.label in ("SAME", "DIFFERENT") for leaf in predicate.leaves()):
            raise NoReadingError("these things cannot be compared with each other yet", words)
        if tree.label != "verify":
            raise NoReadingError('"not" is understood here with "all" and "most" only', words)
        join = Disjunction if phrase.any_of else Conjunction
        rows: Scored[Op] = []
        for part in self._parts_claimed(phrase, words):
            step = self._step(predicate, part.head, plural=part.plural)
            claims = said_of(part, step, words)
            rows = (
                [
                    (cost + extra, join(left, right, words=phrase.words))
                    for cost, left in rows
                    for extra, right in claims
                ]
                if rows
                else claims
            )
        if phrase.neither:
            rows = [(cost, Negation(op, words=phrase.words)) for cost, op in rows]
        return cheapest(rows, self._beam)

    def _parts_claimed(self, phrase: Coordinated, words: Words) -> tuple[Quantified, ...]:
        """The parts of a subject of several, of each of which the predicate is said."""
        parts = [part for part in phrase.parts if isinstance(part, Quantified)]
        if len(parts) < len(phrase.parts):
            raise NoReadingError("these things are not understood together", words)
        return tuple(parts)


def _contents(objects: Op) -> Op | None:
    """What those objects hold, where one thing alone is said of that."""
    held = [
        op.landmarks
        for op in objects.walk()
        if isinstance(op, Relate | RelateCount | RelateOnly) and op.relation == HOLDING
    ]
    return held[0] if len(held) == 1 else None


def _ending(tree: Tree) -> tuple[Tree | None, Tree | None]:
    """The last nominal of a phrase, and the relation to a landmark that it ends in."""
    parts = [child for child in tree.children if child.unit is None]
    last = parts[-1] if tree.label == "np_and" else tree
    nominal = last.find("nominal")
    post = nominal.children[-1] if nominal is not None else None
    if post is None or post.label != "related":
        return None, None
    return nominal, post


def _says_each(post: Tree) -> bool:
    """Whether a relation is to each of several things."""
    landmark = post.children[-1]
    said = landmark.children[0] if landmark.label == "phrase" else landmark
    return said.label in ("each", "all") or (said.label == "both" and said.find("ALL") is not None)


def _is_several(phrase: Quantified) -> bool:
    """Whether a phrase names things of each of which something is said."""
    definite = phrase.determiner in ("the", "the_number") and phrase.plural
    return definite or phrase.determiner in ("all", "each", "both")


def _is_counted(phrase: NounPhrase) -> bool:
    """Whether it makes a difference that all of what a phrase names is in one place."""
    if isinstance(phrase, Coordinated):
        return not phrase.any_of
    return phrase.determiner in ("number", "comparison")


def _without(phrase: Tree, nominal: Tree, post: Tree) -> Tree:
    """A phrase without a modifier of a nominal in it."""
    if phrase.find("nominal") not in (None, nominal) and phrase.label == "phrase":
        # The modifier is one of a landmark inside.
        outer = phrase.find("nominal")
        assert outer is not None
        relation = outer.children[-1]
        landmark = _without(relation.children[-1], nominal, post)
        changed = replace(relation, children=(*relation.children[:-1], landmark))
        rest = replace(outer, children=(*outer.children[:-1], changed))
        kept = tuple(rest if child is outer else child for child in phrase.children)
        return replace(phrase, children=kept)
    if phrase.label == "np_and":
        last = _without(phrase.children[-1], nominal, post)
        return replace(phrase, children=(*phrase.children[:-1], last))
    rest = replace(nominal, children=tuple(c for c in nominal.children if c is not post))
    children = tuple(rest if child is nominal else child for child in phrase.children)
    return replace(phrase, children=children)


def _placed_first(tree: Tree) -> tuple[Tree, tuple[Tree, ...], Tree]:
    """A sentence that begins with a place: the place, the verb, and what follows it."""
    *front, last = tree.children
    if front[0].unit is None:
        return front[0], tuple(front[1:]), last
    leaf, landmark, *verb = front
    span = Span(leaf.span.start, landmark.span.end)
    return Tree("related", (leaf, landmark), span), tuple(verb), last
