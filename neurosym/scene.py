"""The scene: what perception says about one image, as one frozen struct of arrays.

A scene is a distribution over crisp worlds. Object i exists with probability ``existence[i]``;
hypotheses of one thing share a group, of which at most one member exists. An object that exists
has one category and one value per attribute, drawn independently from categorical distributions.
Relations hold with the stored probabilities, never of an object with itself. Measures and
distances are known numbers (comparatives are soft where a measure has noise). Everything carries
its source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from neurosym.errors import SceneError, UnknownConceptError
from neurosym.origin import Origin
from neurosym.pixels import ImageSize, Pixels, box_masks

if TYPE_CHECKING:
    import networkx

CATEGORY = "category"
"""The attribute that programs call what an object is."""
PROMPTS = "prompts"
"""The key of a scene's provenance that says what an open vocabulary was asked for."""
_SUM_TOLERANCE = 1e-3
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Categorical:
    """One categorical distribution per object over named, mutually exclusive values.

    Attributes:
        values: the names, in the order of the columns.
        probabilities: [object, value] float32 in [0, 1]; every row sums to 1.
        evidence: [object] bool; False where perception has not scored the object, so that the
            row is only a prior. Unknown is not false.
        source: which model scored it, "geometry", or "given".
    """

    values: tuple[str, ...]
    probabilities: Tensor
    evidence: Tensor
    source: str

    def index(self, value: str) -> int:
        """The column of ``value``, or UnknownConceptError with the nearest names."""
        if value not in self.values:
            raise UnknownConceptError("value", value, self.values)
        return self.values.index(value)

    def take(self, index: Tensor) -> Categorical:
        """The rows of these objects."""
        return replace(self, probabilities=self.probabilities[index], evidence=self.evidence[index])


@dataclass(frozen=True)
class Relation:
    """One relation between objects.

    Attributes:
        probabilities: [object, landmark] float32 in [0, 1], zero on the diagonal; entry (i, j) is
            the probability that i stands in the relation to j.
        source: which model scored it, "geometry", or "given".
        approximate: True when the definition only approximates the word's meaning ("behind" from
            boxes without depth).
        evidence: [object, landmark] bool, False where perception has not scored the pair, so that
            the entry is only a prior; None when all pairs are scored.
    """

    probabilities: Tensor
    source: str
    approximate: bool = False
    evidence: Tensor | None = None

    def take(self, index: Tensor) -> Relation:
        """The relation among these objects."""
        return self._map(lambda tensor: tensor[index][:, index])

    def _map(self, change: Callable[[Tensor], Tensor]) -> Relation:
        evidence = None if self.evidence is None else change(self.evidence)
        return replace(self, probabilities=change(self.probabilities), evidence=evidence)


@dataclass(frozen=True)
class Measure:
    """One known number per object.

    Attributes:
        values: [object] float32.
        unit: for example "px" or "px^2".
        source: "geometry", "given", or a model's name.
        approximate: True when it stands in for something that was not measured.
        noise: scale of the error that the values were measured to have, in their unit; 0 when
            they count as known. Comparatives are as soft as this makes them.
    """

    values: Tensor
    unit: str
    source: str
    approximate: bool = False
    noise: float = 0.0


@dataclass(frozen=True)
class Concept:
    """What a word means in a scene's category vocabulary.

    Attributes:
        categories: the categories that it covers.
        approximate: True when they cover more than the word says ("man" read as person).
        source: the way from the word to the categories, in one line: "label", "lexicon",
            "hyponym: poodle < dog (WordNet)", "prompt".
    """

    categories: tuple[str, ...]
    approximate: bool = False
    source: str = "lexicon"


