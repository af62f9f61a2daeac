from pathlib import Path

import pytest

from neurosym.grammar import Parser, SpacyTokenizer
from neurosym.models.store import path_of


@pytest.fixture(scope="session")
def pipeline() -> Path:
    return Path(path_of("en-core-web-sm"))


@pytest.fixture(scope="session")
def tokenizer(pipeline: Path) -> SpacyTokenizer:
    return SpacyTokenizer(pipeline)


@pytest.fixture(scope="session")
def parser(tokenizer: SpacyTokenizer) -> Parser:
    """The grammar alone, so that what it refuses is seen."""
    return Parser(tokenizer, fallback=False)


@pytest.fixture(scope="session")
def lenient(tokenizer: SpacyTokenizer) -> Parser:
    """The grammar with its fallback, as users have it."""
    return Parser(tokenizer)
