"""Every key and rule of the seeds is accepted, renamed or refused, as the table says."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import check_spec
from cfgc.resources import shipped_dir
from cfgc.validate.checker import Checked

HERE = Path(__file__).parent
GOOD = (HERE / "good.toml").read_text()
ROWS: list[dict[str, Any]] = tomllib.loads((HERE / "seeds.toml").read_text())["row"]
SEED_LINES = {"000": 462, "001": 732, "002": 982, "003": 300, "004": 64, "1B": 10}


def check(spec: str, overrides: list[str]) -> Checked:
    """Compile ``spec`` over the good one, up to and with every check."""
    text = spec if spec.startswith("extends") else f'extends = "good.toml"\n{spec}'
    files = {"good.toml": GOOD, "case.toml": text}
    reader = MemoryReader(files, DiskReader(HERE, shipped_dir("specs")))
    return check_spec(reader, "case.toml", overrides)


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


@pytest.mark.parametrize("row", [row for row in ROWS if row["verdict"] == "refused"], ids=lambda row: row["id"])
def test_refused(row: dict[str, Any]) -> None:
    said = [d for d in findings(row) if d.code.startswith(row["code"])]
    assert said, f"said {[(d.code, d.message) for d in findings(row)]}"
    assert all(d.primary for d in said)


def test_every_row_is_found_by_its_own_name_and_place() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert 1 <= row["line"] <= SEED_LINES[row["seed"]]
        assert row.get("spec") or row.get("overrides")
