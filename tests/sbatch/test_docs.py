"""The page says what the command says."""

from __future__ import annotations

import re
from pathlib import Path

from cfgc.diagnostics.explain import titles
from cfgc.diagnostics.text import render_text
from cfgc.sbatch.linting import lint_script


def page(repository: Path) -> str:
    return (repository / "docs" / "lint-sbatch.md").read_text(encoding="utf-8")


def test_every_code_is_listed_once_with_its_title(repository: Path) -> None:
    listed = re.findall(r"^\| (CFG\d+) \| (.*) \|$", page(repository), re.MULTILINE)
    assert sorted(listed) == [(code, title) for code, title in titles() if "CFG670" <= code <= "CFG699"]


def test_the_example_says_this(repository: Path) -> None:
    (script,) = re.findall(r"```bash\n(.*?)```", page(repository), re.DOTALL)
    assert f"```\n{render_text(lint_script('train.sbatch', script.encode()))}```" in page(repository)
