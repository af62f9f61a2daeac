"""What words mean in a detector's categories: a lexicon that a user can edit.

The format is explained at the head of ``data/concepts_coco.toml``, the lexicon for the 80
categories of COCO.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from neurosym.errors import LexiconError, did_you_mean, nearest
from neurosym.scene import Concept

# Table of the file -> whether its categories cover more than the word says.
TABLES: Final[Mapping[str, bool]] = {"synonyms": False, "hypernyms": False, "narrower": True}


def load_concepts(categories: Sequence[str], path: Path | None = None) -> dict[str, Concept]:
    """The words beyond the categories' own names, and the categories that they cover.

    Args:
        categories: the names that a detector knows.
        path: a file of the user's, instead of the one that comes with the package. From the
            package's own file, entries that name categories other than these are passed over.

    Returns:
        Word -> concept, in the file's order. No word is itself a category. From the package's own
        file, what stands before a hyphen ("wall" of "wall-brick") is a word, too.

    Raises:
        LexiconError: the file cannot be read or is not valid TOML; a table is not one of TABLES; a
            word stands twice, is a category, or is not a lower-case lemma; categories are missing
            or unknown. The message names file and line.
    """
    if path is not None:
        try:
            source = path.read_text("utf-8")
        except OSError as error:
            raise LexiconError(f'cannot read "{path}": {error.strerror}') from error
        except UnicodeDecodeError as error:
            raise LexiconError(f'cannot read "{path}": it is not UTF-8 text') from error
        return _read(source, str(path), categories)
    found = {}
    for word, concept in lexicon().items():
        # Another detector has other categories: what it lacks, its words cannot mean.
        if set(concept.categories) <= set(categories) and word not in categories:
            found[word] = concept
    for word, covered in _first_words(categories).items():
        if word not in categories:
            known = found.get(word, Concept(()))
            together = tuple(dict.fromkeys((*known.categories, *covered)))
            found[word] = Concept(together, known.approximate, "category names")
    return found


def _first_words(categories: Sequence[str]) -> dict[str, list[str]]:
    """Word -> the categories that are kinds of it by their names.

    Lists of stuff qualify names: "wall-brick" and "wall-other-merged" are walls.
    """
    found: dict[str, list[str]] = {}
    for category in categories:
        word, qualifier, _ = category.partition("-")
        # A letter is no kind: "t-shirt".
        if qualifier and len(word) > 1:
            found.setdefault(word, []).append(category)
    return found


@cache
def lexicon() -> Mapping[str, Concept]:
    """All words of the file that comes with the package, and the categories of COCO they cover."""
    file = resources.files("neurosym.perception").joinpath("data/concepts_coco.toml")
    return {
        word: Concept(tuple(covered), TABLES[table])
        for table, entries in tomllib.loads(file.read_text("utf-8")).items()
        for word, covered in entries.items()
    }


def _read(source: str, name: str, categories: Sequence[str]) -> dict[str, Concept]:
    try:
        document = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\(at line (\d+)", str(error))
        line = at.group(1) if at else str(source.count("\n") + 1)
        reason = re.sub(r" \(at .*\)$", "", str(error))
        raise LexiconError(f"{name}, line {line}: not valid TOML: {reason}") from error
    found: dict[str, Concept] = {}
    for table, entries in document.items():
        if table not in TABLES or not isinstance(entries, dict):
            line = _line_of(source, "", table)
            hint = did_you_mean(nearest(table, TABLES)) or f": expected {_quoted(TABLES)}"
            raise LexiconError(f'{name}, line {line}: unknown table "{table}"{hint}')
        for word, covered in entries.items():
            problem = _problem(word, covered, found, categories)
            if problem:
                raise LexiconError(f"{name}, line {_line_of(source, table, word)}: {problem}")
            found[word] = Concept(tuple(covered), TABLES[table])
    return found


def _problem(
    word: str, covered: Any, found: Mapping[str, Concept], categories: Sequence[str]
) -> str:
    """What is wrong with an entry, in one line; empty when it is right."""
    if not word or word != " ".join(word.lower().split()):
        expected = " ".join(word.lower().split()) or "a word"
        return f'"{word}" must be lower-case, with single spaces: expected "{expected}"'
    if word in categories:
        return f'"{word}" is itself a category: it needs no entry, and cannot mean another'
    if word in found:
        return f'"{word}" stands twice: expected one entry, in one table'
    if not isinstance(covered, list) or not covered or len(set(map(str, covered))) != len(covered):
        return f'"{word}" must be a list of different categories, as {word!r} = ["person"]'
    for category in covered:
        if not isinstance(category, str):
            return f'"{word}" must name categories in quotes, not {category!r}'
        if category not in categories:
            hint = did_you_mean(nearest(category, categories))
            return f'"{word}" names the unknown category "{category}"{hint}'
    return ""


def _line_of(source: str, table: str, key: str) -> int:
    """The line that defines ``key`` in ``table``, or the table itself; TOML does not tell."""
    quoted = rf"""(?:"{re.escape(key)}"|'{re.escape(key)}'|{re.escape(key)})"""
    entry = re.compile(rf"\s*{quoted}\s*[=.]" if table else rf"\s*\[?\[?\s*{quoted}\s*[\].=]")
    header = re.compile(r"\s*\[\s*[\"']?([^\"'\]]+?)[\"']?\s*\]\s*(#.*)?$")
    inside = ""
    for number, line in enumerate(source.splitlines(), start=1):
        opened = header.match(line)
        if table and opened:
            inside = opened.group(1)
        elif inside == table and entry.match(line):
            return number
    return 1


def _quoted(names: Mapping[str, bool]) -> str:
    return ", ".join(f'"{name}"' for name in names)
