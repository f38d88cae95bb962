"""Programs that tests use and that may come from Debian's packages, which root can install."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

LOCK = Path("/tmp/cfgc-debian-packages.lock")


def program(names: tuple[str, ...], *packages: str) -> str:
    """The path of the first of ``names`` that is there, which ``packages`` are installed for when none is.

    Skips the test where that takes rights that nobody gave it, and fails where the installation fails.
    """
    if found := _there(names):
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.skip(f"there is no {names[0]} here, and only root can install Debian's")
    with LOCK.open("w") as lock:  # two workers that start at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (found := _there(names)):
            install = ("install", "-y", "--no-install-recommends", *packages)
            if _apt(*install):
                _apt("update")
                said = _apt(*install)
                assert not said, said
            found = _there(names)
    assert found, f"{packages} bring none of {names}"
    return found


def _there(names: tuple[str, ...]) -> str | None:
    return next((path for path in map(shutil.which, names) if path), None)


def _apt(*words: str) -> str:
    """What apt-get said when it failed; empty for success."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(["apt-get", *words], env=environment, capture_output=True, text=True, check=False)
    return done.stderr[-2000:] or "apt-get failed" if done.returncode else ""
