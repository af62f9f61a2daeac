"""Fits and measures the colour models on named colours and on objects of Visual Genome.

    python benchmarks/fit_colours.py --data FOLDER --survey FILE [--weights FOLDER] [--write]

FOLDER holds ``vg/objects.json`` (objects with boxes and attributes, ``has_image``) and
``vg/images/<image_id>.jpg``. An object counts when exactly one basic colour word is among its
attributes; its mask is MobileSAM's for its box. FILE is the table of the xkcd colour survey
(https://xkcd.com/color/rgb.txt, CC0), which the pixel model is fitted on.

The object model is a multinomial logistic regression whose first term is the logarithm of the mean
pixel score, so that with weights of zero it is a vote of the pixels. The survey's plain colours
join as flat objects, equally many of each colour: the photographs show few orange, pink and purple
things, and a colour must not be unlearned for being rare there. Every reported number is
cross-validated over images, with intervals from resampling images.

A temperature is fitted on what models say of objects of images that they did not see; it is stored
when it lowers the log loss (in the report, "at_a_temperature": there it was fitted on other images
than those that it is measured on). ``ece`` is that of the likeliest word over 15 bins of equal
width, ``ece_by_chance`` what the same distributions would show were they exactly right.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from neurosym.metrics import (
    calibration_error_by_chance,
    categorical_brier_score,
    categorical_negative_log_likelihood,
    top_label_calibration_error,
)
from neurosym.perception.calibration import Temperature
from neurosym.perception.colours import (
    AS_IT_IS,
    COLOURS,
    ColourModel,
    eroded,
    object_statistics,
    pixel_features,
    quantised,
    to_lab,
)
from neurosym.perception.mobile_sam import MobileSam

TARGET = Path(__file__).parents[1] / "perception" / "data" / "colours.json"
FOLDS = 8
FLOOR = 0.01
FLAT_OBJECTS = 90.0
RESAMPLES = 1000
ATTRIBUTION = (
    "Fitted on object attributes of Visual Genome (Krishna et al., 2017), "
    "https://visualgenome.org, licensed under CC BY 4.0, "
    "https://creativecommons.org/licenses/by/4.0/; only statistics of them are stored here."
)
# What the last word of a name in the survey says in basic colours. Names that end in none of these
# words are left out.
MEANINGS: dict[str, dict[str, float]] = {
    **{colour: {colour: 1.0} for colour in COLOURS},
    "grey": {"gray": 1},
    "greyish": {"gray": 1},
    "charcoal": {"black": 0.4, "gray": 0.6},
    "slate": {"gray": 0.7, "blue": 0.3},
    "cream": {"white": 0.7, "yellow": 0.3},
    "ivory": {"white": 1},
    "tan": {"brown": 1},
    "taupe": {"brown": 0.6, "gray": 0.4},
    "beige": {"brown": 0.5, "white": 0.5},
    "sand": {"brown": 1},
    "chocolate": {"brown": 1},
    "umber": {"brown": 1},
    "sienna": {"brown": 1},
    "bronze": {"brown": 1},
    "khaki": {"brown": 0.5, "green": 0.5},
    "olive": {"green": 1},
    "lime": {"green": 1},
    "mint": {"green": 1},
    "sage": {"green": 1},
    "seafoam": {"green": 1},
    "teal": {"green": 0.5, "blue": 0.5},
    "aquamarine": {"green": 0.6, "blue": 0.4},
    "turquoise": {"green": 0.4, "blue": 0.6},
    "aqua": {"green": 0.3, "blue": 0.7},
    "cyan": {"green": 0.2, "blue": 0.8},
    "navy": {"blue": 1},
    "azure": {"blue": 1},
    "sky": {"blue": 1},
    "periwinkle": {"blue": 0.5, "purple": 0.5},
    "indigo": {"blue": 0.4, "purple": 0.6},
    "lavender": {"purple": 1},
    "violet": {"purple": 1},
    "lilac": {"purple": 1},
    "plum": {"purple": 1},
    "eggplant": {"purple": 1},
    "mauve": {"purple": 0.6, "pink": 0.4},
    "magenta": {"purple": 0.4, "pink": 0.6},
    "fuchsia": {"pink": 1},
    "rose": {"pink": 0.8, "red": 0.2},
    "salmon": {"pink": 0.6, "orange": 0.4},
    "peach": {"orange": 0.6, "pink": 0.4},
    "maroon": {"red": 0.8, "brown": 0.2},
    "burgundy": {"red": 0.9, "purple": 0.1},
    "wine": {"red": 0.7, "purple": 0.3},
    "crimson": {"red": 1},
    "scarlet": {"red": 1},
    "cherry": {"red": 1},
    "gold": {"yellow": 1},
    "mustard": {"yellow": 1},
    "lemon": {"yellow": 1},
}
# The survey's monitors made these two names brighter than any photograph would.
LEFT_OUT = {"very light pink", "pale grey"}
# The survey has few greys: steps of 15 from black to white, each with seven faint tints.
TINTS = ((0, 0, 0), (6, 0, -6), (-6, 0, 6), (0, 4, -4), (4, -4, 0), (-4, 4, 4), (10, 4, -6))

# In shadow these colours keep their names, whereas yellow and orange turn brown. The survey has few
# such shades, so darker copies of its colours join it.
KEPT_IN_SHADOW = ("red", "green", "blue", "purple")
SHADOWS = (0.6, 0.35)


@dataclass(frozen=True)
class Named:
    """Colours with what they are called: rgb [n, 3] uint8, meanings [n, 11], weights [n]."""

    rgb: Tensor
    meanings: Tensor
    weights: Tensor


@dataclass(frozen=True)
class Objects:
    """Objects of photographs: statistics [n, 16], colour indices [n], image numbers [n]."""

    statistics: Tensor
    colours: Tensor
    images: Tensor


def named_colours(survey: Path) -> Named:
    """The survey's names and the ramp of greys."""
    rows: list[tuple[tuple[int, ...], dict[str, float], float]] = []
    for line in survey.read_text("utf-8").splitlines():
        if line.startswith("#") or "\t" not in line:
            continue
        name, code = line.split("\t")[:2]
        meaning = MEANINGS.get(re.split("[ /]", name)[-1])
        if meaning is not None and name not in LEFT_OUT:
            rgb = tuple(int(code[i : i + 2], 16) for i in (1, 3, 5))
            rows.append((rgb, meaning, 1.0))
            for colour in KEPT_IN_SHADOW:
                if meaning.get(colour, 0) > 0.75:
                    shade = {colour: 0.7, "black": 0.3}
                    rows += [(tuple(int(v * s) for v in rgb), shade, 0.5) for s in SHADOWS]
    for level in range(0, 256, 15):
        for tint in TINTS:
            rgb = tuple(min(255, max(0, level + step)) for step in tint)
            rows.append((rgb, _grey(level), 2.0))
    meanings = torch.zeros(len(rows), len(COLOURS))
    for index, (_, meaning, _) in enumerate(rows):
        for colour, share in meaning.items():
            meanings[index, COLOURS.index(colour)] = share
    rgb_values = torch.tensor([row[0] for row in rows], dtype=torch.uint8)
    return Named(rgb_values, meanings, torch.tensor([row[2] for row in rows]))


