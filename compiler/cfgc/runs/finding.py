"""Run directories below a directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cfgc.runs.facts import is_run
from cfgc_runtime.point import FOLDER

DEEPEST: Final = 8
"""Levels below a directory that are looked through."""


def find_runs(directory: Path) -> Iterator[Path]:
    """``directory`` itself when it is a run; else all runs below it, by path. Links and hidden ones are left out.

    A sweep that was submitted is one, and its points are too.
    """
    if is_run(directory):
        yield directory
        yield from _points(directory)
        return
    start = len(directory.parts)
    for place, names, _ in os.walk(directory):
        here = Path(place)
        found = sorted(name for name in names if is_run(here / name))
        for name in found:
            yield here / name
            yield from _points(here / name)
        deeper = len(here.parts) - start < DEEPEST
        names[:] = sorted(name for name in names if deeper and name not in found and not name.startswith("."))


def _points(sweep: Path) -> Iterator[Path]:
    """Those of a sweep that were started."""
    places = sorted((sweep / FOLDER).glob("[0-9]*")) if (sweep / FOLDER).is_dir() else ()
    yield from (place for place in places if is_run(place))
