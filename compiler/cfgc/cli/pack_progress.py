"""The bar that moves while data is packed."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class PackProgress(Progress):
    """A bar a source, over the bytes of its files; nothing where lines cannot move."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TextColumn("{task.fields[tokens]:,} tokens"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._bars: dict[str, TaskID] = {}

    def watch(self, source: str, done: int, total: int, tokens: int) -> bool:
        """Move the bar of ``source``; never asks to stop."""
        if source not in self._bars:
            self._bars[source] = self.add_task(source, total=total or None, tokens=0)
        self.update(self._bars[source], completed=done, tokens=tokens)
        return False

    def finish(self, source: str) -> None:
        """The source is done."""
        if source in self._bars:
            bar = self._bars[source]
            self.update(bar, completed=self.tasks[bar].total or 0)
