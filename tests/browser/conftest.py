"""A real Chromium: the machine's, or Debian's, which root installs."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
LOCK = Path("/tmp/cfgc-chromium-packages.lock")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # takes a second, which tests of other things do not have

    program = _program()
    options = ["--no-sandbox", "--disable-dev-shm-usage"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)
        yield browser
        browser.close()


def _program() -> str:
    if found := _there():
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.skip("there is no chromium here, and only root can install Debian's")
    with LOCK.open("w") as lock:  # two workers that start at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = _there() or _installed("install") or (_installed("update") and _installed("install"))
    return _there() or pytest.skip(f"Debian's chromium cannot be installed here: {done or 'apt-get failed'}")


def _there() -> str | None:
    return next((path for path in map(shutil.which, NAMES) if path), None)


def _installed(what: str) -> bool:
    command = {"install": ["install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"]}
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(["apt-get", *command.get(what, [what])], env=environment, capture_output=True, check=False)
    return done.returncode == 0
