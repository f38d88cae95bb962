"""config.py: loads with nothing, refuses changes, and reads as formatted, typed source."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgc.emit.config_py import CONSTANTS, config_py
from cfgc.emit.literals import expression_of, string_of
from cfgc.lower.plan import Plan
from tests.unit.emit.samples import cluster_plan, cpu_plan, hostile_plan
from tools.config_shapes import SHAPES, shapes_json

PLANS = {"cpu": cpu_plan(), "cluster": cluster_plan(), "hostile": hostile_plan()}


def load(text: str, directory: Path) -> ModuleType:
    path = directory / "config.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("bundle_config", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        spec.loader.exec_module(module)
    return module


def plain(value: object) -> object:
    """Plan values and config values as the same builtins."""
    if isinstance(value, Mapping):
        return tuple(sorted(value.items()))
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return {name: plain(item) for name, item in vars(value).items()} if hasattr(value, "__dict__") else value


@pytest.mark.parametrize("name", PLANS)
def test_every_value_of_the_plan_arrives(name: str, tmp_path: Path) -> None:
    plan = PLANS[name]
    module = load(config_py(plan, "sha256:0"), tmp_path)
    for constant in CONSTANTS:
        assert plain(getattr(module, constant.upper())) == plain(getattr(plan, constant)), constant
    assert module.PLAN_DIGEST == "sha256:0"


def test_values_cannot_be_set_or_deleted(tmp_path: Path) -> None:
    module = load(config_py(cpu_plan(), "sha256:0"), tmp_path)
    with pytest.raises(AttributeError, match=r"Schedule.learning_rate is frozen: change the spec"):
        module.SCHEDULE.learning_rate = 1.0
    with pytest.raises(AttributeError, match="is frozen"):
        del module.SCHEDULE.learning_rate
    with pytest.raises(AttributeError, match="is frozen"):
        module.DATA.sources[0].path.base = "cwd"
    assert module.SCHEDULE.learning_rate == 1e-3
    assert repr(module.TARGET) == "Target(deepspeed='0.19.8', torch='2.13.0', slurm='22.05')"


def test_it_loads_fast(tmp_path: Path) -> None:
    """From source, as ``python -B`` has it; processor time and the best of many, since the machine may be busy."""
    text = config_py(cluster_plan(), "sha256:0")
    times = []
    for _ in range(20):
        start = time.thread_time()
        load(text, tmp_path)
        times.append(time.thread_time() - start)
    assert min(times) < 0.005


def test_it_loads_no_module(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text(config_py(cluster_plan(), "sha256:0"))
    before = "import sys; before = {'__future__', *sys.modules}"
    program = f"{before}; import config; print(sorted(set(sys.modules) - before))"
    result = subprocess.run(
        [sys.executable, "-BS", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert result.stdout == "['config']\n"


@pytest.mark.parametrize("name", PLANS)
def test_ruff_would_format_it_so(name: str, tmp_path: Path) -> None:
    path = tmp_path / "config.py"
    path.write_text(config_py(PLANS[name], "sha256:0"))
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=120", "--diff", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")


def test_mypy_strict_accepts_it_and_refuses_a_change(tmp_path: Path) -> None:
    for name, plan in PLANS.items():
        (tmp_path / f"{name}.py").write_text(config_py(plan, "sha256:0"))
    (tmp_path / "changed.py").write_text("import cpu\n\ncpu.SCHEDULE.learning_rate = 1.0\ncpu.BATCH.nothing\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-incremental", "."]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    errors = [line for line in result.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 2, result.stdout
    assert re.match(r"changed.py:3: error: Property \"learning_rate\" .* is read-only", errors[0])
    assert re.match(r"changed.py:4: error: \"Batch\" has no attribute \"nothing\"", errors[1])


def test_classes_are_documented_and_large_numbers_readable() -> None:
    text = config_py(cluster_plan(), "sha256:0")
    classes = text.count("\nclass ")
    assert len(re.findall(r'\nclass \w+(\(Frozen\))?:\n    """\S', text)) == classes
    assert "total_tokens=41_943_040_000," in text
    assert "final_learning_rate=3e-05," in text


def test_docstrings_do_not_depend_on_the_interpreter_s_optimisation(repository: Path) -> None:
    program = (
        "from tests.unit.emit.samples import cpu_plan; from cfgc.emit.config_py import config_py;"
        "print(config_py(cpu_plan(), 'sha256:0'), end='')"
    )
    path = ":".join(str(repository / part) for part in ("compiler", "runtime", ""))
    result = subprocess.run(
        [sys.executable, "-OO", "-c", program],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": path, "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert result.stdout == config_py(cpu_plan(), "sha256:0")


@given(st.text())
def test_a_string_literal_means_its_text(text: str) -> None:
    literal = string_of(text)
    assert eval(literal) == text
    assert literal.isprintable()


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans()))
def test_a_number_literal_means_its_number(value: float) -> None:
    assert repr(eval(expression_of(value))) == repr(value)


@pytest.mark.parametrize("value", [None, [1], {1}, float("nan"), float("inf"), object()])
def test_what_is_no_frozen_data_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="no literal for"):
        expression_of(value)


def test_the_classes_that_were_written_beforehand_are_the_plans() -> None:
    assert SHAPES.read_text(encoding="utf-8") == shapes_json(), "python -m tools.config_shapes writes them"


def test_the_runtime_finds_every_attribute_that_it_declares() -> None:
    from cfgc_runtime import config

    declared = config.Config.__annotations__
    for name, protocol in declared.items():
        found = getattr(config, str(protocol), None)
        if name.lower() in CONSTANTS and isinstance(found, type):
            wanted = found.__annotations__
            kind = type(getattr(cpu_plan(), name.lower()))
            assert set(wanted) <= {field.name for field in fields(kind)}, name
    assert {name.lower() for name in declared} - {"plan_digest"} <= set(CONSTANTS) <= {f.name for f in fields(Plan)}
