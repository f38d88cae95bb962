"""Each case directory holds a spec, or a ds_config, and the exact text that cfgc says of it."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from cfgc.deepspeed.checking import check_ds_config
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.diagnostics.explain import explanation, known_codes
from cfgc.diagnostics.text import render_text
from cfgc.importing.importer import Request, import_file
from cfgc.importing.tree import DiskTree
from cfgc.load.disk import DiskReader
from cfgc.pipeline import check, compile_spec
from cfgc.resources import shipped_dir
from tests.golden_text import assert_golden

HERE = Path(__file__).parent
DS_CONFIG = "ds_config.json"
IMPORT = "import.txt"
CASES = sorted(path.parent.name for name in ("spec.toml", DS_CONFIG, IMPORT) for path in HERE.glob(f"*/{name}"))


def diagnose(case: Path) -> tuple[Diagnostic, ...]:
    """What cfgc says of the case."""
    if (case / IMPORT).exists():
        return diagnose_import(case)
    return diagnose_ds_config(case) if (case / DS_CONFIG).exists() else diagnose_spec(case)


def diagnose_import(case: Path) -> tuple[Diagnostic, ...]:
    """What ``cfgc import`` says, with the words of ``import.txt``: the file, then ``--kind hydra`` and the like."""
    words = argparse.ArgumentParser()
    words.add_argument("file")
    words.add_argument("--kind", default="")
    given = words.parse_args(shlex.split((case / IMPORT).read_text()))
    try:
        import_file(DiskTree(case), Request(given.file, given.kind))
    except Rejected as rejected:
        return rejected.diagnostics
    return ()


def diagnose_ds_config(case: Path) -> tuple[Diagnostic, ...]:
    """What ``cfgc check ds_config.json`` says, with the options of ``options.txt`` (``--deepspeed 0.16.9``)."""
    from cfgc.deepspeed.releases import release

    options_file = case / "options.txt"
    options = argparse.ArgumentParser()
    options.add_argument("--deepspeed", default="0.19.8")  # and not the newest: a release more changes no case
    options.add_argument("--world-size", type=int)
    options.add_argument("--device", default="")
    given = options.parse_args(shlex.split(options_file.read_text()) if options_file.exists() else [])
    data = (case / DS_CONFIG).read_bytes()
    return check_ds_config(DS_CONFIG, data, release(given.deepspeed), given.world_size, given.device)


def diagnose_spec(case: Path) -> tuple[Diagnostic, ...]:
    """What a full compilation says of the spec: its errors, or else its warnings."""
    reader = DiskReader(case, shipped_dir("specs"))
    overrides_file = case / "overrides.txt"
    overrides = overrides_file.read_text().splitlines() if overrides_file.exists() else []
    try:
        checked = check(reader, "spec.toml", overrides)
        compile_spec(reader, "spec.toml", overrides)
    except Rejected as rejected:
        return rejected.diagnostics
    return checked.warnings


@pytest.mark.parametrize("name", CASES)
def test_case_says_exactly_this(name: str, update_golden: bool) -> None:
    diagnostics = diagnose(HERE / name)
    assert name.split("-", maxsplit=1)[0] in render_text(diagnostics), "the case does not show its own code"
    assert_golden(render_text(diagnostics), HERE / name / "expected.txt", update_golden)


def test_every_explained_code_has_a_case() -> None:
    shown = {name.split("-")[0] for name in CASES}
    of_job_scripts = ("CFG67", "CFG68", "CFG69")  # tests/sbatch
    elsewhere = ("CFG7", "CFG9", "CFG540", *of_job_scripts)
    tested_elsewhere = {code for code in known_codes() if code.startswith(elsewhere)}
    assert set(known_codes()) - shown - tested_elsewhere == set()


def test_every_code_in_the_sources_is_explained(repository: Path) -> None:
    sources = (repository / "compiler" / "cfgc").rglob("*.py")
    used = {code for path in sources for code in re.findall(r"\"(CFG\d{3})\"", path.read_text())}
    assert used - set(known_codes()) == set()
    assert set(known_codes()) - used == set(), "an explained code that nothing raises"


@pytest.mark.parametrize("code", known_codes())
def test_explanation_has_the_expected_parts(code: str) -> None:
    page = explanation(code) or ""
    assert page.startswith(f"# {code}: ")
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        "## What it means",
        "## Example",
        "## What to do",
    ]
