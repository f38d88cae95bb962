"""What a person sees: progress, metrics, curve, summary."""

from __future__ import annotations

import io
import json
import math
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from cfgc_runtime.curve import draw_curve
from cfgc_runtime.evaluate import Patience
from cfgc_runtime.loop import State
from cfgc_runtime.metrics import append_metrics, read_metrics, truncate_metrics
from cfgc_runtime.progress import Progress, duration, short

if TYPE_CHECKING:
    from pathlib import Path

LINE = {"loss": 4.2131, "lr": 1.9e-4, "grad_norm": 0.84, "tokens_per_s": 412_345.0}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_falling_curve() -> None:
    assert draw_curve([(1, 4.0), (2, 3.0), (3, 2.0), (4, 1.0)], width=8, height=4).splitlines() == [
        "4.000 ┤⠑⢄⠀⠀⠀⠀⠀⠀",
        "      ┤⠀⠀⠑⢄⠀⠀⠀⠀",
        "      ┤⠀⠀⠀⠀⠑⢄⠀⠀",
        "1.000 ┤⠀⠀⠀⠀⠀⠀⠑⢄",
        "      └────────",
        "       1      4",
    ]


@pytest.mark.parametrize("points", [[(1, 2.0)], [(1, 2.0), (9, 2.0)], [(n, math.sin(n)) for n in range(1, 500)]])
def test_every_curve_has_the_same_frame(points: list[tuple[int, float]]) -> None:
    lines = draw_curve(points, width=30, height=6).splitlines()
    assert len(lines) == 8
    assert len({len(line) for line in lines}) == 1


def test_one_line_moves_in_a_terminal() -> None:
    screen = Terminal()
    progress = Progress(screen, "gpt", 40)
    progress.start(0)
    for step in (1, 2):
        progress.show({"step": step} | LINE)
    progress.say("saved step 2")
    moving, saved = screen.getvalue().splitlines()[-2:]
    assert screen.getvalue().count("\r") == 2
    assert "step 2/40" in moving
    assert "loss 4.213  lr 1.9e-04  |g| 0.84  412k tok/s" in moving
    assert saved == "saved step 2"


def test_a_log_gets_a_few_plain_lines() -> None:
    screen = io.StringIO()
    progress = Progress(screen, "gpt", 1000)
    progress.start(0)
    for step in range(1, 1001):
        progress.show({"step": step} | LINE)
    lines = screen.getvalue().splitlines()
    assert 15 <= len(lines) <= 25
    assert "step 1/1,000" in lines[0]
    assert "step 1,000/1,000 ▕██████████▏ 100%" in lines[-1]
    assert "\r" not in screen.getvalue()


def test_a_terminal_that_is_gone_does_not_stop_the_run() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    screen = os.fdopen(writer, "w", buffering=1)
    progress = Progress(screen, "run", 10)
    progress.say("nobody reads this")
    progress.show({**LINE, "step": 10})
    assert progress.screen is None
    with suppress(OSError):  # what could not be written is still in the buffer
        screen.close()


def test_other_ranks_are_silent() -> None:
    progress = Progress(None, "gpt", 10)
    progress.show({"step": 1} | LINE)
    progress.say("hidden")


def test_numbers_for_people() -> None:
    assert [short(value) for value in (0.0, 12.0, 999.4, 12_345.0, 41.9e9)] == ["0", "12", "999", "12.3k", "41.9G"]
    assert [duration(value) for value in (5.2, 75, 75_960)] == ["5 s", "1 m 15 s", "21 h 06 m"]


def test_metrics_after_the_resumed_step_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    for step in (1, 2, 3):
        append_metrics(path, {"step": step, "loss": 1.0})
    with path.open("a") as file:
        file.write('{"step": 4, "lo')
    assert [line["step"] for line in read_metrics(path)] == [1, 2, 3]
    truncate_metrics(path, 2)
    append_metrics(path, {"step": 3, "loss": 2.0})
    assert read_metrics(path) == [{"step": 1, "loss": 1.0}, {"step": 2, "loss": 1.0}, {"step": 3, "loss": 2.0}]


def test_damaged_lines_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1, "loss": 1.0}\n\xff\xfe\n5\n{"step": "2"}\n{"step": 3, "loss": 2.0}\n')
    assert [line["step"] for line in read_metrics(path)] == [1, 3]


def test_what_is_not_a_number_is_null_in_the_metrics(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    append_metrics(path, {"step": 1, "eval_loss": math.nan, "loss": math.inf})
    assert json.loads(path.read_text(), parse_constant=pytest.fail) == {"step": 1, "eval_loss": None, "loss": None}


def test_patience_ends_after_evaluations_without_enough_gain() -> None:
    rule: Any = type("Rule", (), {"patience": 2, "threshold": 0.1})
    state, over = Patience(), []
    for loss in (3.0, 2.5, 2.45, 2.44, 2.0):
        state = state.after(loss, rule)
        over.append(state.is_over(rule))
    assert over == [False, False, False, True, False]
    never: Any = type("Rule", (), {"patience": 0, "threshold": 0.1})
    assert not Patience(1.0, 100).is_over(never)


@pytest.mark.parametrize("patience", [Patience(), Patience(2.5, 3)])
def test_the_loop_state_survives_a_checkpoint(patience: Patience) -> None:
    state = State({"files": 3}, step=7, seconds=1.5, patience=patience)
    assert State.from_json(7, state.as_json()) == state
