"""Measures of perception: known pictures, known hypotheses, figures that follow by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from neurosym import cli
from neurosym.errors import DataError, ModelStoreError, OptionError, PerceptionError
from neurosym.evaluation import colour_words
from neurosym.evaluation.average_precision import average_precision
from neurosym.evaluation.colour_words import colour_figures, read_pictures
from neurosym.evaluation.detection import in_crowd
from neurosym.evaluation.measures import MEASURES, Report
from neurosym.evaluation.photographs import read_album
from neurosym.masks import encode_mask
from neurosym.perception.base import Detections
from neurosym.perception.colours import COLOURS
from neurosym.perception.pipeline import Pipeline

SIZE = (60, 80)
CATEGORIES = [
    {"id": 3, "name": "cup", "isthing": 1},
    {"id": 7, "name": "dog", "isthing": 1},
    {"id": 9, "name": "sky", "isthing": 0},
]
Box = tuple[int, int, int, int]
# Picture -> its things: category, box x1, y1, x2, y2, crowd.
GOLD: dict[str, list[tuple[int, Box, int]]] = {
    "a.png": [(3, (10, 10, 30, 30), 0), (7, (40, 10, 60, 30), 0), (9, (0, 0, 80, 8), 0)],
    "b.png": [(3, (10, 10, 30, 30), 0), (7, (40, 30, 70, 60), 1)],
    "c.png": [],
}
# A cup found exactly, the dog found loosely and called a cup, a box of nothing; then, beside a
# missed cup, a dog in a crowd of dogs.
FOUND: dict[str, list[tuple[Box, list[float]]]] = {
    "a.png": [
        ((10, 10, 30, 30), [0.9, 0.1]),
        ((40, 10, 60, 21), [0.6, 0.2]),
        ((0, 40, 20, 60), [0.1, 0.3]),
    ],
    "b.png": [((45, 35, 55, 50), [0.0, 0.8])],
    "c.png": [],
}


class Scripted:
    """Finds what it is told to; pictures are known by the value of their first pixel."""

    name = "scripted"
    categories = ("cup", "dog")

    def __init__(self, broken: Sequence[str] = (), error: Exception | None = None) -> None:
        self.broken = broken
        self.error = error or PerceptionError("cannot see")

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        made = []
        for image in images:
            name = sorted(FOUND)[int(image[0, 0, 0])]
            if name in self.broken:
                raise self.error
            boxes = torch.tensor([box for box, _ in FOUND[name]], dtype=torch.float32)
            scores = torch.tensor([row for _, row in FOUND[name]], dtype=torch.float32)
            made.append(Detections(boxes.view(-1, 4), scores.view(-1, 2)))
        return made


class Filler:
    """The mask of a box is the box."""

    def encode(self, image: np.ndarray) -> Any:
        return image.shape[:2]

    def masks(self, embedding: Any, boxes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        masks = torch.zeros(len(boxes), *embedding, dtype=torch.bool)
        for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist(), strict=True):
            mask[y1:y2, x1:x2] = True
        return masks, torch.ones(len(boxes))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The pictures above, in COCO's style."""
    (tmp_path / "images").mkdir()
    images, annotations = [], []
    for number, (name, things) in enumerate(GOLD.items()):
        Image.fromarray(np.full((*SIZE, 3), number, np.uint8)).save(tmp_path / "images" / name)
        images.append({"id": number, "file_name": name, "height": SIZE[0], "width": SIZE[1]})
        for category, (x1, y1, x2, y2), crowd in things:
            mask = torch.zeros(SIZE, dtype=torch.bool)
            mask[y1:y2, x1:x2] = True
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": category,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": (x2 - x1) * (y2 - y1),
                    "iscrowd": crowd,
                    "segmentation": encode_mask(mask),
                }
            )
    document = {"images": images, "categories": CATEGORIES, "annotations": annotations}
    (tmp_path / "instances.json").write_text(json.dumps(document), "utf-8")
    return tmp_path


@pytest.fixture
def coco() -> None:
    """AP is pycocotools', which is an extra."""
    pytest.importorskip("pycocotools")


def run(name: str, folder: Path, **detector: Any) -> Report:
    perception = Pipeline(Scripted(**detector), segmenter=Filler())
    return MEASURES[name].run(MEASURES[name].find(folder), perception)


