"""The examples for GitHub and GitLab: their scripts, run as those run them, in a repository with a changed spec."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

SPEC = 'extends = "cfgc:examples/quickstart.toml"\n[experiment]\nname = "a"\n[training]\nmax_steps = {steps}\n{more}'


def example(repository: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((repository / "docs/ci" / name).read_text(encoding="utf-8"))
    return found


class Branch:
    """A repository whose target branch has a bundle, and what a branch makes of it."""

    def __init__(self, place: Path, repository: Path) -> None:
        self.place = place
        self._environment = {
            "PATH": f"{place / '.bin'}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": f"{repository / 'compiler'}:{repository / 'runtime'}",
            "HOME": str(place),
        }
        (place / ".bin").mkdir()
        cfgc, pip = place / ".bin/cfgc", place / ".bin/pip"
        cfgc.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from cfgc.cli import main; main()" "$@"\n')
        pip.write_text("#!/bin/sh\ntest -f requirements-cfgc.txt\n")
        cfgc.chmod(0o755)
        pip.chmod(0o755)
        (place / "cfgc.toml").touch()
        (place / "requirements-cfgc.txt").touch()
        (place / ".gitignore").write_text(".bin\n")
        self.sh("git init -q && git config user.email a@example.org && git config user.name a")
        self.change(240)
        self.base = self.sh("git rev-parse HEAD").stdout.strip()

    def change(self, steps: int, more: str = "") -> None:
        (self.place / "a.toml").write_text(SPEC.format(steps=steps, more=more))
        done = self.sh("cfgc build a.toml && git add -A && git commit -qm change")
        assert done.returncode == 0, done.stderr

    def sh(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=self.place,
            env={**self._environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def branch(tmp_path: Path, repository: Path) -> Branch:
    return Branch(tmp_path, repository)


def test_on_github_a_stale_bundle_is_an_annotation_and_changes_are_in_the_summary(
    branch: Branch, repository: Path
) -> None:
    steps = example(repository, "github.yml")["jobs"]["bundles"]["steps"]
    install, check, summary = (step["run"] for step in steps if "run" in step)
    branch.change(77)
    assert branch.sh(install).returncode == 0
    assert branch.sh(check).returncode == 0
    done = branch.sh(summary, BASE=branch.base, GITHUB_STEP_SUMMARY="summary.md")
    assert done.returncode == 0, done.stderr
    assert "training.max_steps" in (branch.place / "summary.md").read_text()
    (branch.place / "out/a/PLAN.md").write_text("")
    done = branch.sh(check)
    assert done.returncode == 2
    assert done.stdout.startswith("::error ")


def test_on_gitlab_a_gate_tells_infrastructure_from_numbers(branch: Branch, repository: Path) -> None:
    jobs = example(repository, "gitlab.yml")
    check, gate = ("\n".join(jobs[name]["script"]) for name in ("bundles", "infrastructure-only"))
    variables = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": branch.base}
    branch.change(240, "[tracking]\nlog_level = 'warning'\n")
    assert branch.sh(check, **variables).returncode == 0
    done = branch.sh(gate, **variables)
    assert done.returncode == 0, done.stderr
    branch.change(77)
    assert branch.sh(gate, **variables).returncode == 2
