"""Loading models and processors of ``transformers``: local folders, hub names, offline mode.

A folder is never looked up on a hub. A hub's name is looked up in the local cache first; whether
the network may be used is for the library's own switches (``HF_HUB_OFFLINE``,
``TRANSFORMERS_OFFLINE``) to say. Whatever goes wrong is one line.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from neurosym.errors import PerceptionError

Loaded = TypeVar("Loaded")


def load_model(kind: Any, source: str, device: torch.device, dtype: torch.dtype) -> Any:
    """A model in evaluation mode.

    Args:
        kind: a class of ``transformers`` with ``from_pretrained``.
        source: a folder with weights and configuration, or a model's name on the hub.
        device: where it goes.
        dtype: the type of its parameters.

    Raises:
        PerceptionError: the folder or the model cannot be had, or holds another kind of model.
    """
    model = _load(lambda **options: kind.from_pretrained(source, dtype=dtype, **options), source)
    return model.requires_grad_(False).eval().to(device)


def load_processor(kind: Any, source: str) -> Any:
    """A processor or tokenizer; see :func:`load_model`."""
    return _load(lambda **options: kind.from_pretrained(source, **options), source)


def _load(load: Callable[..., Loaded], source: str) -> Loaded:
    local = Path(source).expanduser()
    looks_local = source.startswith((".", "/", "~")) or source.count("/") > 1 or local.is_dir()
    if looks_local and not local.is_dir():
        raise PerceptionError(f'there is no folder "{source}" with weights')
    options: dict[str, Any] = {"local_files_only": True} if looks_local else {}
    try:
        return load(**options)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), repr(error))
        if looks_local:
            raise PerceptionError(f'cannot load the model in "{source}": {reason}') from error
        raise PerceptionError(
            f'cannot load the model "{source}": {reason} (offline? download it elsewhere and give '
            "its folder after the back end's name and a colon)"
        ) from error
