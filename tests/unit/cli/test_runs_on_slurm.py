"""``cfgc runs`` where there is a Slurm, a slow one, one without accounts, or none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cfgc.cli import run
from cfgc.runs import queue
from cfgc.runs.jobs import jobs_of, submissions
from cfgc_runtime.attempt import Attempt
from cfgc_runtime.identity import read_identity
from cfgc_runtime.rundir import RunDirectory, write_json
from tests.unit.cli.run_directories import START, end, make_run
from tests.unit.cli.slurm_stand_in import stand_in

NO_ACCOUNTS = "echo 'Slurm accounting storage is disabled' >&2; exit 1"
NEVER_SEEN = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def submitted(path: str, job: str, at: float = START + 1, **more: Any) -> None:
    Path(path).mkdir(parents=True, exist_ok=True)
    with (Path(path) / "jobs.jsonl").open("a") as file:
        file.write(json.dumps({"id": job, "at": at, "log": "", "command": ["sbatch"], **more}) + "\n")


def ran_in(directory: RunDirectory, **slurm: str) -> None:
    """The run's only attempt ran in a job, on another machine than this one."""
    content = dict(read_identity(directory).content)
    entry = {**content["attempts"][0], "host": "n1", "slurm": slurm}
    write_json(directory.identity, {**content, "attempts": [entry]})


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, Any]]:
    capsys.readouterr()
    assert run(["runs", ".", "--format", "json", *words]) == 0
    return {one["path"]: one for one in json.loads(capsys.readouterr().out)}


def test_a_job_that_waits_is_listed_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    submitted("runs/a", "12")
    stand_in(Path.cwd(), monkeypatch, squeue="echo '12|PENDING|0:00|1:00:00|Resources'")
    found = listed(capsys)["runs/a"]
    assert (found["state"], found["job"]["reason"]) == ("queued", "Resources")
    assert run(["runs", "."]) == 0
    assert "12 PENDING: Resources" in capsys.readouterr().out


def test_a_job_that_runs_has_its_time_and_its_limit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran_in(make_run(Path("runs/a")), slurm_job_id="12")
    stand_in(Path.cwd(), monkeypatch, squeue="echo '12|RUNNING|3:12|1:00:00|None'")
    assert run(["runs", "."]) == 0
    said = capsys.readouterr().out
    assert "running" in said
    assert "12 RUNNING 3:12 of 1:00:00" in said


def test_a_job_that_waits_again_is_queued(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    directory = make_run(Path("runs/a"))
    end(directory, 75)
    ran_in(directory, slurm_job_id="12", slurm_restart_count="1")
    stand_in(Path.cwd(), monkeypatch, squeue="echo '12|PENDING|0:00|1:00:00|BeginTime'")
    assert listed(capsys)["runs/a"]["state"] == "queued"


@pytest.mark.parametrize(
    ("sacct", "state", "says"),
    [
        ("echo '12|NODE_FAIL|0:0|01:00:00|02:00:00'", "killed", "it ended as NODE_FAIL"),
        (NO_ACCOUNTS, "killed", "Slurm does not know any more how it ended"),
        (
            f"[[ $* == *--completion* ]] || {{ {NO_ACCOUNTS}; }}\necho '12|CANCELLED by 0|0:15|01:00:00|02:00:00'",
            "cancelled",
            "its job 12 was cancelled",
        ),
    ],
    ids=["accounts", "none", "completion-log"],
)
def test_a_run_that_did_not_hear_of_its_end_ended_with_its_job(
    sacct: str, state: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = make_run(Path("runs/a"))
    ran_in(directory, slurm_job_id="12")
    Attempt(directory.attempts / "001").beat_of(0).touch()  # it moved a moment ago
    assert listed(capsys)["runs/a"]["state"] == "running"
    stand_in(Path.cwd(), monkeypatch, squeue=NEVER_SEEN, sacct=sacct)
    found = listed(capsys)["runs/a"]
    assert found["state"] == state
    assert found["message"].endswith(says)


def test_a_run_of_another_cluster_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = make_run(Path("runs/a"))
    ran_in(directory, slurm_job_id="12", slurm_cluster_name="alpine")
    Attempt(directory.attempts / "001").beat_of(0).touch()
    for name, wanted in (("alpine", "killed"), ("delta", "running")):
        queue.this_cluster.cache_clear()
        config = f"echo 'ClusterName             = {name}'"
        stand_in(Path.cwd(), monkeypatch, squeue=NEVER_SEEN, sacct=NO_ACCOUNTS, scontrol=config)
        assert listed(capsys)["runs/a"]["state"] == wanted
    queue.this_cluster.cache_clear()


def test_a_job_that_failed_before_the_run_began_is_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    submitted("runs/a", "12")
    stand_in(Path.cwd(), monkeypatch, squeue="echo '12|FAILED|0:01|1:00:00|NonZeroExitCode'", sacct=NO_ACCOUNTS)
    assert listed(capsys)["runs/a"]["state"] == "failed"
    stand_in(Path.cwd(), monkeypatch, squeue=NEVER_SEEN, sacct="echo '12|FAILED|65:0|00:00:01|01:00:00'")
    found = listed(capsys)["runs/a"]
    assert (found["state"], found["code"]) == ("failed", 65)
    assert "no attempt was started in job 12" in found["message"]


def test_points_of_a_sweep_have_their_own_tasks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    submitted("runs/s", "20", array="0-2%3", offset=0)
    submitted("runs/s", "21", array="0-0,2-2", offset=3)
    ran_in(make_run(Path("runs/s/points/0001")), slurm_array_job_id="20", slurm_array_task_id="1")
    ran_in(make_run(Path("runs/s/points/0005")), slurm_array_job_id="21", slurm_array_task_id="2")
    stand_in(
        Path.cwd(),
        monkeypatch,
        squeue="""printf '%s\\n' '20_1|RUNNING|0:10|1:00:00|None' '20_2|PENDING|0:00|1:00:00|JobArrayTaskLimit' \\
            '21_2|COMPLETING|0:10|1:00:00|None' '20_0|COMPLETED|0:10|1:00:00|None'""",
    )
    found = listed(capsys)
    assert found["runs/s/points/0001"]["job"]["id"] == "20_1"
    assert found["runs/s/points/0001"]["state"] == "running"
    assert found["runs/s"]["job"]["state"] == "1 COMPLETING, 1 PENDING, 1 RUNNING"
    assert found["runs/s"]["job"]["reason"] == "JobArrayTaskLimit"
    stand_in(Path.cwd(), monkeypatch, squeue="echo '20_1|COMPLETED|0:10|1:00:00|None'", sacct=NO_ACCOUNTS)
    assert "runs/s" not in listed(capsys), "its points say it all"


@pytest.mark.parametrize("squeue", [NEVER_SEEN, "printf '%s\\n' '20_0|FAILED|0:01|1:00:00|NonZeroExitCode'"])
def test_a_sweep_whose_tasks_all_failed_before_a_point_began_is_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], squeue: str
) -> None:
    submitted("runs/s", "20", array="0-1", command=["sbatch", f"{Path.cwd()}/out/job.sbatch"])
    accounts = "printf '%s\\n' '20_0|FAILED|78:0|00:00:01|01:00:00' '20_1|FAILED|78:0|00:00:01|01:00:00'"
    stand_in(Path.cwd(), monkeypatch, squeue=squeue, sacct=accounts)
    found = listed(capsys)["runs/s"]
    assert (found["state"], found["code"]) == ("failed", 78)
    assert (found["job"]["id"], found["job"]["state"]) == ("20", "2 FAILED")
    Path("out").mkdir()
    points: list[dict[str, Any]] = [{"index": n, "name": f"000{n}", "overrides": [], "plan_digest": ""} for n in (0, 1)]
    Path("out/points.jsonl").write_text("".join(f"{json.dumps(point)}\n" for point in points))
    assert run(["sweep", "runs/s"]) == 0
    assert "2 points: 2 failed; start again: " in capsys.readouterr().err


