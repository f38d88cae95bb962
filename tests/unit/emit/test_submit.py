"""submit.sh with a stand-in for sbatch: what it asks for, what it writes down, and from where it can be called."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cfgc.emit.slurm.submit import needed_to_submit, submit_sh
from cfgc.launching.slurm import SBATCH
from cfgc.lower.plan import NodePath, Plan
from cfgc.lower.plan_sweep import Sweep, SweepPoint
from tests.unit.emit.samples import cluster_plan, cpu_plan, hostile_plan

POINT = '{"index": 0, "name": "0", "overrides": [], "plan_digest": "x"}\n'
SBATCH_STANDS_IN = """#!/bin/bash
printf '%s\\0' "$@" "RUN=$CFGC_RUN_DIR" "BUNDLE=$CFGC_BUNDLE" "OFFSET=${CFGC_POINT_OFFSET-}" \\
  "JOB=${SLURM_JOB_ID-}" "CPUS=${SLURM_CPUS_PER_TASK-}" >>"$RECORD"
printf '\\n' >>"$RECORD"
printf x >>"$RECORD.count"
count=$(wc -c <"$RECORD.count")
[[ -z ${REFUSE-} ]] || ((count < ${REFUSE_FROM-1})) || { echo "sbatch: error: $REFUSE" >&2; exit 1; }
[[ " $* " != *" --test-only "* ]] || exit 0
echo "$((41 + count))${OF_CLUSTER-}"
[[ -z ${UNTIL-} ]] || while [[ ! -e $UNTIL ]]; do sleep 0.05; done
codes=(${ENDED-0})
exit "${codes[(count - 1) % ${#codes[@]}]}"
"""


def with_logs(path: NodePath) -> Plan:
    plan = cluster_plan()
    directives = (*plan.slurm.directives, ("output", "slurm-%x-%j.out"), ("exclude", "n9,n[1-2]"))
    return replace(plan, slurm=replace(plan.slurm, log_dir=path, directives=directives))


def of_points(count: int, part_size: int, max_parallel: int = 0) -> Plan:
    points = tuple(SweepPoint(index, f"{index:04d}", (), "x", POINT) for index in range(count))
    plan = cpu_plan()
    directives = (*plan.slurm.directives, ("output", "slurm-%x-%j.out"))
    sweep = Sweep("grid", points, max_parallel, part_size)
    return replace(plan, slurm=replace(plan.slurm, directives=directives), sweep=sweep)


PLANS = {
    "cpu": cpu_plan(),
    "cluster": cluster_plan(),
    "hostile": hostile_plan(),
    "logs": with_logs(NodePath("env", "HOME", "it's 100% \\n")),
    "sweep": of_points(7, 3, 2),
}


@pytest.mark.parametrize("name", PLANS)
def test_shellcheck_has_nothing_to_say(name: str, tmp_path: Path) -> None:
    script = tmp_path / "submit.sh"
    script.write_text(submit_sh(PLANS[name]))
    subprocess.run(["bash", "-n", script], check=True)
    result = subprocess.run(["shellcheck", script], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")


def test_options_of_sbatch_are_listed_with_their_release() -> None:
    text = "".join(map(submit_sh, PLANS.values()))
    used = set(re.findall(r"""(?:options\+?=\(|options\[@\]}" )"?(--[a-z-]+)""", text))
    assert used == {"--parsable", "--test-only", "--output", "--exclude", "--array"}
    assert used <= {one.name for one in SBATCH}


@dataclass
class Login:
    """A login node with a stand-in for sbatch, and a bundle at an awkward place."""

    directory: Path
    bundle: Path

    def run(self, *arguments: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.directory / 'bin'}:{os.environ['PATH']}", "HOME": str(self.directory / "home")}
        environment |= {"RECORD": str(self.directory / "record"), "CORPUS": "c", "SCRATCH": str(self.directory / "s")}
        environment |= {"WANDB_API_KEY": "secret"}
        done = subprocess.run(
            [self.bundle / "submit.sh", *arguments],
            cwd=self.directory / "from here",
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stderr
        return done

    @property
    def calls(self) -> list[list[str]]:
        """The words of each call of sbatch, then its variables."""
        record = self.directory / "record"
        return [call.split("\0") for call in record.read_text().split("\0\n")[:-1]] if record.exists() else []


def login(tmp_path: Path, plan: Plan) -> Login:
    bundle = tmp_path / 'it\'s a "bundle" $x'
    for directory in (bundle, tmp_path / "from here", tmp_path / "bin"):
        directory.mkdir()
    for name in ("job.sbatch", "manifest.json"):
        (bundle / name).touch()
    (bundle / "submit.sh").write_text(submit_sh(plan))
    (bundle / "submit.sh").chmod(0o755)
    (tmp_path / "bin" / "sbatch").write_text(SBATCH_STANDS_IN)
    (tmp_path / "bin" / "sbatch").chmod(0o755)
    return Login(tmp_path, bundle)


def jobs(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "jobs.jsonl").read_text().splitlines()]


def test_it_submits_its_own_bundle_and_writes_the_job_down(tmp_path: Path) -> None:
    there = login(tmp_path, cpu_plan())
    done = there.run("--", "--time=5")
    run = tmp_path / "from here" / "runs" / "quickstart"
    (call,) = [there.calls[0]]
    assert call[:3] == ["--parsable", "--time=5", f"{there.bundle}/job.sbatch"]
    assert call[3:5] == [f"RUN={run}", f"BUNDLE={there.bundle}"]
    (written,) = jobs(run)
    assert (written["id"], written["command"]) == ("42", ["sbatch", *call[:3]])
    assert done.stdout.splitlines()[:2] == ["submitted job 42", f"run directory: {run}"]


def test_every_byte_of_a_path_is_written_down_as_it_is(tmp_path: Path) -> None:
    there = login(tmp_path, cpu_plan())
    run = tmp_path / 'tab\there "quoted" \\n new\nline é & \x7f'
    assert there.run("--parsable", "--run-dir", str(run)).stdout == "42\n"
    assert there.calls[0][2] == f"RUN={run}"
    there.run("--", f"--comment={run}")
    assert jobs(tmp_path / "from here/runs/quickstart")[0]["command"][2] == f"--comment={run}"
    assert jobs(run)[0]["id"] == "42"


def test_a_link_to_it_is_followed_and_a_relative_run_directory_is_of_here(tmp_path: Path) -> None:
    there = login(tmp_path, cpu_plan())
    (tmp_path / "bin" / "go").symlink_to(there.bundle / "submit.sh")
    environment = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "RECORD": str(tmp_path / "record")}
    subprocess.run(["go", "--run-dir=r"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert there.calls[0][2:4] == [f"RUN={tmp_path / 'r'}", f"BUNDLE={there.bundle}"]


@pytest.mark.covers("cluster.log_dir", "cluster.exclude")
def test_logs_go_where_the_profile_says_and_failed_machines_are_kept_away_from(tmp_path: Path) -> None:
    there = login(tmp_path, with_logs(NodePath("env", "HOME", "logs 100%")))
    assert there.run(check=False, HOME=str(tmp_path / "a\\b")).returncode == 64, "a log that Slurm cannot name"
    run = tmp_path / "s" / "runs" / "16xh100-zero3"
    run.mkdir(parents=True)
    (run / "excluded_nodes").write_text("n3\nn4\n")
    done = there.run()
    assert (tmp_path / "home" / "logs 100%").is_dir()
    options = there.calls[0][1:3]
    assert options == [f"--output={tmp_path}/home/logs 100%%/slurm-%x-%j.out", "--exclude=n9,n[1-2],n3,n4"]
    assert "keeps away from n3,n4" in done.stderr
    assert jobs(run)[0]["log"] == f"{tmp_path}/home/logs 100%/slurm-%x-%j.out"


def test_neither_a_question_nor_a_dry_run_leaves_a_trace(tmp_path: Path) -> None:
    there = login(tmp_path, with_logs(NodePath("env", "HOME", "logs")))
    said = there.run("--dry-run").stdout
    assert not there.calls
    words = shlex.split(said)
    assert words[2:4] == ["sbatch", "--parsable"]
    assert words[-1] == f"{there.bundle}/job.sbatch"
    there.run("--test-only")
    assert there.calls[0][0] == "--test-only"
    assert not (tmp_path / "home").exists()
    assert not (tmp_path / "s").exists()
    assert there.run("--test-only", check=False, REFUSE="no").returncode == 69


def test_all_parts_of_a_sweep_are_submitted(tmp_path: Path) -> None:
    there = login(tmp_path, of_points(7, 3, 2))
    assert there.run("--parsable").stdout.split() == ["42", "43", "44"]
    asked = [(call[1], call[5]) for call in there.calls]
    assert asked == [("--array=0-2%2", "OFFSET=0"), ("--array=0-2%2", "OFFSET=3"), ("--array=0-0%2", "OFFSET=6")]
    written = jobs(tmp_path / "from here/runs/quickstart")
    assert [(one["id"], one["array"], one["offset"]) for one in written] == [
        ("42", "0-2%2", 0),
        ("43", "0-2%2", 3),
        ("44", "0-0%2", 6),
    ]
    assert written[0]["log"].endswith("/slurm-%x-%A_%a.out")


@pytest.mark.parametrize(
    ("points", "asked"),
    [
        ("4", [("--array=1-1", "OFFSET=3")]),
        ("0,2-4", [("--array=0-0,2-2", "OFFSET=0"), ("--array=0-1", "OFFSET=3")]),
        ("all", [("--array=0-2", "OFFSET=0"), ("--array=0-2", "OFFSET=3"), ("--array=0-0", "OFFSET=6")]),
        ("006", [("--array=0-0", "OFFSET=6")]),
        ("1,0,1", [("--array=0-1", "OFFSET=0")]),
        ("2-5,0,4,00,5-6", [("--array=0-0,2-2", "OFFSET=0"), ("--array=0-2", "OFFSET=3"), ("--array=0-0", "OFFSET=6")]),
    ],
)
def test_points_are_found_in_their_parts(points: str, asked: list[tuple[str, str]], tmp_path: Path) -> None:
    there = login(tmp_path, of_points(7, 3))
    there.run("--points", points)
    assert [(call[1], call[5]) for call in there.calls] == asked


@pytest.mark.parametrize("points", ["7", "x", "", "2-1", "-1", "1;id"])
def test_points_that_are_none_are_refused(points: str, tmp_path: Path) -> None:
    there = login(tmp_path, of_points(7, 3))
    assert there.run(f"--points={points}", check=False).returncode == 64
    assert not there.calls


def test_what_slurm_refuses_is_said_and_not_written_down(tmp_path: Path) -> None:
    there = login(tmp_path, cpu_plan())
    done = there.run(check=False, REFUSE="Invalid account")
    assert (done.returncode, done.stdout) == (69, "")
    assert "sbatch: error: Invalid account\nsubmit.sh: Slurm did not take it" in done.stderr
    assert jobs(tmp_path / "from here/runs/quickstart") == []


def test_machines_to_keep_away_from_are_named_when_slurm_refuses(tmp_path: Path) -> None:
    there = login(tmp_path, cpu_plan())
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "excluded_nodes").write_text("n3\n")
    done = there.run("--run-dir", str(tmp_path / "run"), check=False, REFUSE="Requested node configuration")
    assert f"remove {tmp_path}/run/excluded_nodes" in done.stderr


def test_a_list_of_machines_is_of_a_run_and_not_of_a_sweep(tmp_path: Path) -> None:
    """Each point has its own, which its own start obeys."""
    assert "excluded_nodes" not in submit_sh(PLANS["sweep"])
    assert "excluded" not in submit_sh(PLANS["sweep"])
    there = login(tmp_path, of_points(7, 3))
    assert there.run("--points", "0", check=False, REFUSE="Invalid account").returncode == 69
    there.run("--points", "0")
    assert not [word for word in there.calls[-1] if word.startswith("--exclude")]


def test_what_is_given_by_export_is_not_written_down(tmp_path: Path) -> None:
    there = login(tmp_path, cpu_plan())
    there.run("--", "--export=ALL,TOKEN=hunter2", "--export", "ALL,TOKEN=hunter2", "--time=5")
    text = (tmp_path / "from here/runs/quickstart/jobs.jsonl").read_text()
    assert "hunter2" not in text
    assert json.loads(text)["command"][2:6] == ["--export=...", "--export", "...", "--time=5"]


def test_a_job_that_still_waits_is_mentioned(tmp_path: Path) -> None:
    there = login(tmp_path, cpu_plan())
    (tmp_path / "bin" / "squeue").write_text("#!/bin/bash\necho PENDING\n")
    (tmp_path / "bin" / "squeue").chmod(0o755)
    assert "note" not in there.run().stderr
    assert "job 42 of this run is PENDING" in there.run().stderr


def test_a_job_that_was_waited_for_passes_its_code_on(tmp_path: Path) -> None:
    there = login(tmp_path, cpu_plan())
    done = there.run("--parsable", "--", "--wait", check=False, ENDED="42", OF_CLUSTER=";alpine")
    assert (done.returncode, done.stdout) == (42, "42\n")
    assert [one["id"] for one in jobs(tmp_path / "from here/runs/quickstart")] == ["42"]


def test_all_parts_are_submitted_and_written_down_while_the_first_is_waited_for(tmp_path: Path) -> None:
    there, until = login(tmp_path, of_points(7, 3)), tmp_path / "until"
    record = tmp_path / "from here/runs/quickstart/jobs.jsonl"
    with ThreadPoolExecutor() as threads:
        done = threads.submit(there.run, "--parsable", "--", "--wait", check=False, UNTIL=str(until), ENDED="0 42 3")
        deadline = time.monotonic() + 30
        while not record.exists() or record.read_text().count("\n") < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert not done.done()
        until.touch()
    assert (done.result().returncode, done.result().stdout) == (42, "42\n43\n44\n")


@pytest.mark.parametrize("wait", [(), ("--", "--wait")])
def test_a_part_that_is_refused_leaves_those_before_it_written_down(wait: tuple[str, ...], tmp_path: Path) -> None:
    there = login(tmp_path, of_points(7, 3))
    done = there.run("--parsable", *wait, check=False, REFUSE="Job violates a limit", REFUSE_FROM="2")
    assert (done.returncode, done.stdout) == (69, "42\n")
    assert "Slurm did not take it; not submitted: points from 3 on" in done.stderr
    assert [one["id"] for one in jobs(tmp_path / "from here/runs/quickstart")] == ["42"]


def test_what_another_job_was_given_is_not_passed_on(tmp_path: Path) -> None:
    there = login(tmp_path, cpu_plan())
    there.run(SLURM_JOB_ID="7", SLURM_CPUS_PER_TASK="64", CFGC_CHAINED="1")
    assert there.calls[0][5:] == ["JOB=", "CPUS="]


def test_a_record_that_a_crash_cut_off_spoils_no_line(tmp_path: Path) -> None:
    there = login(tmp_path, cpu_plan())
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "jobs.jsonl").write_text('{"id": "4')
    there.run("--run-dir", str(tmp_path / "run"))
    cut, whole = (tmp_path / "run" / "jobs.jsonl").read_text().splitlines()
    assert (cut, json.loads(whole)["id"]) == ('{"id": "4', "42")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--nope",), 64, "options of sbatch come after --"),
        (("--run-dir",), 64, "--run-dir needs a value"),
        (("--run-dir", "/dev/null/x"), 73, "cannot be made"),
        (("--points", "0"), 64, "unknown argument"),
    ],
)
def test_mistakes_are_said_before_anything_is_submitted(
    arguments: tuple[str, ...], code: int, words: str, tmp_path: Path
) -> None:
    there = login(tmp_path, cpu_plan())
    done = there.run(*arguments, check=False)
    assert (done.returncode, there.calls) == (code, [])
    assert words in done.stderr


def test_variables_and_the_rest_of_the_bundle_are_asked_for_first(tmp_path: Path) -> None:
    there = login(tmp_path, cluster_plan())
    done = there.run(check=False, WANDB_API_KEY="", SCRATCH="")
    assert (done.returncode, there.calls) == (64, [])
    assert "SCRATCH WANDB_API_KEY" in done.stderr
    (there.bundle / "manifest.json").unlink()
    assert there.run(check=False).returncode == 65


def test_a_variable_that_only_nodes_have_is_not_asked_for_here() -> None:
    plan = cluster_plan()
    scratch = (("TMPDIR", NodePath("env", "LOCAL_DISK", "x")),)
    assert "LOCAL_DISK" not in needed_to_submit(replace(plan, slurm=replace(plan.slurm, exports=scratch)))
