"""The detectron2 back end: what is said where it is missing, and the real thing where it is not."""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from neurosym import Grounder, cli
from neurosym.errors import OptionError, PerceptionError
from neurosym.grammar import Parser
from neurosym.perception import registry
from neurosym.perception.backends.detectron2 import BACK_END, Detectron2Detector
from neurosym.perception.base import Detector
from neurosym.perception.fingerprint import weights_of
from neurosym.perception.pipeline import Pipeline
from neurosym.perception.registry import Settings

ZOO = "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x"
CUP, BOTTLE = 41, 39


def _no_weights(name: str) -> Path:
    raise AssertionError(f"{name} is not needed")


SETTINGS = Settings(torch.device("cpu"), torch.float32, _no_weights)


@pytest.fixture
def _missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> Any:
        return None if name == "detectron2" else importlib.util.find_spec(name)

    monkeypatch.setattr(registry, "find_spec", find)


@pytest.mark.usefixtures("_missing")
def test_where_it_is_missing_the_message_has_the_install_commands() -> None:
    attempts = (
        lambda: Pipeline.named(f"detectron2:{ZOO}+mobilesam", SETTINGS),
        lambda: Detectron2Detector(ZOO),
    )
    for attempt in attempts:
        with pytest.raises(OptionError) as caught:
            attempt()
        said = caught.value.message
        assert '"detectron2" needs detectron2: in the folder of neurosym' in said
        assert 'pip install ".[detectron2]"' in said
        assert "git+https://github.com/facebookresearch/detectron2" in said
        assert "\n" not in said
    assert f"not installed: {BACK_END.install}" in registry.listing()


@pytest.mark.usefixtures("_missing")
def test_the_command_line_says_it_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (8, 6)).save(photo)
    status = cli.main(["scene", str(photo), "--perception", f"detectron2:{ZOO}"])
    assert status == 2
    said = capsys.readouterr().err
    assert "detectron2" in said
    assert said.count("\n") == 1


