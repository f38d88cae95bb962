"""What cannot be written ends every command with 74, and the message names the file that was asked for."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from cfgc.cli import run
from tests.unit.audit.test_tampering import new_key
from tests.unit.audit.test_unreadable import PROGRAM
from tests.unit.audit.test_verify import build
from tests.unit.stages.test_pipelines import TASK
from tests.unprivileged import unprivileged

NAMED = {
    "build cfgc:examples/quickstart.toml -o closed/new": "closed/new",
    "build cfgc:examples/quickstart.toml -o shut": "shut",
    "sign closed/bundle --key key": "closed/bundle",
    "report bundle -o closed/page.html": "closed/page.html",
    "schema -o closed/schema.json": "closed/schema.json",
    "import ds_config.json --world-size 2 -o closed/spec.toml": "closed/spec.toml",
    "check closed/bad.toml --fix": "closed/bad.toml",
    "init closed/project": "closed/project",
}


def test_a_directory_that_takes_no_file(tmp_path: Path) -> None:
    bundle = build(tmp_path / "bundle")
    shutil.copytree(bundle, tmp_path / "closed" / "bundle")
    new_key(tmp_path / "key")
    (tmp_path / "ds_config.json").write_text('{"train_batch_size": 2}')
    (tmp_path / "closed" / "bad.toml").write_text(TASK.replace("[experiment]", "[experimnt]"))
    (tmp_path / "shut").mkdir(mode=0)
    (tmp_path / "closed").chmod(0o555)
    try:
        done = unprivileged([sys.executable, "-c", PROGRAM, *NAMED], tmp_path)
    finally:
        for name in ("closed", "shut"):
            (tmp_path / name).chmod(0o755)
    assert done.returncode == 0, done.stderr
    for words, (code, _, err) in json.loads(done.stdout).items():
        assert (code, "Permission denied" in err, NAMED[words] in err) == (74, True, True), (words, err)
        assert ".sig-" not in err
    assert not list((tmp_path / "closed").glob(".*"))


def test_a_full_disk_names_the_page(small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle, page = build(tmp_path / "bundle"), small_disk / "page.html"
    page.write_text("the page before")
    with pytest.raises(OSError, match="No space"):
        (small_disk / "ballast").write_bytes(bytes(8 << 20))
    assert run(["report", str(bundle), "-o", str(page)]) == 74
    assert capsys.readouterr().err == f"error: No space left on device: {page}\n"
    assert page.read_text() == "the page before"
    assert sorted(path.name for path in small_disk.iterdir()) == ["ballast", "page.html"]
