"""The Pythons of this machine, each with the compiler's dependencies and nothing else."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

Range = Literal["oldest", "newest"]
"""Which of the releases that pyproject.toml allows."""

FIRST, LAST = 11, 14
"""Minor versions of Python 3 that are looked for."""
_ABOVE = re.compile(r"^([A-Za-z0-9_-]+)>=([0-9.]+)")


@cache
def interpreters() -> dict[int, str]:
    """The Python of each minor version that can be had: that of these tests, of PATH, of pyenv, of uv."""
    found = {sys.version_info.minor: sys.executable}
    for minor in range(FIRST, LAST + 1):
        runs = (place for place in _places(minor) if _minor_of(place) == minor)
        python = None if minor in found else next(runs, None)
        if python:
            found[minor] = python
    return dict(sorted(found.items()))


def _places(minor: int) -> Iterator[str]:
    yield from filter(None, (shutil.which(f"python3.{minor}"), shutil.which("python3")))
    home = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(home.glob(f"versions/3.{minor}.*/bin/python"), reverse=True))
    if shutil.which("uv"):
        yield subprocess.run(
            ["uv", "python", "find", f"3.{minor}"], capture_output=True, text=True, check=False
        ).stdout.strip()


def _minor_of(python: str) -> int | None:
    """None for what does not run: a shim of pyenv for a version that is not chosen is one."""
    try:
        asked = [python, "-c", "import sys, venv, ensurepip; print(*sys.version_info[:2])"]
        words = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    except OSError:
        return None
    return int(words[1]) if words[:1] == ["3"] else None


def environment(minor: int, which: Range, repository: Path) -> Path:
    """The interpreter of a venv in the checkout, made once for one list of dependencies.

    Raises CalledProcessError, with pip's words, where they cannot be had.
    """
    dependencies = _dependencies(which, repository)
    folder = repository / f".venv-3.{minor}-{which}"
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = hashlib.sha256("\n".join(dependencies).encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        _run(interpreters()[minor], "-m", "venv", "--clear", str(folder))
        _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *dependencies)
        stamp.write_text(wanted)
    return python


def _dependencies(which: Range, repository: Path) -> list[str]:
    listed: list[str] = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["dependencies"]
    return listed if which == "newest" else [_ABOVE.sub(r"\1==\2", one).partition(",")[0] for one in listed]


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
