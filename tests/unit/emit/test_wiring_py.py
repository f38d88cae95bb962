"""wiring.py: code that a person could have written, for every call."""

from __future__ import annotations

import ast
import keyword
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc.emit.wiring_py import wiring_py
from cfgc.load.disk import DiskReader
from cfgc.lower.plan import Call
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir

LITERALS = st.recursive(
    st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=60) | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=30), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,40}", fullmatch=True).filter(lambda name: not keyword.iskeyword(name))


def keywords(text: str, function: str) -> dict[str, Any]:
    """The keyword arguments of the call that ``function`` of ``text`` returns."""
    found = next(node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == function)
    [returned] = [node.value for node in found.body if isinstance(node, ast.Return)]
    assert isinstance(returned, ast.Call)
    return {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in returned.keywords}


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(NAMES, LITERALS, max_size=6))
def test_arguments_arrive_as_they_were_written(arguments: dict[str, Any]) -> None:
    found = keywords(wiring_py([Call("model", "", "a.b", "build", arguments)]), "build_model")
    assert repr(found) == repr(arguments)  # 1 and 1.0, True and 1 are different things
    assert list(found) == list(arguments)


ROLES = ("model", "data", "optimizer", "loss", "metric", "task")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(ROLES),
            st.sampled_from(["a", "a.b", "loss", "torch"]),
            st.sampled_from(["build", "loss", "print", "batch", "Tensor", "Any", "Net.small", "model_build"]),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda one: one[0],
    )
)
def test_names_never_clash(chosen: list[tuple[Any, str, str]]) -> None:
    calls = [Call(role, "name" if role == "metric" else "", module, name, {}) for role, module, name in chosen]
    text = wiring_py(calls)
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    bound = [alias.asname or alias.name for node in imports for alias in node.names]
    functions = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert len({*bound, *functions}) == len(bound) + len(functions)
    origins = {(node.module, alias.name) for node in imports for alias in node.names}
    assert {(call.module, call.attribute.partition(".")[0]) for call in calls} <= origins


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """wiring.py of each of the user package's specs, beside that package."""
    folder = tmp_path_factory.mktemp("wired")
    project = request.config.rootpath / "tests" / "user_package"
    (folder / "shapes").symlink_to(project / "shapes")
    for name in ("cnn", "task"):
        bundle = compile_spec(DiskReader(project, shipped_dir("specs")), f"specs/{name}.toml")
        text = next(data for path, data in bundle.files.items() if path.name == "wiring.py" and path.parent.name == "")
        (folder / f"wiring_{name}.py").write_bytes(text)
    return folder


def test_mypy_strict_follows_the_calls(package: Path) -> None:
    wrong = (package / "wiring_cnn.py").read_text().replace("classes=3", 'classes="three"')
    (package / "wiring_wrong.py").write_text(wrong)
    # torch itself takes half a minute, and has no part in it.
    (package / "mypy.ini").write_text("[mypy]\nstrict = True\n[mypy-torch.*]\nfollow_imports = skip\n")
    command = [sys.executable, "-m", "mypy", "--config-file=mypy.ini", "--no-incremental"]
    command += ["wiring_cnn.py", "wiring_task.py", "wiring_wrong.py"]
    result = subprocess.run(command, cwd=package, capture_output=True, text=True, check=False)
    errors = [line for line in result.stdout.splitlines() if line.startswith("wiring") and ": error: " in line]
    assert len(errors) == 1, result.stdout
    assert errors[0].startswith("wiring_wrong.py")
    assert '"classes"' in errors[0]
    assert '"int"' in errors[0]


@pytest.mark.parametrize("check", [["check"], ["format", "--check"]])
def test_ruff_has_nothing_to_say(check: list[str], package: Path, repository: Path) -> None:
    calls = [
        Call("model", "", "a_long_package_name.with_a_module_of_a_long_name", "a_function_of_a_very_long_name_too", {}),
        Call("data", "", "a", "build", {"a" * 30: ["b" * 40] * 4, "c": {"d" * 30: "e" * 50, "f": [1, 2]}, "g": []}),
        Call("optimizer", "", "b", "build", {"x": {}}),
        Call("loss", "", "m", "Zeta", {}),
        Call("task", "", "m", "LIMIT", {}),
        *(Call("metric", f"metric {number}", "m", "accuracy", {"k": number}) for number in range(3)),
    ]
    (package / "wiring_long.py").write_text(wiring_py(calls))
    config = ["--config", str(repository / "pyproject.toml")]
    files = ["wiring_cnn.py", "wiring_task.py", "wiring_long.py"]
    ruff = [sys.executable, "-m", "ruff", *check, "--no-cache", *config, *files]
    result = subprocess.run(ruff, cwd=package, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
