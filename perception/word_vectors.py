"""Static word vectors: one vector a word piece, a phrase their mean.

The form of model2vec (Minish Lab, 2024): the pieces' vectors already carry their weights, so that
the mean is all that remains to be done. Only the rows that are asked for are read from the file.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from neurosym.errors import ModelStoreError

FILES: Final = ("model.safetensors", "tokenizer.json")
_TABLE: Final = "embeddings"
_UNKNOWN: Final = "[UNK]"


class WordVectors:
    """Vectors of words and short phrases; safe to share between threads.

    Args:
        folder: holds FILES.

    Raises:
        ModelStoreError: a file is missing, or not of this form.
    """

    def __init__(self, folder: Path) -> None:
        # Both come with transformers; they are imported late so that `import neurosym` stays light.
        from safetensors import safe_open
        from tokenizers import Tokenizer

        weights, words = (folder / name for name in FILES)
        try:
            self._tokenizer: Any = Tokenizer.from_file(str(words))
            opened: Any = safe_open(str(weights), framework="np")
            self._table: Any = opened.get_slice(_TABLE)
            self.width = int(self._table.get_shape()[1])
        except Exception as error:  # both libraries raise bare exceptions of their own
            raise ModelStoreError(f"cannot read word vectors in {folder}: {error}") from error
        self._unknown = self._tokenizer.token_to_id(_UNKNOWN)
        self._rows: dict[int, np.ndarray] = {}
        self._lock = threading.Lock()

    def __call__(self, phrases: Sequence[str]) -> np.ndarray:
        """The vectors of phrases.

        Args:
            phrases: in any case, with spaces.

        Returns:
            [phrase, width] float32 of length 1; zeros for a phrase without a known piece.
        """
        made = np.zeros((len(phrases), self.width), dtype=np.float32)
        for number, coded in enumerate(
            self._tokenizer.encode_batch(list(phrases), add_special_tokens=False)
        ):
            pieces = [piece for piece in coded.ids if piece != self._unknown]
            if pieces:
                mean = np.mean([self._row(piece) for piece in pieces], axis=0)
                made[number] = mean / max(float(np.linalg.norm(mean)), 1e-12)
        return made

    def _row(self, piece: int) -> np.ndarray:
        with self._lock:
            if piece not in self._rows:
                row = np.asarray(self._table[piece : piece + 1], dtype=np.float32)
                self._rows[piece] = row[0]
            return self._rows[piece]
