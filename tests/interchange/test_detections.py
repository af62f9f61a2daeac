"""supervision and torchvision: their fields there and back."""

from __future__ import annotations

import copy
import importlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from neurosym.errors import DataError
from neurosym.interchange.detections import (
    from_supervision,
    from_torchvision,
    to_supervision,
    to_torchvision,
)
from neurosym.scene_io import from_document, to_document
from tests.scenes import CountingPixels, make

MASKS = np.zeros((2, 20, 30), dtype=bool)
MASKS[0, 2:5, 3:9] = True
MASKS[1, 5:9, 10:20] = True
FIELDS: dict[str, Any] = {
    "xyxy": np.array([[3, 2, 9, 5], [10, 5, 20.3, 9]], dtype=np.float32),
    "mask": MASKS,
    "confidence": np.array([0.9, 0.25], dtype=np.float32),
    "class_id": np.array([16, 2]),
    "tracker_id": np.array([7, 8]),
    "data": {"class_name": np.array(["dog", "car"]), "speed": np.array([1.5, 2.5])},
    "metadata": {"frame": 3},
}
NAMES = ["__background__", "cat", "N/A", "N/A", "dog"]
TARGET: dict[str, Any] = {
    "boxes": torch.tensor([[3.0, 2, 9, 5], [10, 5, 20.3, 9]]),
    "labels": torch.tensor([4, 3]),
    "scores": torch.tensor([0.9, 0.25]),
    "masks": torch.from_numpy(MASKS),
    "image_id": torch.tensor([5]),
}


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, torch.Tensor):
        return one.dtype is other.dtype and torch.equal(one, other)
    return bool(one == other)


def test_detections_of_supervision_come_back_as_they_were() -> None:
    scene = from_supervision(SimpleNamespace(**FIELDS), (20, 30))
    assert scene.categories.values == ("dog", "car")
    assert scene.existence.tolist() == pytest.approx([0.9, 0.25])
    assert same(to_supervision(scene), FIELDS)
    assert same(to_supervision(from_document(to_document(scene))), FIELDS)
    swapped = to_supervision(scene[[1]])
    assert swapped["tracker_id"].tolist() == [8]
    assert swapped["class_id"].tolist() == [2]


def test_what_detections_lack_is_not_made_up() -> None:
    few = {"xyxy": FIELDS["xyxy"], "class_id": FIELDS["class_id"]}
    names = [f"kind {number}" for number in range(20)]
    scene = from_supervision(SimpleNamespace(**few), (20, 30), names)
    assert len(scene.categories.values) == 20
    assert scene.existence.tolist() == [1, 1]
    written = to_supervision(scene)
    assert "mask" not in written
    assert "tracker_id" not in written
    assert written["confidence"] is None
    assert written["class_id"].tolist() == [16, 2]
    nothing = SimpleNamespace(xyxy=np.empty((0, 4)), data={})
    assert len(from_supervision(nothing, (20, 30))) == 0


def test_the_real_supervision_takes_and_gives_them() -> None:
    supervision = pytest.importorskip("supervision")
    detections = supervision.Detections(**copy.deepcopy(FIELDS))
    scene = from_supervision(detections, (20, 30))
    assert supervision.Detections(**to_supervision(scene)) == detections
    empty = supervision.Detections.empty()
    assert len(supervision.Detections(**to_supervision(from_supervision(empty, (20, 30))))) == 0


def test_targets_of_torchvision_come_back_as_they_were() -> None:
    scene = from_torchvision(TARGET, NAMES)
    assert scene.size == (20, 30)
    assert scene.categories.values == ("__background__", "cat", "N/A", "dog")
    assert same(to_torchvision(scene), TARGET)
    assert same(to_torchvision(from_document(to_document(scene))), TARGET)
    soft = {**TARGET, "masks": torch.from_numpy(MASKS)[:, None].float() * 0.6}
    assert torch.equal(from_torchvision(soft, NAMES).masks([0, 1]), torch.from_numpy(MASKS))
    gold = {"boxes": TARGET["boxes"], "labels": TARGET["labels"]}
    assert same(to_torchvision(from_torchvision(gold, NAMES, (20, 30))), gold)


def test_any_scene_can_be_had_as_detections() -> None:
    scene = make(pixels=CountingPixels())
    target = to_torchvision(scene)
    assert target["labels"].tolist() == [1, 2, 1]
    assert target["scores"].tolist() == pytest.approx([0.72, 0.45, 0.3])
    assert torch.equal(target["masks"][1], scene.masks([1])[0])
    # An object without a mask fills its box.
    assert int(target["masks"][0].sum()) == 100
    again = from_torchvision(target, ["", "cup", "plate"])
    assert torch.equal(again.boxes, scene.boxes)
    assert to_supervision(scene)["class_id"].tolist() == [0, 1, 0]
    assert to_torchvision(scene, ["", "plate", "cup"])["labels"].tolist() == [2, 1, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"xyxy": [[1, 2, 3]]}, r"boxes must be \[N, 4\] xyxy, not \[1, 3\]"),
        ({"confidence": [0.5]}, "confidence must be as many as the boxes, 2, not 1"),
        ({"confidence": [0.5, 5]}, r"existence of object 1 \(car\) must lie in \[0, 1\]"),
        ({"mask": MASKS[:, :4]}, "masks must be"),
        ({"mask": MASKS[:1]}, "masks must be as many"),
        ({"data": {}}, "the classes have no names"),
    ],
)
def test_what_does_not_fit_is_one_line(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_supervision(SimpleNamespace(**{**FIELDS, **change}), (20, 30))


def test_targets_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="there are 2 names, but a class 4"):
        from_torchvision(TARGET, NAMES[:2])
    with pytest.raises(DataError, match="the size of the image is not known"):
        from_torchvision({**TARGET, "masks": None}, NAMES)
    with pytest.raises(DataError, match='the target lacks "labels"'):
        from_torchvision({"boxes": TARGET["boxes"]}, NAMES)
    with pytest.raises(DataError, match='the names of labels lack "plate"'):
        to_torchvision(make(), ["", "cup"])


def test_neither_library_is_needed() -> None:
    module = importlib.import_module("neurosym.interchange.detections")
    assert not {"supervision", "torchvision"} & set(vars(module))
