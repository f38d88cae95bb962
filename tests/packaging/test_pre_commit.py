"""The hooks that other repositories can run: which files they take, and that their commands are there."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from cfgc.cli import EXIT_OK, EXIT_REJECTED, run


@pytest.fixture
def hooks(repository: Path) -> dict[str, dict[str, Any]]:
    text = (repository / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    return {hook["id"]: hook for hook in yaml.safe_load(text)}


def taken(hook: dict[str, Any], name: str) -> bool:
    return re.search(hook["files"], name) is not None


def test_every_hook_has_what_pre_commit_needs(hooks: dict[str, dict[str, Any]]) -> None:
    assert set(hooks) == {"cfgc-check", "cfgc-check-deepspeed", "cfgc-lint-sbatch"}
    for hook in hooks.values():
        assert hook["language"] == "python"
        assert set(hook) - {"additional_dependencies"} == {"id", "name", "description", "entry", "language", "files"}


@pytest.mark.parametrize(
    ("name", "hook"),
    [
        ("specs/run.toml", "cfgc-check"),
        ("project/specs/run.toml", "cfgc-check"),
        ("specs/zero/3.toml", None),
        ("cfgc.toml", None),
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
    assert [known for known, found in hooks.items() if taken(found, name)] == ([hook] if hook else [])


def test_the_commands_of_the_hooks_check_files(hooks: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    texts = {
        "ds_config.json": '{"train_batch_size": 8, "gradient_clipping": 1.0}',
        "ds_config_bad.json": '{"train_batch_size": 8, "gradient_clipping": "1.0"}',
        "good.sbatch": "#!/bin/bash\n#SBATCH --nodes=1\nsrun python train.py\n",
        "bad.sbatch": "#!/bin/bash\n#SBATCH --nodes=$N\nsrun python train.py\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    for hook in hooks.values():
        program, *arguments = shlex.split(hook["entry"])
        good, bad = list(texts)[2:] if "lint-sbatch" in arguments else list(texts)[:2]
        assert program == "cfgc"
        assert run([*arguments, str(tmp_path / good)]) == EXIT_OK
        assert run([*arguments, str(tmp_path / good), str(tmp_path / bad)]) == EXIT_REJECTED


def test_the_hook_of_job_scripts_installs_what_the_extra_does(
    hooks: dict[str, dict[str, Any]], repository: Path
) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert hooks["cfgc-lint-sbatch"]["additional_dependencies"] == project["optional-dependencies"]["lint"]
