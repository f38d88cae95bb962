"""Whenever a save, a clean-up, a conversion or an exchange dies, the next start finds what it needs.

Not a sample of moments: a process dies before every single change of the disk (see ``kill_points.py``).
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.runtime.bundles import HERE, WAIT_S

pytestmark = pytest.mark.slow

ROOT = HERE.parents[1]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.runtime.kill_points", str(tmp_path_factory.mktemp("deaths"))],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}:{ROOT / 'compiler'}"},
        check=False,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def of(lines: list[dict[str, Any]], scenario: str, code: int = -9) -> list[dict[str, Any]]:
    """Its deaths, after which it was let live once."""
    found = [line for line in lines if line["scenario"] == scenario]
    assert [line["code"] for line in found] == [code] * (len(found) - 1) + [0]
    assert len(found) > 10
    return found


def check_resumed(line: dict[str, Any]) -> None:
    steps = [name for name in line["names"] if not name.startswith("damaged-")]
    assert sorted(line["whole"]) == steps, "nothing stands there that is not whole"
    assert line["next"] == 20, "saving goes on"


@pytest.mark.parametrize(("scenario", "code"), [("save", -9), ("full", 74)])
def test_a_save_counts_from_its_rename_on(lines: list[dict[str, Any]], scenario: str, code: int) -> None:
    found = of(lines, scenario, code)
    renames = [line["before"] for line in found].index("os.rename saving-step-00000012")
    for place, line in enumerate(found):
        check_resumed(line)
        assert line["step"] == (8 if place <= renames else 12), line
        assert "step-00000004" in line["names"], "the best one stays"


def test_a_step_that_is_saved_again_is_there_at_every_moment(lines: list[dict[str, Any]]) -> None:
    for line in of(lines, "save-again"):
        check_resumed(line)
        assert line["step"] == 8
        assert line["names"] == ["step-00000004", "step-00000008"]


def test_a_start_that_dies_while_it_tidies_up_is_made_good_by_the_next(lines: list[dict[str, Any]]) -> None:
    for line in of(lines, "resume"):
        check_resumed(line)
        assert line["step"] == 4
        assert [name for name in line["names"] if name.startswith("damaged-")] == [
            "damaged-step-00000008",
            "damaged-step-00000012",
        ]


def test_a_conversion_is_whole_or_not_there(lines: list[dict[str, Any]]) -> None:
    for line in of(lines, "convert"):
        assert line["names"] == ["step-00000004", "universal-step-00000004"]
        inner = ["mp_rank_00_model_states.pt", "zero/weight/exp_avg.pt", "zero/weight/fp32.pt"]
        assert line["files"] == ["complete.json", *(f"zero-states/{name}" for name in inner)]


def test_an_exchange_of_bundles_loses_neither(lines: list[dict[str, Any]]) -> None:
    for line in of(lines, "exchange"):
        assert line["kept"] == {"bundle": "sha256:2", "bundle-001": "sha256:1"}
        assert not any(name.startswith(".") for name in line["names"])
