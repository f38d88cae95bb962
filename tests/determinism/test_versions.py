"""Equal bytes from every Python and from the oldest and the newest allowed releases of what the compiler needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.determinism.interpreters import Range, environment, interpreters
from tests.determinism.test_determinism import EVERYTHING, FIRST, SPECS, build

pytestmark = pytest.mark.slow

AS_SOMEBODY = ("unshare", "--user", "--map-user=4711", "--map-group=4711")
"""A namespace in which the same files belong to another user."""
OLDEST, NEWEST = min(interpreters()), max(interpreters())
CASES: list[tuple[int, Range]] = [(minor, "newest") for minor in interpreters() if minor != sys.version_info.minor]
CASES += [(minor, "oldest") for minor in sorted({OLDEST, NEWEST})]


@cache
def said_by(python: str, repository: Path, place: str, *settings: str) -> dict[str, str]:
    """The digest of everything that cfgc says, by its name, in an environment of ``settings``."""
    variables = dict(setting.split("=") for setting in settings)
    done = subprocess.run(
        [python, "-B", str(repository / "tests" / "determinism" / "everything.py")],
        cwd=place, capture_output=True, text=True, check=False,
        env={"PATH": os.defpath, "PYTHONPATH": f"{repository / 'compiler'}:{repository / 'runtime'}", **variables},
    )  # fmt: skip
    assert not done.returncode, done.stderr
    digests: dict[str, str] = json.loads(done.stdout)
    return digests


@pytest.mark.parametrize(("minor", "which"), CASES)
def test_bytes_do_not_depend_on_python_or_dependencies(minor: int, which: Range, repository: Path) -> None:
    python = environment(minor, which, repository)
    ours = said_by(sys.executable, repository, "/", "LC_ALL=C", "PYTHONHASHSEED=0")
    theirs = said_by(str(python), repository, str(Path.home()), "LC_ALL=C.UTF-8", "TZ=Asia/Tokyo", "PYTHONHASHSEED=7")
    assert len(ours) > 1000
    assert {name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)} == set()


def test_two_builders_that_have_nothing_in_common(tmp_path: Path, repository: Path) -> None:
    """Another Python here; there another user, umask, locale, time zone, hash seed, place and directory."""
    if subprocess.run([*AS_SOMEBODY, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody be another user without being root")
    minor = next((minor for minor, which in CASES if which == "newest"), NEWEST)
    here = replace(FIRST, python=str(environment(minor, "newest", repository)))
    there = replace(EVERYTHING, before=AS_SOMEBODY)
    for name in SPECS:
        theirs = build(there, name, tmp_path / name / "there", repository)
        assert build(here, name, tmp_path / name / "here", repository) == theirs
