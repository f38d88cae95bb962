"""The bar that moves while the points of a sweep, or the bundles of a tree, are compiled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_EVERY_S = 0.1


@contextmanager
def watched(what: str = "points") -> Iterator[Callable[[int, int], None]]:
    """What to tell of the points, or of ``what`` else, that are done.

    Nothing is drawn where lines cannot move, or for a single run.

    The bar has no thread of its own: workers are forked meanwhile.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, auto_refresh=False, transient=True, disable=not console.is_terminal)
    task = bar.add_task(what, total=None, visible=False)
    drawn = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal drawn
        now = time.monotonic()
        if done == total or now - drawn > _EVERY_S:
            drawn = now
            bar.update(task, completed=done, total=total, visible=True)
            bar.refresh()

    with bar:
        yield tell
