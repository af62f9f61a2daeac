"""From scores to probabilities that are as often right as they say.

Two maps with one interface. A :class:`Temperature` makes scores surer or less sure by one number;
it suits distributions, whose best value it never changes. An :class:`Isotonic` map reads off the
data how often each score was right, and assumes only that a higher score is never worse. Both
keep the order of scores, both are fitted with ``fit(scores, outcomes)`` on examples whose outcome
is known, and both go into JSON and come back the same.

:func:`calibrated` applies them to a scene that some other detector made.

Sources: temperature scaling, C. Guo et al., "On calibration of modern neural networks", ICML 2017;
isotonic regression by pooling adjacent violators, M. Ayer et al., Annals of Mathematical
Statistics, 1955, for classifiers B. Zadrozny and C. Elkan, KDD 2002; that the map goes through the
centres of the pools and is linear between them, A. P. Oron and N. Flournoy, "Centered isotonic
regression", Statistics in Biopharmaceutical Research, 2017. How good a map is,
:mod:`neurosym.metrics` measures; measure it on images that it was not fitted on.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar, Final, Protocol, Self, runtime_checkable

import torch
from torch import Tensor

from neurosym.errors import DataError, PerceptionError
from neurosym.perception.groups import within_groups
from neurosym.pixels import DepthMap, Pixels, Wanted
from neurosym.scene import CATEGORY, Categorical, Scene

PROVENANCE: Final = "calibration"
"""The key of a scene's provenance that says how its probabilities were calibrated."""
LEAST: Final = 1e-12
"""No score counts as less in a logarithm."""
COLDEST, HOTTEST = 0.02, 50.0
"""The temperatures that a fit may give: beyond them a distribution is crisp, or is uniform."""


@runtime_checkable
class Calibrator(Protocol):
    """A monotone map from scores in [0, 1] to probabilities in [0, 1]."""

    kind: ClassVar[str]

    def __call__(self, scores: Tensor) -> Tensor:
        """Probabilities of the shape and type of ``scores``."""

    def to_document(self) -> dict[str, Any]:
        """Plain names and numbers, ready for JSON; :func:`calibrator_of` reads them."""

    def describe(self) -> str:
        """One line for a scene's provenance: the kind, what it was fitted on, a fingerprint."""