@dataclass(frozen=True)
class Scene:
    """Everything that perception knows about one image.

    N objects; pixels have their origin at the top left, x to the right, y down.

    Attributes:
        size: the image's height and width in pixels.
        boxes: [N, 4] float32, xyxy, absolute pixels.
        existence: [N] float32 in [0, 1].
        groups: [N] int64; equal numbers are hypotheses of one thing. The existence of a group's
            members sums to at most 1.
        categories: the category of each object.
        attributes: by name, for example "color".
        relations: by name, for example "left_of".
        measures: by name, for example "area".
        distances: [N, N] float32, how far apart two objects are; unit and source in ``distance``.
        concepts: words that the categories cover; a category's own name is among them when it
            covers others as well ("person", where there is also "man").
        marks: what the user points at: pointer ("this", "that") -> [N] bool.
        pixels: answers what needs the picture; None when there is nothing to ask.
        provenance: what made this scene: models, versions, calibration.
        origin: identifiers and remarks of the file that it was read from; None when it was not.

    Raises:
        SceneError: shapes, ranges or sums do not fit (checked once, at birth).
    """

    size: ImageSize
    boxes: Tensor
    existence: Tensor
    groups: Tensor
    categories: Categorical
    attributes: Mapping[str, Categorical] = field(default_factory=dict)
    relations: Mapping[str, Relation] = field(default_factory=dict)
    measures: Mapping[str, Measure] = field(default_factory=dict)
    distances: Tensor | None = None
    concepts: Mapping[str, Concept] = field(default_factory=dict)
    marks: Mapping[str, Tensor] = field(default_factory=dict)
    pixels: Pixels | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)
    origin: Origin | None = None

    def __post_init__(self) -> None:
        _validate(self)

    def __len__(self) -> int:
        return int(self.boxes.shape[0])

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return (
            f"Scene({len(self)} objects, {self.size.width} x {self.size.height}, "
            f"{len(self.categories.values)} categories, attributes {sorted(self.attributes)}, "
            f"{len(self.relations)} relations)"
        )

    @staticmethod
    def empty(
        size: ImageSize | tuple[int, int] = (1, 1), categories: Sequence[str] = ("thing",)
    ) -> Scene:
        """A scene with no objects; ``size`` is (height, width)."""
        nothing = torch.zeros(0)
        return Scene(
            size=ImageSize(*size),
            boxes=torch.zeros((0, 4)),
            existence=nothing,
            groups=torch.zeros(0, dtype=torch.int64),
            categories=Categorical(
                tuple(categories),
                torch.zeros((0, len(categories))),
                torch.zeros(0, dtype=torch.bool),
                "given",
            ),
        )

    @property
    def device(self) -> torch.device:
        """Where the arrays lie."""
        return self.boxes.device

    @cached_property
    def is_crisp(self) -> bool:
        """Whether every probability is 0 or 1, so that exactly one world is possible."""
        tables = [self.existence, self.categories.probabilities]
        tables += [attribute.probabilities for attribute in self.attributes.values()]
        return self.has_crisp_relations and all(map(_is_crisp, tables))

    @cached_property
    def has_crisp_relations(self) -> bool:
        """Whether every relation is 0 or 1 throughout, and no measure has noise."""
        if any(measure.noise for measure in self.measures.values()):
            return False
        return all(_is_crisp(relation.probabilities) for relation in self.relations.values())

    def category_indices(self, word: str) -> tuple[int, ...]:
        """The columns of ``categories`` that ``word`` covers.

        Raises:
            UnknownConceptError: neither a category nor a concept of this scene.
        """
        if word in self.concepts:
            return tuple(self.categories.values.index(c) for c in self.concepts[word].categories)
        if word in self.categories.values:
            return (self.categories.values.index(word),)
        why = "" if self.pixels is None else self.pixels.unknown(word)
        known = (*self.categories.values, *self.concepts)
        raise UnknownConceptError("category", word, known, why=why)

    def attribute(self, name: str) -> Categorical:
        """The attribute of this name, or UnknownConceptError; "category" is one, too."""
        if name == CATEGORY:
            return self.categories
        return _look_up("attribute", name, self.attributes)

    def relation(self, name: str) -> Relation:
        """The relation of this name, or UnknownConceptError."""
        return _look_up("relation", name, self.relations)

    def mark(self, pointer: str) -> Tensor:
        """[N] bool, what the user points at with this pointer, or UnknownConceptError."""
        return _look_up("pointer", pointer, self.marks)

    def measure(self, name: str) -> Measure:
        """The measure of this name, or UnknownConceptError."""
        return _look_up("measure", name, self.measures)

    def masks(self, indices: Sequence[int]) -> Tensor:
        """The masks of these objects, made when first asked for.

        Args:
            indices: object numbers.

        Returns:
            [len(indices), height, width] bool. Without ``pixels``, the filled boxes.
        """
        if self.pixels is not None:
            return self.pixels.masks(list(indices))
        return box_masks(self.boxes[list(indices)], self.size)

    def observe(self, attribute: str, indices: Sequence[int]) -> Scene:
        """The scene with an attribute of these objects read off the picture.

        Objects that have evidence already are left as they are; so is everything when the
        picture cannot tell.

        Args:
            attribute: the attribute's name.
            indices: object numbers.

        Raises:
            UnknownConceptError: the scene has no such attribute.
        """
        table = self.attribute(attribute)
        wanted = [i for i in indices if not bool(table.evidence[i])]
        scored = self.pixels.score(attribute, wanted) if self.pixels and wanted else None
        if scored is None:
            return self
        rows = torch.tensor(wanted, device=self.device)
        probabilities = table.probabilities.clone()
        probabilities[rows] = scored.to(probabilities)
        evidence = table.evidence.clone()
        evidence[rows] = True
        seen = replace(table, probabilities=probabilities, evidence=evidence)
        return replace(self, attributes={**self.attributes, attribute: seen})

    def observe_relation(
        self, relation: str, figures: Sequence[int], landmarks: Sequence[int]
    ) -> Scene:
        """The scene with a relation between these objects read off the picture.

        Pairs that have evidence already are left as they are; so is everything when the picture
        cannot tell.

        Args:
            relation: the relation's name.
            figures: object numbers.
            landmarks: object numbers.

        Raises:
            UnknownConceptError: the scene has no such relation.
        """
        table = self.relation(relation)
        if self.pixels is None or table.evidence is None:
            return self
        known = table.evidence.cpu()
        pairs = [(i, j) for i in figures for j in landmarks if i != j and not bool(known[i, j])]
        scored = self.pixels.relate(relation, pairs) if pairs else None
        if scored is None:
            return self
        rows, columns = torch.tensor(pairs, device=self.device).T
        probabilities, evidence = table.probabilities.clone(), table.evidence.clone()
        probabilities[rows, columns] = scored.to(probabilities)
        evidence[rows, columns] = True
        seen = replace(table, probabilities=probabilities, evidence=evidence)
        return replace(self, relations={**self.relations, relation: seen})

    def gauge(self, measure: str, indices: Sequence[int]) -> Scene:
        """The scene with a measure of these objects read off their masks, where that is better.

        Args:
            measure: the measure's name.
            indices: object numbers.

        Raises:
            UnknownConceptError: the scene has no such measure.
        """
        known = self.measure(measure)
        chosen = list(indices)
        found = self.pixels.gauge(measure, chosen) if self.pixels and chosen else None
        if found is None:
            return self
        values = known.values.clone()
        values[chosen] = found.to(values)
        return replace(self, measures={**self.measures, measure: replace(known, values=values)})

    def to(self, device: torch.device | str) -> Scene:
        """The same scene with its arrays on ``device`` (masks stay where they are made)."""
        if torch.device(device) == self.device:
            return self
        return self._map(lambda tensor: tensor.to(device))

    def __getitem__(self, index: Sequence[int] | Tensor | slice) -> Scene:
        """The scene with only these objects: a slice, indices, or a [N] bool mask."""
        keep = torch.arange(len(self), device=self.device)[
            index if isinstance(index, slice | Tensor) else _as_index(index)
        ]
        return replace(
            self,
            boxes=self.boxes[keep],
            existence=self.existence[keep],
            groups=self.groups[keep],
            categories=self.categories.take(keep),
            attributes={n: a.take(keep) for n, a in self.attributes.items()},
            relations={n: r.take(keep) for n, r in self.relations.items()},
            measures={n: replace(m, values=m.values[keep]) for n, m in self.measures.items()},
            distances=None if self.distances is None else self.distances[keep][:, keep],
            marks={pointer: mark[keep] for pointer, mark in self.marks.items()},
            pixels=None if self.pixels is None else self.pixels.take(keep.tolist()),
            origin=None if self.origin is None else self.origin.take(keep.tolist()),
        )

    def things(self, probabilities: Tensor) -> list[tuple[int, float]]:
        """What probabilities of objects say of things, whose hypotheses exclude each other.

        Args:
            probabilities: [N] in [0, 1].

        Returns:
            For each group its likeliest member and the sum over the group, at most 1; by the
            members' numbers.
        """
        if not len(self):
            return []
        share = probabilities.detach().cpu().float()
        _, group = torch.unique(self.groups.cpu(), return_inverse=True)
        totals = torch.zeros(int(group.max()) + 1).index_add(0, group, share).clamp(max=1.0)
        best: dict[int, int] = {}
        for index in share.argsort(descending=True, stable=True).tolist():
            best.setdefault(int(group[index]), index)
        return sorted((index, float(totals[number])) for number, index in best.items())

    def most_likely(self) -> Scene:
        """The crisp scene nearest to this one.

        Of each group, the likeliest member exists when the group's existence sums to at least
        one half; categories and values are the likeliest ones; relations hold from one half on.
        Objects that do not exist stay, with existence 0, so that numbers keep their meaning.
        """
        exists = torch.zeros_like(self.existence)
        exists[[index for index, total in self.things(self.existence) if total >= 0.5]] = 1
        return replace(
            self,
            existence=exists,
            categories=_harden(self.categories),
            attributes={n: _harden(a) for n, a in self.attributes.items()},
            relations={
                n: replace(r, probabilities=(r.probabilities >= 0.5).to(r.probabilities.dtype))
                for n, r in self.relations.items()
            },
            measures={n: replace(m, noise=0.0) for n, m in self.measures.items()},
        )

    def graph(self) -> networkx.MultiDiGraph:
        """The scene graph: a node per object, an edge per relation that may hold.

        Nodes carry ``category`` (the likeliest), ``existence``, ``group``, ``box``,
        ``categories``, ``attributes`` (name -> value -> probability), ``unknown`` (names of
        attributes of which only the prior is known), ``measures`` and ``marks`` (the pointers that
        point at it); edges, keyed by the relation's name, carry ``probability``. The graph carries
        ``size``, ``distances``, ``noise`` (measure -> scale of its error) and ``tables``: what
        :func:`neurosym.interchange.graphs.from_graph` needs to make the scene again.
        """
        from neurosym.scene_io import to_graph

        return to_graph(self)

    def save(self, path: str | Path) -> None:
        """Write the scene as JSON, atomically; masks that have been made are kept as RLE.

        Raises:
            SceneError: the file cannot be written.
        """
        from neurosym.scene_io import save_scene

        save_scene(self, Path(path))

    @staticmethod
    def load(path: str | Path) -> Scene:
        """Read a scene that :meth:`save` wrote.

        Raises:
            SceneError: no such file, not JSON, or not a scene.
        """
        from neurosym.scene_io import load_scene

        return load_scene(Path(path))

    def _map(self, move: Callable[[Tensor], Tensor]) -> Scene:
        def table(c: Categorical) -> Categorical:
            return replace(c, probabilities=move(c.probabilities), evidence=move(c.evidence))

        return replace(
            self,
            boxes=move(self.boxes),
            existence=move(self.existence),
            groups=move(self.groups),
            categories=table(self.categories),
            attributes={n: table(a) for n, a in self.attributes.items()},
            relations={n: r._map(move) for n, r in self.relations.items()},
            measures={n: replace(m, values=move(m.values)) for n, m in self.measures.items()},
            distances=None if self.distances is None else move(self.distances),
            marks={pointer: move(mark) for pointer, mark in self.marks.items()},
        )


