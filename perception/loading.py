"""Loading models and processors of ``transformers``: local folders, hub names, offline mode.

A source is a folder, which is never looked up on a hub, or a model's name on the hub, alone or as
``NAME@REVISION`` (a branch, a tag or a commit). A hub's model is taken from the local cache when
it is there; else it is downloaded, where the library's own switches (``HF_HUB_OFFLINE``,
``TRANSFORMERS_OFFLINE``) allow that. Code that comes with weights is never run: weights are
safetensors, or, where a checkpoint has none, a pickle that is read with ``weights_only``. A model
that lacks some of its weights is refused, for the library would fill them with random numbers.
Whatever goes wrong is one line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import torch

from neurosym.errors import PerceptionError

Loaded = TypeVar("Loaded")

# What a model needs of its repository. Folders inside hold other formats of the same weights.
_FILES: Final = ("*.json", "*.txt", "*.model", "*.safetensors")
_PICKLED: Final = ("pytorch_model*.bin", "pytorch_model.bin.index.json")
_LONGEST_REASON: Final = 200


def load_model(kind: Any, source: str, device: torch.device, dtype: torch.dtype) -> Any:
    """A model in evaluation mode.

    Args:
        kind: a class of ``transformers`` with ``from_pretrained``.
        source: a folder with weights and configuration, or a model's name on the hub.
        device: where it goes.
        dtype: the type of its parameters.

    Raises:
        PerceptionError: the folder or the model cannot be had, is damaged, or holds another kind
            of model.
    """

    def load(folder: Path) -> Any:
        _check_kind(folder, getattr(getattr(kind, "config_class", None), "model_type", ""))
        try:
            model, report = kind.from_pretrained(
                folder, dtype=dtype, output_loading_info=True, **_options(kind)
            )
        except ImportError as error:
            if "timm" not in str(error):
                raise
            raise ValueError(
                "it needs the library timm: where there is one, take the revision that does not, "
                'as "facebook/detr-resnet-50@no_timm"'
            ) from error
        lacking = sorted(map(str, report["missing_keys"])) + sorted(
            str(mismatch[0]) for mismatch in report["mismatched_keys"]
        )
        if lacking:
            raise ValueError(
                f"no weights that fit for {len(lacking)} tensors, such as {lacking[0]}"
            )
        return model

    return _load(load, source).requires_grad_(False).eval().to(device)


def load_processor(kind: Any, source: str) -> Any:
    """A processor or tokenizer; see :func:`load_model`."""
    return _load(lambda folder: kind.from_pretrained(folder, **_options(kind)), source)


def described(source: str, model: Any) -> str:
    """What a scene's provenance says of a model: its name, its weights, the library's version.

    Args:
        source: as for :func:`load_model`, which must have loaded it.
        model: what was loaded.

    Returns:
        Such as ``DetrForObjectDetection "detr-resnet-50", weights 1f0c5b7a92de, transformers
        5.23.0``, with the first digits of the SHA-256 of the weights and configurations.
    """
    import transformers

    repository, _, _ = source.partition("@")
    name = Path(source).expanduser().resolve().name if _is_local(source) else repository
    # The folder's name on the hub is the repository's; a person's folders are nobody's business.
    name = name.rpartition("/")[2]
    return (
        f'{type(model).__name__} "{name}", weights {_fingerprint(_folder(source))}, '
        f"transformers {transformers.__version__}"
    )


def _options(kind: Any) -> dict[str, Any]:
    # Only the classes that choose a class by the configuration know of code beside weights.
    is_choosing = getattr(kind, "__name__", "").startswith("Auto")
    return {"local_files_only": True, **({"trust_remote_code": False} if is_choosing else {})}


def _is_local(source: str) -> bool:
    looks_local = source.startswith((".", "/", "~")) or source.count("/") > 1
    return looks_local or Path(source).expanduser().is_dir()


def _load(load: Callable[[Path], Loaded], source: str) -> Loaded:
    local = Path(source).expanduser()
    if _is_local(source) and not local.is_dir():
        raise PerceptionError(f'there is no folder "{source}" with weights')
    try:
        if _is_local(source):
            return _quietly(load, local)
        cached = _cached(source)
        if cached is None:
            return _quietly(load, _downloaded(source))
        try:
            return _quietly(load, cached)
        except Exception:
            # An earlier download may have stopped half way.
            try:
                complete = _downloaded(source)
            except PerceptionError:
                complete = None
            if complete is None:
                raise
            return _quietly(load, complete)
    except PerceptionError:
        raise
    except Exception as error:
        # The library documents no exceptions, and damaged files raise whatever comes first.
        raise PerceptionError(f'cannot load the model "{source}": {reason_of(error)}') from error


def _quietly(load: Callable[[Path], Loaded], folder: Path) -> Loaded:
    """Without the library's remarks and bars: what matters is raised."""
    from transformers.utils import logging as library_logging

    logging: Any = library_logging
    verbosity, showed = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        return load(folder)
    finally:
        logging.set_verbosity(verbosity)
        if showed:
            logging.enable_progress_bar()


