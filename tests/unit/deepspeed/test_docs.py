"""The page about checking ds_configs shows what cfgc says."""

from __future__ import annotations

import re
from pathlib import Path

from cfgc.diagnostics.text import render_text
from tests.unit.deepspeed.checking import said


def test_the_example_says_what_the_page_shows(repository: Path) -> None:
    page = (repository / "docs" / "ds-config-check.md").read_text(encoding="utf-8")
    config, shown = re.findall(r"```(?:json)?\n(.*?)```", page, re.DOTALL)[1:3]
    assert render_text(said(config)) == shown
