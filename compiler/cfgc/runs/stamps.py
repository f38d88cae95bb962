"""When a line of a log was written, where the line says it: Python's logging, torch's C++, Slurm."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_FURTHEST: Final = 160
"""Characters of a line that are looked through."""
_SLACK_S: Final = 2.0
_CLOCK = r"(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
_DATED = re.compile(rf"\b(\d{{4}})-(\d\d)-(\d\d)[ T]{_CLOCK}(Z|[+-]\d\d:?\d\d)?")
_OF_GLOG = re.compile(rf"\b[IWEF](\d\d)(\d\d) {_CLOCK}")


def time_of(line: str, first: float, last: float) -> float | None:
    """Seconds since the epoch; None for a line that names no time between ``first`` and ``last``.

    Without a zone a time is taken to be of this machine's: what does not fit there is not the line's own.
    """
    start = line[:_FURTHEST]
    moment = _dated(start) or _of_glog(start, last)
    if moment is None or not first - _SLACK_S <= moment <= last + _SLACK_S:
        return None
    return moment


def _dated(text: str) -> float | None:
    found = _DATED.search(text)
    if not found:
        return None
    *date, hour, minute, second, fraction, zone = found.groups()
    return _moment([*date, hour, minute, second], fraction, zone)


def _of_glog(text: str, last: float) -> float | None:
    """Month and day; the year is the one in which the log was last written."""
    found = _OF_GLOG.search(text)
    if not found:
        return None
    month, day, hour, minute, second, fraction = found.groups()
    year = str(datetime.fromtimestamp(last).astimezone().year)
    return _moment([year, month, day, hour, minute, second], fraction, None)


def _moment(numbers: list[str], fraction: str | None, zone: str | None) -> float | None:
    try:
        year, month, day, hour, minute, second = map(int, numbers)
        moment = datetime(year, month, day, hour, minute, second)
        if zone:
            sign = -1 if zone[0] == "-" else 1
            offset = timedelta() if zone == "Z" else sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
            seconds = (moment - offset).replace(tzinfo=UTC).timestamp()
        else:
            seconds = moment.astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return seconds + float(f"0.{fraction or 0}")
