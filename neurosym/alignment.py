"""The alignment of words with pixels: one map for every content word of a text.

A word is bound to the program nodes whose own words contain it, and a node has a probability for
every object (its step in the trace). The map of a word is the probability that a pixel belongs to
something that the word's node speaks of, so alignment is bookkeeping over spans, steps and masks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch import Tensor

from neurosym.errors import DataError, did_you_mean, nearest
from neurosym.pixels import ImageSize, portion_masks
from neurosym.program import PORTIONS, Kind, Op, signature
from neurosym.program.operator import names_of
from neurosym.scene import CATEGORY, Scene
from neurosym.span import Span

if TYPE_CHECKING:
    from neurosym.executors.base import Step
    from neurosym.grammar import Token
    from neurosym.result import Result

Part = Literal[
    "object", "category", "attribute", "relation", "order", "number", "group", "portion", "action"
]
"""What a content word contributes to the program."""
WordKind = Part | Literal["function", "unused"]
Key = str | tuple[str, int]
"""A word or phrase, or a word or phrase and which of its occurrences (from 1) is meant."""

FLOOR = 0.02
"""Objects that are at most this probable in every node are left out of the maps."""
MAX_SIDE = 2048
"""Longest side of a map in pixels; larger images get reduced maps."""
_LANDMARKS = ("landmarks", "first", "second")
"""What operators call the sets to which others stand in a relation."""
_PARTS: dict[str, Part] = {
    "order": "order",
    "attribute": "attribute",
    "category": "category",
    "form": "group",
    "portion": "portion",
    "action": "action",
}
"""Role of a name -> the part of the node that has it; the first that a node has counts."""
_NUMERALS = frozenset(
    (
        *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        *("eleven", "twelve", "dozen"),
    )
)


class WordValue(NamedTuple):
    """A word and how much it has to do with a place: ``value`` in [0, 1]."""

    word: str
    value: float


@dataclass(frozen=True, eq=False)
class _Layer:
    """The objects that one node lends to a word.

    Attributes:
        role: "figure" or "landmark" for relations, else "".
        weights: [N] float32 in [0, 1].
        exclusive: whether at most one of all the objects is meant, as by a referent.
        evidence: attribute and value to look for in the pixels themselves.
        portion: the portion of each object's box to which its mask is cut; "" for all of it.
    """

    role: str
    weights: Tensor
    exclusive: bool
    evidence: tuple[str, str] | None = None
    portion: str = ""


@dataclass(frozen=True, eq=False)
class Alignment:
    """The maps between the words of a text and the pixels of an image.

    The map of a word over objects i with probabilities p_i and masks M_i is 1 - prod_g(1 - sum_i
    p_i M_i), the sum over the members i of a group g: hypotheses of one thing exclude each other,
    so that their probabilities add up, and different things are taken to be independent, so that
    the map stays in [0, 1] where their masks overlap. What a referent ("the chair") lends is
    exclusive throughout, and adds up. The map of an attribute is multiplied by the evidence of
    the single pixels where they tell (of colours, and of nouns and other values where there is a
    model of heat maps), and that of a part ("the left half of") is cut to that part of each
    object's box. The map of a relation word is the larger of its figure's and its landmarks';
    :meth:`roles` keeps the two apart. A word of several nodes has the largest of their maps, and
    every word of a phrase ("to the left of") has the phrase's.

    Determiners, auxiliaries, connectives and question words align to nothing: they are listed in
    ``function_words`` and have no map.

    Attributes:
        text: the text.
        tokens: the T content words in the order of the text, each with its index and span. The
            words of a phrase are all content words, "the" in "to the left of" among them.
        parts: what each of the T words contributes to the program.
        phrases: rows of ``maps`` that belong to one phrase and are equal, in the order of the text.
        function_words: the words that align to nothing because of what they are.
        unused_words: the words that the program does not use, or that could not be checked.
        image_size: height and width of the image, in pixels.
        size: height and width of the maps; the image's, unless that is larger than ``max_side``.
        scene: where the masks come from.
    """

    text: str
    tokens: tuple[Token, ...]
    parts: tuple[Part, ...]
    phrases: tuple[tuple[int, ...], ...]
    function_words: tuple[str, ...]
    unused_words: tuple[str, ...]
    image_size: ImageSize
    size: ImageSize
    scene: Scene
    floor: float
    _layers: tuple[tuple[_Layer, ...], ...]

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        return (
            f"Alignment({len(self)} words, {self.size.width} x {self.size.height}: "
            f"{', '.join(self.words)})"
        )

    @property
    def words(self) -> tuple[str, ...]:
        """The T content words as they stand in the text."""
        return tuple(token.text for token in self.tokens)

    @property
    def scale(self) -> float:
        """Pixels of a map per pixel of the image, along a side: 1 unless the maps are reduced."""
        return max(self.size) / max(self.image_size)

    @cached_property
    def maps(self) -> Tensor:
        """[T, height, width] float32 in [0, 1], made when first asked for."""
        made = torch.zeros((len(self), *self.size))
        for first, *rest in self.phrases:
            for layer in self._layers[first]:
                torch.maximum(made[first], self._draw(layer), out=made[first])
            for row in rest:
                made[row] = made[first]
        return made

    def __getitem__(self, key: Key) -> Tensor:
        """The map of a word: ``alignment["red"]``.

        Args:
            key: a word or a phrase ("left of"), in any case. Of a word that occurs more than
                once this is the first occurrence; ``alignment["person", 2]`` is the second.

        Returns:
            [height, width] float32 in [0, 1]; of a phrase, the largest of its words' maps.

        Raises:
            DataError: the text has no such word, not so often, or it is a function word.
        """
        return self.maps[self._find(key)].amax(dim=0)

    def roles(self, key: Key) -> dict[str, Tensor]:
        """The two sides of a relation word, kept apart.

        Args:
            key: as for indexing: ``alignment.roles("left")``.

        Returns:
            "figure", the things that stand in the relation, and "landmark", the things that they
            stand in it to; each [height, width] float32 in [0, 1].

        Raises:
            DataError: as for indexing, or the word names no relation.
        """
        rows = self._find(key)
        layers = [layer for row in rows for layer in self._layers[row] if layer.role]
        if not layers and not any(self.parts[row] == "relation" for row in rows):
            raise DataError(f'"{_word(key)}" names no relation: it has no figure and no landmark')
        made = {"figure": torch.zeros(self.size), "landmark": torch.zeros(self.size)}
        for layer in dict.fromkeys(layers):
            torch.maximum(made[layer.role], self._draw(layer), out=made[layer.role])
        return made

    def kind(self, word: str) -> WordKind:
        """What a word of the text is: a content word's part, "function" or "unused".

        Raises:
            DataError: the text has no such word.
        """
        lowered = word.lower()
        for token, part in zip(self.tokens, self.parts, strict=True):
            if token.text.lower() == lowered:
                return part
        if lowered in map(str.lower, self.unused_words):
            return "unused"
        if lowered in map(str.lower, self.function_words):
            return "function"
        raise self._unknown(word)

    def words_at(self, x: float, y: float, *, floor: float = 0.05) -> list[WordValue]:
        """The words that speak of a pixel, best first.

        Args:
            x: in image pixels, 0 <= x < width.
            y: in image pixels, 0 <= y < height, downwards.
            floor: words of a smaller value are left out.

        Raises:
            DataError: the place lies outside the image.
        """
        height, width = self.image_size
        if not (0 <= x < width and 0 <= y < height):
            raise DataError(
                f"({x}, {y}) lies outside the image: x must be in [0, {width}), y in [0, {height})"
            )
        row = min(int(y * self.size.height / height), self.size.height - 1)
        column = min(int(x * self.size.width / width), self.size.width - 1)
        return self._ranked(self.maps[:, row, column], floor)

    def words_in(self, region: Tensor | Sequence[float], *, floor: float = 0.05) -> list[WordValue]:
        """The words that speak of a region, best first, by the mean of their maps inside it.

        Args:
            region: a box, 4 numbers xyxy in image pixels; or a mask, [height, width] of the image.
            floor: words of a smaller mean are left out.

        Raises:
            DataError: neither a box nor a mask of the image's size, or nothing inside.
        """
        area = torch.as_tensor(region).detach().cpu()
        if area.shape == (4,):
            inside = self._box(area.float())
        elif tuple(area.shape) == tuple(self.image_size):
            inside = self._reduce((area != 0).float())
        else:
            raise DataError(
                "a region is a box of 4 numbers or a mask of shape "
                f"{list(self.image_size)}, not {list(area.shape)}"
            )
        total = float(inside.sum())
        if total == 0:
            raise DataError("the region has no pixels inside the image")
        return self._ranked(torch.tensordot(self.maps, inside, dims=2) / total, floor)

    def normalised(self, over: Literal["pixels", "words"]) -> Tensor:
        """The maps as distributions: [T, height, width] float32.

        Args:
            over: "pixels": each word's map sums to 1 over the image. "words": each pixel's values
                sum to 1 over the words. What is zero throughout stays zero.

        Raises:
            DataError: ``over`` is neither.
        """
        if over not in ("pixels", "words"):
            raise DataError(f'maps are normalised over "pixels" or "words", not {over!r}')
        total = self.maps.sum(dim=(1, 2) if over == "pixels" else 0, keepdim=True)
        return self.maps / torch.where(total > 0, total, torch.ones_like(total))

    @cached_property
    def _drawn(self) -> tuple[int, ...]:
        """The objects whose masks matter to any word."""
        wanted = torch.zeros(len(self.scene), dtype=torch.bool)
        for layers in self._layers:
            for layer in layers:
                wanted |= layer.weights > self.floor
        return tuple(wanted.nonzero().flatten().tolist())

    @cached_property
    def _masks(self) -> Tensor:
        """[drawn object, height, width] of the maps' size: bool, or float32 when reduced."""
        # One call: masks are costly to make, and the maker may work on all of them at once.
        full = self.scene.masks(self._drawn).cpu()
        if self.size == self.image_size:
            return full
        return torch.stack([self._reduce(mask.float()) for mask in full])

    def _draw(self, layer: _Layer) -> Tensor:
        groups: dict[int, list[int]] = {}
        for row, index in enumerate(self._drawn):
            if float(layer.weights[index]) > self.floor:
                group = -1 if layer.exclusive else int(self.scene.groups[index])
                groups.setdefault(group, []).append(row)
        nothing = torch.ones(self.size)
        for rows in groups.values():
            something = torch.zeros(self.size)
            for row in rows:
                weight = float(layer.weights[self._drawn[row]])
                something += weight * self._masks[row] * self._share(row, layer.portion)
            nothing *= 1 - something.clamp(max=1)
        drawn = (1 - nothing).clamp(0, 1)
        if groups and layer.evidence is not None and self.scene.pixels is not None:
            seen = self.scene.pixels.evidence(*layer.evidence)
            if seen is not None:
                drawn *= self._reduce(seen.detach().cpu().float()).clamp(0, 1)
        return drawn

    def _share(self, row: int, portion: str) -> Tensor | float:
        """How much of each pixel of a drawn object lies in a portion of the object."""
        if not portion:
            return 1.0
        boxes = self.scene.boxes[[self._drawn[row]]].detach().cpu()
        return self._reduce(portion_masks(boxes, PORTIONS[portion], self.image_size)[0].float())

    def _reduce(self, plane: Tensor) -> Tensor:
        """A [height, width] float32 plane of the image at the maps' size, by mean over areas."""
        if self.size == self.image_size:
            return plane
        return torch.nn.functional.interpolate(plane[None, None], self.size, mode="area")[0, 0]

    def _box(self, box: Tensor) -> Tensor:
        height, width = self.size
        scale = torch.tensor([width / self.image_size.width, height / self.image_size.height] * 2)
        x1, y1, x2, y2 = (box * scale).tolist()
        inside = torch.zeros(self.size)
        if x1 < x2 and y1 < y2:
            left, top = max(0, math.floor(x1)), max(0, math.floor(y1))
            inside[top : max(0, math.ceil(y2)), left : max(0, math.ceil(x2))] = 1
        return inside

    def _ranked(self, values: Tensor, floor: float) -> list[WordValue]:
        pairs = [WordValue(w, float(v)) for w, v in zip(self.words, values, strict=True)]
        return sorted((p for p in pairs if p.value >= floor), key=lambda pair: -pair.value)

    def _find(self, key: Key) -> list[int]:
        """The rows of the words of a key."""
        wanted = _word(key).lower().split()
        occurrence = key[1] if isinstance(key, tuple) else 1
        found = []
        for start in range(len(self.tokens) - len(wanted) + 1):
            run = self.tokens[start : start + len(wanted)]
            adjacent = all(b.index == a.index + 1 for a, b in pairwise(run))
            if wanted and adjacent and [token.text.lower() for token in run] == wanted:
                found.append(list(range(start, start + len(wanted))))
        if not found:
            raise self._unknown(_word(key))
        if not 1 <= occurrence <= len(found):
            times = "once" if len(found) == 1 else f"{len(found)} times"
            raise DataError(f'"{_word(key)}" occurs {times}: there is no number {occurrence}')
        return found[occurrence - 1]

    def _unknown(self, word: str) -> DataError:
        for words, why in (
            (self.function_words, "is a function word and aligns to nothing"),
            (self.unused_words, "is not used by the program and aligns to nothing"),
        ):
            if word.lower() in map(str.lower, words):
                return DataError(f'"{word}" {why}')
        known = dict.fromkeys(w.lower() for w in self.words)
        hint = did_you_mean(nearest(word.lower(), known))
        return DataError(f'the text has no word "{word}"{hint}')


