"""What the README shows works as it is printed."""

from __future__ import annotations

import re
from pathlib import Path

from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import plan_spec
from cfgc.resources import shipped_dir


def test_the_spec_in_the_readme_compiles(repository: Path) -> None:
    (spec,) = re.findall(r"```toml\n(.*?)```", (repository / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    shipped = DiskReader(shipped_dir("specs"), shipped_dir("specs"))
    plan = plan_spec(MemoryReader({"spec.toml": spec}, shipped), "spec.toml")
    assert plan.batch.gradient_accumulation_steps == 8
    assert plan.schedule.warmup_steps == 800


def test_every_make_target_of_the_readme_exists(repository: Path) -> None:
    named = set(re.findall(r"^make (\w+)", (repository / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    targets = set(re.findall(r"^(\w+):", (repository / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


def test_every_linked_page_exists(repository: Path) -> None:
    for page in (repository / "README.md", *sorted((repository / "docs").glob("*.md"))):
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).is_file(), f"{page.name} links to {link}"
