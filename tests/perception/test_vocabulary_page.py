"""What docs/vocabulary.md shows is what happens."""

from __future__ import annotations

import doctest
from pathlib import Path

from neurosym.perception import taxonomy
from neurosym.perception import vocabulary as module
from neurosym.perception.vocabulary import Vocabulary

PAGE = (Path(__file__).parents[2] / "docs" / "vocabulary.md").read_text(encoding="utf-8")


def test_the_examples_run(vocabulary: Vocabulary) -> None:
    assert vocabulary.wordnet is not None
    assert vocabulary.vectors is not None
    examples = doctest.DocTestParser().get_doctest(PAGE, {}, "vocabulary.md", None, 0)
    assert len(examples.examples) == 10
    outcome = doctest.DocTestRunner(verbose=False).run(examples)
    assert outcome.failed == 0


def test_the_thresholds_are_those_of_the_code() -> None:
    assert f"make up {taxonomy.LEAST_COVERED} of" in PAGE
    assert f"with {taxonomy.LEAST_MEANT} of its use" in PAGE
    assert f"(cosine {module.LEAST_SIMILAR})" in PAGE
    assert f"close as well ({module.LEAST_RELATED})" in PAGE