def align(result: Result, *, floor: float = FLOOR, max_side: int = MAX_SIDE) -> Alignment:
    """Bind the words of a result's text to the pixels of its image.

    Nothing is drawn yet: masks are asked for, all in one call, when a map is first looked at.

    Args:
        result: of any status; without an outcome every map is zero.
        floor: objects that are at most this probable are left out.
        max_side: longest side of the maps in pixels; a larger image's maps are reduced to it by
            averaging, and ``alignment.scale`` says so. A map takes 4 bytes per pixel and word.

    Returns:
        The alignment.

    Raises:
        DataError: ``floor`` or ``max_side`` is out of range.
    """
    if not 0 <= floor < 1:
        raise DataError(f"floor must be in [0, 1), not {floor}")
    if max_side < 1:
        raise DataError(f"max_side must be at least 1, not {max_side}")
    step_of = steps_by_node(result)
    unused = {token.index for token in result.set_aside}
    tokens: list[Token] = []
    parts: list[Part] = []
    layers: list[tuple[_Layer, ...]] = []
    function_words, unused_words = [], []
    phrases: list[list[int]] = []
    before: list[tuple[int, Span, Part]] = []
    nodes = list(result.program.walk())
    for token in result.tokens:
        bound = [found for node in nodes if (found := _binds(node, token)) is not None]
        places = [(id(node), span, part) for node, span, part in bound]
        if bound:
            if places == before:
                layers.append(layers[-1])
                phrases[-1].append(len(tokens))
            else:
                layers.append(tuple(la for n, _, part in bound for la in _lend(n, part, step_of)))
                phrases.append([len(tokens)])
            tokens.append(token)
            parts.append(bound[0][2])
        elif token.index in unused:
            unused_words.append(token.text)
        elif any(character.isalnum() for character in token.text):
            function_words.append(token.text)
        before = places
    size = result.scene.size
    shrink = min(1.0, max_side / max(size))
    return Alignment(
        text=result.text,
        tokens=tuple(tokens),
        parts=tuple(parts),
        phrases=tuple(map(tuple, phrases)),
        function_words=tuple(function_words),
        unused_words=tuple(unused_words),
        image_size=size,
        size=ImageSize(max(1, round(size.height * shrink)), max(1, round(size.width * shrink))),
        scene=result.scene,
        floor=floor,
        _layers=tuple(layers),
    )


