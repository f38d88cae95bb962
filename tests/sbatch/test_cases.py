"""Each case is a job script with one planted defect, and what cfgc says of it; clean ones come close and are fine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cfgc.diagnostics.explain import explanation, known_codes
from cfgc.diagnostics.text import render_text
from cfgc.sbatch.linting import lint_script
from tests.golden_text import assert_golden

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("CFG*/job.sh"))
CLEAN = sorted((HERE / "clean").glob("*.sh"))
CODES = [f"CFG{number}" for number in range(670, 700)]


@pytest.mark.parametrize("name", CASES)
def test_the_planted_defect_is_found_and_nothing_else(name: str, update_golden: bool) -> None:
    found = lint_script("job.sh", (HERE / name / "job.sh").read_bytes())
    assert [one.code for one in found] == [name[:6]]
    assert_golden(render_text(found), HERE / name / "expected.txt", update_golden)


@pytest.mark.parametrize("name", CASES)
def test_a_finding_says_what_to_write_instead(name: str) -> None:
    (found,) = lint_script("job.sh", (HERE / name / "job.sh").read_bytes())
    assert found.primary is not None
    assert found.helps
    assert not found.message.endswith(".")


@pytest.mark.parametrize("path", CLEAN, ids=lambda path: path.stem)
def test_what_comes_close_to_a_defect_is_fine(path: Path) -> None:
    assert render_text(lint_script("job.sh", path.read_bytes())) == ""


@pytest.mark.parametrize("path", CLEAN, ids=lambda path: path.stem)
def test_what_is_fine_is_bash(path: Path) -> None:
    bash = shutil.which("bash")
    assert bash
    subprocess.run([bash, "-n", path], check=True)


def test_every_rule_has_a_case() -> None:
    assert {name[:6] for name in CASES} == set(CODES)
    assert len(CASES) >= 30


@pytest.mark.parametrize("code", CODES)
def test_the_example_of_a_page_shows_its_code_alone(code: str) -> None:
    assert code in known_codes()
    (example, *_) = re.findall(r"```bash\n(.*?)```", explanation(code) or "", re.DOTALL)
    assert [one.code for one in lint_script("job.sh", example.encode())] == [code]
