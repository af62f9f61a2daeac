"""What detectron2 puts out, with stand-ins that have the fields of its classes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from neurosym.errors import PerceptionError
from neurosym.perception.base import Detections
from neurosym.perception.detectron2_outputs import Labels, detections_of
from neurosym.perception.pipeline import Pipeline
from neurosym.pixels import ImageSize

SIZE = ImageSize(height=20, width=30)
LABELS = Labels(("person", "cup"), ("things", "sky", "grass"))
BOXES = [[2.0, 3, 12, 13], [15.0, 5, 25, 15]]


def instances(
    boxes: Any = BOXES,
    scores: Any = (0.9, 0.4),
    classes: Any = (1, 0),
    masks: Tensor | None = None,
    **fields: Any,
) -> SimpleNamespace:
    """Like ``detectron2.structures.Instances``."""
    made = SimpleNamespace(
        image_size=tuple(SIZE),
        pred_boxes=SimpleNamespace(tensor=torch.tensor(boxes).view(-1, 4)),
        scores=torch.tensor(scores),
        pred_classes=torch.tensor(classes, dtype=torch.int64),
    )
    if masks is not None:
        made.pred_masks = masks
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def filled(*boxes: list[float]) -> Tensor:
    masks = torch.zeros((len(boxes), *SIZE), dtype=torch.bool)
    for row, (x1, y1, x2, y2) in enumerate(boxes):
        masks[row, int(y1) : int(y2), int(x1) : int(x2)] = True
    return masks


def converted(**output: Any) -> Detections:
    return detections_of(output, LABELS, SIZE)


def panoptic() -> tuple[Tensor, list[dict[str, Any]]]:
    """A person before the sky, above grass; segment 9 is listed but has no pixel left."""
    image = torch.zeros(tuple(SIZE), dtype=torch.int32)
    image[:10] = 2
    image[10:] = 3
    image[4:14, 15:20] = 1
    image[0, 0] = 0
    return image, [
        {"id": 1, "isthing": True, "score": 0.8, "category_id": 0, "instance_id": 0},
        {"id": 2, "isthing": False, "category_id": 1, "area": 250},
        {"id": 3, "isthing": False, "category_id": 2, "area": 270},
        {"id": 9, "isthing": False, "category_id": 2, "area": 0},
    ]


def logits() -> Tensor:
    """Of things, sky and grass: softmax 0.1, 0.7, 0.2 above and 0.1, 0.3, 0.6 below."""
    maps = torch.tensor([0.1, 0.7, 0.2]).log()[:, None, None].repeat(1, *SIZE)
    maps[:, 10:] = torch.tensor([0.1, 0.3, 0.6]).log()[:, None, None]
    return maps


def test_categories_are_things_then_stuff_without_the_rest() -> None:
    assert LABELS.categories == ("person", "cup", "sky", "grass")
    assert LABELS.columns(of_things=True) == [0, 1]
    assert LABELS.columns(of_things=False) == [-1, 2, 3]
    # The standard form of panoptic data sets lists all categories twice.
    both = Labels(("person", "sky"), ("person", "sky"))
    assert both.categories == ("person", "sky")
    assert both.columns(of_things=False) == [0, 1]


def test_boxes_without_masks() -> None:
    found = converted(instances=instances())
    assert found.boxes.tolist() == BOXES
    torch.testing.assert_close(found.scores, torch.tensor([[0, 0.9, 0, 0], [0.4, 0, 0, 0]]))
    assert found.masks is None


def test_masks_stay_with_their_boxes() -> None:
    masks = filled([3, 4, 9, 9], [15, 5, 25, 15])
    found = converted(instances=instances(scores=(0.4, 0.9), masks=masks))
    assert found.boxes.tolist() == BOXES[::-1]
    assert found.masks is not None
    assert torch.equal(found.masks, masks.flip(0))


def test_soft_masks_are_cut_at_one_half_and_wrapped_ones_are_opened() -> None:
    masks = filled(*BOXES)
    soft = masks * 0.3 + 0.25
    for given in (soft, soft.half(), SimpleNamespace(tensor=masks)):
        found = converted(instances=instances(masks=given))
        assert found.masks is not None
        assert torch.equal(found.masks, masks)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(dtype: torch.dtype) -> None:
    given = instances()
    given.scores = given.scores.to(dtype).requires_grad_()
    given.pred_boxes.tensor = given.pred_boxes.tensor.to(dtype)
    given.pred_classes = given.pred_classes.int()
    found = converted(instances=given)
    assert found.boxes.dtype is found.scores.dtype is torch.float32
    assert not found.scores.requires_grad
    assert found.boxes.tolist() == BOXES
    assert float(found.scores.max()) == pytest.approx(0.9, abs=4e-3)


def test_nothing_found() -> None:
    bare = converted(instances=instances([], [], []))
    assert bare.boxes.shape == (0, 4)
    assert bare.scores.shape == (0, 4)
    empty = torch.zeros((0, *SIZE), dtype=torch.bool)
    masked = converted(instances=instances([], [], [], empty))
    assert masked.masks is not None
    assert masked.masks.shape == (0, *SIZE)
    nowhere = (torch.zeros(tuple(SIZE), dtype=torch.int32), [])
    segments = converted(panoptic_seg=nowhere)
    assert segments.scores.shape == (0, 4)
    assert segments.masks is not None


def test_labels_of_one_box_are_alternatives() -> None:
    found = converted(instances=instances([BOXES[0], BOXES[0]], masks=filled(BOXES[0], BOXES[0])))
    torch.testing.assert_close(found.scores, torch.tensor([[0.4, 0.9, 0, 0]]))


def test_empty_boxes_are_taken_from_their_masks_or_left_out() -> None:
    masks = filled([3, 4, 9, 9], [0, 0, 0, 0])
    found = converted(instances=instances([[0.0] * 4] * 2, masks=masks))
    assert found.boxes.tolist() == [[3, 4, 9, 9]]
    assert float(found.scores[0, 1]) == pytest.approx(0.9)
    assert len(converted(instances=instances([[5.0, 5, 5, 9], BOXES[1]])).boxes) == 1


def test_panoptic_segments_alone() -> None:
    found = converted(panoptic_seg=panoptic(), sem_seg=logits())
    assert found.boxes.tolist() == [[15, 4, 20, 14], [0, 0, 30, 10], [0, 10, 30, 20]]
    torch.testing.assert_close(
        found.scores,
        torch.tensor([[0.8, 0, 0, 0], [0, 0, 0.7, 0.2], [0, 0, 0.3, 0.6]]),
    )
    assert found.masks is not None
    assert found.masks.sum(dim=(1, 2)).tolist() == [50, 300 - 30 - 1, 300 - 20]
    assert not (found.masks.sum(dim=0) > 1).any()


def test_instances_stand_for_the_things_of_a_panoptic_segmentation() -> None:
    """The doubtful cup is no segment; it stays, with its score."""
    masks = filled(*BOXES)
    found = converted(instances=instances(masks=masks), panoptic_seg=panoptic(), sem_seg=logits())
    assert found.scores[:, :2].amax(dim=1).tolist() == pytest.approx([0.9, 0.4, 0, 0])
    assert found.scores[:, 2:].argmax(dim=1).tolist()[2:] == [0, 1]
    assert found.masks is not None
    assert torch.equal(found.masks[:2], masks)


def test_instances_without_masks_leave_things_to_the_segments() -> None:
    found = converted(instances=instances(), panoptic_seg=panoptic(), sem_seg=logits())
    assert found.scores[:, 0].tolist() == pytest.approx([0.8, 0, 0])


def test_scores_of_a_semantic_head_need_not_be_logits() -> None:
    found = converted(panoptic_seg=panoptic(), sem_seg=logits().exp() * 3)
    assert float(found.scores[1, 2]) == pytest.approx(0.7)


def test_without_a_semantic_head_a_segment_of_stuff_is_certain() -> None:
    found = converted(panoptic_seg=panoptic())
    torch.testing.assert_close(found.scores[1], torch.tensor([0, 0, 1.0, 0]))


def test_a_wall_and_a_floor_stay_two_things_in_a_scene() -> None:
    """Their boxes are both the whole image; only the masks are disjoint."""
    image = torch.ones(tuple(SIZE), dtype=torch.int32)
    image[torch.arange(20)[:, None] * 1.5 > torch.arange(30)[None, :]] = 2
    segments = [
        {"id": 1, "isthing": False, "category_id": 1},
        {"id": 2, "isthing": False, "category_id": 2},
    ]

    class Model:
        name = "stand-in"
        categories = LABELS.categories

        def detect(self, images: Any) -> list[Detections]:
            return [converted(panoptic_seg=(image, segments)) for _ in images]

    scene = Pipeline(Model()).perceive(torch.zeros((*SIZE, 3), dtype=torch.uint8).numpy())
    assert scene.existence.tolist() == pytest.approx([1, 1], abs=1e-5)
    assert scene.groups.tolist() == [0, 1]
    assert torch.equal(scene.masks([0, 1]), torch.stack([image == 1, image == 2]))


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ([1], "gave list, expected a dict"),
        ({}, "gave nothing, expected"),
        ({"proposals": 1, "sem_seg": 2}, 'gave "proposals", "sem_seg", expected "instances"'),
        ({"instances": SimpleNamespace()}, 'gave instances without "pred_boxes"'),
        ({"instances": instances(scores=[[0.5], [0.5]])}, r"and scores \[2, 1\]"),
        ({"instances": instances(scores=[0.5])}, r"pred_boxes \[2, 4\], pred_classes \[2\]"),
        ({"instances": instances(scores=[0.5, 7.0])}, r"scores must lie in \[0, 1\]"),
        ({"instances": instances(classes=[0, 2])}, "pred_classes of category 2, but 2 names"),
        ({"instances": instances(classes=[-1, 1])}, "pred_classes of category -1"),
        ({"instances": instances([[0.0, 0, float("nan"), 9]] * 2)}, "boxes must be finite"),
        ({"instances": instances(image_size=(30, 20))}, r"frame of \[30, 20\], expected .*20, 30"),
        (
            {"instances": instances(pred_boxes=SimpleNamespace(tensor=torch.ones(2, 5)))},
            "rotated boxes",
        ),
        ({"instances": instances(pred_boxes=[[1, 2, 3, 4]])}, "gave pred_boxes as list"),
        (
            {"instances": instances(masks=torch.rand(2, 1, 28, 28))},
            r"gave pred_masks \[2, 1, 28, 28\], expected \[2, 20, 30\]",
        ),
        ({"panoptic_seg": (panoptic()[0], None)}, "without the list of its segments"),
        ({"panoptic_seg": panoptic()[0]}, "without the list of its segments"),
        ({"panoptic_seg": (panoptic()[0].T, [])}, r"panoptic_seg of \[30, 20\]"),
        ({"panoptic_seg": (panoptic()[0], [{"id": 1}])}, "expected id, isthing and category_id"),
        (
            {"panoptic_seg": (panoptic()[0], [{"id": 1, "isthing": False, "category_id": 5}])},
            "stuff segments of category 5, but 3 names",
        ),
        (
            {"panoptic_seg": panoptic(), "sem_seg": torch.zeros(3, 5, 5)},
            r"sem_seg of \[3, 5, 5\], expected \[C, 20, 30\]",
        ),
    ],
)
def test_what_does_not_fit_is_one_line(output: Any, message: str) -> None:
    with pytest.raises(PerceptionError, match=message) as caught:
        detections_of(output, LABELS, SIZE)
    assert "\n" not in caught.value.message


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_outputs_on_a_gpu() -> None:
    given = instances(masks=filled(*BOXES).cuda())
    given.scores, given.pred_classes = given.scores.cuda(), given.pred_classes.cuda()
    given.pred_boxes.tensor = given.pred_boxes.tensor.cuda()
    image, segments = panoptic()
    found = converted(
        instances=given, panoptic_seg=(image.cuda(), segments), sem_seg=logits().cuda()
    )
    assert found.boxes.device.type == "cpu"
    assert len(found.boxes) == 4
