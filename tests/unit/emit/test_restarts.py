"""launch.sh that starts again by itself: what the runtime decides is done, and who asked it to stop is heard."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cfgc.emit.scripts import launch_sh
from tests.unit.emit.launching import FAKE_PYTHON, Launcher
from tests.unit.emit.samples import cpu_plan

if TYPE_CHECKING:
    from pathlib import Path

AGAIN = """  *" again "*)
    count=$(grep -c ' again ' <<<"$(tr '\\n' ' ' <"$RECORD" | sed 's/CALL/\\nCALL/g')")
    ((count < ${TIMES-3})) || exit "${@: -1}"
    echo "${DELAY-0}" ;;
"""


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    """Its stand-in for Python answers `again` with "yes" all but the last of ``TIMES`` times."""
    plan = cpu_plan()
    made = Launcher(replace(plan, launch=replace(plan.launch, restart=True)), tmp_path)
    made.python.write_text(FAKE_PYTHON.replace("esac", f"{AGAIN}esac"))
    return made


def commands(launcher: Launcher) -> list[str]:
    return [next(word for word in call if word in ("stage", "node", "again", "finish")) for call in launcher.calls()]


def test_it_starts_again_until_the_runtime_says_no(launcher: Launcher) -> None:
    assert launcher.run(CODE="137")[0] == 137
    assert commands(launcher) == ["stage", "node", "again", "stage", "node", "again", "stage", "node", "again"]
    again = launcher.calls()[2]
    assert again[again.index("--code") + 1] == "137"


def test_a_run_that_ends_well_is_not_started_again(launcher: Launcher) -> None:
    assert launcher.run()[0] == 0
    assert commands(launcher) == ["stage", "node", "finish"]


def test_a_request_to_stop_ends_the_wait(launcher: Launcher) -> None:
    process = launcher.start(CODE="137", DELAY="60")
    deadline = time.monotonic() + 20
    while not launcher.record.exists() or "again" not in launcher.record.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 137
    assert commands(launcher) == ["stage", "node", "again"]


def test_what_was_asked_to_stop_is_not_started_again(launcher: Launcher) -> None:
    process = launcher.start(SLOW="0")
    deadline = time.monotonic() + 20
    while not launcher.record.exists() or "started" not in launcher.record.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 75
    assert "again" not in commands(launcher)


def test_without_the_key_nothing_is_asked() -> None:
    assert " again " not in launch_sh(cpu_plan())
