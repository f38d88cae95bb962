"""Slurm's commands as small scripts that say what a test wants."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def stand_in(directory: Path, monkeypatch: pytest.MonkeyPatch, **commands: str) -> Path:
    """``commands`` (name to bash text) come first in PATH; each call is noted in the file that is returned."""
    place = directory / "slurm stand-in"
    place.mkdir(exist_ok=True)
    record = place / "calls"
    for name, text in commands.items():
        (place / name).write_text(f'#!/bin/bash\necho "{name} $*" >>{str(record)!r}\n{text}\n')
        (place / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    return record
