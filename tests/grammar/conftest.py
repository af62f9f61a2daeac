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
    return Parser(tokenizer)
