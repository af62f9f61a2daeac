"""Left and right through the whole path: a mirrored scene answers the mirrored text alike."""

from __future__ import annotations

import random

import pytest

from neurosym.api import Grounder
from neurosym.perception.given import Thing, scene_of

WIDTH, HEIGHT = 640, 480
TEXTS = [
    "the cup to the {left} of the plate",
    "all the cups to the {left} of the plate",
    "the {left}most cup",
    "the second cup from the {left}",
    "the two cups on the {left}",
    "the cup on the {left}",
    "the {left} half of the plate",
    "the cup farther {left} than the plate",
    "the things {left} of every cup",
    "the cups {left} of exactly one bowl",
    "the red thing except the {left}most one",
    "how many cups are {left} of the plate",
    "are there more cups on the {left} than bowls on the {right}",
    "is the bowl on the {left} or on the {right}",
    "are all the cups on the {left}",
    "the cup between the {left}most bowl and the {right}most cup",
    "the thing of the same color as the {left}most cup",
    "the cup closest to the {left}most bowl",
]
"""What {left} becomes "right" in, and {right} "left"."""


def things(seed: int) -> list[Thing]:
    draw = random.Random(seed)
    made = []
    for kind in ("cup", "cup", "cup", "plate", "bowl", "bowl"):
        x, y = draw.uniform(0, WIDTH - 80), draw.uniform(0, HEIGHT - 80)
        box = (x, y, x + draw.uniform(20, 80), y + draw.uniform(20, 80))
        colour = draw.choice(("red", "blue"))
        made.append(Thing(kind, box, {"color": colour}, existence=draw.choice((1.0, 0.7))))
    # The values of an attribute are numbered as they come, and both must always be there.
    made.append(Thing("table", (0, 0, WIDTH, HEIGHT), {"color": "red"}))
    made.append(Thing("table", (0, 0, WIDTH, HEIGHT), {"color": "blue"}))
    return made


def mirrored(thing: Thing) -> Thing:
    x1, y1, x2, y2 = thing.box
    box = (WIDTH - x2, y1, WIDTH - x1, y2)
    return Thing(thing.category, box, thing.attributes, thing.existence)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("seed", range(4))
def test_a_mirrored_scene_answers_the_mirrored_text(
    grounder: Grounder, text: str, seed: int
) -> None:
    made = things(seed)
    ground = Grounder(None, grounder.parser).ground

    def answer(shown: list[Thing], left: str, right: str) -> tuple[object, ...]:
        result = ground(scene_of(shown, (HEIGHT, WIDTH)), text.format(left=left, right=right))
        # Asked for a side, the text's own "left" is the answer in both.
        side = {left: "{left}", right: "{right}"}.get(str(result.answer), result.answer)
        return result.status, result.objects, side, round(result.probability, 4)

    plain = answer(made, "left", "right")
    assert answer([mirrored(thing) for thing in made], "right", "left") == plain
