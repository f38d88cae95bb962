"""``cfgc logs``: the logs of a run as one, by time, the first failure first."""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest

from cfgc.cli import run
from cfgc.runs import following
from cfgc.runs.stamps import time_of
from cfgc_runtime.attempt import Attempt
from cfgc_runtime.rundir import RunDirectory, write_json
from tests.unit.cli.run_directories import make_run

BEGAN = 1_700_000_000.0


def clock(at: float, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A time of this machine's, as libraries write it."""
    return datetime.fromtimestamp(at).astimezone().strftime(pattern)


def attempt_of(directory: RunDirectory, number: int, hosts: str = "n1 n2") -> Attempt:
    attempt = Attempt(directory.attempts / f"{number:03d}")
    for name in ("pids", "exits", "beats", "logs"):
        (attempt.path / name).mkdir(parents=True, exist_ok=True)
    write_json(attempt.path / "opened.json", {"step": 0, "at": BEGAN + 1000 * number})
    attempt.nodes.write_text(hosts.replace(" ", "\n") + "\n")
    return attempt


def write_log(attempt: Attempt, name: str, text: str, last: float) -> None:
    attempt.log(name).write_text(text)
    os.utime(attempt.log(name), (last, last))


def record(attempt: Attempt, rank: int, code: int, at: float, message: str = "") -> None:
    content = {"rank": rank, "code": code, "at": at, "message": message}
    (attempt.path / "exits" / f"rank-{rank}").write_text(json.dumps(content))


@pytest.fixture
def failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    """Two nodes of one rank each: rank 1 fails first, in the second attempt."""
    monkeypatch.chdir(tmp_path)
    directory = make_run(Path("run"))
    first, second = attempt_of(directory, 1), attempt_of(directory, 2)
    for attempt in (first, second):
        for rank in (0, 1):
            attempt.record_pid(rank, rank, 5)
    write_log(first, "rank-0", "the first attempt\n", BEGAN + 1500)
    at = BEGAN + 2000
    write_log(second, "rank-0", f"early\n[{clock(at + 10)},500] [INFO] ten\n  more\n[{clock(at + 30)},0] x\n", at + 31)
    write_log(second, "rank-1", f"[rank1]:[E{clock(at + 20, '%m%d %H:%M:%S')}.25 a.cpp:1] twenty\n", at + 25)
    write_log(second, "srun", "srun: error\n", at + 40)
    record(second, 1, 42, at + 25, "it broke\nin two lines")
    record(second, 0, 76, at + 32, "another rank went away")
    return directory


def said(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    capsys.readouterr()
    assert run(["logs", *words]) == 0
    return capsys.readouterr().out.splitlines()


def test_the_first_failure_is_first_and_the_rest_by_time(
    failed: RunDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = said(capsys, "run")
    assert lines[0].startswith("2/rank-1@n2  failed first, 20")
    assert lines[0].endswith("UTC: ended with exit code 42: failed; it said: it broke")
    at = lines.index("")
    assert lines[2].startswith("  | [rank1]:[E")
    short = [line.partition("  ")[::2] for line in lines[at + 1 :]]
    assert [(label, text.split()[-1]) for label, text in short] == [
        ("1/rank-0@n1", "attempt"),
        ("2/rank-0@n1", "early"),
        ("2/rank-0@n1", "ten"),
        ("2/rank-0@n1", "more"),
        ("2/rank-1@n2", "twenty"),
        ("2/rank-1@n2", "broke"),
        ("2/rank-1@n2", "lines"),
        ("2/rank-0@n1", "x"),
        ("2/rank-0@n1", "away"),
        ("2/srun", "error"),
    ]


def test_ranks_attempts_and_the_last_lines_can_be_chosen(
    failed: RunDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {line.split("  ")[0] for line in said(capsys, "run", "--rank", "0")} == {"1/rank-0@n1", "2/rank-0@n1"}
    assert said(capsys, "run", "--attempt", "1") == ["1/rank-0@n1  the first attempt"]
    assert said(capsys, "run", "--tail", "1")[-2:] == ["", "2/srun  srun: error"]
    for option, words in (("--attempt", "no attempt 9; attempts are 1-2"), ("--rank", "no rank 9; ranks are 0-1")):
        assert run(["logs", "run", option, "9"]) == 64
        assert words in capsys.readouterr().err


def test_json_is_an_object_a_line(failed: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    found = [json.loads(line) for line in said(capsys, "run", "--format", "json")]
    assert found[0]["kind"] == "first failure"
    assert (found[0]["rank"], found[0]["host"], found[0]["attempt"]) == (1, "n2", 2)
    times = [one["time"] for one in found[1:]]
    assert times == sorted(times)
    assert next(one["text"] for one in found if one["kind"] == "end").startswith("ended with exit code 42")


def test_the_log_of_the_job_is_there_where_it_is_known(
    failed: RunDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("my logs").mkdir()
    Path("my logs/slurm-gpt-12.out").write_text("step 1\rstep 2\njob.sbatch: failed\n")
    line = {"id": "12", "at": 1, "log": f"{Path.cwd()}/my logs/slurm-%x-%j.out", "command": []}
    (failed.root / "jobs.jsonl").write_text(json.dumps(line) + "\n")
    lines = said(capsys, "run")
    assert lines[-2:] == ["job-12  step 2", "job-12  job.sbatch: failed"]
    assert not any("srun" in line for line in lines), "which is in the job's own log too"


def test_the_log_that_sbatch_was_told_is_the_jobs(failed: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    Path("my logs").mkdir()
    Path("my logs/0012 of it.out").write_text("job.sbatch: failed\n")
    command = ["sbatch", "--parsable", "-o", "my logs/%4j of it.out", "job.sbatch"]
    line = {"id": "12", "at": 1, "log": f"{Path.cwd()}/slurm-%x-%j.out", "command": command}
    (failed.root / "jobs.jsonl").write_text(json.dumps(line) + "\n")
    assert said(capsys, "run")[-1] == "job-12  job.sbatch: failed"


def test_points_and_stages_are_named(failed: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    Path("all/points").mkdir(parents=True)
    failed.root.rename("all/points/0003")
    assert said(capsys, "all", "--attempt", "1") == ["points/0003:1/rank-0@n1  the first attempt"]
    assert said(capsys, "all/points/0003", "--attempt", "1") == ["1/rank-0@n1  the first attempt"]


def test_a_directory_without_logs_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["logs", str(tmp_path)]) == 0
    assert "no run in" in capsys.readouterr().err


def test_new_lines_are_followed_until_the_run_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(following, "POLL_S", 0.02)
    monkeypatch.setattr(following, "_CHECK_S", 0.1)
    attempt = attempt_of(make_run(Path("run")), 1, "n1")
    attempt.record_pid(1, 0, os.getpid())
    attempt.log("rank-0").write_text("old\nha")

    def writes() -> None:
        with attempt.log("rank-0").open("a") as log:
            for word in ("lf\none\ntw", "o\n"):
                time.sleep(0.2)
                log.write(word)
                log.flush()
        attempt.log("rank-1").write_text("another\n")
        time.sleep(0.2)
        attempt.record_exit(0, 0)
        attempt.record_exit(1, 0)

    writer = threading.Thread(target=writes)
    writer.start()
    lines = said(capsys, "run", "--follow")
    writer.join()
    assert [line.split("  ")[1] for line in lines] == ["old", "half", "one", "two", "another"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[{:%Y-%m-%d %H:%M:%S},250] [INFO] x", 0.25),
        ("{:%Y-%m-%dT%H:%M:%S} x", 0.0),
        ("{:%Y-%m-%dT%H:%M:%S.125000%z} x", 0.125),
        ("W{:%m%d %H:%M:%S}.616000 1 torch/x.py:7] x", 0.616),
        ("[rank3]:[E{:%m%d %H:%M:%S}.5 x.cpp:6] x", 0.5),
        ("slurmstepd: error: *** STEP 2.0 ON n2 CANCELLED AT {:%Y-%m-%dT%H:%M:%S} ***", 0.0),
    ],
)
def test_times_of_lines_are_read(line: str, expected: float) -> None:
    moment = datetime.fromtimestamp(BEGAN).astimezone()
    assert time_of(line.format(moment), BEGAN - 5, BEGAN + 5) == pytest.approx(BEGAN + expected)


@pytest.mark.parametrize(
    "line", ["", "x", "2023-11-14", "9999-99-99 99:99:99", "1999-01-01 00:00:00 from a data set", "E9999 99:99:99.1"]
)
def test_what_is_not_the_time_of_a_line_is_none(line: str) -> None:
    assert time_of(line, BEGAN - 5, BEGAN + 5) is None
