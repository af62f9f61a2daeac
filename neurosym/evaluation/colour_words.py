"""Colour words of objects whose masks come from gold boxes, against what people called them.

The files are Visual Genome's: ``objects.json``, a list of images with ``image_id``, ``has_image``
(when left out, the picture is there) and ``objects`` with ``names``, ``bbox`` (x, y, width, height)
and ``attributes``; ``images/<image_id>.jpg``. An object counts when exactly one of the eleven basic
colour words is among its attributes ("grey" is "gray").

``accuracy`` is the share of objects whose likeliest word is theirs. *Telling two apart* is over the
ordered pairs of objects of one picture with different words: whether, of the two, the first one
fits its own word better (``one word``: pick the red one), and whether the two words are the right
way round (``two words``). Intervals are from resampling pictures.

The colour model of the package was fitted on the 24 development pictures: there these are figures
of the data it has seen. ``benchmarks/fit_colours.py`` gives cross-validated ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from neurosym.errors import DataError, NeurosymError, OptionError, PerceptionError
from neurosym.evaluation.measures import Figure, Report
from neurosym.evaluation.photographs import bar, drawn
from neurosym.metrics import (
    calibration_error_by_chance,
    categorical_brier_score,
    categorical_negative_log_likelihood,
    top_label_calibration_error,
)
from neurosym.perception.calibration import LEAST
from neurosym.perception.colours import COLOURS
from neurosym.perception.images import load_image
from neurosym.perception.photo import COLOR, Photo, PhotoPixels
from neurosym.perception.pipeline import PEOPLE, Pipeline

if TYPE_CHECKING:
    from neurosym.perception.base import Perception

RESAMPLES = 1000


@dataclass(frozen=True)
class Picture:
    """A picture and its objects with one basic colour word.

    Attributes:
        number: its identifier.
        path: of the picture.
        boxes: [object, 4] float32 xyxy, absolute pixels.
        nouns: the first name of each object.
        people: [object] bool: it is a person, whose colour is that of the clothes.
        colours: [object] int64, the place of its word among COLOURS.
    """

    number: int
    path: Path
    boxes: Tensor
    nouns: tuple[str, ...]
    people: Tensor
    colours: Tensor


def read_pictures(folder: Path, limit: int | None = None) -> list[Picture]:
    """The pictures of a folder that are there, in the file's order.

    Args:
        folder: holds ``objects.json`` and ``images/``.
        limit: take so many, see :func:`neurosym.evaluation.photographs.drawn`.

    Raises:
        DataError: the file cannot be read or is not of its form.
        OptionError: the limit is not positive.
    """
    path = folder / "objects.json"
    try:
        records = [r for r in json.loads(path.read_text("utf-8")) if r.get("has_image", True)]
        records = drawn(records, [str(record["image_id"]) for record in records], limit)
        return [_picture(folder, record) for record in records]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f'cannot read "{path}": {error!r}') from error


def _picture(folder: Path, record: Mapping[str, Any]) -> Picture:
    boxes, nouns, colours = [], [], []
    for thing in record["objects"]:
        said = {word.lower().strip().replace("grey", "gray") for word in thing["attributes"]}
        basic = said & set(COLOURS)
        if len(basic) == 1:
            x, y, width, height = thing["bbox"]
            boxes.append([x, y, x + width, y + height])
            nouns.append(str(thing["names"][0]).lower() if thing.get("names") else "thing")
            colours.append(COLOURS.index(basic.pop()))
    return Picture(
        record["image_id"],
        folder / "images" / f"{record['image_id']}.jpg",
        torch.tensor(boxes, dtype=torch.float32).view(-1, 4),
        tuple(nouns),
        torch.tensor([noun in PEOPLE for noun in nouns], dtype=torch.bool),
        torch.tensor(colours, dtype=torch.int64),
    )


def measure(
    folder: Path, perception: Perception, *, limit: int | None = None, progress: bool = False
) -> Report:
    """The figures; see :meth:`neurosym.evaluation.measures.Measure.run`."""
    if not isinstance(perception, Pipeline):
        raise OptionError("colours are measured of a pipeline, which takes gold boxes")
    pictures = read_pictures(folder, limit)
    tables, lines, failures = [], [], []
    for picture in bar(pictures, progress):
        # What is not scored is as wrong as a guess.
        table = torch.full((len(picture.nouns), len(COLOURS)), 1 / len(COLOURS))
        line: dict[str, Any] = {"image": picture.path.name}
        try:
            table = _scores(picture, perception)
        except NeurosymError as error:
            if not isinstance(error, PerceptionError | DataError):
                raise
            failures.append(error.message)
            line["problem"] = error.message
        tables.append(table)
        line["objects"] = [
            {
                "noun": noun,
                "box": box,
                "colour": COLOURS[truth],
                "said": COLOURS[int(row.argmax())],
                "probability": round(float(row[truth]), 4),
            }
            for noun, box, truth, row in zip(
                picture.nouns,
                picture.boxes.tolist(),
                picture.colours.tolist(),
                table,
                strict=True,
            )
        ]
        lines.append(line)
    if failures and len(failures) == len(pictures):
        raise PerceptionError(f"no picture could be looked at: {failures[0]}")
    truth = torch.cat([picture.colours for picture in pictures]) if pictures else torch.zeros(0)
    if not len(truth):
        raise DataError(f'no object in "{folder}" has one basic colour word')
    owners = torch.cat([torch.full_like(p.colours, n) for n, p in enumerate(pictures)])
    figures = {
        "pictures": Figure(len(pictures), len(pictures), "pictures"),
        "failures": Figure(len(failures), len(pictures), "pictures"),
        **colour_figures(torch.cat(tables), truth, owners),
    }
    return Report("colours", perception.name, figures, lines)


def _scores(picture: Picture, pipeline: Pipeline) -> Tensor:
    """[object, 11] of a picture's objects."""
    pixels = PhotoPixels(
        Photo(load_image(picture.path)),
        picture.boxes,
        picture.nouns,
        picture.people.float(),
        torch.eye(len(picture.nouns)),
        pipeline,
    )
    found = pixels.score(COLOR, range(len(picture.nouns)))
    if found is None:
        raise OptionError("this perception gives no colours")
    return found


