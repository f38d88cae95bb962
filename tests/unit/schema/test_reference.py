from __future__ import annotations

from pathlib import Path

from cfgc.schema.catalogue import catalogue
from cfgc.schema.reference import render_reference
from tests.golden_text import assert_golden


def test_the_committed_reference_is_what_the_schema_says(repository: Path, update_golden: bool) -> None:
    assert_golden(render_reference(), repository / "docs" / "spec-reference.md", update_golden)


def test_every_key_is_in_the_reference() -> None:
    page = render_reference()
    assert all(f"| `{field.path[-1]}`" in page for field in catalogue())
    assert "## `[[data.sources]]`" in page
    assert "| `include` |" in page