@dataclass(frozen=True)
class Temperature:
    """Scores to the power 1 / temperature.

    Above 1 it makes scores less sure, below 1 surer; 1 changes nothing. A distribution stays one:
    its row is divided by its sum. Since ``softmax(logits / temperature)`` is what this makes of
    ``softmax(logits)``, it is the temperature scaling of logits as well. A score of 0 stays 0, and
    1 stays 1: what was ruled out, or certain, is so at every temperature.

    Attributes:
        temperature: above 0.
        fitted_on: what it was fitted on, for the provenance of scenes.

    Raises:
        PerceptionError: the temperature is not a finite number above 0.

    Example:
        >>> Temperature(2.0)(torch.tensor([[0.64, 0.36]]))
        tensor([[0.5714, 0.4286]])
        >>> Temperature(2.0)(torch.tensor([0.8]))
        tensor([0.6667])
    """

    temperature: float
    fitted_on: str = ""
    kind: ClassVar[str] = "temperature"

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise PerceptionError(
                f"a temperature must be a finite number above 0, not {self.temperature}"
            )

    @classmethod
    def fit(cls, scores: Tensor, outcomes: Tensor, *, fitted_on: str = "") -> Self:
        """The temperature of the greatest likelihood.

        Args:
            scores: [row, value] in [0, 1], not all 0 in a row (of logits, give the softmax), or
                [event] in [0, 1].
            outcomes: of rows, [row] int64, the true value; of events, [event] bool.
            fitted_on: as for the class.

        Raises:
            DataError: there is nothing to fit on, or shapes or ranges do not fit.
        """
        scores = _checked(scores)
        if scores.ndim == 2:
            if outcomes.shape != scores.shape[:1] or outcomes.dtype.is_floating_point:
                raise DataError(
                    f"{len(scores)} rows of scores need the numbers of the true values, int64 "
                    f"{[len(scores)]}, not {outcomes.dtype} {list(outcomes.shape)}"
                )
            truth = outcomes.cpu().long()
            if not bool(((truth >= 0) & (truth < scores.shape[1])).all()):
                raise DataError(f"the true values must be numbers from 0 to {scores.shape[1] - 1}")
        else:
            truth = _happened(outcomes, scores).long()
            scores = torch.stack([1 - scores, scores], dim=1)
        logits = scores.clamp(min=LEAST).log()

        def loss(inverse: float) -> float:
            stated = (inverse * logits).log_softmax(dim=1)
            return float(-stated.gather(1, truth[:, None]).mean())

        # The loss is convex in the inverse temperature.
        inverse = _least(loss, 1 / HOTTEST, 1 / COLDEST)
        return cls(1 / inverse, fitted_on)

    def __call__(self, scores: Tensor) -> Tensor:
        """Calibrated scores.

        Args:
            scores: [row, value] in [0, 1], or [event] in [0, 1], the probability of each event.

        Returns:
            Of the same shape and type; rows sum to 1, and a row of zeros becomes uniform.
        """
        exact = scores.double()
        if scores.ndim == 1:
            exact = torch.stack([1 - exact, exact], dim=1)
        # Relative to the best score of a row, so that small scores do not vanish together.
        top = exact.amax(dim=1, keepdim=True) if exact.shape[1] else exact
        ratio = torch.where(top > 0, exact / top.clamp(min=LEAST), 1.0)
        powers = ratio ** (1 / self.temperature)
        found = powers / powers.sum(dim=1, keepdim=True)
        return (found[:, 1] if scores.ndim == 1 else found).to(scores.dtype)

    def to_document(self) -> dict[str, Any]:
        """See :meth:`Calibrator.to_document`."""
        return {
            "kind": self.kind,
            "temperature": self.temperature,
            "fitted_on": self.fitted_on,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """What :meth:`to_document` wrote.

        Raises:
            PerceptionError: the document is something else.
        """
        with _reading(cls.kind, document):
            return cls(float(document["temperature"]), str(document["fitted_on"]))

    def describe(self) -> str:
        """See :meth:`Calibrator.describe`."""
        return _described(self, f"temperature {self.temperature:.3g}")


@dataclass(frozen=True)
class Isotonic:
    """A map that only rises: linear between knots, one for each pool of the fitted examples.

    Below the first knot the probability falls on, linearly, to half of that knot's at a score of
    0; above the last one it rises so that at 1 half of what the knot lacks of 1 is left. So no
    two scores become one, but for rounding, and nothing becomes impossible or certain.

    Attributes:
        scores: the knots, rising strictly, in [0, 1].
        probabilities: what they mean, rising strictly, inside (0, 1).
        fitted_on: what it was fitted on, for the provenance of scenes.

    Raises:
        PerceptionError: the knots are not so.

    Example:
        >>> examples = torch.tensor([0.2, 0.2, 0.2, 0.2, 0.8, 0.8, 0.8, 0.8])
        >>> right = torch.tensor([1, 0, 0, 0, 1, 1, 0, 1], dtype=torch.bool)
        >>> Isotonic.fit(examples, right)(torch.tensor([0.0, 0.2, 0.5, 0.8, 1.0]))
        tensor([0.1250, 0.2500, 0.5000, 0.7500, 0.8750])
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]
    fitted_on: str = ""
    kind: ClassVar[str] = "isotonic"

    def __post_init__(self) -> None:
        knots, values = self.scores, self.probabilities
        rising = all(a < b for row in (knots, values) for a, b in pairwise(row))
        fits = len(knots) == len(values) >= 1 and knots[0] >= 0 and knots[-1] <= 1
        if not (rising and fits and values[0] > 0 and values[-1] < 1):
            raise PerceptionError(
                "an isotonic map needs knots that rise strictly in [0, 1] and as many "
                "probabilities that rise strictly inside (0, 1)"
            )

    @classmethod
    def fit(cls, scores: Tensor, outcomes: Tensor, *, fitted_on: str = "") -> Self:
        """The map through the pools of the greatest likelihood among those that rise.

        Pools are runs of examples, ordered by score, with the share of them that was right;
        examples of one score share a pool, and pools merge until the shares rise. A pool of n
        examples that are all wrong gets 1 / (n + 2), one that is all right (n + 1) / (n + 2):
        Laplace's rule of succession. Only the first and the last pool can be such; where one is
        so small that this would put it past its neighbour, the two merge. A knot lies at the mean
        score of its pool.

        Args:
            scores: [event] in [0, 1].
            outcomes: [event] bool.
            fitted_on: as for the class.

        Raises:
            DataError: there is nothing to fit on, or shapes or ranges do not fit.
        """
        scores = _checked(scores)
        if scores.ndim != 1:
            raise DataError(f"scores must be one number an event, not {list(scores.shape)}")
        right = _happened(outcomes, scores).double()
        # Scores that differ by rounding only are one score: knots must lie apart.
        values, place = torch.unique(scores.round(decimals=9), return_inverse=True)
        nothing = torch.zeros_like(values)
        counts = nothing.index_add(0, place, torch.ones_like(scores)).tolist()
        rights = nothing.index_add(0, place, right).tolist()
        pools: list[_Pool] = []
        for score, count, wins in zip(values.tolist(), counts, rights, strict=True):
            pools.append(_Pool(count, wins, count * score))
            while len(pools) > 1 and pools[-2].share >= pools[-1].share:
                pools[-2:] = [pools[-2].joined(pools[-1])]
        # Laplace's rule moves the pools at the ends inwards.
        while len(pools) > 1 and pools[0].smoothed >= pools[1].smoothed:
            pools[:2] = [pools[0].joined(pools[1])]
        while len(pools) > 1 and pools[-2].smoothed >= pools[-1].smoothed:
            pools[-2:] = [pools[-2].joined(pools[-1])]
        return cls(
            tuple(pool.total / pool.count for pool in pools),
            tuple(pool.smoothed for pool in pools),
            fitted_on,
        )

    def __call__(self, scores: Tensor) -> Tensor:
        """Probabilities of scores of any shape, in [0, 1]."""
        knots = scores.new_tensor(self.scores, dtype=torch.float64)
        values = scores.new_tensor(self.probabilities, dtype=torch.float64)
        # A knot at an end already keeps its own value there.
        first, last = float(knots[0]) > 0, float(knots[-1]) < 1
        knots = torch.cat([knots.new_zeros(int(first)), knots, knots.new_ones(int(last))])
        low, high = values[:1] / 2, (1 + values[-1:]) / 2
        values = torch.cat([low[: int(first)], values, high[: int(last)]])
        exact = scores.double().clamp(0, 1)
        upper = torch.searchsorted(knots, exact.contiguous()).clamp(1, len(knots) - 1)
        share = (exact - knots[upper - 1]) / (knots[upper] - knots[upper - 1])
        return torch.lerp(values[upper - 1], values[upper], share).to(scores.dtype)

    def to_document(self) -> dict[str, Any]:
        """See :meth:`Calibrator.to_document`."""
        return {
            "kind": self.kind,
            "scores": list(self.scores),
            "probabilities": list(self.probabilities),
            "fitted_on": self.fitted_on,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """What :meth:`to_document` wrote.

        Raises:
            PerceptionError: the document is something else.
        """
        with _reading(cls.kind, document):
            knots, values = (
                tuple(float(value) for value in document[name])
                for name in ("scores", "probabilities")
            )
            return cls(knots, values, str(document["fitted_on"]))

    def describe(self) -> str:
        """See :meth:`Calibrator.describe`."""
        return _described(self, f"isotonic, {len(self.scores)} knots")


def calibrator_of(document: Mapping[str, Any]) -> Temperature | Isotonic:
    """The map that wrote this document with ``to_document``.

    Raises:
        PerceptionError: the document is of no map.

    Example:
        >>> calibrator_of(Temperature(1.5).to_document())
        Temperature(temperature=1.5, fitted_on='')
    """
    kind = document.get("kind") if isinstance(document, Mapping) else None
    if kind == Temperature.kind:
        return Temperature.from_document(document)
    if kind == Isotonic.kind:
        return Isotonic.from_document(document)
    raise PerceptionError(
        f'not a calibration: expected "kind": "{Temperature.kind}" or "{Isotonic.kind}", '
        f"not {kind!r}"
    )


def calibrated(
    scene: Scene,
    *,
    existence: Calibrator | None = None,
    categories: Calibrator | None = None,
    attributes: Mapping[str, Calibrator] | None = None,
) -> Scene:
    """A scene whose probabilities were made to mean what they say.

    Existence is mapped object by object and then brought to a sum of at most 1 in every group by
    :func:`neurosym.perception.groups.within_groups`. A distribution is mapped value by value and
    divided by its sum; rows without evidence are only priors and stay. What a picture says of an
    attribute later, when it is looked at, is mapped in the same way.

    Args:
        scene: of any detector.
        existence: for the existence of objects.
        categories: for their categories.
        attributes: by the attribute's name.

    Returns:
        The scene with new probabilities. ``provenance["calibration"]`` says what was used, after
        what it said before; the sources of the tables stay and say that they were calibrated.

    Raises:
        UnknownConceptError: the scene has no such attribute.

    Example:
        >>> from neurosym.perception.given import Thing, scene_of
        >>> scene = scene_of([Thing("cup", (0, 0, 9, 9), existence=0.8)], (10, 10))
        >>> softer = calibrated(scene, existence=Temperature(2.0, "ten scenes"))
        >>> softer.existence
        tensor([0.6667])
        >>> softer.provenance["calibration"]
        'existence: temperature 2, fitted on ten scenes, sha256 d2addb7c77cb'
    """
    attributes = attributes or {}
    tables = {name: _mapped(scene.attribute(name), way) for name, way in attributes.items()}
    exists = scene.existence
    if existence is not None:
        exists = within_groups(existence(exists), scene.groups)
    used = {"existence": existence, CATEGORY: categories, **attributes}
    said = [f"{name}: {way.describe()}" for name, way in used.items() if way is not None]
    before = [scene.provenance[PROVENANCE]] if PROVENANCE in scene.provenance else []
    pixels = scene.pixels
    if pixels is not None and attributes:
        pixels = _CalibratedPixels(pixels, attributes)
    return replace(
        scene,
        existence=exists,
        categories=scene.categories
        if categories is None
        else _mapped(scene.categories, categories),
        attributes={**scene.attributes, **tables},
        pixels=pixels,
        provenance={**scene.provenance, PROVENANCE: "; ".join([*before, *said])}
        if said
        else scene.provenance,
    )


def _mapped(table: Categorical, way: Calibrator) -> Categorical:
    probabilities = torch.where(
        table.evidence[:, None], _distributions(table.probabilities, way), table.probabilities
    )
    return replace(table, probabilities=probabilities, source=f"{table.source}, calibrated")


def _distributions(rows: Tensor, way: Calibrator) -> Tensor:
    found = way(rows)
    return found / found.sum(dim=1, keepdim=True).clamp(min=LEAST)


class _CalibratedPixels(Pixels):
    """A picture whose scores of attributes are mapped; the rest is as it was."""

    def __init__(self, pixels: Pixels, ways: Mapping[str, Calibrator]) -> None:
        self._pixels = pixels
        self._ways = dict(ways)

    def image(self) -> Tensor | None:
        return self._pixels.image()

    def masks(self, indices: Sequence[int]) -> Tensor:
        return self._pixels.masks(indices)

    def known_masks(self) -> Mapping[int, Tensor]:
        return self._pixels.known_masks()

    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:
        found = self._pixels.score(attribute, indices)
        if found is None or attribute not in self._ways:
            return found
        return _distributions(found, self._ways[attribute])

    def evidence(self, attribute: str, value: str) -> Tensor | None:
        return self._pixels.evidence(attribute, value)

    def depth(self) -> DepthMap | None:
        return self._pixels.depth()

    def look_for(self, scene: Scene, wanted: Wanted) -> Scene:
        found = self._pixels.look_for(scene, wanted)
        pixels = found.pixels
        if pixels is None or pixels is self:
            return found
        return replace(found, pixels=_CalibratedPixels(pixels, self._ways))

    def relate(self, relation: str, pairs: Sequence[tuple[int, int]]) -> Tensor | None:
        return self._pixels.relate(relation, pairs)


@dataclass(frozen=True)
class _Pool:
    """Examples that share one probability: how many, how many right, the sum of their scores."""

    count: float
    wins: float
    total: float

    @property
    def share(self) -> float:
        return self.wins / self.count

    @property
    def smoothed(self) -> float:
        """The share, by Laplace's rule of succession where it is 0 or 1."""
        pure = self.wins in (0, self.count)
        return (self.wins + 1) / (self.count + 2) if pure else self.share

    def joined(self, other: _Pool) -> _Pool:
        return _Pool(self.count + other.count, self.wins + other.wins, self.total + other.total)


def _least(loss: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley in [low, high] is least, by golden section."""
    golden = (math.sqrt(5) - 1) / 2
    # In logarithms, as the bounds are far apart.
    a, b = math.log(low), math.log(high)
    c, d = b - golden * (b - a), a + golden * (b - a)
    at_c, at_d = loss(math.exp(c)), loss(math.exp(d))
    while b - a > 1e-6:
        if at_c <= at_d:
            b, d, at_d = d, c, at_c
            c = b - golden * (b - a)
            at_c = loss(math.exp(c))
        else:
            a, c, at_c = c, d, at_d
            d = a + golden * (b - a)
            at_d = loss(math.exp(d))
    return math.exp((a + b) / 2)


def _checked(scores: Tensor) -> Tensor:
    """Scores to fit on, as float64 on the CPU; DataError when they are none."""
    if scores.ndim not in (1, 2) or not scores.numel():
        raise DataError(
            f"a calibration is fitted on scores [event] or [row, value], at least one, "
            f"not {list(scores.shape)}"
        )
    exact = scores.detach().cpu().double()
    if not bool(((exact >= 0) & (exact <= 1 + 1e-6)).all()):
        raise DataError("scores must lie in [0, 1]: give logits as their softmax or sigmoid")
    return exact.clamp(max=1.0)


def _happened(outcomes: Tensor, scores: Tensor) -> Tensor:
    if outcomes.shape != scores.shape or outcomes.dtype is not torch.bool:
        raise DataError(
            f"{len(scores)} scores need outcomes bool {[len(scores)]}, "
            f"not {outcomes.dtype} {list(outcomes.shape)}"
        )
    return outcomes.cpu()


def _described(way: Temperature | Isotonic, what: str) -> str:
    fitted = f", fitted on {way.fitted_on}" if way.fitted_on else ""
    return f"{what}{fitted}, sha256 {fingerprint(way.to_document())}"


def fingerprint(document: Mapping[str, Any]) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of a document's JSON, keys in order."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:12]


@contextmanager
def _reading(kind: str, document: Mapping[str, Any]) -> Iterator[None]:
    """Makes one error of everything that can be wrong with a document."""
    try:
        if document["kind"] != kind:
            raise PerceptionError(f'not a calibration: expected "kind": "{kind}"')
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise PerceptionError(f"not a calibration of the kind {kind}: {error!r}") from error
