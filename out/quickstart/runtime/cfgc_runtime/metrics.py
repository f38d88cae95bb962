"""metrics.jsonl: one JSON object a line, only ever lines of steps that the run still has. Standard library only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All whole lines; a line cut off by a crash is left out."""
    if not path.exists():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        try:
            lines.append(json.loads(line) if line.endswith("\n") else {})
        except ValueError:
            continue
    return [line for line in lines if "step" in line]


def append_metrics(path: Path, values: Mapping[str, Any]) -> None:
    """Add one line in one write."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(values) + "\n")


def truncate_metrics(path: Path, step: int) -> None:
    """Forget lines after ``step``: a resumed run writes them again."""
    kept = [json.dumps(line) + "\n" for line in read_metrics(path) if line["step"] <= step]
    temporary = path.with_name(f".{path.name}.truncated")
    temporary.write_text("".join(kept), encoding="utf-8")
    temporary.replace(path)