def part_of(node: Op) -> Part | None:
    """What the words of a node contribute, read from its signature; None for function words."""
    if landmarks_of(node):
        return "relation"
    roles = {role for role, _ in names_of(node)}
    found = next((part for role, part in _PARTS.items() if role in roles), None)
    if found is not None:
        return found
    if not node.operands:
        return "object"
    return "number" if _counts(node) else None


def landmarks_of(node: Op) -> tuple[Op, ...]:
    """The operands to which a node relates others: none unless it is a relation.

    >>> from neurosym.program import parse_program
    >>> landmarks_of(parse_program("(between (select cup) (select plate) (select fork))"))
    ((select plate), (select fork))
    """
    named = (p.name for p in signature(type(node)) if p.name in _LANDMARKS)
    return tuple(getattr(node, name) for name in named)


def names_one(node: Op) -> bool:
    """Whether at most one object is meant: a referent, or a part of one, or what to do with it."""
    while node.returns in (Kind.REGION, Kind.INTENT):
        node = node.operands[0]
    return node.returns is Kind.REFERENT


def steps_by_node(result: Result) -> Callable[[Op], Step | None]:
    """A look-up of the step that evaluated a node of the result's program.

    Equal sub-programs share a step. A node that the executor rewrote is found by its words.
    """
    steps = {step.op: step for step in result.trace}
    by_words = {(type(s.op), s.op.words): s for s in result.trace if s.op.words}

    def look_up(node: Op) -> Step | None:
        return steps.get(node) or by_words.get((type(node), node.words))

    return look_up


