"""Lines of logs as they are written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from cfgc.runs.logs import Line, Source, shown

POLL_S: Final = 0.5
_CHECK_S: Final = 5.0
_BLOCK: Final = 1 << 16


class Follower:
    """Reads what was added to logs since it looked last. A log that is replaced is read again."""

    def __init__(self) -> None:
        self._read: dict[Path, int] = {}
        self._rest: dict[Path, bytes] = {}

    def skip(self, sources: Sequence[Source]) -> Mapping[Path, int]:
        """The whole lines in ``sources`` count as seen; how many bytes of each log those are."""
        for source in sources:
            self._read[source.path] = _whole(source.path)
        return dict(self._read)

    def look(self, sources: Sequence[Source]) -> Iterator[Line]:
        """Whole lines that are new."""
        for source in sources:
            yield from self._added(source)

    def _added(self, source: Source) -> Iterator[Line]:
        known, size = self._read.get(source.path, 0), _size(source.path)
        if size == known:
            return
        if size < known:
            known = 0
            self._rest.pop(source.path, None)
        with source.path.open("rb") as file:
            file.seek(known)
            data = file.read()
        self._read[source.path] = known + len(data)
        *whole, rest = (self._rest.pop(source.path, b"") + data).split(b"\n")
        self._rest[source.path] = rest
        now = time.time()
        yield from (Line(now, source, shown(line.decode("utf-8", "replace"))) for line in whole)


def follow(follower: Follower, find: Callable[[], Sequence[Source]], is_over: Callable[[], bool]) -> Iterator[Line]:
    """New lines until the runs are over; ``find`` is asked again for logs of ranks and attempts that start."""
    checked = time.monotonic()
    while True:
        yield from follower.look(find())
        if time.monotonic() - checked > _CHECK_S:
            if is_over():
                yield from follower.look(find())
                return
            checked = time.monotonic()
        time.sleep(POLL_S)


def _whole(path: Path) -> int:
    """Bytes up to the end of the last line."""
    end = _size(path)
    try:
        with path.open("rb") as file:
            while end > 0:
                start = max(0, end - _BLOCK)
                file.seek(start)
                found = file.read(end - start).rfind(b"\n")
                if found >= 0:
                    return start + found + 1
                end = start
    except OSError:
        pass
    return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
