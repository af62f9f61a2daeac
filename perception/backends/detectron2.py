"""detectron2: its model zoo, and models of a user's own: boxes, masks, panoptic segments.

detectron2 is on no package index; ``docs/detectron2.md`` tells how to install it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from neurosym.errors import OptionError, PerceptionError, did_you_mean, nearest
from neurosym.perception.base import Detections
from neurosym.perception.detectron2_outputs import SOURCE, Labels, detections_of
from neurosym.perception.fingerprint import digest
from neurosym.perception.loading import reason_of
from neurosym.perception.registry import BackEnd, Role, Settings
from neurosym.pixels import ImageSize

DEFAULT: Final = "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x"
INSTALL: Final = (
    'in the folder of neurosym, pip install ".[detectron2]"; then the torchvision that belongs to '
    "the torch that is installed, pip install --no-deps torchvision==...; then "
    'pip install --no-build-isolation --no-deps "git+https://github.com/facebookresearch/'
    'detectron2" (docs/detectron2.md)'
)
_CONFIGS: Final = (".yaml", ".yml")


class Detectron2Detector:
    """A model of detectron2.

    Each image is resized as detectron2's own predictor does it: the shorter side to
    ``INPUT.MIN_SIZE_TEST``, the longer one to at most ``INPUT.MAX_SIZE_TEST``. Images that then
    have one size go through the model together. Others do not: detectron2 would pad them to one
    size, and what it says of an image would depend on its company.

    Args:
        config: a name of the model zoo, such as
            "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x"; the path of a YAML file; or a
            ``CfgNode``, for models of projects that extend the configuration.
        weights: the file of the weights, or its address; by default the zoo's for a name of the
            zoo, and else what ``MODEL.WEIGHTS`` names. Files that are pickles (".pkl") can run
            code: load only what you trust.
        threshold: leaves out boxes that score less, in [0, 1); by default that of the config,
            which is 0.05 in the zoo. Scores are not calibrated.
        categories: the names of things in the order of the model's numbers; by default those that
            ``MetadataCatalog`` has of the config's first ``DATASETS.TEST``.
        stuff: the same for stuff.
        device: where to run.
        dtype: the model runs under ``torch.autocast`` unless this is float32.

    Attributes:
        name: detectron2 and its version, the config, and the first digits of the SHA-256 of the
            weights.
        fingerprint: of all that its answers depend on, for scenes that are kept on disk.

    Raises:
        PerceptionError: the config or the weights cannot be had, or do not fit each other; names
            are missing.
        OptionError: detectron2 is missing, or the threshold is none.
    """

    def __init__(
        self,
        config: Any = DEFAULT,
        weights: str | Path | None = None,
        *,
        threshold: float | None = None,
        categories: Sequence[str] | None = None,
        stuff: Sequence[str] | None = None,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if threshold is not None and not 0 <= threshold < 1:
            raise OptionError(f"the threshold must lie in [0, 1), not {threshold}")
        BACK_END.check_installed()
        with _one_line(f"cannot use {SOURCE}", f"; {INSTALL}"):
            import detectron2
            from detectron2 import data, modeling
            from detectron2.data import transforms
        self._transforms = transforms
        cfg, said = _config(config)
        source = str(weights or (_zoo_weights(said) if said else "") or cfg.MODEL.WEIGHTS)
        if not source:
            raise PerceptionError(
                f"{_called(config)} names no weights: give them, or set MODEL.WEIGHTS"
            )
        cfg.MODEL.DEVICE = str(device)
        if threshold is not None:
            cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = threshold
            cfg.MODEL.RETINANET.SCORE_THRESH_TEST = threshold
        if cfg.INPUT.FORMAT not in ("RGB", "BGR"):
            raise PerceptionError(
                f'{_called(config)} has INPUT.FORMAT "{cfg.INPUT.FORMAT}", expected "RGB" or "BGR"'
            )
        self._is_bgr = cfg.INPUT.FORMAT == "BGR"
        self._shorter, self._longer = cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST
        known = data.MetadataCatalog.get(cfg.DATASETS.TEST[0]) if len(cfg.DATASETS.TEST) else None
        self._labels = _labels(cfg, known, categories, stuff, _called(config))
        with _one_line(f"cannot build the model of {_called(config)}"):
            self._model = modeling.build_model(cfg).requires_grad_(False).eval()
        digits = _load(self._model, source)
        self._device, self._dtype = torch.device(device), dtype
        short = said or (Path(config).stem if isinstance(config, str | Path) else "config")
        self.name = f"{SOURCE} {detectron2.__version__} {short}, weights {digits}"
        self.fingerprint = digest(
            self.name, cfg.dump(), self._labels.things, self._labels.stuff, str(dtype)
        )

    @property
    def categories(self) -> tuple[str, ...]:
        """The names of things, then those of stuff that are not among them."""
        return self._labels.categories

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """See :meth:`neurosym.perception.base.Detector.detect`."""
        alike: dict[tuple[int, ...], list[tuple[int, dict[str, Any]]]] = {}
        for position, image in enumerate(images):
            given = self._input(image)
            alike.setdefault(tuple(given["image"].shape), []).append((position, given))
        found: dict[int, Detections] = {}
        mixed = self._dtype is not torch.float32
        for group in alike.values():
            with (
                torch.no_grad(),
                torch.autocast(self._device.type, self._dtype if mixed else None, enabled=mixed),
            ):
                outputs = self._model([given for _, given in group])
            for (position, given), output in zip(group, outputs, strict=True):
                size = ImageSize(given["height"], given["width"])
                found[position] = detections_of(output, self._labels, size)
        return [found[position] for position in range(len(images))]

    def _input(self, image: np.ndarray) -> dict[str, Any]:
        height, width = image.shape[:2]
        pixels = image[:, :, ::-1] if self._is_bgr else image
        if self._shorter > 0:
            tall, wide = self._transforms.ResizeShortestEdge.get_output_shape(
                height, width, self._shorter, self._longer
            )
            # The shorter side of a very narrow image comes out as 0.
            resize = self._transforms.ResizeTransform(height, width, max(tall, 1), max(wide, 1))
            pixels = resize.apply_image(pixels)
        tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32))
        return {"image": tensor, "height": height, "width": width}


def _config(config: Any) -> tuple[Any, str]:
    """The configuration, and its name where it is one of the model zoo."""
    if not isinstance(config, str | Path):
        if not hasattr(config, "MODEL") or not hasattr(config, "clone"):
            raise OptionError(
                f"a config of {SOURCE} is a name, a path or a CfgNode, not {type(config).__name__}"
            )
        return config.clone(), ""
    path = Path(config).expanduser()
    if path.suffix == ".py":
        raise PerceptionError(
            f'"{config}" is a config in Python, which is not supported: expected YAML'
        )
    if path.is_file():
        return _read(path, is_trusted=False), ""
    folder = _zoo()
    names = {
        file.relative_to(folder).with_suffix("").as_posix()
        for file in folder.rglob("*.yaml")
        if file.parent != folder and not file.name.startswith("Base-")
    }
    name = str(config).removesuffix(".yaml")
    if name in names:
        return _read(folder / f"{name}.yaml", is_trusted=True), name
    if path.suffix in _CONFIGS and str(config).startswith((".", "/", "~")):
        raise PerceptionError(f'there is no config file "{config}"')
    hint = did_you_mean(nearest(name, sorted(names))) or ': expected such as "' + DEFAULT + '"'
    raise PerceptionError(f'"{config}" is no file, and {SOURCE}\'s model zoo has none{hint}')


def _read(path: Path, *, is_trusted: bool) -> Any:
    from detectron2.config import get_cfg

    cfg = get_cfg()
    # YAML can hold Python to run, which some of detectron2's own files make use of.
    with _one_line(f'cannot read the config "{path.name}"'):
        cfg.merge_from_file(str(path), allow_unsafe=is_trusted)
    return cfg


def _zoo() -> Path:
    import detectron2.model_zoo

    return Path(detectron2.model_zoo.__file__).parent / "configs"


def _zoo_weights(name: str) -> str:
    from detectron2 import model_zoo

    with _one_line("no weights"):
        return str(model_zoo.get_checkpoint_url(f"{name}.yaml"))


def _labels(
    cfg: Any, known: Any, things: Sequence[str] | None, stuff: Sequence[str] | None, config: str
) -> Labels:
    # Reading the names of a data set that is not registered makes detectron2 raise.
    known_things = getattr(known, "thing_classes", None) or ()
    known_stuff = getattr(known, "stuff_classes", None) or ()
    labels = Labels(
        tuple(known_things if things is None else things),
        tuple(known_stuff if stuff is None else stuff),
    )
    if not labels.categories:
        raise PerceptionError(
            f"the categories of {config} have no names: its DATASETS.TEST is not registered with "
            "MetadataCatalog; give categories"
        )
    count = {
        "RetinaNet": cfg.MODEL.RETINANET.NUM_CLASSES,
        "GeneralizedRCNN": cfg.MODEL.ROI_HEADS.NUM_CLASSES,
        "PanopticFPN": cfg.MODEL.ROI_HEADS.NUM_CLASSES,
    }.get(cfg.MODEL.META_ARCHITECTURE, len(labels.things))
    if count != len(labels.things):
        raise PerceptionError(
            f"the model of {config} has {count} categories of things, but {len(labels.things)} "
            "names are given by categories, or by MetadataCatalog for its DATASETS.TEST"
        )
    return labels


def _load(model: Any, source: str) -> str:
    """Loads weights, all of them; returns the first digits of the SHA-256 of their file."""
    from detectron2.checkpoint import DetectionCheckpointer
    from detectron2.utils.file_io import PathManager

    class Checkpointer(DetectionCheckpointer):  # type: ignore[misc]
        """Tells what is missing, which detectron2 only logs, leaving it random."""

        def _load_model(self, checkpoint: Any) -> Any:
            self.incompatible = super()._load_model(checkpoint)
            return self.incompatible

    checkpointer = Checkpointer(model)
    hint = "; offline? download them elsewhere and give the file as weights"
    with _one_line(f'cannot load the weights "{source}"', hint if "://" in source else ""):
        checkpointer.load(source)
        with open(PathManager.get_local_path(source), "rb") as file:
            digits = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    parameters = {name for name, _ in model.named_parameters()}
    lacking = sorted(parameters & set(checkpointer.incompatible.missing_keys))
    if lacking:
        raise PerceptionError(
            f'"{source}" has no weights that fit for {len(lacking)} of {len(parameters)} '
            f"parameters, such as {lacking[0]}: give the weights of the trained model"
        )
    return digits


def _called(config: Any) -> str:
    return f'the config "{config}"' if isinstance(config, str | Path) else "the config"


@contextmanager
def _one_line(problem: str, hint: str = "") -> Iterator[None]:
    # detectron2 documents no exceptions: its configs, downloads and pickles raise what comes.
    try:
        yield
    except Exception as error:
        raise PerceptionError(f"{problem}: {reason_of(error)}{hint}") from error


def _make(argument: str, settings: Settings) -> Detectron2Detector:
    config, _, weights = argument.partition(":")
    return Detectron2Detector(
        config or DEFAULT, weights or None, device=settings.device, dtype=settings.dtype
    )


BACK_END = BackEnd(
    name="detectron2",
    roles=(Role.DETECTOR,),
    summary="detectron2: a config of its model zoo, or CONFIG.yaml[:WEIGHTS]; boxes and masks",
    make=_make,
    weights=DEFAULT,
    licence="CC-BY-SA-3.0",
    requires=("detectron2",),
    install=INSTALL,
)
