"""Every key and rule of the seeds is accepted, renamed or refused, as the table says."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cfgc import pipeline
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.resolve.resolved import Resolved
from cfgc.resources import shipped_dir
from cfgc.stages.pipeline import CheckedPipeline

NAMING = ("CFG30", "CFG31", "CFG45", "CFG46")
"""Codes whose sentence names the key itself."""
OVERRIDE = re.compile(r"write `(.+)` on the command line")
PASTE = re.compile(r"write `(.+?)`(?: under `\[(.+?)\]`)?")
SCHEMA_CODES = {f"CFG{number}" for number in (301, *range(303, 330))}
HERE = Path(__file__).parent
GOOD = (HERE / "good.toml").read_text()
ROWS: list[dict[str, Any]] = tomllib.loads((HERE / "seeds.toml").read_text())["row"]
SEED_LINES = {"000": 462, "001": 732, "002": 982, "003": 300, "004": 64, "1B": 10}


@dataclass(frozen=True)
class Outcome:
    """The spec itself, of a pipeline too, and the warnings."""

    resolved: Resolved
    warnings: tuple[Diagnostic, ...]


def check(spec: str, overrides: Sequence[str]) -> Outcome:
    """Compile ``spec`` over the good one, up to and with every check."""
    text = spec if spec.startswith("extends") else f'extends = "good.toml"\n{spec}'
    files = {"good.toml": GOOD, "case.toml": text, "ml/train.py": ""}  # in no repository of git
    reader = MemoryReader(files, DiskReader(HERE, shipped_dir("specs")))
    checked = pipeline.check(reader, "case.toml", overrides)
    root = checked.declared.root if isinstance(checked, CheckedPipeline) else checked.resolved
    return Outcome(root, checked.warnings)


def findings(row: dict[str, Any]) -> tuple[Diagnostic, ...]:
    with pytest.raises(Rejected) as rejected:
        check(row.get("spec", ""), row.get("overrides", []))
    return rejected.value.diagnostics


def test_the_good_spec_has_nothing_to_say() -> None:
    assert check("", []).warnings == ()


@pytest.mark.parametrize("row", [row for row in ROWS if row["verdict"] == "accepted"], ids=lambda row: row["id"])
def test_accepted(row: dict[str, Any]) -> None:
    checked = check(row.get("spec", ""), row.get("overrides", []))
    leaf = checked.resolved.get(row["key"])
    assert leaf, f"nothing gave {row['key']} a value"
    assert leaf.origin.layer.kind != "default", "the row does not set the key"
    warnings = {d.code for d in checked.warnings}
    assert warnings == ({row["code"]} if "code" in row else set())


@pytest.mark.parametrize("row", [row for row in ROWS if row["verdict"] == "renamed"], ids=lambda row: row["id"])
def test_renamed(row: dict[str, Any]) -> None:
    said = [d for d in findings(row) if d.code == "CFG303"]
    assert said, "no finding says that the key is renamed"
    assert all(f"is called `{row['key']}` here" in d.message for d in said)
    assert all(d.primary and d.helps for d in said)


@pytest.mark.parametrize("row", [row for row in ROWS if row["verdict"] == "renamed"], ids=lambda row: row["id"])
def test_the_hint_of_a_renamed_key_can_be_pasted(row: dict[str, Any]) -> None:
    """What the hint says to write is a key of the schema with a value that it takes; the runtime may refuse it yet."""
    for finding in (d for d in findings(row) if d.code == "CFG303"):
        old = finding.message.split("`")[1]
        override = OVERRIDE.fullmatch(finding.helps[0])
        if override:
            codes = said_of("", shlex.split(override[1]))
        else:
            line, section = PASTE.fullmatch(finding.helps[0]).groups()  # type: ignore[union-attr]
            table = section or ("" if row["key"] == "extends" else old.rpartition(".")[0])
            codes = said_of(f"[{table}]\n{line}" if table else line)
        assert codes & SCHEMA_CODES == set()
        assert "then" not in row or row["then"] in codes


def said_of(spec: str, overrides: Sequence[str] = ()) -> set[str]:
    try:
        return {d.code for d in check(spec, overrides).warnings}
    except Rejected as rejected:
        return {d.code for d in rejected.diagnostics}


def codes_of(finding: Diagnostic) -> list[str]:
    """The code of a finding, and those that its notes add."""
    return [finding.code, *re.findall(r"\((CFG\d{3})\)", " ".join(finding.notes))]


@pytest.mark.parametrize("row", [row for row in ROWS if row["verdict"] == "refused"], ids=lambda row: row["id"])
def test_refused(row: dict[str, Any]) -> None:
    said = [d for d in findings(row) if any(code.startswith(row["code"]) for code in codes_of(d))]
    assert said, f"said {[(d.code, d.message) for d in findings(row)]}"
    assert all(d.primary for d in said)
    if row["code"][:5] in NAMING:
        named = [re.findall(r"`([^` ]+)", d.message)[0] for d in said]
        assert any(row["key"].startswith(key) or key.startswith(row["key"]) for key in named)


def test_every_row_is_found_by_its_own_name_and_place() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert 1 <= row["line"] <= SEED_LINES[row["seed"]]
        assert row.get("spec") or row.get("overrides")
