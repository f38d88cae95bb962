"""metrics.csv: a row for each line of metrics.jsonl, a column for each metric. Standard library only."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from cfgc_runtime.trackers.tracker import numbers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cfgc_runtime.trackers.tracker import Subject

_FIRST = ("step", "time", "loss", "lr", "grad_norm", "tokens", "tokens_per_s")


class Table:
    """A line of metrics.jsonl is a row; a metric that was never seen before makes the whole table wider."""

    title = "CSV"

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._path = subject.directory / "metrics.csv"
        self._columns: list[str] = []

    def open(self, step: int) -> None:
        """Write the table anew from the metrics up to ``step``."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._rewrite(self._subject.lines_until(step))

    def log(self, line: Mapping[str, Any]) -> None:
        """One row, in one write."""
        if set(numbers_of(line)) - set(self._columns):
            self._rewrite([*self._rows(), line])
            return
        with self._path.open("a", encoding="utf-8", newline="") as file:
            file.write(_text(self._columns, [line], header=False))

    def close(self, code: int) -> None:
        """Every row is written already."""

    def _rows(self) -> list[dict[str, Any]]:
        """What was written, the numbers as their text."""
        with self._path.open(encoding="utf-8", newline="") as file:
            return [{key: text for key, text in row.items() if text} for row in csv.DictReader(file)]

    def _rewrite(self, lines: Sequence[Mapping[str, Any]]) -> None:
        named = [name for line in lines for name in line if name in numbers_of(line) or isinstance(line[name], str)]
        self._columns = list(dict.fromkeys((*_FIRST, *named)))
        temporary = self._path.with_name(f".{self._path.name}.new")
        temporary.write_text(_text(self._columns, lines, header=True), encoding="utf-8", newline="")
        temporary.replace(self._path)


def _text(columns: Sequence[str], lines: Sequence[Mapping[str, Any]], *, header: bool) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows({key: "" if value is None else value for key, value in line.items()} for line in lines)
    return text.getvalue()