def _grey(level: int) -> dict[str, float]:
    """What a grey is called: black up to 30, gray from 90 to 165, white from 225."""
    if level < 90:
        black = min(1.0, max(0.0, (95 - level) / 65)) ** 0.7
        return {"black": black, "gray": 1 - black}
    white = min(1.0, max(0.0, (level - 165) / 55))
    return {"white": white, "gray": 1 - white}


def minimised(loss: Callable[[], Tensor], parameters: list[Tensor]) -> None:
    """Brings ``parameters`` to the least loss."""
    optimizer = torch.optim.LBFGS(parameters, max_iter=400, line_search_fn="strong_wolfe")

    def step() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(step)  # type: ignore[no-untyped-call]


def cross_entropy(logits: Tensor, meanings: Tensor, weights: Tensor) -> Tensor:
    return -(weights[:, None] * meanings * logits.log_softmax(dim=1)).sum()


def fit_pixels(named: Named) -> Tensor:
    """[13, 11] weights of the pixel model."""
    features = pixel_features(to_lab(named.rgb[:, None])[:, 0]).double()
    meanings = named.meanings.double()
    # Between equal names and equal colours: a colour with many names counts with their root.
    frequency = (meanings * named.weights[:, None]).sum(dim=0)
    rarity = (meanings / frequency.sqrt()).sum(dim=1)
    weights = named.weights.double() * rarity / rarity.mean()
    pixel = torch.zeros(features.shape[1], len(COLOURS), dtype=torch.float64, requires_grad=True)
    minimised(
        lambda: cross_entropy(features @ pixel, meanings, weights) + 0.05 * pixel.square().sum(),
        [pixel],
    )
    return rounded(pixel)


