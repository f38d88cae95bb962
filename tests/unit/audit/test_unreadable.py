"""What the system does not open: every command names it and ends with 65, and looks at all the rest."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import cfgc
from tests.unit.audit.test_tampering import new_key
from tests.unprivileged import unprivileged

NAMES = ("a", "two", "z")
COMMANDS = (
    "verify out",
    "verify out/two",
    "build --check out/two",
    "report out/two -o page.html",
    "build --check out",
    "report out -o page.html",
    "diff out other",
    "diff out/two out/a",
    "sign out --key key",
    "submit out/two --dry-run",
)
PROGRAM = """
import contextlib, io, json, sys
from cfgc.cli import run
found = {}
for words in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = run(words.split())
    found[words] = [code, out.getvalue(), err.getvalue()]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three equal bundles of a spec, a second tree of them, and a key."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "cfgc.toml").write_text("")
    (folder / "spec.toml").write_text('extends = "cfgc:examples/quickstart.toml"\n')
    bundle = cfgc.compile_spec(folder / "spec.toml")
    for tree in ("out", "other"):
        for name in NAMES:
            cfgc.write_bundle(bundle, folder / tree / name)
    new_key(folder / "key")
    return folder


@contextmanager
def closed(path: Path, mode: int = 0) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


@pytest.mark.parametrize("what", ["out/two", "out/two/runtime", "out/two/values.json", "out/two/manifest.json"])
def test_what_cannot_be_read_is_named_and_the_rest_is_looked_at(project: Path, what: str) -> None:
    with closed(project / what):
        done = unprivileged([sys.executable, "-c", PROGRAM, *COMMANDS], project)
    assert done.returncode == 0, done.stderr
    for words, (code, out, err) in json.loads(done.stdout).items():
        assert (code, "Permission denied" in err, "out/two" in err) == (65, True, True), (words, out, err)
        if words == "verify out":
            assert [line.partition(":")[0] for line in out.splitlines()] == ["out/a", "out/z"]
            assert "2 of 3 bundles hold" in err
        if words == "build --check out":
            assert "2 of 3 bundles are what their specs give" in err
    assert not list(project.glob("out/*/*.sig"))


@pytest.mark.parametrize("what", ["", "runtime", "values.json", "manifest.json"])
def test_the_runtime_says_the_same_of_another_bundle(project: Path, what: str) -> None:
    with closed(project / "out" / "two" / what):
        command = [sys.executable, "-I", "out/a/runtime", "verify", "--bundle", "out/two"]
        done = unprivileged(command, project)
    assert (done.returncode, "give yourself the right to read it" in done.stderr) == (65, True), done.stderr
    assert "put your change" not in done.stderr


def test_a_directory_that_is_closed_may_be_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "tree" / "in" / "lost").mkdir(parents=True)
    program = (
        "from cfgc.audit.verify import bundles_at, verify; from pathlib import Path\n"
        "found = bundles_at(Path('tree'))\n"
        "print([(str(one), verify(one).finding.code) for one in found])"
    )
    with closed(tmp_path / "tree" / "in" / "lost", 0o311):
        done = unprivileged([sys.executable, "-c", program], tmp_path)
    assert done.stdout == "[('tree/in/lost', 'CFG741')]\n", done.stderr


def test_a_place_in_a_closed_directory_is_not_said_to_be_missing(project: Path) -> None:
    with closed(project / "out"):
        done = unprivileged([sys.executable, "-m", "cfgc", "verify", "out/two"], project)
    assert (done.returncode, "`out/two` cannot be read: Permission denied" in done.stderr) == (65, True), done.stderr
