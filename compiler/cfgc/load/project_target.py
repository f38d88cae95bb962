"""The project's release of DeepSpeed, read without the parsers that give places."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from pathlib import Path

from cfgc.load.disk import find_project
from cfgc.load.raw import PROJECT_FILE, read_bounded


def project_deepspeed(path: Path) -> str | None:
    """``target.deepspeed`` of the cfgc.toml of the project that holds ``path``; None when it gives none.

    A file that can't be read or has another form gives none either: ``read_project`` says why.
    """
    root, _ = find_project(path)
    with suppress(OSError, ValueError, RecursionError, KeyError, TypeError):
        release = tomllib.loads(read_bounded(root / PROJECT_FILE).decode())["target"]["deepspeed"]
        return release if isinstance(release, str) else None
    return None
