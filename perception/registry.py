"""Back ends by name, and pipelines by the names of their parts.

``"picodet+mobilesam"`` is a detector and a segmenter; ``"grounding-dino:/models/gd+sam+siglip"``
has a folder of weights for the first. What a back end is, it says itself, in its own file below
``perception/backends``: adding one is adding a file.
"""

from __future__ import annotations

import enum
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from neurosym.errors import OptionError, did_you_mean, nearest

PACKAGE = "neurosym.perception.backends"


class Role(enum.Enum):
    """What a back end does in a pipeline; the values are the pipeline's arguments."""

    DETECTOR = "detector"
    OPEN_DETECTOR = "open_detector"
    SEGMENTER = "segmenter"
    ATTRIBUTES = "attributes"
    RELATIONS = "relations"
    DEPTH = "depth"
    HEAT_MAPS = "heat_maps"

    @property
    def words(self) -> str:
        """For messages."""
        return self.value.replace("_", " ")


@dataclass(frozen=True)
class Settings:
    """How the parts of a pipeline are made.

    Attributes:
        device: where models run.
        dtype: in which precision they run, where they can.
        weights: gives the folder of a model of the model store, fetching it when needed.
    """

    device: torch.device
    dtype: torch.dtype
    weights: Callable[[str], Path]


@dataclass(frozen=True)
class BackEnd:
    """A back end.

    Attributes:
        name: in the names of pipelines; lower case, words joined by "-".
        roles: what its object can do.
        summary: one line for people.
        make: its object, from what follows the ":" (empty when nothing does) and the settings.
        weights: what is loaded when nothing follows the ":"; a hub's name or the model store's.
        licence: SPDX name of the licence of those weights.
        requires: the modules that must be there, beyond what is always installed.
        install: how to get them.
    """

    name: str
    roles: tuple[Role, ...]
    summary: str
    make: Callable[[str, Settings], Any]
    weights: str
    licence: str
    requires: tuple[str, ...] = ()
    install: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """The modules that it needs and that are not there."""
        return tuple(module for module in self.requires if find_spec(module) is None)

    def check_installed(self) -> None:
        """Raises an OptionError that says how to get what is missing."""
        if self.missing:
            raise OptionError(f'"{self.name}" needs {", ".join(self.missing)}: {self.install}')


@cache
def names() -> tuple[str, ...]:
    """The names of all back ends, sorted."""
    package = import_module(PACKAGE)
    return tuple(
        sorted(found.name.replace("_", "-") for found in pkgutil.iter_modules(package.__path__))
    )


def back_end(name: str) -> BackEnd:
    """The back end of this name.

    Raises:
        OptionError: there is none; the message names the nearest.
    """
    if name not in names():
        hint = did_you_mean(nearest(name, names())) or f": expected {', '.join(names())}"
        shown = " ".join(name.split())
        raise OptionError(f'unknown perception back end "{shown}"{hint}')
    found: BackEnd = import_module(f"{PACKAGE}.{name.replace('-', '_')}").BACK_END
    return found


def parts_named(name: str) -> Mapping[Role, tuple[BackEnd, str]]:
    """The back ends of a pipeline's name, by role, each with what follows its ":".

    Args:
        name: back ends joined by "+", each alone or as ``NAME:ARGUMENT``. A "+" inside an argument
            is fine where no back end's name follows it.

    Raises:
        OptionError: a back end is unknown, or two of them have the same role.

    Example:
        >>> parts = parts_named("picodet+mobilesam:/models/sam")
        >>> [(role.value, end.name, argument) for role, (end, argument) in parts.items()]
        [('detector', 'picodet', ''), ('segmenter', 'mobilesam', '/models/sam')]
    """
    pieces: list[str] = []
    for piece in name.split("+"):
        if pieces and ":" in pieces[-1] and piece.partition(":")[0] not in names():
            pieces[-1] += f"+{piece}"
        else:
            pieces.append(piece)
    parts: dict[Role, tuple[BackEnd, str]] = {}
    for piece in pieces:
        head, _, argument = piece.partition(":")
        end = back_end(head.strip())
        for role in end.roles:
            if role in parts:
                raise OptionError(
                    f'"{name}" names two back ends for the role "{role.words}": '
                    f'"{parts[role][0].name}" and "{end.name}"'
                )
            parts[role] = (end, argument.strip())
    return parts


def listing() -> str:
    """All back ends for people: name, roles, what it is, weights, licence, what is missing."""
    lines = []
    for name in names():
        end = back_end(name)
        roles = ", ".join(role.words for role in end.roles)
        lines.append(f"{end.name:<16}{roles}\n{'':<16}{end.summary}")
        lines.append(f"{'':<16}weights: {end.weights} ({end.licence})")
        if end.missing:
            lines.append(f"{'':<16}not installed: {end.install}")
    return "\n".join(lines)