def fit_objects(model: ColourModel, objects: Objects, flat: Named, table: Tensor) -> ColourModel:
    """The model with its object part fitted on these objects and on flat ones."""
    plain = flat.meanings.amax(dim=1) > 0.9
    bins = quantised(flat.rgb[plain][:, None]).flatten().long()
    one = torch.ones(1)
    flat_statistics = torch.stack([object_statistics(table, row[None], one) for row in bins])
    flat_meanings = flat.meanings[plain]
    shares = (flat_meanings / flat_meanings.sum(dim=0)).sum(dim=1)
    truth = torch.nn.functional.one_hot(objects.colours, len(COLOURS))
    statistics = torch.cat([objects.statistics, flat_statistics])
    meanings = torch.cat([truth.float(), flat_meanings])
    weights = torch.cat([torch.ones(len(truth)), FLAT_OBJECTS * shares / shares.sum()])
    votes, rest = statistics[:, : len(COLOURS)], statistics[:, len(COLOURS) :]
    votes = (votes + FLOOR).log()
    slope = torch.ones(1, requires_grad=True)
    bias = torch.zeros(len(COLOURS), requires_grad=True)
    matrix = torch.zeros(rest.shape[1], len(COLOURS), requires_grad=True)

    def loss() -> Tensor:
        value = cross_entropy(slope * votes + bias + rest @ matrix, meanings, weights)
        pull = 10 * (slope - 1).square().sum() + bias.square().sum()
        return value + pull + 2 * matrix.square().sum()

    minimised(loss, [slope, bias, matrix])
    return replace(
        model,
        slope=round(slope.item(), 3),
        floor=FLOOR,
        bias=rounded(bias),
        weights=rounded(matrix),
    )


def rounded(values: Tensor) -> Tensor:
    return (values.detach() * 1000).round().float() / 1000


def read_objects(folder: Path, segmenter: MobileSam, table: Tensor) -> Objects:
    """The objects with exactly one basic colour word, of the images with pixels."""
    statistics, colours, images = [], [], []
    for record in json.loads((folder / "objects.json").read_text("utf-8")):
        if not record["has_image"]:
            continue
        boxes, words = [], []
        for thing in record["objects"]:
            said = {word.lower().strip().replace("grey", "gray") for word in thing["attributes"]}
            basic = said & set(COLOURS)
            if len(basic) == 1:
                x, y, width, height = thing["bbox"]
                boxes.append([x, y, x + width, y + height])
                words.append(COLOURS.index(basic.pop()))
        with Image.open(folder / "images" / f"{record['image_id']}.jpg") as file:
            photo = np.array(file.convert("RGB"))
        places = torch.tensor(boxes, dtype=torch.float32).view(-1, 4)
        masks, _ = segmenter.masks(segmenter.encode(photo), places)
        bins = quantised(torch.from_numpy(photo))
        for mask, word in zip(masks, words, strict=True):
            here = bins[eroded(mask)].long()
            if len(here):
                statistics.append(object_statistics(table, here, torch.ones(len(here))))
                colours.append(word)
                images.append(record["image_id"])
    return Objects(torch.stack(statistics), torch.tensor(colours), torch.tensor(images))


def cross_validated(
    model: ColourModel, objects: Objects, flat: Named, table: Tensor
) -> tuple[Tensor, Tensor]:
    """[n, 11] distributions by models that saw no object of the same image, and [n] folds."""
    numbers = torch.unique(objects.images)
    order = torch.randperm(len(numbers), generator=torch.Generator().manual_seed(0))
    fold_of = {int(numbers[place]): rank % FOLDS for rank, place in enumerate(order.tolist())}
    folds = torch.tensor([fold_of[int(number)] for number in objects.images])
    found = torch.zeros(len(folds), len(COLOURS))
    for fold in range(FOLDS):
        train = folds != fold
        seen = Objects(objects.statistics[train], objects.colours[train], objects.images[train])
        fitted = fit_objects(model, seen, flat, table)
        found[~train] = fitted.distribution(objects.statistics[~train])
    return found, folds