def test_the_next_of_a_chain_waits_while_this_one_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran_in(make_run(Path("runs/a")), slurm_job_id="12")
    submitted("runs/a", "13", at=START + 5)
    both = "echo '13|PENDING|0:00|1:00:00|Dependency'; echo '12|{}|0:10|1:00:00|None'"
    stand_in(Path.cwd(), monkeypatch, squeue=both.format("RUNNING"))
    assert listed(capsys)["runs/a"]["job"]["id"] == "12"
    stand_in(Path.cwd(), monkeypatch, squeue=both.format("COMPLETED"))
    found = listed(capsys)["runs/a"]
    assert (found["state"], found["job"]["id"]) == ("queued", "13")


def test_a_slow_controller_holds_nobody_up(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    submitted("runs/a", "12")
    monkeypatch.setattr(queue, "PATIENCE_S", 0.2)
    stand_in(Path.cwd(), monkeypatch, squeue="exec sleep 60")
    assert run(["runs", "."]) == 0
    said = capsys.readouterr()
    assert "runs/a" in said.out
    assert "did not answer within" in said.err


def test_slow_accounts_do_not_hide_the_queue(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    submitted("runs/a", "12")
    submitted("runs/b", "13")
    monkeypatch.setattr(queue, "PATIENCE_S", 0.5)
    stand_in(Path.cwd(), monkeypatch, squeue="echo '12|PENDING|0:00|1:00:00|Priority'", sacct="exec sleep 60")
    found = listed(capsys)
    assert (found["runs/a"]["state"], found["runs/b"]["job"]["state"]) == ("queued", "GONE")


def test_a_controller_that_is_gone_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    submitted("runs/a", "12")
    stand_in(Path.cwd(), monkeypatch, squeue="echo 'squeue: error: Unable to contact slurm controller' >&2; exit 1")
    assert run(["runs", "."]) == 0
    assert "Unable to contact slurm controller" in capsys.readouterr().err


def test_nothing_is_asked_without_a_reason(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that finished, and one that never was Slurm's."""
    end(make_run(Path("runs/done")), 0)
    ran_in(RunDirectory(Path("runs/done")), slurm_job_id="12")
    make_run(Path("runs/local"))
    calls = stand_in(Path.cwd(), monkeypatch, squeue="exit 1")
    assert {one["state"] for one in listed(capsys).values()} == {"finished", "killed"}
    assert not calls.exists()


def test_damaged_lines_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    submitted("runs/a", "12")
    with Path("runs/a/jobs.jsonl").open("ab") as file:
        file.write(b'{"id": "13", "at": \n[]\n{"id": "14", "at": 5, "array": "x-y"}\nnull\n\xff\n')
    assert [one.id for one in submissions(Path("runs/a"))] == ["12"]
    assert listed(capsys)["runs/a"]["state"] == "new"


def test_a_later_submission_is_the_newer_job() -> None:
    submitted("runs/a", "12", at=10)
    started = {"started": 11.0, "slurm": {"slurm_job_id": "12"}}
    assert jobs_of(Path("runs/a"), [started]).newer == "12"
    submitted("runs/a", "13", at=12)
    assert jobs_of(Path("runs/a"), [started]).newer == "13"
    by_hand = {"started": 13.0, "slurm": {"slurm_job_id": "99"}}
    assert jobs_of(Path("runs/a"), [by_hand]).newer == "99"
