"""submit.sh and launch.sh of a pipeline, with commands that only say what was asked of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
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
[[ " $* " != *" --wait "* ]] || exit 0
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

    def submit(self, *words: str, only: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """Call submit.sh, where ``only`` are the commands if it names any."""
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        if only:
            folder = self.root / "only"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for name in only:
                own = self.root / "bin" / name
                (folder / name).symlink_to(own if own.exists() else str(shutil.which(name)))
            path = str(folder)
        return subprocess.run(
            [str(shutil.which("bash")), self.root / "bundle" / "submit.sh", "--run-dir", self.root / "run", *words],
            env=os.environ | {"PATH": path, "SITE": str(self.root)},
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
            self.finish(finished)

    def finish(self, *stages: str) -> None:
        for finished in stages:
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


def test_a_stage_that_was_waited_for_and_failed_is_the_last(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    (tmp_path / "bin" / "sbatch").write_text(SBATCH.replace("exit 0", "exit $((count == 12 ? 3 : 0))"))
    done = site.submit("--", "--wait")
    assert (done.returncode, done.stdout) == (3, "one 11\ntwo 12\n")
    assert done.stderr.endswith("submit.sh: stage two ended with exit code 3\n")


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


def test_a_dry_run_needs_no_slurm_before_anything_was_submitted(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    plain = ("bash", "dirname", "readlink", "grep", "tail", "cat")
    done = site.submit("--dry-run", only=plain)
    assert (done.returncode, done.stdout.count("would be submitted")) == (0, 4), done.stderr
    site.submit()
    done = site.submit("--dry-run", only=plain)
    assert done.returncode == 69
    assert "there is no squeue here" in done.stderr
    assert site.submit("--dry-run", only=(*plain, "squeue")).returncode == 0


def test_a_missing_flock_is_called_that(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    done = site.submit(only=("bash", "dirname", "readlink", "grep", "mkdir", "sbatch", "squeue", "scancel"))
    assert done.returncode == 69
    assert "there is no flock here" in done.stderr


def test_a_stage_that_slurm_would_not_take_is_named(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    (tmp_path / "bin" / "sbatch").write_text("#!/bin/bash\n[[ $CFGC_RUN_DIR != */two ]]\n")
    done = site.submit("--test-only", only=("bash", "dirname", "readlink", "sbatch"))
    assert done.returncode == 69
    assert "it was stage two; those after it were not asked about" in done.stderr
    done = site.submit()
    assert done.returncode == 69
    assert "stage one was not submitted" in done.stderr, "it was given no number"


def test_a_job_that_is_ending_is_not_waited_for_without_end(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    site.submit()
    site.submitted()
    (tmp_path / "job-11").write_text("COMPLETING\n")
    (tmp_path / "bin" / "sleep").write_text('#!/bin/bash\necho "$1" >>"$SITE/slept"\n')
    (tmp_path / "bin" / "sleep").chmod(0o755)
    done = site.submit()
    assert done.returncode == 69
    assert done.stderr.count("waiting for job 11 of one, which is just ending") == 1
    assert "job 11 of one is COMPLETING for too long" in done.stderr
    assert sum(map(int, (tmp_path / "slept").read_text().split())) == 300
    assert site.submitted() == {}


NAMES = ("one", "two", "three", "four")
STALE = "{0}: {1} has finished with what an earlier {2} made; remove {3}/run/stages/{1}, or use another --run-dir"


def earlier_changes(how: str, site: Site) -> None:
    """All stages have finished; then the plan of the first is another, or what it wrote is gone."""
    site.finish(*NAMES)
    if how == "deleted":
        shutil.rmtree(site.root / "run" / "stages" / "one")
    else:
        shutil.rmtree(site.root / "bundle")
        changed = CHAIN.replace('name = "one"', 'name = "one"\nset = { "task.env.WHO" = "other" }', 1)
        write_bundle(compile_spec(reader_of(TASK + changed), "spec.toml"), site.root / "bundle")


def stale(script: str, root: Path) -> list[str]:
    return [STALE.format(script, *pair, root) for pair in (("two", "one"), ("three", "two"), ("four", "one"))]


@pytest.mark.parametrize("how", ["changed", "deleted"])
@pytest.mark.parametrize("words", [(), ("--dry-run",)], ids=["submit", "dry-run"])
def test_what_has_finished_is_not_taken_from_an_earlier_chain(how: str, words: tuple[str, ...], tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    earlier_changes(how, site)
    done = site.submit(*words)
    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr.splitlines() == stale("submit.sh", tmp_path)
    assert site.submitted() == {}
    for name in ("two", "three", "four"):
        shutil.rmtree(tmp_path / "run" / "stages" / name)
    assert site.submit().returncode == 0
    assert list(site.submitted()) == list(NAMES)


def test_nor_while_the_new_one_is_still_in_the_queue(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    site.submit()
    site.submitted()
    for job in (12, 13, 14):
        site.ends(job)
    site.finish("two")
    done = site.submit()
    assert done.returncode == 65
    assert done.stderr.splitlines() == stale("submit.sh", tmp_path)[:1]
    assert site.submitted() == {}


@pytest.mark.parametrize("how", ["changed", "deleted"])
def test_nor_on_this_machine(how: str, tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    earlier_changes(how, site)
    script = tmp_path / "bundle" / "launch.sh"
    done = subprocess.run([script, "--run-dir", tmp_path / "run"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr.splitlines() == stale("launch.sh", tmp_path)


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


def test_a_stage_that_does_not_listen_yet_was_only_asked_to_stop(tmp_path: Path) -> None:
    deaf = 'touch "$SITE/ready"\nfor ((;;)); do sleep 0.05; done'  # USR2 ends it with code 140
    process = subprocess.Popen(
        [local(tmp_path, two=deaf), "--run-dir", tmp_path / "run"], env=os.environ | {"SITE": str(tmp_path)}
    )
    deadline = time.monotonic() + 30
    while not (tmp_path / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 75


def test_a_stage_of_several_nodes_is_not_for_one_machine(tmp_path: Path) -> None:
    site = Site.make(tmp_path, TASK + CHAIN.replace('name = "four"', 'name = "four"\nset = { "launch.nodes" = 2 }'))
    done = subprocess.run([site.root / "bundle" / "launch.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert "stage four is for several nodes; submit the pipeline" in done.stderr
