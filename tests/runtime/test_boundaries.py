"""What the runtime may import and what a bundle's config.py promises."""

from __future__ import annotations

import ast
import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

import cfgc_runtime
from cfgc.lower import plan
from cfgc_runtime import config
from cfgc_runtime.data import config as data_config

PACKAGE = Path(cfgc_runtime.__file__).parent
ALLOWED = sys.stdlib_module_names | {"torch", "deepspeed", "numpy", "cfgc_runtime"}
WHERE_USED = {
    *("datasets", "jinja2", "pyarrow", "safetensors", "tokenizers", "transformers"),
    *("matplotlib", "mlflow", "tensorboard", "wandb"),
}
"""Packages of extras, which only the functions that need them import."""

BEFORE_THE_FORK = {
    *(
        "cli",
        "node",
        "rank",
        "attempt",
        "manifest",
        "stage",
        "finish",
        "rundir",
        "signals",
        "world",
        "lock",
        "releases",
    ),
    *("hang", "pulse", "retry", "preflight.node", "preflight.presence"),
}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_only_torch_deepspeed_and_the_standard_library_are_always_imported(path: Path) -> None:
    tree = ast.parse(path.read_text())
    inside = {id(node) for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) for node in ast.walk(one)}
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        allowed = ALLOWED | (WHERE_USED if id(node) in inside else set())
        assert {name.partition(".")[0] for name in names} <= allowed


def test_supervising_loads_neither_torch_nor_deepspeed() -> None:
    modules = ", ".join(f"cfgc_runtime.{name}" for name in sorted(BEFORE_THE_FORK))
    code = f"import sys, {modules}; print({{'torch', 'deepspeed', 'numpy'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


SHAPES = {
    name: found
    for module in (config, data_config)
    for name, found in vars(module).items()
    if isinstance(found, type) and found.__module__ == module.__name__ and name not in ("Config", "TaskConfig")
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_name_that_the_runtime_reads_is_in_the_plan(name: str) -> None:
    wanted = SHAPES[name].__annotations__
    offered = {field.name: field.type for field in dataclasses.fields(getattr(plan, name))}
    assert set(wanted) <= set(offered)
    assert {key: wanted[key] for key in wanted} == {key: offered[key] for key in wanted}
