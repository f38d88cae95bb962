"""metrics.jsonl: one JSON object a line, only ever lines of steps that the run still has. Standard library only."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All whole lines; a line cut off by a crash or damaged since is left out."""
    return list(_parsed(path.read_bytes().splitlines(keepends=True))) if path.exists() else []


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


def last_metrics(path: Path) -> tuple[int | None, Mapping[str, Any], float | None]:
    """The newest step, the newest line of a training step, and the best held-out loss; what is unknown is None.

    Lines between are not parsed: a long run has a hundred thousand.
    """
    step, newest, best = None, dict[str, Any](), math.inf
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    for line in _parsed(one for one in lines if b'"eval_loss"' in one):
        if isinstance(line.get("eval_loss"), (int, float)):
            best = min(best, line["eval_loss"])
    for line in _parsed(reversed(lines)):
        step = line["step"] if step is None else step
        if "loss" in line:
            newest = line
            break
    return step, newest, best if math.isfinite(best) else None


def is_number(value: object) -> bool:
    """Whether ``value`` is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _parsed(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The lines that are whole and say their step."""
    for raw in lines:
        try:
            line = json.loads(raw) if raw.endswith(b"\n") else {}
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict) and isinstance(line.get("step"), int):
            yield line
