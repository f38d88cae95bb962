"""What the README shows works as it is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.lower.plan import Plan
from cfgc.pipeline import plan_spec
from cfgc.resources import shipped_dir
from tests.unit.cli.slurm_stand_in import stand_in


def test_the_spec_in_the_readme_compiles(repository: Path) -> None:
    (spec,) = re.findall(r"```toml\n(.*?)```", (repository / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    shipped = DiskReader(shipped_dir("specs"), shipped_dir("specs"))
    plan = plan_spec(MemoryReader({"spec.toml": spec}, shipped), "spec.toml")
    assert isinstance(plan, Plan)
    assert plan.batch.gradient_accumulation_steps == 8
    assert plan.schedule.warmup_steps == 800


INSTEAD = {
    "launch.sh --run-dir runs/here": "launch.sh --help | grep 'with 2 ranks on this machine'",
    "logs runs/demo --follow": "logs runs/demo",
}
"""What is not done here: to train, and to wait for the end of a job that never starts."""


def test_the_way_to_the_cluster_works_line_after_line(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^From laptop to cluster, in ten lines:\n\n```\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    lines = [line.partition(" # ")[0].rstrip() for line in block.splitlines()]
    assert len(lines) == 10
    script = "\n".join(lines)
    for line, instead in INSTEAD.items():
        assert script.count(line) == 1
        script = script.replace(line, instead)
    cfgc = f'exec {sys.executable} -c "from cfgc.cli import main; main()" "$@"'
    calls = stand_in(tmp_path, monkeypatch, cfgc=cfgc, sbatch="echo 42", squeue="", sacct="", rsync="", ssh="")
    monkeypatch.setenv("EDITOR", "test -f")
    monkeypatch.setenv("PYTHONPATH", f"{repository / 'compiler'}:{repository / 'runtime'}")
    done = subprocess.run(
        ["bash", "-exo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("submitted job 42") == 2
    assert {line.split()[0] for line in calls.read_text().splitlines()} >= {"cfgc", "sbatch", "rsync", "ssh"}


def test_every_make_target_of_the_readme_exists(repository: Path) -> None:
    named = set(re.findall(r"^make (\w+)", (repository / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    targets = set(re.findall(r"^(\w+):", (repository / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


def test_every_linked_page_exists(repository: Path) -> None:
    for page in (repository / "README.md", *sorted((repository / "docs").glob("*.md"))):
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).is_file(), f"{page.name} links to {link}"
