"""Whatever happens to one file of a bundle, cfgc and the bundle's runtime see it."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cfgc.audit.signing import sign
from cfgc.cli import run
from cfgc.pipeline import compile_spec
from cfgc.write.writer import write_bundle
from cfgc_runtime.cli import main
from cfgc_runtime.rundir import RUN_DIR_VARIABLE
from tests.debian import program
from tests.unit.audit.tampering import SIGNATURE, Victim, flip, spoil
from tests.unit.stages.test_pipelines import TASK, reader_of

STAGES = '\n[[stages]]\nname = "one"\n\n[[stages]]\nname = "two"\nneeds = ["one"]\n'
SWEEP = '\n[sweep]\nmethod = "grid"\n[sweep.parameters]\n"experiment.seed" = [1, 2]\n'
BAD_BUNDLE = 65


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_key(tmp_path_factory.mktemp("key") / "key")


def new_key(path: Path, kind: str = "ed25519") -> Path:
    subprocess.run(
        [program(("ssh-keygen",), "openssh-client"), "-q", "-t", kind, "-N", "", "-C", "", "-f", path], check=True
    )
    return path


def signed_victim(directory: Path, spec: str, key: Path, seed: int) -> Victim:
    bundle = directory / "bundle"
    write_bundle(compile_spec(reader_of(spec), "spec.toml"), bundle)
    sign(bundle, key)
    return Victim.of(bundle, seed)


def silent(command: Callable[[Sequence[str]], int], *words: str | Path) -> int:
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        return command([str(word) for word in words])


def codes(victim: Victim) -> tuple[int, int]:
    """How ``cfgc verify`` ends, and that of a runtime; neither is the bundle's own, so that each is whole."""
    return silent(run, "verify", victim.root), silent(main, "verify", "--bundle", victim.root)


def start(victim: Victim) -> int:
    """The first thing that a start does."""
    return silent(main, "stage", "--bundle", victim.root, "--run-dir", victim.root.parent / "run")


WHOLE = (0, 0)
CAUGHT = (BAD_BUNDLE, BAD_BUNDLE)


@pytest.mark.parametrize("of_the_runtime", [20, pytest.param(9999, marks=pytest.mark.slow)])
def test_one_bit_of_any_file_is_caught(tmp_path: Path, key: Path, of_the_runtime: int) -> None:
    victim = signed_victim(tmp_path, TASK, key, 1)
    assert codes(victim) == WHOLE
    runtime = [name for name in victim.files if name.startswith("runtime/")]
    own = [name for name in victim.files if name not in runtime]
    for name in own + victim.random.sample(runtime, min(of_the_runtime, len(runtime))):
        said = flip(victim, name)
        if name.startswith("runtime/"):
            assert silent(main, "verify", "--bundle", victim.root) == BAD_BUNDLE, said
        else:
            assert codes(victim) == CAUGHT, said
            assert name == SIGNATURE or start(victim) == BAD_BUNDLE, said
        (victim.root / name).write_bytes(victim.files[name][0])
    assert codes(victim) == WHOLE
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "trials"), [(TASK, 300), (TASK + SWEEP, 300), (TASK + STAGES, 400)])
def test_whatever_is_done_to_a_file_is_caught(tmp_path: Path, key: Path, spec: str, trials: int) -> None:
    victim = signed_victim(tmp_path, spec, key, trials)
    for trial in range(trials):
        said = spoil(victim)
        assert codes(victim) == CAUGHT, f"trial {trial}: {said}"
        victim.restore()
    assert codes(victim) == WHOLE


@pytest.mark.slow
def test_a_runtime_sees_a_change_of_itself(tmp_path: Path, key: Path) -> None:
    """It may be one that ends it before it can say so; none ends well."""
    victim = signed_victim(tmp_path, TASK, key, 7)
    own = ["__main__.py", *(f"cfgc_runtime/{name}.py" for name in ("manifest", "cli", "errors", "point"))]
    for trial in range(60):
        said = flip(victim, f"runtime/{own[trial % len(own)]}")
        command = [sys.executable, str(victim.root / "runtime"), "verify"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode != 0, f"{said}: {done.stdout}"
        assert "as compiled (" not in done.stdout, said
        victim.restore()


def test_a_stage_does_not_start_in_a_pipeline_of_which_a_file_was_edited(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RUN_DIR_VARIABLE, "")  # put back after the test, for the runtime sets it for its children
    victim = signed_victim(tmp_path, TASK + STAGES, key, 3)
    stage = Victim(victim.root / "stages" / "one", {}, victim.random)
    flip(victim, "PLAN.md")
    assert start(stage) == BAD_BUNDLE
    flip(victim, "stages/two/config.py")
    assert start(stage) == BAD_BUNDLE
    assert not (stage.root.parent / "run").exists()
