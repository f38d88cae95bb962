"""docs/library.md: its examples print what it says, and the command line imports what it lists."""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import cfgc

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = (REPOSITORY / "docs" / "library.md").read_text(encoding="utf-8")
SOURCES = REPOSITORY / "compiler"
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)
LISTED = set(re.findall(r"`(cfgc[a-z_.]*)`", "\n".join(re.findall(r"^\| `cfgc[`.].*\|", PAGE, re.MULTILINE))))


def test_the_examples_print_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(REPOSITORY / "specs", tmp_path / "specs")
    shutil.copy(REPOSITORY / "cfgc.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert len(EXAMPLES) == PAGE.count("```python")
    names: dict[str, object] = {}
    for code, printed in EXAMPLES:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            exec(code, names)
        assert said.getvalue() == printed


def test_every_public_name_is_typed_documented_and_on_the_page() -> None:
    functions = {name: getattr(cfgc, name) for name in cfgc.__all__ if inspect.isfunction(getattr(cfgc, name))}
    assert functions.keys() == set(re.findall(r"^\| `([a-z_]+)\(", PAGE, re.MULTILINE))
    for name, function in functions.items():
        signature = inspect.signature(function)
        assert function.__doc__
        assert all(each.annotation is not inspect.Parameter.empty for each in signature.parameters.values())
        row = re.search(rf"`{name}\((.*?)\)(?:`| ->)", PAGE)
        assert row
        assert [word.split("=")[0] for word in row[1].split(", ")] == list(signature.parameters)
    assert {"Rejected", "Bundle", "Diagnostic"} < set(dir(cfgc))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="compile_everything"):
        _ = getattr(cfgc, "compile_everything")  # noqa: B009 - a type checker knows that it is not there


QUICK = "cfgc:examples/quickstart.toml"


def test_what_was_read_compiled_or_built_can_be_compared(tmp_path: Path) -> None:
    compiled = cfgc.compile_spec(QUICK, ["training.max_steps=50"])
    place = tmp_path / "a"
    cfgc.write_bundle(compiled, place)
    read = cfgc.read_bundle(place)
    for side in (compiled, place, str(place), read):
        assert cfgc.compare(read, side).is_same
        assert cfgc.compare(side, cfgc.compile_spec(QUICK)).worst == "numerics"


@pytest.mark.parametrize("file", ["config.py", "ds_config.json", "values.json", "manifest.json"])
def test_an_edited_bundle_is_not_compared(tmp_path: Path, file: str) -> None:
    compiled = cfgc.compile_spec(QUICK)
    place = tmp_path / "a"
    cfgc.write_bundle(compiled, place)
    text = (place / file).read_text()
    (place / file).write_text(re.sub(r"0\.003|(?<=cfgc_version\": \")[0-9]+", "9", text, count=1))
    assert (place / file).read_text() != text
    for sides in ((place, compiled), (compiled, place), (cfgc.read_bundle(place), compiled)):
        with pytest.raises(cfgc.Rejected) as caught:
            cfgc.compare(*sides)
        assert [finding.code for finding in caught.value.diagnostics] == ["CFG745"]
        assert file in caught.value.diagnostics[0].notes[0]


def test_a_text_stands_in_for_its_file_however_the_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cfgc.toml").touch()
    (tmp_path / "specs").mkdir()
    spec = tmp_path / "specs" / "a.toml"
    text = f'extends = "{QUICK}"\n[experiment]\nname = "%s"\n'
    spec.write_text(text % "on-disk")
    monkeypatch.chdir(tmp_path / "specs")
    for name in ("specs/a.toml", "./specs/a.toml", "specs/../specs//a.toml", str(spec)):
        for named in ("a.toml", spec):
            assert cfgc.compile_spec(named, files={name: text % "given"}).name == "given"
    for name in ("specs/b.toml", str(tmp_path / "specs" / "b.toml")):
        assert cfgc.compile_spec(tmp_path / "specs" / "b.toml", files={name: text % "b"}).name == "b"
    with pytest.raises(ValueError, match=r"specs/a\.toml twice"):
        cfgc.compile_spec(spec, files={"specs/a.toml": "", "./specs/a.toml": ""})


def test_overrides_are_a_list() -> None:
    with pytest.raises(ValueError, match=re.escape("['zero=3']")):
        cfgc.check_spec(QUICK, "zero=3")


def imported_by(source: Path) -> Iterator[str]:
    """Modules of cfgc, and names of them, that are imported anywhere in ``source``."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.split(".")[0] == "cfgc")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "cfgc":
            inner = [f"{node.module}.{name.name}" for name in node.names]
            yield from (name if is_module(name) else str(node.module) for name in inner)


def is_module(name: str) -> bool:
    place = SOURCES / name.replace(".", "/")
    return place.is_dir() or place.with_suffix(".py").is_file()


def is_listed(module: str) -> bool:
    parts = module.split(".")
    return module in LISTED or any(".".join(parts[:length]) in LISTED for length in range(2, len(parts)))


def test_the_command_line_imports_what_the_page_lists_alone() -> None:
    imported = {name for source in (SOURCES / "cfgc" / "cli").glob("*.py") for name in imported_by(source)}
    used = {name for name in imported if name != "cfgc.cli" and not name.startswith("cfgc.cli.")}
    assert {name for name in used if not is_listed(name)} == set()
    unused = {listed for listed in LISTED if not any(f"{name}.".startswith(f"{listed}.") for name in used)}
    assert unused == set(), "listed, and the command line does not need it"


def test_what_the_page_lists_exists() -> None:
    assert "cfgc.pipeline" in LISTED
    assert {name for name in LISTED if not is_module(name)} == set()
