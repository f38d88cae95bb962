"""submit.sh and launch.sh of a pipeline, with commands that only say what was asked of them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from cfgc.pipeline import compile_spec
from cfgc.write.writer import write_bundle
from tests.unit.stages.test_pipelines import TASK, reader_of

CHAIN = """
[[stages]]
name = "one"

[[stages]]
name = "two"
needs = ["one"]

[[stages]]
name = "three"
needs = ["two"]

[[stages]]
name = "four"
needs = ["one", "three"]
"""

SBATCH = """#!/bin/bash
count=$(($(cat "$SITE/count" 2>/dev/null || echo 10) + 1))
echo "$count" >"$SITE/count"
echo "$CFGC_RUN_DIR $*" >>"$SITE/submitted"
echo PENDING >"$SITE/job-$count"
echo "$count"
"""
SQUEUE = """#!/bin/bash
[[ $* =~ --jobs=([0-9]+) && -e $SITE/job-${BASH_REMATCH[1]} ]] || {
  echo "slurm_load_jobs error: Invalid job id specified" >&2
  exit 1
}
cat "$SITE/job-${BASH_REMATCH[1]}"
"""
SCANCEL = '#!/bin/bash\nrm "$SITE/job-$1"\necho "$1" >>"$SITE/cancelled"\n'


@dataclass(frozen=True)
class Site:
    """A bundle, its run directory, and commands of Slurm that only write down what they are asked."""

    root: Path

    @classmethod
    def make(cls, root: Path, spec: str = TASK + CHAIN) -> Site:
        write_bundle(compile_spec(reader_of(spec), "spec.toml"), root / "bundle")
        (root / "bin").mkdir()
        for name, text in (("sbatch", SBATCH), ("squeue", SQUEUE), ("scancel", SCANCEL)):
            (root / "bin" / name).write_text(text)
            (root / "bin" / name).chmod(0o755)
        return cls(root)

    def submit(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.root / "bundle" / "submit.sh", "--run-dir", self.root / "run", *words],
            env=os.environ | {"PATH": f"{self.root / 'bin'}:{os.environ['PATH']}", "SITE": str(self.root)},
            capture_output=True,
            text=True,
            check=False,
        )

    def submitted(self) -> dict[str, list[str]]:
        """The words of the newest submission of each stage, and forget it."""
        file = self.root / "submitted"
        lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        file.unlink(missing_ok=True)
        return {Path(line[0]).name: line[1:] for line in lines}

    def ends(self, job: int, finished: str = "") -> None:
        """``job`` leaves the queue; the stage ``finished`` says that it has."""
        (self.root / f"job-{job}").unlink()
        if finished:
            manifest = (self.root / "bundle" / "stages" / finished / "manifest.json").read_text()
            digest = next(line for line in manifest.splitlines() if '"plan_digest"' in line).strip().rstrip(",")
            stage = self.root / "run" / "stages" / finished
            stage.mkdir(parents=True, exist_ok=True)
            (stage / "finished.json").write_text(f"{{\n  {digest}\n}}\n")


def dependency(words: list[str]) -> str:
    found = [word.removeprefix("--dependency=") for word in words if word.startswith("--dependency=")]
    assert ("--kill-on-invalid-dep=yes" in words) == bool(found)
    return found[0] if found else ""


def test_each_stage_waits_for_the_jobs_of_those_that_it_needs(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    done = site.submit("--", "--qos=high")
    assert (done.returncode, done.stdout) == (0, "one 11\ntwo 12\nthree 13\nfour 14\n"), done.stderr
    words = site.submitted()
    assert {name: dependency(said) for name, said in words.items()} == {
        "one": "",
        "two": "afterok:11",
        "three": "afterok:12",
        "four": "afterok:11:13",
    }
    assert all("--qos=high" in said for said in words.values())


def test_what_is_queued_is_not_submitted_twice(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    first = site.submit()
    site.submitted()
    assert site.submit().stdout == first.stdout
    assert site.submitted() == {}


def test_after_a_failure_it_goes_on_where_the_chain_stopped(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    site.submit()
    site.submitted()
    site.ends(11, "one")
    site.ends(12)
    site.ends(13)
    assert site.submit().stdout == "two 15\nthree 16\nfour 17\n"  # four still waited for a job that is gone
    assert (tmp_path / "cancelled").read_text() == "14\n"
    assert {name: dependency(said) for name, said in site.submitted().items()} == {
        "two": "",
        "three": "afterok:15",
        "four": "afterok:16",
    }


def test_a_stage_that_runs_is_not_taken_away(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    site.submit()
    site.ends(11)
    (tmp_path / "job-12").write_text("RUNNING\n")
    done = site.submit()
    assert done.returncode == 65
    assert "two is RUNNING as job 12" in done.stderr
    assert not (tmp_path / "cancelled").exists()


def test_a_dry_run_submits_nothing(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    done = site.submit("--dry-run")
    assert done.returncode == 0
    assert "four would be submitted with --dependency=afterok:JOB-OF-one:JOB-OF-three" in done.stdout
    assert site.submitted() == {}
    assert not (tmp_path / "run").exists()


def test_a_queue_that_cannot_be_asked_is_not_an_empty_one(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    site.submit()
    site.submitted()
    (tmp_path / "bin" / "squeue").write_text("#!/bin/bash\necho 'Unable to contact slurm controller' >&2\nexit 1\n")
    done = site.submit()
    assert done.returncode == 69
    assert site.submitted() == {}


@pytest.mark.parametrize("script", ["submit.sh", "launch.sh"])
def test_the_scripts_are_clean(script: str, tmp_path: Path) -> None:
    spec = TASK.replace("[task]", '[env]\nrequired = ["TOKEN"]\n[launch]\nrun_dir = "it\'s here"\n[task]') + CHAIN
    write_bundle(compile_spec(reader_of(spec), "spec.toml"), tmp_path / "bundle")
    done = subprocess.run(["shellcheck", tmp_path / "bundle" / script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


STAGE = """#!/bin/bash
[[ $1 == --run-dir ]] || exit 64
mkdir -p "$2"
echo "$2" >>"$SITE/order"
{what}
"""


def local(root: Path, **what: str) -> Path:
    """launch.sh of a chain whose stages do ``what``."""
    site = Site.make(root)
    for name in ("one", "two", "three", "four"):
        script = root / "bundle" / "stages" / name / "launch.sh"
        script.write_text(STAGE.replace("{what}", what.get(name, "exit 0")))
    return site.root / "bundle" / "launch.sh"


def test_the_first_failure_ends_the_local_chain_with_its_code(tmp_path: Path) -> None:
    script = local(tmp_path, three="exit 42")
    done = subprocess.run(
        [script, "--run-dir", tmp_path / "run"],
        env=os.environ | {"SITE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 42
    assert "stage three ended with exit code 42" in done.stderr
    said = (tmp_path / "order").read_text().splitlines()
    assert [Path(line).name for line in said] == ["one", "two", "three"]


def test_a_signal_reaches_the_stage_that_runs_and_no_other_starts(tmp_path: Path) -> None:
    waiting = 'trap "exit 75" USR2\ntouch "$SITE/ready"\nfor ((;;)); do sleep 0.05; done'
    process = subprocess.Popen(
        [local(tmp_path, two=waiting), "--run-dir", tmp_path / "run"], env=os.environ | {"SITE": str(tmp_path)}
    )
    deadline = time.monotonic() + 30
    while not (tmp_path / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 75
    assert [Path(line).name for line in (tmp_path / "order").read_text().splitlines()] == ["one", "two"]


def test_a_stage_of_several_nodes_is_not_for_one_machine(tmp_path: Path) -> None:
    site = Site.make(tmp_path, TASK + CHAIN.replace('name = "four"', 'name = "four"\nset = { "launch.nodes" = 2 }'))
    done = subprocess.run([site.root / "bundle" / "launch.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert "stage four is for several nodes; submit the pipeline" in done.stderr
