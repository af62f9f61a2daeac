"""The atoms of a scene: the single uncertain facts that all its probabilities come down to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, overload

import torch
from torch import Tensor

from neurosym.errors import OptionError
from neurosym.executors.sight import Sight
from neurosym.program import Op
from neurosym.scene import CATEGORY, Categorical, Scene

Role = Literal["existence", "category", "attribute", "relation"]


@dataclass(frozen=True)
class Atom:
    """One fact about an object, or about two, with its score.

    Attributes:
        object: the object's number.
        role: "existence", "category", "attribute" or "relation".
        name: of the attribute or relation; "" for existence and categories.
        value: the category word, which may cover several categories, or the attribute's value;
            "" for existence and relations.
        landmark: the number of the object to which the relation runs; else None.
        score: the probability in [0, 1] that the scene gives it.
        source: what scored it: a model, "geometry", "given".
        known: False where the score is only a prior, because nothing scored the object.

    Example:
        >>> print(Atom(3, "attribute", "color", "red", None, 0.61, "colours", True))
        #3 is red 0.61 (colours)
        >>> print(Atom(3, "relation", "left_of", "", 1, 1.0, "geometry", True))
        #3 is left of #1 1.00 (geometry)
    """

    object: int
    role: Role
    name: str
    value: str
    landmark: int | None
    score: float
    source: str
    known: bool

    @property
    def concept(self) -> str:
        """What is said of the object: "exists", "is red", "is left of #1"."""
        if self.role == "existence":
            return "exists"
        if self.role == "relation":
            return f"is {self.name.replace('_', ' ')} #{self.landmark}"
        return f"is {self.value}"

    def __str__(self) -> str:
        source = self.source if self.known else "prior"
        return f"#{self.object} {self.concept} {self.score:.2f} ({source})"


@dataclass(frozen=True)
class Gradient:
    """A number's derivatives with respect to the tables of a scene, on the CPU.

    Attributes:
        existence: [N].
        categories: [N, V].
        attributes: by name, [N, V].
        relations: by name, [N, N].
    """

    existence: Tensor
    categories: Tensor
    attributes: dict[str, Tensor]
    relations: dict[str, Tensor]


@dataclass(frozen=True)
class _Family:
    """The atoms that differ only in their objects.

    Attributes:
        role: as of :class:`Atom`.
        name: as of :class:`Atom`.
        value: as of :class:`Atom`.
        columns: those of the table that the value covers; () where there is no table.
        scores: [N], or [N, N] for a relation.
        places: [M] the numbers, in ``scores`` flattened, of the atoms there are.
    """

    role: Role
    name: str
    value: str
    columns: tuple[int, ...]
    scores: Tensor
    places: Tensor


class Atoms(Sequence[Atom]):
    """The atoms of a scene that a program can see, each made when it is asked for.

    These are the existence of every object, the category words and attribute values that the
    program names (all of an attribute's values where it compares or asks for them) and, for every
    two objects that can exist together, the relations that it names. Measures are known numbers
    and no atoms, and so are comparisons of measures that have noise.

    What is certain by the scene's vocabulary, a value that no other one excludes, is no atom
    either.

    Args:
        program: what decides which atoms are seen.
        scene: where they come from.

    Raises:
        UnknownConceptError: the program names what the scene does not have.
    """

    def __init__(self, program: Op, scene: Scene) -> None:
        self.scene = scene
        self._families = tuple(_families(Sight.of(program, scene), scene))
        self._starts = [0]
        for family in self._families:
            self._starts.append(self._starts[-1] + len(family.places))

    def __len__(self) -> int:
        return self._starts[-1]

    @overload
    def __getitem__(self, index: int) -> Atom: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Atom, ...]: ...

    def __getitem__(self, index: int | slice) -> Atom | tuple[Atom, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(f"there are {len(self)} atoms, and no number {index}")
        row = next(k for k, start in enumerate(self._starts[1:]) if number < start)
        family = self._families[row]
        place = int(family.places[number - self._starts[row]])
        return _atom(family, place, self.scene)

    def __iter__(self) -> Iterator[Atom]:
        for family in self._families:
            for place in family.places.tolist():
                yield _atom(family, place, self.scene)

    def __repr__(self) -> str:
        return f"Atoms({len(self)} of {len(self.scene)} objects)"

    def of(self, index: int) -> Iterator[Atom]:
        """The atoms that speak of this object, as the object or as the landmark."""
        return (atom for atom in self if index in (atom.object, atom.landmark))

    @property
    def scores(self) -> Tensor:
        """[len(self)] float32, the score of every atom."""
        return self._picked(lambda family: family.scores)

    def slopes(self, gradient: Gradient) -> Tensor:
        """[len(self)] float32, the derivative by every atom's score, see :func:`with_score`."""
        return self._picked(lambda family: _slopes(family, gradient, self.scene))

    def weights(self, weigh: Callable[[Role, str, str], Tensor]) -> Tensor:
        """[len(self)] float32, a weight for every atom.

        Args:
            weigh: from an atom's role, name and value to the weights [N] of its objects, or
                [N, N] of objects and landmarks for a relation.
        """
        return self._picked(lambda family: weigh(family.role, family.name, family.value))

    def _picked(self, of_family: Callable[[_Family], Tensor]) -> Tensor:
        parts = [of_family(f).flatten()[f.places].float() for f in self._families]
        return torch.cat(parts) if parts else torch.zeros(0)


def with_score(scene: Scene, atom: Atom, score: float) -> Scene:
    """The scene in which an atom has another score, and the rest keeps its proportions.

    The score of a category word or a value is the sum s of its columns S of the object's row p,
    which becomes, with t for the new score::

        p'(v) = p(v) t / s                for v in S, or t / |S| where s is 0
        p'(v) = p(v) (1 - t) / (1 - s)    for the others, (1 - t) / |others| where s is 1

    Existence is the same within the object's group, where "nothing of this is there" is one of
    the others, and takes all of 1 - t where s is 1. The entry of a relation becomes t. So every
    probability of a program's value runs straight from the one at t = 0 to that at t = 1, and its
    derivative by an atom's score is the difference of the two.

    Args:
        scene: the scene of the atom.
        atom: one of :class:`Atoms`.
        score: in [0, 1].

    Raises:
        OptionError: ``score`` lies outside of [0, 1].
        UnknownConceptError: the atom is of another scene.
    """
    if not 0.0 <= score <= 1.0:
        raise OptionError(f"a score must lie in [0, 1], not {score}")
    i = atom.object
    if atom.role == "relation":
        relation = scene.relation(atom.name)
        entries = relation.probabilities.clone()
        entries[i, atom.landmark] = score
        changed = replace(relation, probabilities=entries)
        return replace(scene, relations={**scene.relations, atom.name: changed})
    if atom.role == "existence":
        members = (scene.groups == scene.groups[i]).nonzero().flatten()
        row = torch.cat([scene.existence[members], scene.existence.new_zeros(1)])
        row[-1] = (1.0 - row.sum()).clamp_min(0.0)
        inside = torch.cat([members == i, torch.zeros_like(members[:1], dtype=torch.bool)])
        if not bool((row[~inside] > 0).any()):
            row[-1] = 1.0
        existence = scene.existence.clone()
        existence[members] = _moved(row, inside, score)[:-1]
        return replace(scene, existence=existence)
    table = _table_of(scene, atom)
    inside = torch.zeros(len(table.values), dtype=torch.bool, device=scene.device)
    inside[list(_columns_of(scene, atom))] = True
    probabilities = table.probabilities.clone()
    probabilities[i] = _moved(probabilities[i], inside, score)
    seen = replace(table, probabilities=probabilities)
    if table is scene.categories:
        return replace(scene, categories=seen)
    return replace(scene, attributes={**scene.attributes, atom.name: seen})


def _moved(row: Tensor, inside: Tensor, score: float) -> Tensor:
    """A distribution with this mass inside, both sides in their own proportions."""
    made = torch.zeros_like(row)
    for side, mass in ((inside, score), (~inside, 1.0 - score)):
        total = row[side].sum()
        shares = row[side] / total if total > 0 else torch.full_like(row[side], 1 / len(row[side]))
        made[side] = shares * mass
    return made


def _table_of(scene: Scene, atom: Atom) -> Categorical:
    return scene.categories if atom.role == "category" else scene.attribute(atom.name)


def _columns_of(scene: Scene, atom: Atom) -> tuple[int, ...]:
    if atom.role == "category":
        return scene.category_indices(atom.value)
    return (scene.attribute(atom.name).index(atom.value),)


def _families(sight: Sight, scene: Scene) -> Iterator[_Family]:
    """The families of atoms that are seen: existence, categories, attributes, relations."""
    every = torch.arange(len(scene))
    yield _Family("existence", "", "", (), _kept(scene.existence), every)
    words = {word: scene.category_indices(word) for word in sorted(sight.words)}
    for word in _values_seen(CATEGORY, sight, scene):
        words.setdefault(word, (scene.categories.index(word),))
    tables: list[tuple[Role, str, dict[str, tuple[int, ...]]]] = [("category", "", words)]
    for name in sorted(set(sight.values) - {CATEGORY}):
        values = {
            value: scene.attribute(name).index(value) for value in _values_seen(name, sight, scene)
        }
        tables.append(("attribute", name, {value: (c,) for value, c in values.items()}))
    for role, name, named in tables:
        table = scene.attribute(name or CATEGORY)
        for value, columns in named.items():
            if len(columns) < len(table.values):
                scores = _kept(table.probabilities[:, list(columns)].sum(1).clamp(0.0, 1.0))
                yield _Family(role, name, value, columns, scores, every)
    apart = (scene.groups[:, None] != scene.groups[None, :]).cpu().flatten().nonzero().flatten()
    for name in sorted(sight.relations):
        yield _Family("relation", name, "", (), _kept(scene.relation(name).probabilities), apart)


def _values_seen(attribute: str, sight: Sight, scene: Scene) -> tuple[str, ...]:
    seen = sight.values.get(attribute, frozenset())
    return scene.attribute(attribute).values if seen is None else tuple(sorted(seen))


def _kept(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().float()


def _atom(family: _Family, place: int, scene: Scene) -> Atom:
    score = float(family.scores.flatten()[place])
    if family.role == "relation":
        i, j = divmod(place, len(scene))
        source = scene.relation(family.name).source
        return Atom(i, "relation", family.name, "", j, score, source, True)
    if family.role == "existence":
        return Atom(place, "existence", "", "", None, score, scene.categories.source, True)
    table = scene.attribute(family.name or CATEGORY)
    known = bool(table.evidence[place])
    return Atom(place, family.role, family.name, family.value, None, score, table.source, known)


def _slopes(family: _Family, gradient: Gradient, scene: Scene) -> Tensor:
    """The derivative along :func:`with_score`, of the shape of the family's scores."""
    if family.role == "relation":
        return gradient.relations[family.name]
    scores = family.scores
    if family.role == "existence":
        same = (scene.groups[:, None] == scene.groups[None, :]).cpu().float()
        others = same @ (gradient.existence * scores) - gradient.existence * scores
        return gradient.existence - _mean(others, 1.0 - scores, torch.zeros_like(scores))
    by_entry = gradient.attributes[family.name] if family.name else gradient.categories
    rows = _kept(scene.attribute(family.name or CATEGORY).probabilities)
    inside = torch.zeros(rows.shape[1], dtype=torch.bool)
    inside[list(family.columns)] = True
    sides = [
        _mean(
            (by_entry[:, side] * rows[:, side]).sum(1),
            rows[:, side].sum(1),
            by_entry[:, side].mean(1),
        )
        for side in (inside, ~inside)
    ]
    return sides[0] - sides[1]


def _mean(total: Tensor, weight: Tensor, otherwise: Tensor) -> Tensor:
    return torch.where(weight > 0, total / weight.clamp_min(1e-30), otherwise)
