"""The worked example of docs/own-code.md is the package that the tests train."""

from __future__ import annotations

import re
from pathlib import Path

from cfgc.load.disk import DiskReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir


def test_every_block_is_of_the_package_or_of_its_bundle(repository: Path) -> None:
    project = repository / "tests" / "user_package"
    files = [path for path in project.rglob("*") if path.suffix in (".py", ".toml")]
    bundle = compile_spec(DiskReader(project, shipped_dir("specs")), "specs/cnn.toml")
    texts = [*(path.read_text() for path in files), *(data.decode() for data in bundle.files.values())]
    page = (repository / "docs" / "own-code.md").read_text()
    blocks = re.findall(r"```\w+\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 9
    for block in blocks:
        assert any(block in text for text in texts), block
