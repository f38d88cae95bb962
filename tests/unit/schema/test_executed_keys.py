"""Every key of a spec has an effect that a test sees, or is refused by name."""

from __future__ import annotations

from pathlib import Path

from tests.golden_text import assert_golden
from tools.executed_keys import coverings, render, uncovered, unknown


def test_every_key_that_is_executed_is_covered(repository: Path) -> None:
    assert uncovered(coverings(repository / "tests")) == []


def test_marks_name_keys(repository: Path) -> None:
    assert unknown(coverings(repository / "tests")) == []


def test_the_committed_page_is_what_schema_and_marks_say(repository: Path, update_golden: bool) -> None:
    assert_golden(render(coverings(repository / "tests")), repository / "docs" / "executed-keys.md", update_golden)
