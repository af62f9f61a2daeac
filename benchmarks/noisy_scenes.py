"""Noisy scenes whose probabilities are right: a truth, an observation of it, the exact posterior.

Where objects are is taken from a CLEVR scene and known: boxes, relations, orders, distances, who is
hidden. Everything else is made in this order:

1. Truth. Of the scene's objects each is there with probability 0.9. One in seven has a second,
   duplicate hypothesis at the same place; when the object is there, each of its hypotheses is as
   likely the right one. What is there has a shape, colour, size and material, each drawn evenly
   from the released values, as CLEVR's own generator draws them.
2. Observation. A detector scores every hypothesis: the score is normal with variance 1 and mean
   +a for the right one, -a for any other. A classifier gives every hypothesis one score for each
   value: normal with variance 1 and mean b for the true value, 0 for the others. What is not
   there looks like something drawn evenly, so that looks say nothing about existence. (A
   missed object is one that is there with a low score; a spurious one has a high one and is not.)
3. Posterior. By Bayes' rule from the scores, the even prior over values and the prior of
   existence. It is of exactly the form that a :class:`neurosym.scene.Scene` has, so that the
   soft scene states it without loss, and whoever executes programs exactly on it is calibrated.

a and b are set by one error rate: the share of hypotheses whose likeliest value is wrong, for
every attribute alike, and of detections that would be wrong at even odds.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from functools import cache
from statistics import NormalDist

import torch
from torch import Tensor

from neurosym.interchange.clevr import VALUES
from neurosym.scene import CATEGORY, Categorical, Scene

THERE = 0.9
"""Probability that an object of the released scene is there."""
DUPLICATED = 1 / 7
"""Probability that an object has a second hypothesis."""
SHIFT = 3.0
"""Pixels by which the box of a duplicate lies farther right."""
KNOWN = frozenset({"visibility"})
"""The attributes that positions decide."""


@dataclass(frozen=True)
class Observation:
    """What was seen of a truth.

    Attributes:
        scene: the exact posterior.
        truth: the world that it is of, a crisp scene of the same hypotheses.
    """

    scene: Scene
    truth: Scene


def observe(
    gold: Scene, error: float, draw: random.Random, *, as_released: bool = False
) -> Observation:
    """A truth in the places of a released scene, and what is seen of it.

    Args:
        gold: a crisp scene of N objects, without groups.
        error: in (0, 0.5), the error rate of detector and classifiers.
        draw: everything random.
        as_released: let the truth be the released scene: all of it is there, with the released
            values. Whoever knows that is no longer calibrated.
    """
    # The places that hypotheses lie at: every object's own, then those of the duplicated ones.
    twice = [i for i in range(len(gold)) if draw.random() < DUPLICATED]
    place = [*range(len(gold)), *twice]
    right: list[int | None] = []
    for i in range(len(gold)):
        hypotheses = [h for h, at in enumerate(place) if at == i]
        is_there = as_released or draw.random() < THERE
        right.append(draw.choice(hypotheses) if is_there else None)

    posterior: dict[int, float] = {}
    mean = NormalDist().inv_cdf(1 - error)
    scores = [draw.gauss(mean if right[at] == h else -mean, 1) for h, at in enumerate(place)]
    for i in range(len(gold)):
        hypotheses = [h for h, at in enumerate(place) if at == i]
        # The densities' ratio of being right to being wrong is exp(2 a score).
        odds = [THERE / len(hypotheses) * math.exp(2 * mean * scores[h]) for h in hypotheses]
        total = sum(odds) + 1 - THERE
        posterior |= {h: odd / total for h, odd in zip(hypotheses, odds, strict=True)}

    tables = {CATEGORY: gold.categories, **gold.attributes}
    soft: dict[str, Categorical] = {}
    crisp: dict[str, Categorical] = {}
    for name in (CATEGORY, *VALUES):
        values = tables[name].values
        true = tables[name].probabilities.argmax(1)[place].tolist()
        if not as_released:
            true = [draw.randrange(len(values)) for _ in place]
        seen = _look(true, len(values), error, draw)
        given = torch.ones(len(place), dtype=torch.bool)
        soft[name] = Categorical(values, seen, given, "simulated")
        rows = torch.nn.functional.one_hot(torch.tensor(true), len(values)).float()
        crisp[name] = Categorical(values, rows, given, "simulated")
    # Two hypotheses of one thing are at one place: neither is left of the other.
    placed = replace(gold, existence=torch.zeros(len(gold)))[place]
    boxes = placed.boxes.clone()
    boxes[len(gold) :, [0, 2]] += SHIFT
    known = {name: placed.attributes[name] for name in sorted(KNOWN)}
    existing = torch.tensor([float(right[at] == h) for h, at in enumerate(place)])
    scene = replace(
        placed,
        boxes=boxes,
        existence=torch.tensor([posterior[h] for h in range(len(place))], dtype=torch.float32),
        groups=torch.tensor(place, dtype=torch.int64),
        categories=soft.pop(CATEGORY),
        attributes=soft | known,
        pixels=None,
        provenance={"perception": f"simulated, error {error}"},
    )
    truth = replace(
        scene, existence=existing, categories=crisp.pop(CATEGORY), attributes=crisp | known
    )
    return Observation(scene, truth)


def _look(true: list[int], count: int, error: float, draw: random.Random) -> Tensor:
    """[hypothesis, value]: the posterior of each value, given the classifier's scores."""
    mean = separation(count, error)
    rows = [
        [draw.gauss(mean if value == column else 0.0, 1) for column in range(count)]
        for value in true
    ]
    return (mean * torch.tensor(rows, dtype=torch.float64)).softmax(1).float()


@cache
def separation(count: int, error: float) -> float:
    """The mean of the true value's score at which another of ``count`` scores is highest so often.

    The error at a mean b is 1 - E[F(z + b) ** (count - 1)] for a standard normal z with
    distribution function F; it falls with b, so that halving an interval finds it.
    """
    normal = NormalDist()
    grid = [normal.inv_cdf((k + 0.5) / 2000) for k in range(2000)]

    def wrong(mean: float) -> float:
        return 1 - sum(normal.cdf(z + mean) ** (count - 1) for z in grid) / len(grid)

    low, high = 0.0, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if wrong(middle) > error else (low, middle)
    return high