def _binds(node: Op, token: Token) -> tuple[Op, Span, Part] | None:
    """The node, its words that hold the token, and its part; None where it has none for it."""
    part = part_of(node)
    if part == "relation" and _counts(node) and _is_number(token):
        part = "number"
    if part is None or (part == "number" and not _is_number(token)):
        return None
    for span in node.words:
        if span.start <= token.span.start and token.span.end <= span.end:
            return node, span, part
    return None


def _counts(node: Op) -> bool:
    """Whether a node holds how many objects there are."""
    return any(p.name in ("count", "number") for p in signature(type(node)))


def _is_number(token: Token) -> bool:
    lowered = token.text.lower()
    return token.pos == "NUM" or lowered.isdigit() or lowered in _NUMERALS


def _lend(node: Op, part: Part, step_of: Callable[[Op], Step | None]) -> Iterator[_Layer]:
    names = names_of(node)
    attribute = next((name for role, name in names if role == "attribute"), "")
    seen: list[tuple[str, str] | None] = [
        (CATEGORY if role == "category" else attribute, name)
        for role, name in names
        if role in ("value", "category")
    ]
    portion = next((name for role, name in names if role == "portion"), "")
    # A truth, a number or a value has no objects of its own: its words speak of what it is about.
    figure = node if node.returns.is_of_objects else node.operands[0]
    landmarks = landmarks_of(node)
    sides = [("", figure)]
    if part == "relation":
        sides = [("figure", figure), *(("landmark", landmark) for landmark in landmarks)]
    elif part == "number" and hasattr(node, "number") and landmarks:
        # "next to two plates": the plates are two.
        sides = [("", landmark) for landmark in landmarks]
    for role, side in sides:
        step = step_of(side)
        if step is not None and step.objects is not None:
            weights = step.objects.detach().cpu().float()
            for evidence in seen or [None]:
                yield _Layer(role, weights, names_one(side), evidence, portion)


def _word(key: Key) -> str:
    return key[0] if isinstance(key, tuple) else key
