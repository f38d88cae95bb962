"""Run directories below a directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cfgc.runs.facts import is_run

DEEPEST: Final = 8
"""Levels below a directory that are looked through."""


def find_runs(directory: Path) -> Iterator[Path]:
    """``directory`` itself when it is a run; else all runs below it, by path. Links and hidden ones are left out."""
    if is_run(directory):
        yield directory
        return
    start = len(directory.parts)
    for place, names, _ in os.walk(directory):
        here = Path(place)
        found = sorted(name for name in names if is_run(here / name))
        yield from (here / name for name in found)
        deeper = len(here.parts) - start < DEEPEST
        names[:] = sorted(name for name in names if deeper and name not in found and not name.startswith("."))