@pytest.mark.usefixtures("coco")
def test_detection(folder: Path) -> None:
    figures = run("detection", folder).figures
    value = {name: figure.value for name, figure in figures.items()}
    assert figures["recall, IoU 0.5"].of == 3  # things that are no crowd; the sky is no thing
    assert value["recall, IoU 0.3"] == value["recall, IoU 0.5"] == pytest.approx(2 / 3)
    assert value["named, IoU 0.5"] == 0.5
    assert value["hypotheses per picture"] == pytest.approx(4 / 3)
    # The dog in the crowd counts for nothing, the box of nothing counts.
    assert figures["ECE existence, IoU 0.5"].of == 3
    assert value["ECE existence, IoU 0.5"] == pytest.approx((0.1 + 0.4 + 0.3) / 3, abs=1e-6)
    sure = [0.9 / 1.0, 0.6 / 0.8]
    expected = ((1 - sure[0]) + sure[1]) / 2
    assert value["ECE category, IoU 0.5"] == pytest.approx(expected, abs=1e-6)
    assert figures["ECE score, IoU 0.5"].of == 3
    # At .50, the cups: 2 gold, one found first; the dogs: one gold, never found as a dog at .50
    # but for the dog's own second category, which ranks behind the box of nothing (.075 x .6).
    assert value["AP50"] is not None
    assert value["AP50"] == pytest.approx((51 / 101 + 0.5) / 2, abs=1e-6)
    assert value["failures"] == 0


@pytest.mark.usefixtures("coco")
def test_what_fails_stays_in_the_denominator(folder: Path) -> None:
    (folder / "images" / "b.png").write_bytes(b"no picture")
    report = run("detection", folder, broken=["a.png"])
    assert report.figures["failures"].value == 2
    assert report.figures["recall, IoU 0.3"].value == 0
    assert report.figures["recall, IoU 0.3"].of == 3
    assert report.figures["AP"].value == 0
    assert report.figures["ECE existence, IoU 0.3"].value is None
    assert "b.png" in report.lines[1]["problem"]
    defect = run("detection", folder, broken=["a.png"], error=KeyError("cup"))
    assert defect.lines[0]["problem"] == "KeyError: 'cup'"


@pytest.mark.usefixtures("coco")
def test_what_fails_everywhere_is_an_error(folder: Path) -> None:
    with pytest.raises(PerceptionError, match="no picture could be looked at: cannot see"):
        run("detection", folder, broken=sorted(FOUND))
    with pytest.raises(ModelStoreError, match="no weights"):
        run("detection", folder, broken=["b.png"], error=ModelStoreError("no weights"))


@pytest.mark.usefixtures("coco")
def test_a_picture_of_another_size_is_a_failure(folder: Path) -> None:
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(folder / "images" / "a.png")
    report = run("detection", folder)
    assert report.lines[0]["problem"] == '"a.png" is 40 x 30, but its annotations say 80 x 60'


@pytest.mark.usefixtures("coco")
def test_masks(folder: Path) -> None:
    figures = run("masks", folder).figures
    assert figures["mask IoU, gold boxes"].value == 1
    assert figures["mask IoU, gold boxes"].of == 3
    assert figures["mask IoU, found boxes"].value == pytest.approx((1 + 0.55) / 2)
    assert figures["mask IoU, found boxes, of all"].value == pytest.approx(1.55 / 3)
    assert figures["mask AP50"].value == pytest.approx((51 / 101 + 0.5) / 2, abs=1e-6)
    broken = run("masks", folder, broken=["a.png"]).figures
    assert broken["mask IoU, gold boxes"].value == pytest.approx(1 / 3)


def test_a_smaller_draw_is_part_of_a_larger(folder: Path) -> None:
    drawn = [{p.path.name for p in read_album(folder, n).photographs} for n in (1, 2, 3)]
    assert [len(names) for names in drawn] == [1, 2, 3]
    assert drawn[0] < drawn[1] < drawn[2]
    with pytest.raises(OptionError, match="limit must be at least 1, not 0"):
        read_album(folder, 0)
    (folder / "instances.json").write_text("[]", "utf-8")
    with pytest.raises(DataError, match=r"cannot read .*instances\.json"):
        read_album(folder)


@pytest.mark.usefixtures("coco")
def test_average_precision() -> None:
    """One cat, found at an IoU of 0.8: right at .50 to .80, and wrong from .85 on."""
    gold: dict[str, Any] = {
        "images": [{"id": 1, "width": 60, "height": 40}],
        "categories": [{"id": 17, "name": "cat"}],
        "annotations": [{"id": 5, "image_id": 1, "category_id": 17, "area": 600, "iscrowd": 0}],
    }
    gold["annotations"][0]["bbox"] = [10, 5, 20, 30]
    box = {"image_id": 1, "category_id": 17, "bbox": [10, 5, 20, 24.1], "score": 0.9}
    found = average_precision(gold, [box])
    assert (found.ap, found.ap50, found.ap75) == pytest.approx((0.7, 1, 1))
    # What is surer and wrong halves the precision; what is less sure and wrong does not.
    wrong = {**box, "bbox": [40, 5, 10, 10], "score": 0.95}
    assert average_precision(gold, [box, wrong]).ap50 == pytest.approx(0.5)
    assert average_precision(gold, [box, {**wrong, "score": 0.1}]).ap50 == pytest.approx(1)
    # Only the best hundred of an image count.
    many = [{**wrong, "score": 0.95 + n / 1e4} for n in range(100)]
    assert average_precision(gold, [box, *many]).ap == 0
    assert len(gold["annotations"][0]) == 6