def _folder(source: str) -> Path:
    """Where the files of a source lie that has been loaded."""
    return Path(source).expanduser() if _is_local(source) else _cached(source) or Path()


def _cached(source: str) -> Path | None:
    """The folder of a hub's model in the local cache."""
    from huggingface_hub import snapshot_download

    repository, _, revision = source.partition("@")
    try:
        return Path(snapshot_download(repository, revision=revision or None, local_files_only=True))
    except OSError:
        return None


def _downloaded(source: str) -> Path:
    """The folder of a hub's model, downloaded.

    Raises:
        PerceptionError: there is no way to it, or no such model.
    """
    from huggingface_hub import is_offline_mode, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    repository, _, revision = source.partition("@")

    def fetch(patterns: tuple[str, ...]) -> Path:
        return Path(
            snapshot_download(
                repository,
                revision=revision or None,
                allow_patterns=list(patterns),
                ignore_patterns=["*/*"],
            )
        )

    elsewhere = (
        "download it elsewhere and give its folder after the back end's name and a colon "
        f'("hf download {repository}{f" --revision {revision}" if revision else ""}")'
    )
    try:
        folder = fetch(_FILES)
        return folder if any(folder.glob("*.safetensors")) else fetch(_PICKLED)
    except GatedRepoError as error:
        raise PerceptionError(
            f'the model "{repository}" is for people who have accepted its terms: do so on its '
            'page, then "hf auth login"'
        ) from error
    except RevisionNotFoundError as error:
        raise PerceptionError(f'the model "{repository}" has no revision "{revision}"') from error
    except RepositoryNotFoundError as error:
        raise PerceptionError(f'the hub has no model "{repository}", or none for you') from error
    except LocalEntryNotFoundError as error:
        why = "HF_HUB_OFFLINE is set" if is_offline_mode() else "the hub cannot be reached"
        raise PerceptionError(
            f'the model "{source}" is not in the local cache, and {why}: {elsewhere}'
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise PerceptionError(
            f'cannot download the model "{source}": {reason_of(error)}; {elsewhere}'
        ) from error


def _check_kind(folder: Path, expected: str) -> None:
    """Whether the folder holds this kind of model; the library only warns, and guesses."""
    path = folder / "config.json"
    try:
        found = json.loads(path.read_text("utf-8")).get("model_type", expected)
    except FileNotFoundError:
        raise ValueError("there is no config.json") from None
    except (ValueError, AttributeError) as error:
        raise ValueError("config.json is damaged") from error
    if expected and found != expected:
        raise ValueError(f'it holds a "{found}" model, expected "{expected}"')


def _fingerprint(folder: Path) -> str:
    """The first digits of the SHA-256 of a folder's weights and configurations."""
    digest = hashlib.sha256()
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    for path in (*weights, *sorted(folder.glob("*.json"))):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                digest.update(part)
    return digest.hexdigest()[:12]


def reason_of(error: Exception) -> str:
    """The first sentence of what the library says, which may be paragraphs."""
    lines = (line.strip() for line in str(error).splitlines())
    first = next((line for line in lines if line), repr(error)).split(". ")[0].rstrip(".:")
    return first if len(first) <= _LONGEST_REASON else f"{first[:_LONGEST_REASON]}..."