def test_a_threshold_is_a_share() -> None:
    for threshold in (-0.1, 1.0, float("nan")):
        with pytest.raises(OptionError, match="threshold must lie in"):
            Detectron2Detector(ZOO, threshold=threshold)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small random models of detectron2, each a config file that names its weights.

    ``mask.yaml`` takes every region for a cup (probability 0.73) or else a bottle (0.27).
    ``panoptic.yaml`` does too, and every pixel for the sky (0.6) or else for grass.
    """
    pytest.importorskip("detectron2", reason="detectron2 is not installed: docs/detectron2.md")
    from detectron2 import model_zoo
    from detectron2.data import MetadataCatalog
    from detectron2.modeling import build_model

    out = tmp_path_factory.mktemp("detectron2")
    panoptic = "COCO-PanopticSegmentation/panoptic_fpn_R_50_3x"
    for stem, name in (("mask", ZOO), ("panoptic", panoptic)):
        cfg = model_zoo.get_config(f"{name}.yaml")
        cfg.MODEL.DEVICE = "cpu"
        cfg.MODEL.RESNETS.DEPTH = 18
        cfg.MODEL.RESNETS.RES2_OUT_CHANNELS = 64
        cfg.MODEL.RESNETS.NORM = "GN"
        cfg.MODEL.FPN.OUT_CHANNELS = 16
        cfg.MODEL.ROI_BOX_HEAD.FC_DIM = 32
        cfg.MODEL.ROI_MASK_HEAD.NUM_CONV = 1
        cfg.MODEL.ROI_MASK_HEAD.CONV_DIM = 16
        cfg.MODEL.SEM_SEG_HEAD.CONVS_DIM = 32
        cfg.MODEL.RPN.POST_NMS_TOPK_TEST = 40
        cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST = 128, 256
        torch.manual_seed(1)
        model = build_model(cfg)
        with torch.no_grad():
            predictor = model.roi_heads.box_predictor
            predictor.bbox_pred.weight.zero_()
            predictor.cls_score.weight.zero_()
            predictor.cls_score.bias.fill_(-30)
            predictor.cls_score.bias[[CUP, BOTTLE]] = torch.tensor([1.0, 0.0])
            if stem == "panoptic":
                model.sem_seg_head.predictor.weight.zero_()
                model.sem_seg_head.predictor.bias.fill_(-30)
                stuff = MetadataCatalog.get(cfg.DATASETS.TEST[0]).stuff_classes
                bias = model.sem_seg_head.predictor.bias
                bias[[stuff.index("sky"), stuff.index("grass")]] = torch.tensor([0.6, 0.4]).log()
        torch.save({"model": model.state_dict()}, out / f"{stem}.pth")
        cfg.MODEL.WEIGHTS = str(out / f"{stem}.pth")
        (out / f"{stem}.yaml").write_text(cfg.dump())
    return out


@pytest.fixture(scope="module")
def mask_model(folder: Path) -> Detectron2Detector:
    return Detectron2Detector(folder / "mask.yaml")


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """Blue above, red below, on 90 x 120 pixels with some noise."""
    noise = np.random.default_rng(2).integers(0, 60, (90, 120, 3), dtype=np.uint8)
    noise[:45, :, 2] += 180
    noise[45:, :, 0] += 180
    return noise


def test_it_is_a_detector(mask_model: Detectron2Detector, folder: Path) -> None:
    assert isinstance(mask_model, Detector)
    assert len(mask_model.categories) == 80
    assert mask_model.categories[CUP] == "cup"
    assert mask_model.name.startswith("detectron2 0.")
    assert " mask, weights " in mask_model.name
    assert mask_model.name != Detectron2Detector(folder / "panoptic.yaml").name


def test_it_answers_as_detectron2s_own_predictor(
    mask_model: Detectron2Detector, folder: Path, image: np.ndarray
) -> None:
    """Which takes BGR; so the order of channels and the resizing are right."""
    from detectron2.config import get_cfg
    from detectron2.engine import DefaultPredictor

    cfg = get_cfg()
    cfg.merge_from_file(str(folder / "mask.yaml"))
    expected = DefaultPredictor(cfg)(image[:, :, ::-1])["instances"]
    (found,) = mask_model.detect([image])
    cups = expected.pred_classes == CUP
    assert len(found.boxes) == int(cups.sum()) > 5
    order = found.boxes[:, 0].argsort(stable=True)
    theirs = expected.pred_boxes.tensor[cups]
    other = theirs[:, 0].argsort(stable=True)
    torch.testing.assert_close(found.boxes[order], theirs[other])
    assert found.masks is not None
    assert torch.equal(found.masks[order], expected.pred_masks[cups][other])
    (swapped,) = mask_model.detect([np.ascontiguousarray(image[:, :, ::-1])])
    assert not torch.equal(swapped.boxes, found.boxes)


def test_every_score_of_a_box_is_kept(mask_model: Detectron2Detector, image: np.ndarray) -> None:
    (found,) = mask_model.detect([image])
    odds = torch.tensor([1.0, 0.0]).softmax(0)
    assert found.scores[:, CUP].tolist() == pytest.approx([float(odds[0])] * len(found.boxes))
    assert found.scores[:, BOTTLE].tolist() == pytest.approx([float(odds[1])] * len(found.boxes))


def test_images_of_one_size_go_through_together_and_company_does_not_matter(
    mask_model: Detectron2Detector, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mask_model.detect([]) == []
    flipped, narrow = np.ascontiguousarray(image[::-1]), np.ascontiguousarray(image[:, :70])
    images = [image, narrow, flipped]
    alone = [mask_model.detect([one])[0] for one in images]
    calls: list[int] = []
    model = mask_model._model
    monkeypatch.setattr(
        mask_model, "_model", lambda inputs: (calls.append(len(inputs)), model(inputs))[1]
    )
    together = mask_model.detect(images)
    assert calls == [2, 1]
    for one, both in zip(alone, together, strict=True):
        torch.testing.assert_close(one.boxes, both.boxes, atol=1e-3, rtol=1e-4)
        torch.testing.assert_close(one.scores, both.scores)
        assert one.masks is not None
        assert both.masks is not None
        assert one.masks.shape == both.masks.shape


def test_the_fingerprint_is_of_weights_and_settings(
    mask_model: Detectron2Detector, folder: Path
) -> None:
    config = folder / "mask.yaml"
    same = Detectron2Detector(config, threshold=0.05)
    assert same.fingerprint == mask_model.fingerprint
    others = [
        Detectron2Detector(config, threshold=0.5),
        Detectron2Detector(config, categories=[str(number) for number in range(80)]),
        Detectron2Detector(config, dtype=torch.bfloat16),
    ]
    assert len({mask_model.fingerprint, *(other.fingerprint for other in others)}) == 4
    # The config stays as it is when the weights that it names change.
    assert weights_of(BACK_END, str(config), SETTINGS) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (700, 2), (33, 57)])
def test_results_lie_in_the_frame_of_the_image(
    mask_model: Detectron2Detector, image: np.ndarray, size: tuple[int, int]
) -> None:
    given = np.full((*size, 3), 120, dtype=np.uint8)
    found, _ = mask_model.detect([given, image])
    assert found.masks is not None
    assert tuple(found.masks.shape[1:]) == size
    height, width = size
    assert bool((found.boxes >= 0).all())
    assert bool((found.boxes <= torch.tensor([width, height, width, height])).all())


def test_panoptic_stuff_is_an_object_with_the_probability_of_its_pixels(
    folder: Path, image: np.ndarray
) -> None:
    detector = Detectron2Detector(folder / "panoptic.yaml", threshold=0.99)
    sky, grass = (detector.categories.index(name) for name in ("sky", "grass"))
    assert "things" not in detector.categories
    (found,) = detector.detect([image])
    assert found.boxes.tolist() == [[0, 0, 120, 90]]
    assert found.scores[0, [sky, grass]].tolist() == pytest.approx([0.6, 0.4], abs=1e-4)
    assert found.masks is not None
    assert found.masks.all()
    (with_cups,) = Detectron2Detector(folder / "panoptic.yaml").detect([image])
    assert len(with_cups.boxes) > 5
    assert with_cups.scores[0, CUP] > 0.5


def test_less_precision_gives_much_the_same(
    folder: Path, mask_model: Detectron2Detector, image: np.ndarray
) -> None:
    (full,) = mask_model.detect([image])
    (half,) = Detectron2Detector(folder / "mask.yaml", dtype=torch.bfloat16).detect([image])
    assert half.boxes.dtype is torch.float32
    assert float(half.scores[0, CUP]) == pytest.approx(float(full.scores[0, CUP]), abs=0.01)


def test_a_name_leads_to_a_grounded_expression(
    folder: Path, image: np.ndarray, parser: Parser
) -> None:
    grounder = Grounder(f"detectron2:{folder / 'mask.yaml'}", parser)
    scene = grounder.perceive(image)
    assert len(scene) > 1
    assert "uncalibrated" in scene.provenance["calibration"]
    result = grounder.ground(scene, "the leftmost cup")
    likely = scene.existence > 0.5
    assert bool(likely.any())
    assert result.objects
    centres = (scene.boxes[:, 0] + scene.boxes[:, 2]) / 2
    assert float(centres[result.objects[0]]) == float(centres[likely].min())
    assert scene.masks(list(result.objects)).shape[1:] == image.shape[:2]


def test_weights_follow_the_config_after_a_colon(folder: Path, image: np.ndarray) -> None:
    named = Pipeline.named(f"detectron2:{folder / 'mask.yaml'}:{folder / 'mask.pth'}", SETTINGS)
    assert len(named.perceive(image)) > 1


def test_a_config_of_python_objects_and_own_names(folder: Path, image: np.ndarray) -> None:
    from detectron2.config import get_cfg

    cfg = get_cfg()
    cfg.merge_from_file(str(folder / "mask.yaml"))
    names = [f"thing {number}" for number in range(80)]
    cfg.DATASETS.TEST = ("registered_nowhere",)
    before = cfg.dump()
    detector = Detectron2Detector(cfg, folder / "mask.pth", threshold=0.5, categories=names)
    assert cfg.dump() == before
    (found,) = detector.detect([image])
    assert detector.categories[int(found.scores[0].argmax())] == "thing 41"
    assert float(found.scores[:, BOTTLE].max()) == 0.0
    with pytest.raises(PerceptionError, match="give categories"):
        Detectron2Detector(cfg)
    with pytest.raises(PerceptionError, match="has 80 categories of things, but 2 names"):
        Detectron2Detector(cfg, categories=("cup", "mug"))


def _edited(folder: Path, **changes: str) -> Path:
    from detectron2.config import get_cfg

    cfg = get_cfg()
    cfg.merge_from_file(str(folder / "mask.yaml"))
    for key, value in changes.items():
        cfg.merge_from_list([key.replace("__", "."), value])
    path = folder / f"edited_{len(list(folder.iterdir()))}.yaml"
    path.write_text(cfg.dump())
    return path


def test_what_is_wrong_is_said_in_one_line(folder: Path, tmp_path: Path) -> None:
    part = {"model": {"backbone.fpn_lateral2.weight": torch.zeros(1)}}
    torch.save(part, tmp_path / "part.pth")
    (tmp_path / "damaged.pth").write_bytes(b"no weights")
    (tmp_path / "damaged.pkl").write_bytes(pickle.dumps([1, 2])[:-3])
    (tmp_path / "project.yaml").write_text("MODEL:\n  MASK_FORMER:\n    ENABLED: true\n")
    (tmp_path / "text.yaml").write_text("MODEL: [")
    (tmp_path / "code.yaml").write_text('MODEL: !!python/object/apply:eval ["1/0"]\n')
    mask = folder / "mask.yaml"
    cases: list[tuple[Any, Any, str]] = [
        ("COCO-InstanceSegmentation/mask_rcnn_R50_FPN_3x", None, f'did you mean "{ZOO}"'),
        ("./nowhere.yaml", None, 'there is no config file "./nowhere.yaml"'),
        ("lazy.py", None, "in Python, which is not supported"),
        (tmp_path / "project.yaml", None, 'cannot read the config "project.yaml": .*MASK_FORMER'),
        (tmp_path / "text.yaml", None, 'cannot read the config "text.yaml"'),
        (tmp_path / "code.yaml", None, 'cannot read the config "code.yaml": could not determine'),
        (_edited(folder, MODEL__WEIGHTS=""), None, "names no weights"),
        (mask, tmp_path / "part.pth", "no weights that fit for [0-9]+ of [0-9]+ parameters, such"),
        (mask, tmp_path / "none.pth", "cannot load the weights .*none.pth"),
        (mask, tmp_path / "damaged.pth", "cannot load the weights .*damaged.pth"),
        (mask, tmp_path / "damaged.pkl", "cannot load the weights .*damaged.pkl"),
        (_edited(folder, INPUT__FORMAT="L"), None, 'INPUT.FORMAT "L", expected "RGB" or "BGR"'),
    ]
    for config, weights, message in cases:
        with pytest.raises(PerceptionError, match=message) as caught:
            Detectron2Detector(config, weights)
        assert "\n" not in caught.value.message
    with pytest.raises(OptionError, match="a name, a path or a CfgNode, not int"):
        Detectron2Detector(3)


def test_weights_that_cannot_be_downloaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import socket

    def refuse(*arguments: Any, **options: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("FVCORE_CACHE", str(tmp_path))
    with pytest.raises(PerceptionError, match=r"cannot load the weights .*offline\? download"):
        Detectron2Detector(ZOO)
