"""How good probabilities are: calibration error, Brier score, log likelihood. Defined once.

Events are binary: a probability p was stated, and the event happened (1) or not (0). Distributions
are categorical: a row of probabilities was stated over classes, one of which was true. Every
function takes tensors, arrays or sequences, computes in float64, and answers with a float; lower
is better throughout.

Sources:
    - Expected calibration error: M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well
      calibrated probabilities using Bayesian binning", AAAI 2015; for the likeliest class of a
      classifier, with 15 bins of equal width: C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On
      calibration of modern neural networks", ICML 2017.
    - Bins of equal mass, and the error class by class: J. Nixon et al., "Measuring calibration in
      deep learning", CVPR workshops 2019; M. Kull et al., "Beyond temperature scaling", NeurIPS
      2019.
    - What chance alone would show: J. Bröcker, L. A. Smith, "Increasing the reliability of
      reliability diagrams", Weather and Forecasting 22, 2007.
    - Brier score: G. W. Brier, "Verification of forecasts expressed in terms of probability",
      Monthly Weather Review 78, 1950.
    - Log likelihood as what a calibration is fitted by: J. Platt, "Probabilistic outputs for
      support vector machines", 1999.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from neurosym.errors import DataError, OptionError

Numbers: TypeAlias = Tensor | Sequence[Any] | Any
"""A tensor, a numpy array, or a (nested) sequence of numbers."""
Binning: TypeAlias = Literal["width", "mass"]
"""Bins of equal width over [0, 1], or bins that hold equally many events."""

BINS = 15
"""How many bins Guo et al. (2017) use."""
LEAST = 1e-12
"""No probability counts as less in a logarithm, so that one sure mistake has a finite cost."""
_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Bin:
    """The events of one bin of a reliability diagram.

    Attributes:
        count: how many events it holds, at least 1.
        confidence: the mean of their probabilities, in [0, 1].
        frequency: the share of them that happened, in [0, 1].
    """

    count: int
    confidence: float
    frequency: float


def reliability(
    probabilities: Numbers, outcomes: Numbers, bins: int = BINS, binning: Binning = "width"
) -> list[Bin]:
    """What a reliability diagram shows: the bins that are not empty, from low to high.

    Args:
        probabilities: [event] in [0, 1].
        outcomes: [event] bool, or numbers 0 and 1: whether the event happened.
        bins: how many bins, at least 1.
        binning: ``"width"`` cuts [0, 1] into intervals of equal width, each with its lower end
            and without its upper one, but for the last, which has both. ``"mass"`` cuts the
            sorted probabilities into runs of equal length; equal probabilities share the bin that
            the first of them falls into, so that the order of the events does not matter.

    Raises:
        DataError: the numbers are no events.
        OptionError: ``bins`` or ``binning`` is not what it may be.

    Example:
        >>> reliability([0.1, 0.1, 0.9], [0, 1, 1], bins=2)
        [Bin(count=2, confidence=0.1, frequency=0.5), Bin(count=1, confidence=0.9, frequency=1.0)]
    """
    stated, happened = _events(probabilities, outcomes)
    if bins < 1:
        raise OptionError(f"bins must be at least 1, not {bins}")
    if binning == "width":
        place = (stated * bins).long().clamp(max=bins - 1)
    elif binning == "mass":
        ordered = stated.sort().values
        first = torch.searchsorted(ordered, stated)
        place = first * bins // len(stated)
    else:
        raise OptionError(f'binning must be "width" or "mass", not "{binning}"')
    found = []
    for number in sorted(set(place.tolist())):
        inside = place == number
        found.append(
            Bin(int(inside.sum()), float(stated[inside].mean()), float(happened[inside].mean()))
        )
    return found


def expected_calibration_error(
    probabilities: Numbers, outcomes: Numbers, bins: int = BINS, binning: Binning = "width"
) -> float:
    """The gap between stated and observed frequency, averaged over events by bins.

    ECE = sum over bins of count / n * |frequency - confidence| (Naeini et al., 2015). It is 0
    when every bin's events happen as often as was said. With few events per bin it is biased
    upwards, so that figures are comparable only for one number of events and bins.

    Args:
        probabilities: [event] in [0, 1].
        outcomes: [event] bool, or numbers 0 and 1.
        bins: how many bins.
        binning: see :func:`reliability`.

    Returns:
        The error in [0, 1].

    Raises:
        DataError: the numbers are no events.
        OptionError: ``bins`` or ``binning`` is not what it may be.

    Example:
        >>> round(expected_calibration_error([0.8, 0.8, 0.8, 0.8], [1, 1, 0, 0]), 3)
        0.3
    """
    found = reliability(probabilities, outcomes, bins, binning)
    total = sum(one.count for one in found)
    return sum(one.count / total * abs(one.frequency - one.confidence) for one in found)


def calibration_error_by_chance(
    probabilities: Numbers,
    bins: int = BINS,
    binning: Binning = "width",
    *,
    draws: int = 200,
    seed: int = 0,
) -> float:
    """The calibration error that these probabilities would show were they exactly right.

    Outcomes are drawn from the probabilities themselves, and the errors averaged (consistency
    resampling, Bröcker and Smith, 2007). A measured error that is no larger is no sign of
    miscalibration, only of few events. For the likeliest class of distributions, give its
    probabilities.

    Args:
        probabilities: [event] in [0, 1].
        bins: how many bins.
        binning: see :func:`reliability`.
        draws: how often outcomes are drawn, at least 1.
        seed: of the draws.

    Returns:
        The mean error in [0, 1].

    Raises:
        DataError: the numbers are no probabilities.
        OptionError: ``bins``, ``binning`` or ``draws`` is not what it may be.

    Example:
        >>> calibration_error_by_chance([0.5], draws=10)
        0.5
    """
    if draws < 1:
        raise OptionError(f"draws must be at least 1, not {draws}")
    stated = _in_range(_numbers("probabilities", probabilities, 1))
    generator = torch.Generator().manual_seed(seed)
    errors = 0.0
    for _ in range(draws):
        happened = torch.rand(len(stated), generator=generator, dtype=torch.float64) < stated
        errors += expected_calibration_error(stated, happened, bins, binning)
    return errors / draws


def brier_score(probabilities: Numbers, outcomes: Numbers) -> float:
    """The mean squared difference between probability and outcome of binary events.

    This is half of what Brier (1950) sums over the two classes; in [0, 1].

    Args:
        probabilities: [event] in [0, 1].
        outcomes: [event] bool, or numbers 0 and 1.

    Raises:
        DataError: the numbers are no events.

    Example:
        >>> brier_score([1.0, 0.5], [1, 0])
        0.125
    """
    stated, happened = _events(probabilities, outcomes)
    return float((stated - happened).square().mean())


def negative_log_likelihood(probabilities: Numbers, outcomes: Numbers) -> float:
    """The mean of -log of what was said of what happened, for binary events, in nats.

    Args:
        probabilities: [event] in [0, 1]; see :data:`LEAST` for those at the ends.
        outcomes: [event] bool, or numbers 0 and 1.

    Raises:
        DataError: the numbers are no events.

    Example:
        >>> round(negative_log_likelihood([0.5, 0.5], [1, 0]), 4)
        0.6931
    """
    stated, happened = _events(probabilities, outcomes)
    said = torch.where(happened == 1, stated, 1 - stated)
    return float(-said.clamp(min=LEAST).log().mean())


def top_label_calibration_error(
    distributions: Numbers, classes: Numbers, bins: int = BINS, binning: Binning = "width"
) -> float:
    """The calibration error of the likeliest class (Guo et al., 2017).

    Args:
        distributions: [row, class] in [0, 1], rows sum to 1.
        classes: [row] integers, the true class of each row.
        bins: how many bins.
        binning: see :func:`reliability`.

    Raises:
        DataError: the numbers are no distributions, or no classes of them.

    Example:
        >>> top_label_calibration_error([[0.75, 0.25]] * 4, [0, 0, 0, 1])
        0.0
    """
    stated, truth = _rows(distributions, classes)
    sure, chosen = stated.max(dim=1)
    return expected_calibration_error(sure, chosen == truth, bins, binning)


def classwise_calibration_error(
    distributions: Numbers, classes: Numbers, bins: int = BINS, binning: Binning = "width"
) -> float:
    """The calibration error of each class against the rest, averaged over classes.

    Args:
        distributions: [row, class] in [0, 1], rows sum to 1.
        classes: [row] integers, the true class of each row.
        bins: how many bins.
        binning: see :func:`reliability`.

    Raises:
        DataError: the numbers are no distributions, or no classes of them.

    Example:
        >>> classwise_calibration_error([[0.75, 0.25]] * 4, [0, 0, 0, 1])
        0.0
    """
    stated, truth = _rows(distributions, classes)
    errors = [
        expected_calibration_error(stated[:, number], truth == number, bins, binning)
        for number in range(stated.shape[1])
    ]
    return sum(errors) / len(errors)


def categorical_brier_score(distributions: Numbers, classes: Numbers) -> float:
    """Brier's score (1950): squared differences summed over classes, averaged; in [0, 2].

    Args:
        distributions: [row, class] in [0, 1], rows sum to 1.
        classes: [row] integers, the true class of each row.

    Raises:
        DataError: the numbers are no distributions, or no classes of them.

    Example:
        >>> categorical_brier_score([[1.0, 0.0], [0.5, 0.5]], [0, 0])
        0.25
    """
    stated, truth = _rows(distributions, classes)
    wanted = torch.nn.functional.one_hot(truth, stated.shape[1])
    return float((stated - wanted).square().sum(dim=1).mean())


def categorical_negative_log_likelihood(distributions: Numbers, classes: Numbers) -> float:
    """The mean of -log of the true class's probability, in nats.

    Args:
        distributions: [row, class] in [0, 1], rows sum to 1; see :data:`LEAST` for zeros.
        classes: [row] integers, the true class of each row.

    Raises:
        DataError: the numbers are no distributions, or no classes of them.

    Example:
        >>> round(categorical_negative_log_likelihood([[0.5, 0.5]], [1]), 4)
        0.6931
    """
    stated, truth = _rows(distributions, classes)
    said = stated.gather(1, truth[:, None])
    return float(-said.clamp(min=LEAST).log().mean())


def _numbers(name: str, values: Numbers, axes: int) -> Tensor:
    try:
        found = torch.as_tensor(values, dtype=torch.float64).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"{name} must be numbers: {error}") from error
    if found.ndim != axes or found.shape[0] == 0:
        raise DataError(f"{name} must have {axes} axes and a row, not the shape {[*found.shape]}")
    if not bool(found.isfinite().all()):
        raise DataError(f"{name} must be finite")
    return found


def _events(probabilities: Numbers, outcomes: Numbers) -> tuple[Tensor, Tensor]:
    stated = _numbers("probabilities", probabilities, 1)
    happened = _numbers("outcomes", outcomes, 1)
    if stated.shape != happened.shape:
        raise DataError(f"{len(stated)} probabilities need as many outcomes, not {len(happened)}")
    if not bool(((happened == 0) | (happened == 1)).all()):
        raise DataError("outcomes must be true or false, 1 or 0")
    return _in_range(stated), happened


def _rows(distributions: Numbers, classes: Numbers) -> tuple[Tensor, Tensor]:
    stated = _in_range(_numbers("distributions", distributions, 2))
    truth = _numbers("classes", classes, 1)
    if len(stated) != len(truth):
        raise DataError(f"{len(stated)} distributions need as many classes, not {len(truth)}")
    if not bool(((stated.sum(dim=1) - 1).abs() < _SUM_TOLERANCE).all()):
        raise DataError("every distribution must sum to 1")
    if not bool(((truth >= 0) & (truth < stated.shape[1]) & (truth == truth.floor())).all()):
        raise DataError(f"classes must be integers from 0 to {stated.shape[1] - 1}")
    return stated, truth.long()


def _in_range(stated: Tensor) -> Tensor:
    # Sums of float32 numbers may pass 1 by a little; scenes allow it too.
    if not bool(((stated >= 0) & (stated <= 1 + 1e-6)).all()):
        raise DataError("probabilities must lie in [0, 1]")
    return stated.clamp(max=1.0)
