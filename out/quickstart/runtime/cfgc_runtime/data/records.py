"""Records of a source, one after the other, each with the place that a message about it names."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cfgc_runtime.errors import NO_INPUT, Failure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOGGED: int = 10_000
"""Bad records that are named in the log; the others are only counted."""


@dataclass(frozen=True, order=True)
class Position:
    """Where a reader is in a source: ``number`` records (good or bad) of the file ``file`` are behind it."""

    file: int = 0
    number: int = 0


@dataclass(frozen=True)
class Record:
    """One record. ``place`` is ``path:line`` or ``path:row``; ``after`` is where reading goes on behind it.

    ``read`` is how many bytes of its file are behind it, about. A ``problem`` says why there are no fields.
    """

    fields: Mapping[str, Any]
    place: str
    after: Position
    read: int = 0
    problem: str = ""


class BadRecordError(Exception):
    """A record that cannot be used; the message says why, in a few words."""


@dataclass
class BadRecords:
    """Counts records that cannot be used, names them in ``log``, and ends the run beyond ``limit``.

    ``before`` is how many there were in other sources.
    """

    limit: int
    log: Path | None = None
    before: int = 0
    count: int = field(default=0)

    def add(self, place: str, reason: str) -> None:
        """Count a bad record. Raises ``Failure`` when there are more than ``limit``."""
        self.count += 1
        if self.log is not None and self.count <= LOGGED:
            with self.log.open("a", encoding="utf-8", errors="backslashreplace") as log:
                log.write(json.dumps({"place": place, "reason": reason}) + "\n")
        if self.before + self.count > self.limit:
            raise Failure(NO_INPUT, f"{place}: {reason} ({self._allowed()})")

    def rewind(self, count: int) -> None:
        """Forget those beyond the first ``count``: their records are read again."""
        self.count = count
        if self.log is not None and self.log.exists():
            lines = self.log.read_bytes().splitlines(keepends=True)
            self.log.write_bytes(b"".join(lines[:count]))

    def _allowed(self) -> str:
        if self.limit == 0:
            return "bad records end the run; mend it, or leave some out with `max_bad_records` under [data]"
        return f"bad record number {self.before + self.count:,}, and `data.max_bad_records` is {self.limit:,}"


def field_of(record: Record, name: str) -> Any:
    """What field ``name`` holds. Raises ``BadRecordError`` when there is none, or the record could not be read."""
    if record.problem:
        raise BadRecordError(record.problem)
    if name not in record.fields:
        has = ", ".join(f"`{found}`" for found in sorted(map(str, record.fields))) or "none"
        raise BadRecordError(f"no field `{name}` (there are: {has})")
    return record.fields[name]


def text_of(record: Record, name: str, *, may_be_empty: bool = False) -> str:
    """The text in field ``name``. Raises ``BadRecordError`` when it is absent, empty, or no text."""
    value = field_of(record, name)
    if not isinstance(value, str):
        raise BadRecordError(f"`{name}` is no text but {_kind(value)}")
    if not value and not may_be_empty:
        raise BadRecordError(f"`{name}` is empty")
    return value


def _kind(value: object) -> str:
    names = {"NoneType": "null", "int": "a number", "float": "a number", "bool": "a switch", "list": "an array"}
    return names.get(type(value).__name__, "a table" if isinstance(value, dict) else type(value).__name__)
