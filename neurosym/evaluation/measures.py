"""What perception is measured by: the measures by name, and the figures that they give.

A measure needs pictures with gold annotations, and a perception. What is counted is fixed before a
picture is looked at: a picture that cannot be read, or that perception fails on, keeps its gold
things in every denominator, as not found.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosym.errors import DataError
from neurosym.files import write_atomically

if TYPE_CHECKING:
    from neurosym.perception.base import Perception

FORMAT = "neurosym-measure/1"


@dataclass(frozen=True)
class Figure:
    """One number that was measured.

    Attributes:
        value: a share in [0, 1] or a count; None when there is nothing to measure it on.
        of: how many of ``what`` it was measured on.
        what: what was counted.
        interval: 95 %, from resampling pictures.
        by_chance: of a calibration error, what exactly calibrated scores would show on average.
    """

    value: float | None
    of: int
    what: str
    interval: tuple[float, float] | None = None
    by_chance: float | None = None


@dataclass(frozen=True)
class Report:
    """What a measure found.

    Attributes:
        measure: its name.
        perception: what the scenes say of the perception; empty when there was none.
        figures: by name, in the order in which people read them.
        lines: one for each picture, ready for JSON.
    """

    measure: str
    perception: str
    figures: dict[str, Figure]
    lines: list[dict[str, Any]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The figures, ready for JSON."""
        return {
            "format": FORMAT,
            "measure": self.measure,
            "perception": self.perception,
            "figures": {name: asdict(figure) for name, figure in self.figures.items()},
        }

    def text(self) -> str:
        """The figures for people, a line for each."""
        rows = [(name, *_cells(figure)) for name, figure in self.figures.items()]
        widths = [max(len(row[column]) for row in rows) for column in range(2)]
        lines = [f"{self.measure}: {self.perception}" if self.perception else self.measure]
        for name, value, said in rows:
            lines.append(f"{name:<{widths[0]}}  {value:>{widths[1]}}  {said}")
        return "\n".join(lines)

    def write(self, path: Path) -> None:
        """Write a JSONL file: the figures, then a line for each picture.

        Raises:
            DataError: the file cannot be written.
        """
        lines = [json.dumps(line, ensure_ascii=False) for line in (self.document(), *self.lines)]
        write_atomically(path, ("\n".join(lines) + "\n").encode())


def _cells(figure: Figure) -> tuple[str, str]:
    if figure.value is None:
        return "-", f"no {figure.what}"
    value = str(figure.value) if isinstance(figure.value, int) else f"{figure.value:.3f}"
    said = f"{figure.of} {figure.what}"
    if figure.interval is not None:
        said += f", {figure.interval[0]:.3f} to {figure.interval[1]:.3f}"
    if figure.by_chance is not None:
        said += f", by chance {figure.by_chance:.3f}"
    return value, said


@dataclass(frozen=True)
class Measure:
    """A measure of perception.

    Attributes:
        name: what the command calls it.
        folders: the folders of its files, where they are kept with other data.
        files: those that must be there.
        description: one line for people.
        home: "module.function", below this package.
    """

    name: str
    folders: tuple[str, ...]
    files: tuple[str, ...]
    description: str
    home: str

    def find(self, folder: Path) -> Path:
        """The folder of the files: ``folder``, or the measure's own below it.

        Raises:
            DataError: it is neither.
        """
        for place in (folder, *(folder / name for name in self.folders)):
            if all((place / name).exists() for name in self.files):
                return place
        raise DataError(
            f'no data of "{self.name}" in "{folder}": expected {" and ".join(self.files)}'
        )

    def run(
        self,
        folder: Path,
        perception: Perception,
        *,
        limit: int | None = None,
        progress: bool = False,
    ) -> Report:
        """The figures of a perception.

        Args:
            folder: what :meth:`find` gave.
            perception: what is measured.
            limit: measure on so many pictures, drawn by hash; a smaller sample is part of a larger.
            progress: whether to show a bar on the standard error.

        Raises:
            DataError: the files are not of their form.
            OptionError: the limit is not positive, a library is missing, or the perception lacks
                what is measured.
            PerceptionError: no picture could be looked at.
        """
        module, _, name = self.home.rpartition(".")
        function: Callable[..., Report] = getattr(
            import_module(f"neurosym.evaluation.{module}"), name
        )
        return function(folder, perception, limit=limit, progress=progress)


_COCO = ("instances.json", "images")
MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(
            "detection",
            ("coco",),
            _COCO,
            "boxes and categories: AP, recall, calibration",
            "detection.measure",
        ),
        Measure(
            "masks",
            ("coco",),
            _COCO,
            "masks from gold boxes and from found ones: IoU, AP",
            "segmentation.measure",
        ),
        Measure(
            "colours",
            ("vg",),
            ("objects.json", "images"),
            "colour words of objects in Visual Genome's style: accuracy, pairs, calibration",
            "colour_words.measure",
        ),
    )
}
"""Name -> measure."""