def _is_crisp(table: Tensor) -> bool:
    return bool(((table == 0) | (table == 1)).all())


def _as_index(index: Sequence[int] | Sequence[bool]) -> Tensor:
    wanted = torch.as_tensor(list(index))
    return wanted if wanted.dtype is torch.bool else wanted.long()


def _look_up(kind: str, name: str, known: Mapping[str, _Found]) -> _Found:
    if name not in known:
        raise UnknownConceptError(kind, name, known)
    return known[name]


def _harden(table: Categorical) -> Categorical:
    if table.probabilities.shape[1] == 0:
        return table
    hard = torch.nn.functional.one_hot(
        table.probabilities.argmax(dim=1), table.probabilities.shape[1]
    )
    return replace(table, probabilities=hard.to(table.probabilities.dtype))


def _validate(scene: Scene) -> None:
    count = len(scene.boxes)

    def check(good: bool | Tensor, message: str) -> None:
        if not bool(good):
            raise SceneError(message)

    def shaped(name: str, tensor: Any, shape: tuple[int, ...]) -> None:
        check(isinstance(tensor, Tensor), f"{name} must be a tensor, not {type(tensor).__name__}")
        check(
            tuple(tensor.shape) == shape,
            f"{name} must have the shape {list(shape)}, not {list(tensor.shape)}",
        )

    def probable(name: str, tensor: Tensor) -> None:
        check(((tensor >= 0) & (tensor <= 1 + 1e-6)).all(), f"{name} must lie in [0, 1] throughout")

    def table(name: str, categorical: Categorical) -> None:
        shaped(name, categorical.probabilities, (count, len(categorical.values)))
        shaped(f"the evidence of {name}", categorical.evidence, (count,))
        probable(name, categorical.probabilities)
        sums = categorical.probabilities.sum(dim=1)
        check(((sums - 1).abs() < _SUM_TOLERANCE).all(), f"every row of {name} must sum to 1")
        check(
            len(set(categorical.values)) == len(categorical.values),
            f"the values of {name} must be distinct",
        )

    check(
        isinstance(scene.size, ImageSize),
        f"the size must be an ImageSize(height, width), not {scene.size!r}",
    )
    check(
        scene.size.height >= 1 and scene.size.width >= 1,
        f"the image size must be at least 1 x 1, not {tuple(scene.size)}",
    )
    shaped("boxes", scene.boxes, (count, 4))
    check(scene.boxes.is_floating_point(), f"boxes must be float32, not {scene.boxes.dtype}")
    check(scene.boxes.isfinite().all(), "boxes must be finite")
    check(
        (scene.boxes[:, :2] <= scene.boxes[:, 2:]).all(), "boxes must be xyxy: x1 <= x2, y1 <= y2"
    )
    shaped("existence", scene.existence, (count,))
    probable("existence", scene.existence)
    shaped("groups", scene.groups, (count,))
    check(scene.groups.dtype is torch.int64, f"groups must be int64, not {scene.groups.dtype}")
    if count:
        _, inverse = torch.unique(scene.groups, return_inverse=True)
        sums = torch.zeros(int(inverse.max()) + 1, device=scene.device).index_add(
            0, inverse, scene.existence.float()
        )
        check((sums <= 1 + _SUM_TOLERANCE).all(), "the existence of a group must sum to at most 1")
    table("categories", scene.categories)
    for name, attribute in scene.attributes.items():
        table(f'the attribute "{name}"', attribute)
    for name, relation in scene.relations.items():
        what = f'the relation "{name}"'
        shaped(what, relation.probabilities, (count, count))
        probable(what, relation.probabilities)
        check((relation.probabilities.diagonal() == 0).all(), f"{what} must be 0 on its diagonal")
        if relation.evidence is not None:
            shaped(f"the evidence of {what}", relation.evidence, (count, count))
    for name, measure in scene.measures.items():
        shaped(f'the measure "{name}"', measure.values, (count,))
        check(measure.values.isfinite().all(), f'the measure "{name}" must be finite')
        check(
            0 <= measure.noise < float("inf"),
            f'the noise of "{name}" must be finite and not negative',
        )
    if scene.distances is not None:
        shaped("distances", scene.distances, (count, count))
        known = scene.distances.isfinite() & (scene.distances >= 0)
        check(known.all(), "distances must be finite and at least 0")
    for pointer, mark in scene.marks.items():
        shaped(f'the mark "{pointer}"', mark, (count,))
        check(mark.dtype is torch.bool, f'the mark "{pointer}" must be bool, not {mark.dtype}')
    if scene.origin is not None:
        noted = len(scene.origin.objects)
        check(noted <= count, f"the origin speaks of {noted} objects, but there are {count}")
    for word, concept in scene.concepts.items():
        unknown = set(concept.categories) - set(scene.categories.values)
        check(not unknown, f'the concept "{word}" names unknown categories: {sorted(unknown)}')
