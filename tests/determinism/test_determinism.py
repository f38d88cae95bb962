"""Equal inputs give equal bytes: whoever builds, wherever, whenever, in whatever environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SPECS = {
    "quickstart": Path("specs/examples/quickstart.toml"),
    "16xh100-zero3": Path("specs/examples/16xh100-zero3.toml"),
    "hostile-strings": Path("specs/hostile.toml"),
}
PROGRAM = "import os, sys; os.umask(int(sys.argv[1], 8)); from cfgc.cli import run; sys.exit(run(sys.argv[2:]))"


@dataclass(frozen=True)
class Builder:
    """One who builds: the project's place, the start directory below it, the environment, and what starts Python."""

    place: str
    start: str
    umask: str
    environment: dict[str, str]
    options: tuple[str, ...] = ()
    python: str = sys.executable
    before: tuple[str, ...] = ()


FIRST = Builder("a", ".", "022", {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C", "HOME": "/", "USER": "ann"})
OTHERS = {
    "hash seed": Builder("a", ".", "022", {**FIRST.environment, "PYTHONHASHSEED": "4711"}),
    "place and start directory": Builder("b c/dé'ep/er", "specs/zero", "022", FIRST.environment),
    "umask": Builder("a", ".", "077", FIRST.environment),
    "user and home": Builder("a", ".", "022", {**FIRST.environment, "HOME": "/root", "USER": "bob", "LOGNAME": "bob"}),
    "clock": Builder("a", ".", "022", {**FIRST.environment, "TZ": "Pacific/Kiritimati", "SOURCE_DATE_EPOCH": "1"}),
    "locale": Builder("a", ".", "022", {**FIRST.environment, "LC_ALL": "C.UTF-8", "LANG": "de_DE", "LANGUAGE": "de"}),
    "encoding": Builder("a", ".", "022", {**FIRST.environment, "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}),
    "optimised interpreter": Builder("a", ".", "022", FIRST.environment, ("-OO",)),
    "terminal and cluster": Builder("a", ".", "022", {**FIRST.environment, "FORCE_COLOR": "1", "SLURM_JOB_ID": "7"}),
}
EVERYTHING = Builder("b c/dé'ep/er", "specs/zero", "077", {"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "USER": "bob"})


def build(builder: Builder, name: str, base: Path, repository: Path) -> dict[str, tuple[bytes, int]]:
    """The bundle's bytes and modes, from a process of its own."""
    project = base / builder.place
    shutil.copytree(repository / "specs", project / "specs")
    shutil.copy(repository / "cfgc.toml", project)
    shutil.copy(repository / "tests/golden/hostile-strings/spec.toml", project / "specs/hostile.toml")
    start = project / builder.start
    spec = os.path.relpath(project / SPECS[name], start)
    path = os.pathsep.join(str(repository / part) for part in ("compiler", "runtime"))
    python = (*builder.before, builder.python, *builder.options)
    subprocess.run(
        [*python, "-c", PROGRAM, builder.umask, "build", spec, "-o", "../result bundle"],
        cwd=start, env={"PATH": os.defpath, "PYTHONPATH": path, **builder.environment}, check=True, capture_output=True,
    )  # fmt: skip
    bundle = start.parent / "result bundle"
    files = (path for path in sorted(bundle.rglob("*")) if path.is_file())
    return {str(p.relative_to(bundle)): (p.read_bytes(), p.stat().st_mode) for p in files}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, object]:
    repository = request.config.rootpath
    return {name: build(FIRST, name, tmp_path_factory.mktemp("first"), repository) for name in SPECS}


@pytest.mark.parametrize("what", OTHERS)
def test_the_bundle_does_not_depend_on(
    what: str, reference: dict[str, object], tmp_path: Path, repository: Path
) -> None:
    assert build(OTHERS[what], "hostile-strings", tmp_path, repository) == reference["hostile-strings"]


@pytest.mark.parametrize("name", SPECS)
def test_the_bundle_depends_on_nothing_of_it_together(
    name: str, reference: dict[str, object], tmp_path: Path, repository: Path
) -> None:
    assert build(EVERYTHING, name, tmp_path, repository) == reference[name]


def test_no_place_or_name_of_the_builder_is_in_a_bundle(reference: dict[str, object], repository: Path) -> None:
    everything = repr(reference).encode()
    for trace in (str(repository), "/first", "result bundle", "Kiritimati", "bob"):
        assert trace.encode() not in everything
