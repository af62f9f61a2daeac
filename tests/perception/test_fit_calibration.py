"""The benchmark that fits calibrations takes any detector, and what it fits is what is used."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.fit_calibration import main, read_gold
from neurosym.api import perception_of
from neurosym.perception.calibration import PROVENANCE
from neurosym.perception.detections import Calibration
from tests.perception.test_object_detection import sure_detr

IMAGES = 20


def save_images(folder: Path) -> Path:
    """Half of the images have a dog where the detector sees one, and one a giraffe instead."""
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for number in range(IMAGES):
        pixels = np.full((60, 80, 3), number, np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "height": 60, "width": 80})
        if number % 2 or number == 0:
            category = 7 if number else 9
            box = [20, 6, 40, 18]
            annotations.append(
                {"id": number, "image_id": number, "category_id": category, "bbox": box}
            )
    categories = [{"id": 7, "name": "dog"}, {"id": 9, "name": "giraffe"}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(document))
    return folder


def test_any_detector_is_calibrated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It always gives 0.6, and is right in 10 of the 19 images that count."""
    name = f"detr:{sure_detr(tmp_path / 'model')}"
    out = tmp_path / "calibration.json"
    main([str(save_images(tmp_path / "data")), "--perception", name, "--out", str(out)])
    record = json.loads(capsys.readouterr().out)
    assert record == json.loads(out.read_text())
    measured = record["provenance"]["cross_validated"]
    assert (measured["images"], measured["gold_things"]) == (IMAGES, 10)
    assert measured["recall_of_hypotheses"] == 1.0
    assert "gold_people" not in measured
    assert "DetrForObjectDetection" in record["provenance"]["model"]
    perception = perception_of(name, calibration=Calibration.load(out))
    scene = perception.perceive(np.zeros((60, 80, 3), np.uint8))
    assert scene.existence.tolist() == pytest.approx([10 / 19], abs=0.02)
    assert 'DetrForObjectDetection "model"' in scene.provenance[PROVENANCE]
    assert "uncalibrated" not in scene.provenance[PROVENANCE]


def test_things_without_a_category_count_as_crowds(tmp_path: Path) -> None:
    gold = read_gold(save_images(tmp_path), ["cat", "dog"])
    assert gold[0][2].tolist() == [-1]
    assert gold[0][3].tolist() == [True]
    assert gold[1][2].tolist() == [1]
    assert gold[1][3].tolist() == [False]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--perception", "detr", "--views", "416"], "are for the default detector"),
        (["--perception", "deter"], 'did you mean "detr"'),
        (["--perception", "mobilesam"], "needs a detector"),
    ],
)
def test_what_cannot_be_fitted_is_said(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path), *words])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
