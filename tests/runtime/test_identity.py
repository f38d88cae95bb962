"""run.json: one id for all attempts, and only what is named of the environment."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from cfgc_runtime.environment import describe_git, describe_ranks, describe_start, describe_versions
from cfgc_runtime.identity import claim, read_identity, record_attempt
from cfgc_runtime.rundir import RunDirectory

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST: Any = SimpleNamespace(experiment="tiny", plan_digest="sha256:1", bundle_digest="sha256:2")
SLURM = {"SLURM_JOB_ID": "77", "SLURM_JOB_NODELIST": "n[1-2]", "SLURM_RESTART_COUNT": "3"}
SECRETS = {"WANDB_API_KEY": "canary-a", "SLURM_JWT": "canary-b", "SLURM_JOB_COMMENT": "canary-c", "HOME": "canary-d"}


def test_a_run_keeps_its_id_and_its_attempts(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    claim(run, MANIFEST)
    first = read_identity(run)
    record_attempt(run, 1, {"host": "a"})
    record_attempt(run, 1, {"versions": {"python": "3"}})
    record_attempt(run, 2, {"host": "b"})
    newer: Any = SimpleNamespace(experiment="tiny", plan_digest="sha256:3", bundle_digest="sha256:4")
    claim(run, newer)
    again = read_identity(run)
    assert (again.id, again.content["created"]) == (first.id, first.content["created"])
    assert again.content["plan_digest"] == "sha256:3"
    assert again.attempts == (
        {"number": 1, "host": "a", "versions": {"python": "3"}},
        {"number": 2, "host": "b"},
    )


def test_two_runs_in_one_place_are_two_runs(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    claim(run, MANIFEST)
    first = read_identity(run).id
    run.identity.unlink()
    claim(run, MANIFEST)
    assert read_identity(run).id != first


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"id": 3}', "null"])
def test_a_damaged_identity_still_has_one_id(tmp_path: Path, damage: str) -> None:
    run = RunDirectory(tmp_path)
    run.identity.write_text(damage)
    before = read_identity(run)
    record_attempt(run, 1, {"host": "a"})
    after = read_identity(run)
    assert len(before.id) == 12
    assert after.id == before.id
    assert after.attempts == ({"number": 1, "host": "a"},)


def test_only_named_variables_are_written() -> None:
    facts = describe_start(SLURM | SECRETS)
    assert facts["slurm"] == {"slurm_job_id": "77", "slurm_job_nodelist": "n[1-2]", "slurm_restart_count": "3"}
    assert "canary" not in json.dumps(facts)
    assert "slurm" not in describe_start({})


def test_no_repository_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert describe_git(tmp_path) == {}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert describe_git(tmp_path) == {}


def test_versions_of_what_is_used() -> None:
    found = describe_versions(["wandb"])
    assert found["python"].startswith("3.")
    assert "wandb" in found
    assert "mlflow" not in found
    assert "of-no-package" not in describe_versions(["of-no-package"])


def test_hosts_in_the_order_of_their_ranks() -> None:
    ranks = [{"host": "b", "device": "GPU"}, {"host": "b", "device": "GPU"}, {"host": "a", "device": "CPU"}]
    assert describe_ranks(ranks) == [
        {"host": "b", "ranks": [0, 1], "devices": ["GPU", "GPU"]},
        {"host": "a", "ranks": [2], "devices": ["CPU"]},
    ]
