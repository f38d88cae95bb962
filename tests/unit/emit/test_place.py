"""A bundle's scripts, started where people stand when they type them: in the bundle's own directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cfgc.emit.bundle import emit_bundle
from cfgc.emit.shell import render_script
from cfgc.load.disk import DiskReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from cfgc_runtime.bundle_copy import take_bundle
from cfgc_runtime.manifest import read_manifest, verify_bundle
from cfgc_runtime.rundir import RunDirectory
from tests.runtime.bundles import HERE as TINY
from tests.unit.emit.samples import cpu_plan

PYTHON = """#!/bin/bash
[[ " $* " == *" stage "* ]] || exit 0
while [[ $1 != --run-dir ]]; do shift; done
printf '%s\\n' "$2" "$PWD" >"$RECORD"
"""
SBATCH = """#!/bin/bash
printf '%s\\n' "$CFGC_RUN_DIR" "$PWD" >"$RECORD"
echo 41
"""


class Site:
    """``project/out/demo`` is the bundle; what stands in for Python and sbatch records run directory and directory."""

    def __init__(self, directory: Path, pipeline: bool = False) -> None:
        self.directory = directory
        self.project = directory / "a project"
        self.bundle = self.project / "out" / "demo"
        spec = compile_spec(DiskReader(TINY, shipped_dir("specs")), "pipeline.toml") if pipeline else None
        write_bundle(spec or emit_bundle(cpu_plan()), self.bundle)
        (self.project / "cfgc.toml").touch()
        for name, text in (("python", PYTHON), ("sbatch", SBATCH), ("squeue", "#!/bin/bash\n"), ("scancel", "")):
            (directory / "bin").mkdir(exist_ok=True)
            (directory / "bin" / name).write_text(text)
            (directory / "bin" / name).chmod(0o755)

    def type(self, where: Path, *command: str, python: str = "python") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=where,
            env={
                "PATH": f"{self.directory / 'bin'}:{os.environ['PATH']}",
                "RECORD": str(self.directory / "record"),
                "PYTHON": python,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def record(self) -> list[Path]:
        """Run directory, and the directory in which it was started."""
        return list(map(Path, (self.directory / "record").read_text().splitlines()))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize("script", ["./launch.sh", "./submit.sh"])
def test_who_stands_in_the_bundle_starts_in_the_project(site: Site, script: str) -> None:
    for where, command in ((site.bundle, script), (site.bundle / "runtime", f".{script}")):
        done = site.type(where, command)
        assert done.returncode == 0, done.stderr
        assert site.record == [site.project / "runs" / "quickstart", site.project]
        said = f"{script[2:]}: {site.bundle} is a bundle, which nothing is written into: starting in {site.project}\n"
        assert done.stderr.startswith(said)
    verify_bundle(site.bundle)


@pytest.mark.parametrize("script", ["./launch.sh", "./submit.sh"])
def test_without_a_project_it_starts_beside_the_bundle(site: Site, script: str) -> None:
    (site.project / "cfgc.toml").unlink()
    assert site.type(site.bundle, script).returncode == 0
    assert site.record == [site.bundle.parent / "runs" / "quickstart", site.bundle.parent]


@pytest.mark.parametrize("script", ["launch.sh", "submit.sh"])
def test_elsewhere_everything_is_where_it_is_typed(site: Site, script: str) -> None:
    done = site.type(site.bundle.parent, f"demo/{script}")
    assert (done.returncode, done.stderr) == (0, "")
    assert site.record == [site.bundle.parent / "runs" / "quickstart", site.bundle.parent]


def test_what_is_typed_in_the_bundle_is_relative_to_it(site: Site) -> None:
    for script in ("./launch.sh", "./submit.sh"):
        assert site.type(site.bundle, script, "--run-dir", "../../here", python="../../../bin/python").returncode == 0
        assert site.record[0].resolve() == site.project / "here"


@pytest.mark.parametrize("script", ["launch.sh", "submit.sh"])
def test_a_run_directory_in_the_bundle_is_refused(site: Site, script: str) -> None:
    for where, run in ((site.bundle, "runs/x"), (site.project, "out/demo/runtime/x")):
        done = site.type(where, f"{site.bundle}/{script}", "--run-dir", run)
        assert done.returncode == 64
        assert f"is inside the bundle {site.bundle}, which nothing is written into; name another one\n" in done.stderr
    assert not (site.directory / "record").exists()
    verify_bundle(site.bundle)


def test_a_stage_is_in_the_bundle_of_its_pipeline(tmp_path: Path) -> None:
    site = Site(tmp_path, pipeline=True)
    stage = next((site.bundle / "stages").iterdir())
    for where, command in ((stage, "./launch.sh"), (stage.parent, f"{stage.name}/launch.sh"), (stage, "./submit.sh")):
        assert site.type(where, command).returncode == 0
        assert site.record[1] == site.project
    for script in ("./launch.sh", "./submit.sh"):
        done = site.type(site.bundle, script)
        assert site.record[1] == site.project, done.stderr
        assert site.record[0].is_relative_to(site.project / "runs")
    assert not (site.bundle / "runs").exists()


def test_the_manifest_of_something_else_makes_no_bundle(site: Site) -> None:
    """Web pages and browser extensions have a manifest.json too."""
    (site.project / "manifest.json").write_text('{"name": "a page"}')
    assert site.type(site.project, "out/demo/launch.sh").returncode == 0
    assert site.record[1] == site.project


def test_a_bundle_at_the_root_of_the_file_system(tmp_path: Path) -> None:
    """What is above it is the root, not nothing."""
    text = render_script("shared/place.sh.j2", script="x")
    script = text.replace("bundle_around() {", "bundle_around() { echo /demo; return\n", 1)
    done = subprocess.run(["bash", "-euc", f"{script}pwd"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "/")


def test_a_stage_that_has_finished_with_a_plan_that_differs_in_nothing_that_counts(tmp_path: Path) -> None:
    """Its submit.sh has nothing to submit, and those after it go on."""
    site = Site(tmp_path, pipeline=True)
    older = site.directory / "older"
    override = "launch.max_attempts=7"
    write_bundle(compile_spec(DiskReader(TINY, shipped_dir("specs")), "pipeline.toml", (override,)), older)
    stage = older / "stages" / "pretrain"
    run = RunDirectory(tmp_path / "run" / "stages" / "pretrain")
    run.root.mkdir(parents=True)
    take_bundle(stage, run, read_manifest(stage))
    run.write_finished(read_manifest(stage).plan_digest, 1.0)
    done = site.type(
        site.project, str(site.bundle / "submit.sh"), "--run-dir", str(tmp_path / "run"), python=sys.executable
    )
    assert done.returncode == 0, done.stderr
    assert "pretrain" not in done.stdout
    assert "submit.sh: chain-pretrain is already finished; nothing to do" in done.stderr
    assert len(done.stdout.splitlines()) == len(list((site.bundle / "stages").iterdir())) - 1
