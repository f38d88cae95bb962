"""What an import loads, each in a fresh interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMPILER_ONLY = {"pydantic", "jinja2", "tomlkit", "libcst", "click", "cfgc"}
RUNTIME_ONLY = {"torch", "deepspeed", "numpy"}


def loaded_by(code: str, repository: Path) -> set[str]:
    """Top-level names in sys.modules after ``code``."""
    program = f"import sys, json; {code}; print(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    path = os.pathsep.join(str(repository / name) for name in ("compiler", "runtime"))
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_the_compiler_loads_no_torch(repository: Path) -> None:
    assert not loaded_by("import cfgc, cfgc.pipeline", repository) & (RUNTIME_ONLY | {"cfgc_runtime"})


def test_the_bare_package_is_light(repository: Path) -> None:
    assert not loaded_by("import cfgc", repository) & (RUNTIME_ONLY | COMPILER_ONLY - {"cfgc"})


def test_help_needs_no_schema(repository: Path) -> None:
    loaded = loaded_by("from cfgc.cli import run; run(['--help'])", repository)
    assert not loaded & {"pydantic", "jinja2", "tomlkit", "libcst", "torch"}


def test_checking_a_ds_config_needs_no_compiler(repository: Path) -> None:
    config = repository / "tests" / "diagnostics" / "CFG557-left-out" / "ds_config.json"
    loaded = loaded_by(f"from cfgc.cli import run; run(['check', {str(config)!r}])", repository)
    assert not loaded & (RUNTIME_ONLY | {"pydantic", "jinja2", "tomlkit", "libcst", "hjson"})


@pytest.mark.parametrize("module", ["cfgc_runtime", "cfgc_runtime.cli"])
def test_the_runtime_loads_nothing_of_the_compiler(module: str, repository: Path) -> None:
    assert not loaded_by(f"import {module}", repository) & (COMPILER_ONLY | RUNTIME_ONLY)


@pytest.mark.slow
def test_training_code_loads_nothing_of_the_compiler(repository: Path) -> None:
    assert not loaded_by("import cfgc_runtime.train", repository) & {"cfgc", "jinja2", "tomlkit", "libcst", "click"}