def measure(found: Tensor, objects: Objects) -> dict[str, float]:
    """The figures of [n, 11] distributions, some with 95 % intervals over images."""
    truth, images = objects.colours, objects.images
    right = (found.argmax(dim=1) == truth).float()
    row = torch.arange(len(truth))
    second = (found.topk(2, dim=1).indices == truth[:, None]).any(dim=1).float()
    same = images[:, None] == images[None, :]
    differ = same & (truth[:, None] != truth[None, :])
    own, other = found.log()[row, truth], found.log()[:, truth]
    # pick[i, j]: of i and j, i fits i's word better. swap: the two words are the right way round.
    pick = (own[:, None] > other.T).float()
    swap = (own[:, None] + own[None, :] > other + other.T).float()
    result = {
        "objects": float(len(truth)),
        "images": float(len(torch.unique(images))),
        "accuracy": float(right.mean()),
        "top2": float(second.mean()),
        "log_loss": categorical_negative_log_likelihood(found, truth),
        "ece": top_label_calibration_error(found, truth),
        "ece_by_chance": calibration_error_by_chance(found.amax(dim=1)),
        "brier": categorical_brier_score(found, truth),
        "pairs_one_word": float(pick[differ].mean()),
        "pairs_two_words": float(swap[differ].mean()),
    }
    numbers = torch.unique(images)
    member = (images[:, None] == numbers[None, :]).float()
    sums = member.T @ torch.stack([right, torch.ones_like(right)], dim=1)
    by_image = torch.stack([(pick * differ).sum(dim=1), differ.float().sum(dim=1)], dim=1)
    pair_sums = member.T @ by_image
    generator = torch.Generator().manual_seed(0)
    draws = torch.randint(len(numbers), (RESAMPLES, len(numbers)), generator=generator)
    for name, table in (("accuracy", sums), ("pairs_one_word", pair_sums)):
        totals = table[draws].sum(dim=1)
        ratio = totals[:, 0] / totals[:, 1]
        result[f"{name}_low"] = float(ratio.quantile(0.025))
        result[f"{name}_high"] = float(ratio.quantile(0.975))
    return {name: round(value, 4) for name, value in result.items()}


def at_a_temperature(found: Tensor, folds: Tensor, colours: Tensor) -> Tensor:
    """[n, 11] cross-validated distributions, each at the temperature that other folds ask for."""
    warmed = found.clone()
    for fold in range(FOLDS):
        others = folds != fold
        warmed[~others] = Temperature.fit(found[others], colours[others])(found[~others])
    return warmed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds vg/")
    parser.add_argument(
        "--survey", type=Path, required=True, help="rgb.txt of the xkcd colour survey"
    )
    parser.add_argument("--weights", type=Path, help="folder with mobile_sam.pt")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    weights = arguments.weights
    if weights is None:
        from neurosym.models.store import path_of

        weights = path_of("mobile-sam")
    named = named_colours(arguments.survey)
    nothing = torch.zeros(5, len(COLOURS))
    model = ColourModel(fit_pixels(named), 1.0, FLOOR, nothing[0], nothing)
    table = model.table()
    objects = read_objects(arguments.data / "vg", MobileSam.load(weights / "mobile_sam.pt"), table)
    found, folds = cross_validated(model, objects, named, table)
    warmed = at_a_temperature(found, folds, objects.colours)
    plain, warm = measure(found, objects), measure(warmed, objects)
    fitted = Temperature.fit(found, objects.colours)
    temperature = Temperature(round(fitted.temperature, 3))
    if warm["log_loss"] >= plain["log_loss"]:
        temperature = AS_IT_IS
    votes = objects.statistics[:, : len(COLOURS)] + FLOOR
    model = fit_objects(model, objects, named, table)
    record = {
        "colours": list(COLOURS),
        "pixel": model.pixel.tolist(),
        "slope": model.slope,
        "floor": model.floor,
        "bias": model.bias.tolist(),
        "weights": model.weights.tolist(),
        "temperature": temperature.to_document(),
        "fitted_on": (
            f"{len(objects.colours)} objects of {len(torch.unique(objects.images))} "
            f"Visual Genome images, {datetime.date.today().isoformat()}"
        ),
        "provenance": {
            "script": "benchmarks/fit_colours.py",
            "pixel": "names of the xkcd colour survey (CC0, https://xkcd.com/color/rgb.txt)",
            "attribution": ATTRIBUTION,
            "masks": "MobileSAM from the annotated box",
            "cross_validated": plain,
            "at_a_temperature": warm,
            "vote_of_the_pixels": measure(votes / votes.sum(dim=1, keepdim=True), objects),
        },
    }
    text = json.dumps(record, indent=1)
    # Rows of numbers stay on one line.
    text = re.sub(r"\[[^\[\]]*\]", lambda found: re.sub(r"\s+", " ", found.group()), text) + "\n"
    text = re.sub(r"(-?\d+\.\d{3})\d*", lambda found: f"{float(found.group()):.3f}", text)
    print(text, end="")
    if arguments.write:
        TARGET.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
