"""Figures of an evaluation, for each part and together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from neurosym.evaluation.cases import Ending
from neurosym.evaluation.coverage import Coverage, total
from neurosym.evaluation.record import Line

FORMAT = "neurosym-evaluation-summary/1"
_COVERED = {
    "parsed": "texts with a program",
    "fallback": "texts by the fallback",
    "unlisted": "content tokens not listed",
    "unused": "content tokens not used",
    "unknown": "content tokens unknown",
}
"""Share -> what it is called for people."""


def summarise(corpus: str, lines: Sequence[Line]) -> dict[str, Any]:
    """The figures of some lines, ready for JSON.

    Args:
        corpus: its name.
        lines: what :func:`neurosym.evaluation.run.evaluate` returned.

    Returns:
        ``corpus`` and ``parts``: for "open", "closed" and "all", where there are such cases, the
        figures. Shares lie in [0, 1] and are None where there is nothing to take a share of. The
        accuracy is right / judged, the consistency consistent / groups.
    """
    parts = {
        "open": [line for line in lines if line["part"] == "open"],
        "closed": [line for line in lines if line["part"] == "closed"],
        "all": list(lines),
    }
    return {
        "format": FORMAT,
        "corpus": corpus,
        "parts": {name: _figures(chosen) for name, chosen in parts.items() if chosen},
    }


def _figures(lines: Sequence[Line]) -> dict[str, Any]:
    judged = [line for line in lines if line["judged"]]
    groups: dict[str, bool] = defaultdict(lambda: True)
    for line in judged:
        if line["group"]:
            groups[line["group"]] &= _is_right(line)
    families: dict[str, list[Line]] = defaultdict(list)
    for line in judged:
        if line["family"]:
            families[line["family"]].append(line)
    endings = Counter(line["ending"] for line in lines)
    covered = total(Coverage(**counts) for line in lines for counts in line["coverage"])
    return {
        "cases": len(lines),
        **_accuracy(judged),
        "groups": len(groups),
        "consistent": sum(groups.values()),
        "consistency": sum(groups.values()) / len(groups) if groups else None,
        "endings": {e.value: endings[e.value] for e in Ending if endings[e.value]},
        "scores": _means(judged, "scores"),
        "baselines": _means(judged, "baselines"),
        "families": {name: _accuracy(chosen) for name, chosen in sorted(families.items())},
        "texts": covered.texts,
        "content_tokens": covered.tokens,
        "coverage": covered.shares(),
    }


def _is_right(line: Line) -> bool:
    return bool(line["ending"] == Ending.RIGHT.value)


def _accuracy(judged: Sequence[Line]) -> dict[str, Any]:
    right = sum(map(_is_right, judged))
    return {
        "judged": len(judged),
        "right": right,
        "accuracy": right / len(judged) if judged else None,
    }


def _means(judged: Sequence[Line], kind: str) -> dict[str, float]:
    """The mean of each score over the cases that have it."""
    found: dict[str, list[float]] = defaultdict(list)
    for line in judged:
        for name, score in line[kind].items():
            found[name].append(score)
    return {name: sum(scores) / len(scores) for name, scores in found.items()}


def summary_text(summary: dict[str, Any]) -> str:
    """The figures as a table with a column for each part, and the families below."""
    parts: dict[str, Any] = summary["parts"]
    if len(parts) == 2:
        # One part alone is all there is.
        parts = {name: figures for name, figures in parts.items() if name != "all"}
    columns = list(parts.values())
    rows = [(summary["corpus"], *parts), ("cases", *(str(c["cases"]) for c in columns))]

    def row(name: str, cells: Sequence[str]) -> None:
        if any(cell not in ("", "-") for cell in cells):
            rows.append((name, *cells))

    row("accuracy", [_share(c["accuracy"], c["right"], c["judged"]) for c in columns])
    row("consistency", [_share(c["consistency"], c["consistent"], c["groups"]) for c in columns])
    for kind in ("scores", "baselines"):
        for name in dict.fromkeys(name for c in columns for name in c[kind]):
            row(name, [_percent(c[kind].get(name)) for c in columns])
    for ending in Ending:
        found = [c["endings"].get(ending.value, 0) for c in columns]
        if any(found):
            row(f"  {ending.value}", [str(count) for count in found])
    for name, said in _COVERED.items():
        row(said, [_percent(c["coverage"][name]) for c in columns])
    for family in dict.fromkeys(name for c in columns for name in c["families"]):
        found = [c["families"].get(family) for c in columns]
        row(family, [_share(f["accuracy"], f["right"], f["judged"]) if f else "" for f in found])
    widths = [max(len(cells[i]) for cells in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        for cells in rows
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _share(share: float | None, some: int, whole: int) -> str:
    return "-" if share is None else f"{some} of {whole}  {100 * share:5.1f} %"
