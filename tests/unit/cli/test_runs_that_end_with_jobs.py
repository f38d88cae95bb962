"""What ``cfgc runs`` says of runs whose job was cancelled, never started, or was one start too many."""

from __future__ import annotations

from pathlib import Path

import pytest

from cfgc.cli import run
from cfgc_runtime.attempt import Attempt
from tests.unit.cli.run_directories import START, end, make_run
from tests.unit.cli.slurm_stand_in import stand_in
from tests.unit.cli.test_runs_on_slurm import NEVER_SEEN, NO_ACCOUNTS, listed, ran_in, submitted

CANCELLED = "echo '12|CANCELLED by 0|0:0|00:00:30|01:00:00'"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("code", "state", "says"),
    [
        (75, "cancelled", "its job 12 was cancelled; it had saved: submit it again to go on"),
        (143, "cancelled", "its job 12 was cancelled"),
        (3, "failed", "a loss of nan"),
    ],
)
def test_a_run_whose_job_was_cancelled_is_cancelled_unless_it_failed_by_itself(
    code: int, state: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = make_run(Path("runs/a"))
    end(directory, code, "a loss of nan")
    ran_in(directory, slurm_job_id="12")
    stand_in(Path.cwd(), monkeypatch, squeue=NEVER_SEEN, sacct=CANCELLED)
    found = listed(capsys)["runs/a"]
    assert (found["state"], found["message"]) == (state, says)


def test_a_job_that_is_cancelled_while_it_waits_is_cancelled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    submitted("runs/a", "12")
    stand_in(Path.cwd(), monkeypatch, squeue=NEVER_SEEN, sacct=CANCELLED)
    found = listed(capsys)["runs/a"]
    assert (found["state"], found["message"]) == ("cancelled", "job 12 was cancelled before the run began")


@pytest.mark.parametrize(
    ("squeue", "sacct"),
    [
        ("echo '13|CANCELLED|0:00|1:00:00|DependencyNeverSatisfied'; echo '12|FAILED|0:09|1:00:00|None'", NO_ACCOUNTS),
        (NEVER_SEEN, "echo '13|CANCELLED|0:0|00:00:00|01:00:00'; echo '12|FAILED|7:0|00:00:09|01:00:00'"),
    ],
    ids=["while squeue says why", "later"],
)
def test_a_stage_whose_need_failed_is_skipped(
    squeue: str, sacct: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    needing = ["sbatch", "--parsable", "--dependency=afterok:11:12", "--kill-on-invalid-dep=yes", "job.sbatch"]
    submitted("runs/p/stages/second", "13", command=needing)
    stand_in(Path.cwd(), monkeypatch, squeue=squeue, sacct=sacct)
    found = listed(capsys)["runs/p/stages/second"]
    assert found["state"] == "skipped"
    assert found["message"] == "job 13 never started: job 12, which it needs, ended as FAILED"


@pytest.mark.parametrize(("code", "state"), [(75, "preempted"), (1, "failed")])
def test_a_start_that_is_refused_changes_nothing_of_the_run(
    code: int, state: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = make_run(Path("runs/a"))
    end(directory, code)
    ran_in(directory, slurm_job_id="12")
    submitted("runs/a", "13", at=START + 5)
    ended = "echo '12|FAILED|1:0|00:10:00|01:00:00'; echo '13|FAILED|65:0|00:00:02|01:00:00'"
    stand_in(Path.cwd(), monkeypatch, squeue=NEVER_SEEN, sacct=ended)
    found = listed(capsys)["runs/a"]
    assert (found["state"], found["code"]) == (state, code)
    assert (found["job"]["id"], found["job"]["state"]) == ("12", "FAILED"), "its own, not the one that was refused"
    said = "no attempt was started in job 13: it ended as FAILED with exit code 65; see the job's own log"
    assert found["message"] == said


def test_a_refused_start_is_not_what_a_killed_run_is_blamed_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = make_run(Path("runs/a"))
    ran_in(directory, slurm_job_id="12")
    submitted("runs/a", "13", at=START + 5)
    Attempt(directory.attempts / "001").beat_of(0).touch()
    ended = "echo '12|NODE_FAIL|0:0|00:10:00|01:00:00'; echo '13|FAILED|65:0|00:00:02|01:00:00'"
    stand_in(Path.cwd(), monkeypatch, squeue=NEVER_SEEN, sacct=ended)
    found = listed(capsys)["runs/a"]
    assert found["state"] == "killed"
    refused = "no attempt was started in job 13: it ended as FAILED with exit code 65; see the job's own log"
    own = "the run did not hear of the end of its job 12: it ended as NODE_FAIL"
    assert found["message"].splitlines() == [own, refused]
    assert run(["runs", "show", "runs/a"]) == 0
    shown = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert shown[shown.index(own) + 1] == refused


def test_a_run_without_slurm_goes_on_whatever_becomes_of_a_job(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = make_run(Path("runs/a"))
    ran_in(directory)
    submitted("runs/a", "13", at=START + 5)
    Attempt(directory.attempts / "001").beat_of(0).touch()
    for squeue in ("echo '13|PENDING|0:00|1:00:00|Resources'", "echo '13|FAILED|0:02|1:00:00|NonZeroExitCode'"):
        stand_in(Path.cwd(), monkeypatch, squeue=squeue, sacct=NO_ACCOUNTS)
        assert listed(capsys)["runs/a"]["state"] == "running"


@pytest.mark.parametrize(
    ("squeue", "sacct"),
    [
        ("echo '12|FAILED|0:00|1:00:00|JobLaunchFailure'", NO_ACCOUNTS),
        (NEVER_SEEN, "echo '12|FAILED|0:53|00:00:00|01:00:00'"),
    ],
    ids=["while squeue says why", "later"],
)
@pytest.mark.parametrize(
    ("options", "log"),
    [
        ([], "/plan/slurm-*-12.out"),
        (["--output=/nowhere/%j.out"], "/nowhere/12.out"),
        (["-o", "sub/%A.out"], "/plan/sub/12.out"),
        (["--output=/plan/50%%/%j.out", "--outp", "/no%%where/%j.out"], "/no%where/12.out"),
        (["-o/home/%u/%j.out"], ""),
        (["--chdir=/elsewhere", "--output=sub/%j.out"], ""),
    ],
)
def test_a_job_whose_log_cannot_be_opened_is_said_with_that_log(
    options: list[str],
    log: str,
    squeue: str,
    sacct: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["sbatch", "--parsable", *options, "/bundle/job.sbatch"]
    submitted("runs/a", "12", log="/plan/slurm-%x-%j.out", command=command)
    stand_in(Path.cwd(), monkeypatch, squeue=squeue, sacct=sacct)
    found = listed(capsys)["runs/a"]
    assert (found["state"], found["code"]) == ("failed", None), "no process got signal 53"
    said = "no attempt was started in job 12: Slurm could not start the script, or open its log"
    assert found["message"] == f"{said} {log}".rstrip()


@pytest.mark.parametrize(
    ("squeue", "state", "message"),
    [
        ("echo '12|CANCELLED|0:00|1:00:00|BeginTime'", "cancelled", "job 12 was cancelled before the run began"),
        (
            NEVER_SEEN,
            "killed",
            "no attempt was started in job 12: Slurm does not know any more how it ended; see the job's own log",
        ),
    ],
    ids=["while squeue knows it", "later"],
)
def test_a_state_that_the_log_of_completed_jobs_cannot_say_is_not_a_failure(
    squeue: str, state: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Slurm's own ``sacct --completion`` says none of a job whose name has a blank."""
    submitted("runs/a", "12")
    blank = f"[[ $* == *--completion* ]] || {{ {NO_ACCOUNTS}; }}\necho '12||0:0|00:00:00|60'"
    stand_in(Path.cwd(), monkeypatch, squeue=squeue, sacct=blank)
    found = listed(capsys)["runs/a"]
    assert (found["state"], found["message"]) == (state, message)


def test_a_need_whose_end_nobody_knows_is_not_quoted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    submitted("runs/a", "13", command=["sbatch", "--dependency=afterok:12", "job.sbatch"])
    blank = f"[[ $* == *--completion* ]] || {{ {NO_ACCOUNTS}; }}\necho '12||0:0|00:00:00|60'"
    never = "echo '13|PENDING|0:00|1:00:00|DependencyNeverSatisfied'"
    gone = "echo '13|CANCELLED|0:00|1:00:00|DependencyNeverSatisfied'"
    stand_in(Path.cwd(), monkeypatch, squeue=gone, sacct=blank)
    found = listed(capsys)["runs/a"]
    assert (found["state"], found["message"]) == ("skipped", "job 13 never started: a job it needs failed")
    stand_in(Path.cwd(), monkeypatch, squeue=never, sacct=blank)
    assert listed(capsys)["runs/a"]["state"] == "queued"


def test_a_number_of_slurms_own_is_no_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    submitted("runs/a", "12")
    stand_in(Path.cwd(), monkeypatch, squeue=NEVER_SEEN, sacct="echo '12|OUT_OF_MEMORY|0:125|00:00:01|01:00:00'")
    found = listed(capsys)["runs/a"]
    assert (found["state"], found["code"]) == ("failed", None)
    assert "it ended as OUT_OF_MEMORY;" in found["message"]
