"""``cfgc submit``: what is verified, what is passed on, and what is said when Slurm refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cfgc.cli import run
from cfgc.launching.refusals import hint_for
from tests.unit.cli.slurm_stand_in import stand_in

SPEC = """
[overlays]
hardware = "cpu"

[experiment]
name = "demo"

[task]
kind = "script"
inline = "#!/bin/bash\\ntrue"

[launch]
gpus_per_node = 1
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("built")
    (directory / "demo.toml").write_text(SPEC)
    assert run(["build", str(directory / "demo.toml"), "-o", str(directory / "bundle")]) == 0
    return directory


@pytest.fixture
def bundle(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Path:
    shutil.copytree(built, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    capfd.readouterr()
    return Path("bundle")


def test_a_bundle_is_submitted_with_options_of_sbatch(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    calls = stand_in(Path.cwd(), monkeypatch, sbatch="echo 42")
    assert run(["submit", str(bundle), "--run-dir", "r", "--", "--time=5", "--test-only"]) == 0
    assert capfd.readouterr().out.startswith("submitted job 42\n")
    assert calls.read_text() == f"sbatch --parsable --time=5 --test-only {Path.cwd()}/bundle/job.sbatch\n"
    assert Path("r/jobs.jsonl").is_file()
    assert run(["submit", str(bundle), "--dry-run"]) == 0
    assert "sbatch --parsable" in capfd.readouterr().out
    assert run(["submit", str(bundle), "--test-only"]) == 0
    assert "sbatch --test-only" in calls.read_text()


def test_what_slurm_says_is_passed_on_with_a_hint(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stand_in(Path.cwd(), monkeypatch, sbatch="echo 'sbatch: error: invalid partition specified: nope' >&2; exit 1")
    assert run(["submit", str(bundle)]) == 69
    said = capfd.readouterr().err
    assert said.startswith("sbatch: error: invalid partition specified: nope\n")
    assert said.endswith("  = help: `sinfo -s` lists the partitions; set `cluster.partition`\n")


def test_a_machine_without_slurm_is_said(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    bare = Path.cwd() / "bare"
    bare.mkdir()
    for name in ("bash", "dirname", "readlink"):
        (bare / name).symlink_to(Path("/usr/bin") / name)
    monkeypatch.setenv("PATH", str(bare))
    assert run(["submit", str(bundle)]) == 69
    said = capfd.readouterr().err
    assert "there is no sbatch here" in said
    assert "launch.sh" in said


def test_a_bundle_that_was_edited_is_not_submitted(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    calls = stand_in(Path.cwd(), monkeypatch, sbatch="echo 42")
    script = bundle / "job.sbatch"
    script.write_text(script.read_text() + "#\n")
    assert run(["submit", str(bundle)]) == 65
    assert "edited: job.sbatch" in capfd.readouterr().err
    assert not calls.exists()


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("demo.toml", "demo.toml is a spec; build it, and submit the bundle: cfgc build demo.toml"),
        ("nowhere", "there is no such directory"),
        (".", "it has no manifest.json"),
    ],
)
def test_what_is_no_bundle_is_said(subject: str, words: str, bundle: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert bundle.is_dir()
    assert run(["submit", subject]) == 64
    assert words in capfd.readouterr().err


def test_points_of_what_is_no_sweep_are_refused(bundle: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["submit", str(bundle), "--points", "1"]) == 64
    assert capfd.readouterr().err == "error: bundle is not a sweep; it has no points\n"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("Batch job submission failed: Invalid account or account/partition combination specified", "cluster.account"),
        ("Batch job submission failed: Requested node configuration is not available", "sinfo -e"),
        ("Invalid generic resource (gres) specification", "cluster.gres"),
        ("Batch job submission failed: Invalid feature specification", "cluster.constraint"),
        ("Requested time limit is invalid (missing or exceeds some limit)", "launch.time_limit"),
        ("Batch job submission failed: Invalid qos specification", "cluster.qos"),
        ("Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)", "squeue --me"),
        ("Batch job submission failed: Invalid job array specification", "cluster.max_array_size"),
        ("Batch job submission failed: Socket timed out on send/recv operation", "before you submit again"),
        ("fatal: Could not establish a configuration source", "login node"),
    ],
)
def test_words_of_slurm_have_hints(words: str, hint: str) -> None:
    assert hint in hint_for(f"sbatch: error: {words}\n")


def test_a_bundle_that_lost_its_manifest_is_one_that_is_not_as_compiled(
    bundle: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (bundle / "manifest.json").unlink()
    assert run(["submit", "bundle", "--dry-run"]) == 65
    assert "it has no manifest.json" in capfd.readouterr().err
