"""Run the benchmarks: ``python -m benchmarks.run --out out/``."""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path
from typing import Any

import torch

from benchmarks import end_to_end, executors, parse_speed


def main() -> None:
    """Print the tables and write them to ``bench.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for bench.json")
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each executor row")
    arguments = parser.parse_args()
    machine = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "cuda": torch.cuda.is_available(),
    }
    tables = {
        "machine": [machine],
        "executors": executors.measure(arguments.seconds),
        "end_to_end": end_to_end.measure(),
        **{f"parse_{name}": rows for name, rows in parse_speed.measure().items()},
    }
    for name, rows in tables.items():
        print(f"\n{name}\n{table(rows)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    target = arguments.out / "bench.json"
    target.write_text(json.dumps(tables, indent=2) + "\n", encoding="utf-8")
    print(f"\nwritten to {target}")


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as aligned text; columns in the order in which they first occur."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [columns, *([str(row.get(name, "")) for name in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


if __name__ == "__main__":
    main()
