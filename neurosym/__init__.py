"""neurosym: grounds language in images, and shows why."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurosym.alignment import Alignment
    from neurosym.api import Grounder
    from neurosym.errors import NeurosymError
    from neurosym.executors.base import Executor, Outcome, Step
    from neurosym.executors.reference import ReferenceExecutor
    from neurosym.executors.tensor import TensorExecutor
    from neurosym.executors.worlds import WorldsExecutor
    from neurosym.grammar import Lexicon, Parse, Parser
    from neurosym.perception.base import Perception
    from neurosym.perception.images import load_image
    from neurosym.pixels import ImageSize
    from neurosym.program import Op, parse_program
    from neurosym.result import Result
    from neurosym.scene import Scene
    from neurosym.span import Span

__version__ = "0.1.0"

# Names are imported when first used, so that "import neurosym" loads no torch, spaCy or model.
_HOME = {
    "Alignment": "alignment",
    "Executor": "executors.base",
    "Grounder": "api",
    "ImageSize": "pixels",
    "Lexicon": "grammar",
    "NeurosymError": "errors",
    "Op": "program",
    "Outcome": "executors.base",
    "Parse": "grammar",
    "Parser": "grammar",
    "Perception": "perception.base",
    "ReferenceExecutor": "executors.reference",
    "Result": "result",
    "Scene": "scene",
    "Span": "span",
    "Step": "executors.base",
    "TensorExecutor": "executors.tensor",
    "WorldsExecutor": "executors.worlds",
    "load_image": "perception.images",
    "parse_program": "program",
}

__all__ = [
    "Alignment",
    "Executor",
    "Grounder",
    "ImageSize",
    "Lexicon",
    "NeurosymError",
    "Op",
    "Outcome",
    "Parse",
    "Parser",
    "Perception",
    "ReferenceExecutor",
    "Result",
    "Scene",
    "Span",
    "Step",
    "TensorExecutor",
    "WorldsExecutor",
    "load_image",
    "parse_program",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'neurosym' has no attribute {name!r}")
    found = getattr(import_module(f"neurosym.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
