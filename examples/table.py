"""A drawn table, its objects as a scene, and an expression with an exception.

    python examples/table.py [FOLDER]

needs no detector: the objects are known, so that only the language and the executor are at work.
With FOLDER, the overlay picture (table.png) and the report (table.html) are written there.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from neurosym.api import Grounder, find_pipeline
from neurosym.grammar import Parser
from neurosym.perception.given import Thing, scene_of
from neurosym.pixels import ImageSize, Pixels
from neurosym.scene import Scene
from neurosym.views.text import program_text, trace_text

TEXT = "the plate to the left of the fork but not the green one"
SIZE = ImageSize(height=360, width=560)
COLORS = {"white": "#f4f1ea", "green": "#4f9d58", "blue": "#3f6fae", "gray": "#9aa1a8"}
PLATES = (("white", 120, 120, 78), ("green", 150, 265, 62), ("blue", 430, 215, 82))
FORK = (268, 70, 304, 300)


class Drawing(Pixels):
    """The drawn picture: it knows its masks, and its colours are flat."""

    def __init__(self, image: Image.Image, things: Sequence[Thing]) -> None:
        self._image = torch.from_numpy(np.array(image))
        self._things = things

    def image(self) -> Tensor | None:
        """The drawing."""
        return self._image

    def masks(self, indices: Sequence[int]) -> Tensor:
        """The objects' masks."""
        return torch.stack([self.known_masks()[i] for i in indices])

    def known_masks(self) -> Mapping[int, Tensor]:
        """All of them: they were drawn."""
        return {n: t.mask for n, t in enumerate(self._things) if t.mask is not None}

    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:  # noqa: ARG002
        """Nothing: every attribute is given."""
        return None

    def evidence(self, attribute: str, value: str) -> Tensor | None:
        """The pixels of a colour."""
        if attribute != "color" or value not in COLORS:
            return None
        wanted = torch.tensor([int(COLORS[value][i : i + 2], 16) for i in (1, 3, 5)])
        return (self._image.int() - wanted).abs().sum(-1).lt(60).float()


def draw() -> tuple[Image.Image, list[Thing]]:
    """The picture and its objects."""
    image = Image.new("RGB", (SIZE.width, SIZE.height), "#b98a5e")
    pen = ImageDraw.Draw(image)
    for y in range(0, SIZE.height, 45):
        pen.line((0, y, SIZE.width, y), fill="#ad7f55", width=2)
    things = []
    for color, x, y, radius in PLATES:
        box = (x - radius, y - radius, x + radius, y + radius)
        pen.ellipse(box, fill=COLORS[color], outline="#5c4630", width=2)
        pen.ellipse((box[0] + 18, box[1] + 18, box[2] - 18, box[3] - 18), outline="#7d6a54")
        mask = Image.new("1", image.size)
        ImageDraw.Draw(mask).ellipse(box, fill=1)
        things.append(Thing("plate", box, {"color": color}, mask=torch.from_numpy(np.array(mask))))
    mask = Image.new("1", image.size)
    for target, fill in ((pen, COLORS["gray"]), (ImageDraw.Draw(mask), "1")):
        ink = 1 if fill == "1" else fill
        x1, y1, x2, y2 = FORK
        middle = (x1 + x2) // 2
        target.rounded_rectangle((middle - 5, y1 + 80, middle + 5, y2), 5, fill=ink)
        target.rounded_rectangle((x1, y1 + 60, x2, y1 + 90), 12, fill=ink)
        for x in (x1, middle - 4, x2 - 8):
            target.rounded_rectangle((x, y1, x + 8, y1 + 75), 4, fill=ink)
    things.append(Thing("fork", FORK, {"color": "gray"}, mask=torch.from_numpy(np.array(mask))))
    return image, things


def make_scene() -> Scene:
    """The drawing as a scene."""
    image, things = draw()
    return scene_of(things, SIZE, pixels=Drawing(image, things))


def main() -> None:
    """Ground the expression and show every step and the answer."""
    grounder = Grounder(None, Parser(find_pipeline()))
    result = grounder.ground(make_scene(), TEXT)
    print(program_text(result.program, TEXT))
    print(f"\n{trace_text(result)}\n\n{result.explain()}")
    if len(sys.argv) > 1:
        folder = Path(sys.argv[1])
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("table.png", "table.html"):
            print(result.save(folder / name))


if __name__ == "__main__":
    main()