@pytest.mark.usefixtures("coco")
def test_nothing_gold_and_nothing_found() -> None:
    gold: dict[str, Any] = {"images": [{"id": 1}], "categories": CATEGORIES, "annotations": []}
    assert average_precision(gold, []).ap is None
    box = {"id": 1, "image_id": 1, "category_id": 3, "bbox": [0, 0, 5, 5], "area": 25}
    nothing = average_precision({**gold, "annotations": [box]}, [])
    assert (nothing.ap, nothing.categories, nothing.things) == (0, 1, 1)


def test_in_crowd() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [6, 0, 16, 10]])
    region = torch.tensor([[0.0, 0, 10, 10]])
    assert in_crowd(boxes, region).tolist() == [True, False]
    assert in_crowd(boxes, region[:0]).tolist() == [False, False]


def distribution(*colours: str) -> torch.Tensor:
    """Rows that give a colour .8 and share the rest evenly."""
    rows = torch.full((len(colours), len(COLOURS)), 0.2 / (len(COLOURS) - 1))
    for row, colour in zip(rows, colours, strict=True):
        row[COLOURS.index(colour)] = 0.8
    return rows


def test_colour_figures() -> None:
    found = distribution("red", "red", "blue", "green")
    truth = torch.tensor([COLOURS.index(c) for c in ("red", "blue", "blue", "green")])
    figures = colour_figures(found, truth, torch.tensor([0, 0, 1, 1]))
    assert figures["accuracy"].value == 0.75
    assert figures["accuracy"].interval == (0.5, 1.0)
    # In the first picture the two look alike, and neither fits better; in the second both do.
    assert figures["telling two apart, one word"].of == 4
    assert figures["telling two apart, one word"].value == 0.5
    assert figures["telling two apart, two words"].value == 0.5
    assert figures["always the most frequent word"].value == 0.5
    assert figures["ECE"].value == pytest.approx(0.05, abs=1e-6)
    alone = colour_figures(found[:1], truth[:1], torch.tensor([0]))
    assert alone["telling two apart, one word"].value is None


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Two pictures in Visual Genome's style: a red and a blue square, and one that is missing."""
    (tmp_path / "images").mkdir()
    image = np.zeros((60, 80, 3), np.uint8)
    image[10:40, 10:40] = (200, 20, 20)
    image[10:40, 45:75] = (20, 30, 200)
    Image.fromarray(image).save(tmp_path / "images" / "5.jpg", quality=95)
    things = [
        {"names": ["cup"], "bbox": [10, 10, 30, 30], "attributes": ["Red ", "old"]},
        {"names": ["cup"], "bbox": [45, 10, 30, 30], "attributes": ["blue"]},
        {"names": ["cup"], "bbox": [45, 10, 30, 30], "attributes": ["blue", "grey"]},
        {"names": ["cup"], "bbox": [45, 10, 30, 30], "attributes": []},
    ]
    records = [
        {"image_id": 5, "objects": things},
        {"image_id": 6, "objects": things[:1]},
        {"image_id": 7, "has_image": False, "objects": things},
    ]
    (tmp_path / "objects.json").write_text(json.dumps(records), "utf-8")
    return tmp_path


def test_colours(album: Path) -> None:
    assert [len(picture.nouns) for picture in read_pictures(album)] == [2, 1]
    report = run("colours", album)
    assert report.figures["failures"].value == 1
    assert report.figures["accuracy"].of == 3
    assert report.figures["accuracy"].value == pytest.approx(2 / 3)
    assert report.figures["telling two apart, one word"].value == 1
    said = [thing["said"] for thing in report.lines[0]["objects"]]
    assert said == ["red", "blue"]
    with pytest.raises(OptionError, match="of a pipeline"):
        colour_words.measure(album, object())  # type: ignore[arg-type]


@pytest.mark.usefixtures("coco")
def test_the_command(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setattr(
        "neurosym.api.perception_of", lambda *_, **__: Pipeline(Scripted(), name="scripted")
    )
    out = tmp_path / "out.jsonl"
    arguments = ["eval", "detection", "--data", str(folder)]
    assert cli.main([*arguments, "--json", "--out", str(out)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["measure"] == "detection"
    assert document["figures"]["recall, IoU 0.5"]["of"] == 3
    first, *lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert first == document
    assert [line["image"] for line in lines] == list(GOLD)
    assert lines[0]["hypotheses"][0]["claims"] == "cup"
    assert cli.main([*arguments, "--limit", "2"]) == 0
    assert "pictures" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["detections", "--data", "."], 'did you mean "detection"?'),
        (["detection", "--data", "."], "expected instances.json and images"),
        (["detection", "--data", ".", "--part", "open"], '--part means nothing to "detection"'),
        (["vsr", "--data", ".", "--perception", "x"], '--perception means nothing to "vsr"'),
    ],
)
def test_what_is_refused(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["eval", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
