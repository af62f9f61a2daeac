"""Fits the regions of common colour words that are not basic ones: "navy", "tan", "dark blue".

    python -m benchmarks.fit_common_colours --survey FILE [--data FOLDER] [--write]

FILE is the table of the xkcd colour survey (https://xkcd.com/color/rgb.txt, CC0). A word's region
is a logistic model on :func:`neurosym.perception.colours.pixel_features` that tells the survey's
names that hold the word ("navy", "dark navy blue") from all others, both sides counting equally.
``auc`` is cross-validated over names: how often a name that holds the word lies deeper in the
region than one that does not. Of the shades of a basic colour, two lightnesses are kept: of the
survey's "dark blue" and of its "light blue".

With FOLDER, which holds ``vg/`` as for ``benchmarks/fit_colours.py``, the words are tried on
objects of photographs: ``photographs`` says how often an object that is called so fits the word
better than one that is called by a basic colour word alone. They are few, so nothing is fitted on
them.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.fit_colours import MEANINGS, minimised, rounded
from neurosym.perception.colours import COLOURS, pixel_features, to_lab
from neurosym.perception.common_colours import common_colours, word_fits
from neurosym.perception.mobile_sam import MobileSam

TARGET = Path(__file__).parents[1] / "perception" / "data" / "common_colours.json"
WORDS: dict[str, dict[str, float]] = {
    **{
        word: MEANINGS[word]
        for word in (
            "cyan",
            "turquoise",
            "teal",
            "beige",
            "tan",
            "khaki",
            "navy",
            "gold",
            "maroon",
            "cream",
            "olive",
            "magenta",
            "violet",
            "lavender",
        )
    },
    "silver": {"gray": 1},
    "navy": {"blue": 1, "black": 0.5},
    "maroon": {"red": 1, "brown": 0.5},
    "cream": {"white": 1, "yellow": 0.5},
}
"""The words, and how far the basic colours go with them."""
SHADED = tuple(colour for colour in COLOURS if colour not in ("black", "white", "orange", "yellow"))
"""The basic colours of which people tell dark ones from light ones by these words."""
PENALTY = 0.01
FOLDS = 8


def read_survey(path: Path) -> tuple[list[str], Tensor]:
    """The survey's names, and CIELAB [n, 3]."""
    names, codes = [], []
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith("#") and "\t" in line:
            name, code = line.split("\t")[:2]
            names.append(name)
            codes.append([int(code[i : i + 2], 16) for i in (1, 3, 5)])
    return names, to_lab(torch.tensor(codes, dtype=torch.uint8)[:, None])[:, 0]


def fit_region(features: Tensor, holds: Tensor) -> Tensor:
    """[13] weights that tell the names that hold a word from the others."""
    weights = torch.zeros(features.shape[1], dtype=torch.float64, requires_grad=True)
    each = torch.where(holds, 10 / holds.sum().clamp_min(1), 10 / (~holds).sum())

    def loss() -> Tensor:
        fit = binary_cross_entropy_with_logits(
            features @ weights, holds.double(), weight=each, reduction="sum"
        )
        return fit + PENALTY * weights.square().sum()

    minimised(loss, [weights])
    return weights.detach()


def ahead(ones: Tensor, others: Tensor) -> float:
    """How often one of the first is greater than one of the second; ties count half."""
    more = (ones[:, None] > others).float() + 0.5 * (ones[:, None] == others).float()
    return round(float(more.mean()), 3)


def cross_validated(features: Tensor, holds: Tensor) -> float:
    generator = torch.Generator().manual_seed(0)
    folds = torch.randperm(len(holds), generator=generator) % FOLDS
    found = torch.zeros(len(holds), dtype=torch.float64)
    for fold in range(FOLDS):
        seen = folds != fold
        found[~seen] = features[~seen] @ fit_region(features[seen], holds[seen])
    return ahead(found[holds], found[~holds])


def fitted(survey: Path) -> dict[str, Any]:
    """What is written to the data file."""
    names, lab = read_survey(survey)
    features = pixel_features(lab).double()
    words = {}
    for word, basic in WORDS.items():
        holds = torch.tensor([word in re.split("[ /]", name) for name in names])
        words[word] = {
            "basic": basic,
            "region": rounded(fit_region(features, holds)).tolist(),
            "names": int(holds.sum()),
        }
        if words[word]["names"] >= 4:
            words[word]["auc"] = cross_validated(features, holds)
    survey_name = {"gray": "grey"}
    lightness = dict(zip(names, lab[:, 0].tolist(), strict=True))
    shades = {
        colour: {
            shade: round(lightness[f"{shade} {survey_name.get(colour, colour)}"], 1)
            for shade in ("dark", "light")
        }
        for colour in SHADED
    }
    return {
        "provenance": {
            "script": "benchmarks/fit_common_colours.py",
            "regions": "names of the xkcd colour survey (CC0, https://xkcd.com/color/rgb.txt)",
        },
        "words": words,
        "shades": shades,
    }


def on_photographs(folder: Path, segmenter: MobileSam) -> dict[str, Any]:
    """Of each word that objects of the photographs are called by: how many, and ``ahead``."""
    called: dict[str, list[float]] = {}
    rest: dict[str, list[float]] = {}
    same = {"grey": "gray", "golden": "gold"}
    for record in json.loads((folder / "objects.json").read_text("utf-8")):
        if not record["has_image"]:
            continue
        said = [
            {same.get(w, w) for a in thing["attributes"] for w in a.lower().split()}
            for thing in record["objects"]
        ]
        wanted = [bool(words & {*COLOURS, *common_colours()}) for words in said]
        said = [words for words, take in zip(said, wanted, strict=True) if take]
        boxes = torch.tensor(
            [t["bbox"] for t, take in zip(record["objects"], wanted, strict=True) if take],
            dtype=torch.float32,
        ).view(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        with Image.open(folder / "images" / f"{record['image_id']}.jpg") as file:
            photo = np.array(file.convert("RGB"))
        masks, _ = segmenter.masks(segmenter.encode(photo), boxes)
        image, nobody = torch.from_numpy(photo), torch.zeros(len(boxes))
        for word in common_colours():
            for words, fit in zip(
                said, word_fits(word, image, masks, boxes, nobody).tolist(), strict=True
            ):
                if word in words:
                    called.setdefault(word, []).append(fit)
                elif words & set(COLOURS):
                    rest.setdefault(word, []).append(fit)
    return {
        word: {"objects": len(fits), "ahead": ahead(torch.tensor(fits), torch.tensor(rest[word]))}
        for word, fits in called.items()
    }


def main() -> None:
    """Print the data file's text; write it with ``--write``."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument(
        "--survey", type=Path, required=True, help="rgb.txt of the xkcd colour survey"
    )
    parser.add_argument("--data", type=Path, help="folder that holds vg/")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    text = json.dumps(fitted(arguments.survey), indent=1)
    text = re.sub(r"\[[^\[\]]*\]", lambda found: re.sub(r"\s+", " ", found.group()), text) + "\n"
    text = re.sub(r"(-?\d+\.\d{3})\d*", lambda found: f"{float(found.group()):.3f}", text)
    print(text, end="")
    if arguments.write:
        TARGET.write_text(text, "utf-8")
    if arguments.data is not None:
        from neurosym.models.store import path_of

        segmenter = MobileSam.load(path_of("mobile-sam") / "mobile_sam.pt")
        print(json.dumps({"photographs": on_photographs(arguments.data / "vg", segmenter)}))


if __name__ == "__main__":
    main()
