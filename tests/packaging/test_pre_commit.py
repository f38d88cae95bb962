"""The hooks that other repositories can run: which files they take, and that their commands are there."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from cfgc.cli import EXIT_DIFFERS, EXIT_OK, EXIT_REJECTED, run


@pytest.fixture
def hooks(repository: Path) -> dict[str, dict[str, Any]]:
    text = (repository / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    return {hook["id"]: hook for hook in yaml.safe_load(text)}


def taken(hook: dict[str, Any], name: str) -> bool:
    return re.search(hook["files"], name) is not None


def test_every_hook_has_what_pre_commit_needs(hooks: dict[str, dict[str, Any]]) -> None:
    assert set(hooks) == {"cfgc-check", "cfgc-build-check", "cfgc-check-deepspeed", "cfgc-lint-sbatch"}
    optional = {"additional_dependencies", "args", "pass_filenames"}
    for hook in hooks.values():
        assert hook["language"] == "python"
        assert set(hook) - optional == {"id", "name", "description", "entry", "language", "files"}


@pytest.mark.parametrize(
    ("name", "hook"),
    [
        ("specs/run.toml", "cfgc-check cfgc-build-check"),
        ("project/specs/run.toml", "cfgc-check cfgc-build-check"),
        ("specs/zero/3.toml", "cfgc-build-check"),
        ("cfgc.toml", "cfgc-build-check"),
        ("out/run/launch.sh", "cfgc-build-check"),
        ("ds_config.json", "cfgc-check-deepspeed"),
        ("configs/ds_config_zero3.json", "cfgc-check-deepspeed"),
        ("configs/ds_z2_config.hjson", "cfgc-check-deepspeed"),
        ("deepspeed_config.json", "cfgc-check-deepspeed"),
        ("config.json", None),
        ("job.sbatch", "cfgc-lint-sbatch"),
        ("jobs/train.slurm", "cfgc-lint-sbatch"),
        ("train.sh", None),
        ("ds_config.json.bak", None),
    ],
)
def test_the_hooks_take_the_files_that_they_are_for(
    hooks: dict[str, dict[str, Any]], name: str, hook: str | None
) -> None:
    assert [known for known, found in hooks.items() if taken(found, name)] == (hook or "").split()


def test_the_commands_of_the_hooks_check_files(hooks: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    texts = {
        "ds_config.json": '{"train_batch_size": 8, "gradient_clipping": 1.0}',
        "ds_config_bad.json": '{"train_batch_size": 8, "gradient_clipping": "1.0"}',
        "good.sbatch": "#!/bin/bash\n#SBATCH --nodes=1\nsrun python train.py\n",
        "bad.sbatch": "#!/bin/bash\n#SBATCH --nodes=$N\nsrun python train.py\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    of_files = [hook for hook in hooks.values() if hook.get("pass_filenames", True)]
    for hook in of_files:
        program, *arguments = shlex.split(hook["entry"])
        good, bad = list(texts)[2:] if "lint-sbatch" in arguments else list(texts)[:2]
        assert program == "cfgc"
        assert run([*arguments, str(tmp_path / good)]) == EXIT_OK
        assert run([*arguments, str(tmp_path / good), str(tmp_path / bad)]) == EXIT_REJECTED


def test_the_hook_of_bundles_compares_them_with_their_specs(
    hooks: dict[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "."]) == EXIT_OK
    assert run(["build", next(str(path) for path in Path("specs").glob("*.toml"))]) == EXIT_OK
    arguments = [*shlex.split(hooks["cfgc-build-check"]["entry"])[1:], *hooks["cfgc-build-check"]["args"]]
    assert run(arguments) == EXIT_OK
    next(Path("out").glob("*/PLAN.md")).write_text("")
    assert run(arguments) == EXIT_DIFFERS


def test_the_hook_of_job_scripts_installs_what_the_extra_does(
    hooks: dict[str, dict[str, Any]], repository: Path
) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert hooks["cfgc-lint-sbatch"]["additional_dependencies"] == project["optional-dependencies"]["lint"]
