"""The bar that moves while the points of a sweep, or the bundles of a tree, are compiled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_EVERY_S = 0.1


@contextmanager
def watched(what: str = "points") -> Iterator[Callable[[int, int], None]]:
    """What to tell of the points, or of ``what`` else, that are done.

    Nothing is drawn where lines cannot move, or for a single run, which imports nothing for it.

    The bar has no thread of its own: workers are forked meanwhile.
    """
    bar: Progress | None = None
    drawn = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal bar, drawn
        bar = bar if bar is not None else _bar(what, total)
        now = time.monotonic()
        if done == total or now - drawn > _EVERY_S:
            drawn = now
            bar.update(bar.task_ids[0], completed=done)
            bar.refresh()

    try:
        yield tell
    finally:
        if bar is not None:
            bar.stop()


def _bar(what: str, total: int) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, auto_refresh=False, transient=True, disable=not console.is_terminal)
    bar.add_task(what, total=total)
    bar.start()
    return bar
