"""Model weights: what can be fetched, from where, under which licence, and where it lies."""

from neurosym.models.manifest import ModelEntry, ModelFile
from neurosym.models.store import (
    Store,
    Verification,
    entries,
    home,
    is_present,
    path_of,
    pull,
    verify,
)

__all__ = [
    "ModelEntry",
    "ModelFile",
    "Store",
    "Verification",
    "entries",
    "home",
    "is_present",
    "path_of",
    "pull",
    "verify",
]
