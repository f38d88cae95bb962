"""The hooks that other repositories can run: which files they take, and that their commands are there."""

from __future__ import annotations

import re
import shlex
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
    assert set(hooks) == {"cfgc-check", "cfgc-check-deepspeed"}
    for hook in hooks.values():
        assert hook["language"] == "python"
        assert set(hook) == {"id", "name", "description", "entry", "language", "files"}


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
        ("ds_config.json.bak", None),
    ],
)
def test_the_hooks_take_the_files_that_they_are_for(
    hooks: dict[str, dict[str, Any]], name: str, hook: str | None
) -> None:
    assert [known for known, found in hooks.items() if taken(found, name)] == ([hook] if hook else [])


def test_the_commands_of_the_hooks_check_files(hooks: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    good, bad = tmp_path / "ds_config.json", tmp_path / "ds_config_bad.json"
    good.write_text('{"train_batch_size": 8, "gradient_clipping": 1.0}')
    bad.write_text('{"train_batch_size": 8, "gradient_clipping": "1.0"}')
    for hook in hooks.values():
        program, *arguments = shlex.split(hook["entry"])
        assert program == "cfgc"
        assert run([*arguments, str(good)]) == EXIT_OK
        assert run([*arguments, str(good), str(bad)]) == EXIT_REJECTED
