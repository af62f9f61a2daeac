"""What a perception's scenes depend on, as one short string: code, weights, settings."""

from __future__ import annotations

import enum
import functools
import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neurosym import pixels, scene
from neurosym.perception.registry import BackEnd, Settings

if TYPE_CHECKING:
    from typing_extensions import Buffer

_DEPTH = 6
_PLAIN = (
    *(type(None), bool, int, float, complex, str, bytes, Path, range, slice),
    *(np.generic, np.dtype, torch.device, torch.dtype),
)
_PACKAGE = "neurosym."


def digest(*things: Any) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of values, objects and their weights.

    Tensors, arrays and the parameters of modules count by what they hold; other objects by their
    class, the file that defines it (unless it is ours, see :func:`code`) and their attributes, as
    far as Python shows them. An object with an attribute ``fingerprint``, a string, counts by that
    alone: that is the way of objects whose state Python cannot see.

    Example:
        >>> digest([1, 2]) == digest([1, 2])
        True
        >>> digest([1, 2]) == digest([2, 1])
        False
    """
    whole = hashlib.sha256()
    _feed(whole.update, things, _DEPTH)
    return whole.hexdigest()[:16]


@functools.cache
def code() -> str:
    """The digest of the code and the data files that scenes are made with."""
    folder = Path(__file__).parent
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    files += [Path(inspect.getfile(module)) for module in (scene, pixels)]
    return digest([(path.name, path.read_bytes()) for path in sorted(files)])


def weights_of(end: BackEnd, argument: str, settings: Settings) -> str | None:
    """What a back end will be made of, without making it; None when only its object can tell.

    Files count by name, size and time of change: hashing weights takes longer than some scenes.

    Args:
        end: the back end.
        argument: what follows its name.
        settings: how it will be made.
    """
    if argument:
        path = Path(argument).expanduser()
    elif "/" in end.weights:
        return None  # a hub's name says nothing of what it stands for
    else:
        path = settings.weights(end.weights)
    if not path.is_dir():
        return None  # a configuration names its weights, which may lie anywhere
    files = sorted(path.rglob("*"))
    states = [(str(file.relative_to(path)), file.stat()) for file in files if file.is_file()]
    return digest(
        end.name,
        argument,
        str(settings.dtype),
        [(name, state.st_size, state.st_mtime_ns) for name, state in states],
    )


def _feed(update: Callable[[Buffer], None], thing: Any, depth: int) -> None:
    update(f"<{type(thing).__module__}.{type(thing).__qualname__}>".encode())
    if isinstance(thing, _PLAIN):
        update(repr(thing).encode())
    elif isinstance(getattr(thing, "fingerprint", None), str):
        update(thing.fingerprint.encode())
    elif isinstance(thing, torch.Tensor):
        update(f"{thing.dtype}{list(thing.shape)}".encode())
        flat = thing.detach().cpu().contiguous().reshape(-1)
        update(flat.view(torch.uint8).numpy().data if flat.numel() else b"")
    elif isinstance(thing, np.ndarray):
        update(f"{thing.dtype}{list(thing.shape)}".encode())
        update(thing.tobytes())
    elif depth == 0:
        return
    elif isinstance(thing, Mapping):
        _feed_all(update, (part for item in thing.items() for part in item), depth)
    elif isinstance(thing, set | frozenset):
        _feed_all(update, sorted(thing, key=repr), depth)
    elif isinstance(thing, list | tuple):
        _feed_all(update, thing, depth)
    elif isinstance(thing, CodeType):
        update(thing.co_code)
        _feed_all(update, (*thing.co_consts, *thing.co_names), depth)
    elif isinstance(thing, enum.Enum):
        update(thing.name.encode())
    elif isinstance(thing, type):
        _feed_class(update, thing)
    elif isinstance(thing, ModuleType):
        _feed(update, (thing.__name__, getattr(thing, "__version__", "")), depth)
    elif isinstance(thing, FunctionType):
        cells = [cell.cell_contents for cell in thing.__closure__ or ()]
        _feed_all(update, (thing.__code__, thing.__defaults__, thing.__kwdefaults__, cells), depth)
    elif isinstance(thing, MethodType):
        _feed_all(update, (thing.__func__, thing.__self__), depth)
    elif isinstance(thing, functools.partial):
        _feed_all(update, (thing.func, thing.args, thing.keywords), depth)
    else:
        _feed_object(update, thing, depth)


def _feed_all(update: Callable[[Buffer], None], things: Iterable[Any], depth: int) -> None:
    for thing in things:
        _feed(update, thing, depth - 1)


def _feed_object(update: Callable[[Buffer], None], thing: Any, depth: int) -> None:
    kind = type(thing)
    _feed_class(update, kind)
    if isinstance(thing, torch.nn.Module):
        # Not the attributes of its layers: those follow from the class and the parameters' shapes.
        _feed(update, dict(thing.state_dict()), depth)
    for name, value in sorted(getattr(thing, "__dict__", {}).items()):
        # What is worked out once and kept may be there or not.
        made = isinstance(getattr(kind, name, None), functools.cached_property)
        if not made and not (isinstance(thing, torch.nn.Module) and name.startswith("_")):
            _feed_all(update, (name, value), depth)


def _feed_class(update: Callable[[Buffer], None], kind: type) -> None:
    update(f"{kind.__module__}.{kind.__qualname__}".encode())
    if not kind.__module__.startswith(_PACKAGE):
        update(_source(kind))


@functools.cache
def _source(kind: type) -> bytes:
    """The file that defines a class; a library's is its version."""
    try:
        return Path(inspect.getfile(kind)).read_bytes()
    except (OSError, TypeError):
        return b""
