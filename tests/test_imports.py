"""The import rule: which part of the package may know which, found by reading the imports."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = CONFIGURATION["tool"]["setuptools"]["package-dir"]
MAX_LINES = 600


def _modules() -> dict[str, Path]:
    """Every module of ours, by its dotted name, each once in spite of the links in neurosym/."""
    found = {}
    for package, folder in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            inside = path.relative_to(ROOT / folder)
            through_link = any((ROOT / folder / part).is_symlink() for part in inside.parts[:1])
            if through_link or "__pycache__" in inside.parts:
                continue
            parts = [package, *inside.with_suffix("").parts]
            if parts[-1] == "__init__":
                parts.pop()
            found[".".join(parts)] = path
    return found


MODULES = _modules()


@dataclass(frozen=True)
class Import:
    """One imported module name; ``late`` when it stands inside a function."""

    target: str
    line: int
    late: bool


def _imports(name: str) -> list[Import]:
    path = MODULES[name]
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return list(_walk(tree, package, late=False))


def _walk(node: ast.AST, package: str, *, late: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, late)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            if child.level:
                parents = package.split(".")
                kept = parents[: len(parents) - child.level + 1]
                base = ".".join([*kept, base] if base else kept)
            for alias in child.names:
                inner = f"{base}.{alias.name}"
                yield Import(inner if inner in MODULES else base, child.lineno, late)
        elif isinstance(child, ast.If) and _is_type_checking(child.test):
            for statement in child.orelse:
                yield from _walk(statement, package, late=late)
        else:
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(child, package, late=late or is_function)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _in(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


# What each part may import of ours, besides itself.
ALLOWED = {
    "neurosym.program": ("errors", "span"),
    "neurosym.grammar": ("program", "errors", "span"),
    "neurosym.executors": ("program", "scene", "betweenness", "errors", "span"),
    "neurosym.perception": ("scene", "pixels", "errors", "span"),
    "neurosym.views": (
        *("program", "result", "reasons", "scene", "pixels", "alignment", "files", "errors"),
        "span",
    ),
    "neurosym.reasons": ("program", "executors", "result", "scene", "errors", "span"),
    "neurosym.models": ("errors",),
    "neurosym.datasets": (
        *("interchange", "program", "scene", "masks", "pixels", "perception", "errors", "span"),
    ),
    "neurosym.interchange": (
        *("scene", "scene_io", "origin", "masks", "pixels", "perception", "files", "errors"),
        "span",
    ),
    "neurosym.evaluation": (
        *("api", "datasets", "grammar", "executors", "program", "result", "scene", "views"),
        *("interchange", "masks", "metrics", "perception", "pixels", "files", "errors", "span"),
    ),
    "neurosym.generation": (
        *("grammar", "executors", "program", "scene", "views", "errors", "span"),
    ),
    "neurosym.text_graph": ("program", "errors", "span"),
    "neurosym.scene": ("scene_io", "origin", "pixels", "errors", "span"),
    "neurosym.origin": (),
    "neurosym.masks": ("pixels", "errors", "span"),
    "neurosym.pixels": ("errors", "span"),
    "neurosym.betweenness": (),
    "neurosym.files": ("errors",),
    "neurosym.errors": ("span",),
    "neurosym.span": (),
}

# What each part may import of others: never, or never at module level.
NEVER = {
    "neurosym.program": ("torch", "spacy", "lark", "transformers"),
    "neurosym.grammar": ("torch", "transformers"),
    "neurosym.executors": ("lark", "spacy", "transformers"),
    "neurosym.perception": ("lark", "spacy"),
}
NEVER_EARLY = {
    "neurosym.grammar": ("spacy",),
    "neurosym.models": ("torch", "tqdm"),
    "neurosym.evaluation": ("tqdm",),
}


def test_modules_are_found() -> None:
    assert {"neurosym", "neurosym.errors", "neurosym.grammar", "neurosym.models.store"} <= set(
        MODULES
    )


@pytest.mark.parametrize("part", ALLOWED)
def test_a_part_imports_of_ours_only_what_it_may(part: str) -> None:
    allowed = (part, *(f"neurosym.{name}" for name in ALLOWED[part]))
    wrong = [
        f"{MODULES[name].relative_to(ROOT)}:{found.line} imports {found.target}"
        for name in MODULES
        if _in(name, part)
        for found in _imports(name)
        if _in(found.target, "neurosym") and not any(_in(found.target, ok) for ok in allowed)
    ]
    assert not wrong, f"{part} may import only {', '.join(allowed)}"


@pytest.mark.parametrize("part", sorted({*NEVER, *NEVER_EARLY}))
def test_a_part_imports_no_library_that_it_may_not(part: str) -> None:
    wrong = [
        f"{MODULES[name].relative_to(ROOT)}:{found.line} imports {found.target}"
        for name in MODULES
        if _in(name, part)
        for found in _imports(name)
        if any(_in(found.target, library) for library in NEVER.get(part, ()))
        or (
            not found.late
            and any(_in(found.target, library) for library in NEVER_EARLY.get(part, ()))
        )
    ]
    assert not wrong


def test_siblings_are_never_imported_bare() -> None:
    bare = [folder for folder in FOLDERS.values() if folder != "neurosym"]
    wrong = [
        f"{MODULES[name].relative_to(ROOT)}:{found.line} imports {found.target}"
        for name in MODULES
        for found in _imports(name)
        if any(_in(found.target, folder) for folder in bare)
    ]
    assert not wrong


def test_no_import_cycles() -> None:
    graph = {
        name: {found.target for found in _imports(name) if not found.late} & set(MODULES) - {name}
        for name in MODULES
    }
    # Modules that import nothing are taken away until none is left, or only cycles are.
    while free := {name for name, targets in graph.items() if not targets}:
        graph = {name: targets - free for name, targets in graph.items() if name not in free}
    # What is left also has the modules that only lead into a cycle; take those away too.
    while outer := set(graph) - set().union(*graph.values()):
        graph = {name: targets for name, targets in graph.items() if name not in outer}
    assert not graph, f"modules import each other in a circle: {graph}"


def test_import_neurosym_is_light(tmp_path: Path) -> None:
    code = (
        "import sys, neurosym\n"
        "heavy = ('torch', 'spacy', 'transformers', 'lark', 'networkx', 'PIL', 'tqdm')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", MODULES)
def test_no_module_is_too_long(name: str) -> None:
    lines = MODULES[name].read_text(encoding="utf-8").count("\n")
    assert lines <= MAX_LINES, f"{MODULES[name]} has {lines} lines"


def test_all_names_are_importable() -> None:
    neurosym = importlib.import_module("neurosym")
    names = neurosym.__all__
    assert 10 <= len(names) <= 25
    assert len(set(names)) == len(names)
    missing = [name for name in names if not hasattr(neurosym, name)]
    assert not missing
