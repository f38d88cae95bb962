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
    """One record. ``place`` is ``path:line`` or ``path:row``; ``after`` is where reading goes on behind it."""

    fields: Mapping[str, Any]
    place: str
    after: Position


class BadRecordError(Exception):
    """A record that cannot be used; the message says why, in a few words."""


@dataclass
class BadRecords:
    """Counts records that cannot be used, names them in ``log``, and ends the run beyond ``limit``."""

    limit: int
    log: Path | None = None
    count: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def add(self, place: str, reason: str) -> None:
        """Count a bad record. Raises ``Failure`` when there are more than ``limit``."""
        self.count += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        if self.log is not None and self.count <= LOGGED:
            with self.log.open("a", encoding="utf-8") as log:
                log.write(json.dumps({"place": place, "reason": reason}, ensure_ascii=False) + "\n")
        if self.count > self.limit:
            raise Failure(NO_INPUT, f"{place}: {reason} ({_allowed(self.limit, self.count)})")


def _allowed(limit: int, count: int) -> str:
    if limit == 0:
        return "no bad record is allowed: mend it, or allow some with `max_bad_records` under [data]"
    return f"the {count:,}th bad record, and `data.max_bad_records` is {limit:,}"


def text_of(record: Record, name: str) -> str:
    """The text in field ``name``. Raises ``BadRecordError`` when it is absent, empty, or no text."""
    if name not in record.fields:
        has = ", ".join(sorted(record.fields)) or "none"
        raise BadRecordError(f"no field `{name}` (there are: {has})")
    value = record.fields[name]
    if not isinstance(value, str):
        raise BadRecordError(f"`{name}` is no text but {type(value).__name__}")
    if not value:
        raise BadRecordError(f"`{name}` is empty")
    return value