def colour_figures(found: Tensor, truth: Tensor, pictures: Tensor) -> dict[str, Figure]:
    """What distributions over colour words are worth.

    Args:
        found: [object, 11], rows sum to 1.
        truth: [object] int64, the place of each object's word among COLOURS.
        pictures: [object] int64, which picture each object is in.
    """
    count = len(truth)
    row = torch.arange(count)
    right = (found.argmax(dim=1) == truth).double()
    second = (found.topk(2, dim=1).indices == truth[:, None]).any(dim=1).double()
    differ = (pictures[:, None] == pictures[None, :]) & (truth[:, None] != truth[None, :])
    logs = found.clamp_min(LEAST).log()
    own, other = logs[row, truth], logs[:, truth]
    one = (own[:, None] > other.T).double() * differ
    two = (own[:, None] + own[None, :] > other + other.T).double() * differ
    pairs = differ.double().sum(dim=1)
    objects = torch.ones(count, dtype=torch.float64)
    best = int(torch.bincount(truth).max())
    return {
        "accuracy": _share(right, objects, pictures, "objects"),
        "accuracy of the two likeliest": _share(second, objects, pictures, "objects"),
        "always the most frequent word": Figure(best / count, count, "objects"),
        "telling two apart, one word": _share(one.sum(dim=1), pairs, pictures, "pairs"),
        "telling two apart, two words": _share(two.sum(dim=1), pairs, pictures, "pairs"),
        "ECE": Figure(
            top_label_calibration_error(found, truth),
            count,
            "objects",
            by_chance=calibration_error_by_chance(found.amax(dim=1)),
        ),
        "Brier score": Figure(categorical_brier_score(found, truth), count, "objects"),
        "log loss": Figure(categorical_negative_log_likelihood(found, truth), count, "objects"),
    }


def _share(some: Tensor, whole: Tensor, pictures: Tensor, what: str) -> Figure:
    """A share with its 95 % interval; ``some`` and ``whole`` are [object] float64."""
    total = int(whole.sum())
    if not total:
        return Figure(None, 0, what)
    numbers, member = torch.unique(pictures, return_inverse=True)
    sums = torch.zeros(len(numbers), 2, dtype=torch.float64)
    sums.index_add_(0, member, torch.stack([some, whole], dim=1))
    generator = torch.Generator().manual_seed(0)
    draws = torch.randint(len(numbers), (RESAMPLES, len(numbers)), generator=generator)
    totals = sums[draws].sum(dim=1)
    ratios = (totals[:, 0] / totals[:, 1])[totals[:, 1] > 0]
    low, high = ratios.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return Figure(float(some.sum()) / total, total, what, interval=(low, high))
