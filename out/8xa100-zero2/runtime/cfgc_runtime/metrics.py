"""metrics.jsonl: one JSON object a line, only ever lines of steps that the run still has. Standard library only."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All whole lines; a line cut off by a crash or damaged since is left out."""
    if not path.exists():
        return []
    lines = []
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            lines.append(json.loads(line) if line.endswith(b"\n") else {})
        except ValueError:
            continue
    return [line for line in lines if isinstance(line, dict) and isinstance(line.get("step"), int)]


def append_metrics(path: Path, values: Mapping[str, Any]) -> None:
    """Add one line in one write; a number that JSON cannot say, such as nan, becomes null."""
    sayable = {key: None if isinstance(one, float) and not math.isfinite(one) else one for key, one in values.items()}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(sayable, allow_nan=False) + "\n")


def truncate_metrics(path: Path, step: int) -> None:
    """Forget lines after ``step``: a resumed run writes them again."""
    kept = [json.dumps(line) + "\n" for line in read_metrics(path) if line["step"] <= step]
    temporary = path.with_name(f".{path.name}.truncated")
    temporary.write_text("".join(kept), encoding="utf-8")
    temporary.replace(path)
