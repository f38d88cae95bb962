"""What a person sees: progress, metrics, curve, summary."""

from __future__ import annotations

import io
import json
import math
import os
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from cfgc_runtime.curve import draw_curve
from cfgc_runtime.evaluate import Patience
from cfgc_runtime.metrics import append_metrics, read_metrics, truncate_metrics
from cfgc_runtime.progress import Progress, duration, fitted, short
from cfgc_runtime.reporting import Reporter
from cfgc_runtime.state import State

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


def shown(screen: io.StringIO, steps: range, max_steps: int, seconds_per_step: float, **metrics: float) -> list[str]:
    """What is on ``screen`` after a run of ``steps``, where a clock ticks for each."""
    now = [0.0]
    progress = Progress(screen, "gpt", max_steps, clock=lambda: now[0])
    progress.start()
    for step in steps:
        now[0] += seconds_per_step
        progress.show({"step": step} | LINE | metrics)
    return screen.getvalue().splitlines()


def test_one_line_moves_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = Terminal()
    progress = Progress(screen, "gpt", 40, clock=iter(range(100)).__next__)
    progress.start()
    for step in (1, 2):
        progress.show({"step": step} | LINE | {"mfu": 0.412})
    progress.say("saved step 2")
    text = screen.getvalue()
    assert text.count("\n") == 1
    moving, saved = text.rsplit("\r", 2)[1:]
    assert moving == (
        "gpt  step 2/40  ▕▌         ▏    5 %  loss 4.213  lr 1.9e-04  |g| 0.84  412k tok/s  MFU 41 %  ETA 38 s\x1b[K"
    )
    assert saved == "\x1b[Ksaved step 2\n"


def test_a_terminal_is_drawn_ten_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = Terminal()
    shown(screen, range(1, 1001), 1000, 0.001)
    assert screen.getvalue().count("\r") <= 12
    assert "step 1,000/1,000" in screen.getvalue().rsplit("\r", 1)[1]


@pytest.mark.parametrize("width", range(8, 140, 3))
def test_a_line_never_wraps(width: int) -> None:
    fields = {"name": "gpt", "step": "step 7/40", "bar": "▕██▏", "part": " 17 %", "loss": "loss 4.2", "lr": "lr 1e-4"}
    line = fitted(fields, width)
    assert len(line) <= width
    assert line.strip().startswith(("gpt", "step"))


def test_narrow_terminals_keep_the_step_and_the_loss() -> None:
    fields = {"name": "a-long-name", "step": "step 7/40", "bar": "▕██▏", "loss": "loss 4.2", "left": "ETA 2 s"}
    assert fitted(fields, 30) == "step 7/40  loss 4.2  ETA 2 s"
    assert fitted(fields, 20) == "step 7/40  loss 4.2"


@pytest.mark.parametrize(
    ("max_steps", "seconds", "least", "most"), [(12, 0.01, 2, 2), (100, 5.0, 40, 60), (1_000_000, 1.0, 300, 2000)]
)
def test_a_log_gets_lines_at_a_rate_that_can_be_read(max_steps: int, seconds: float, least: int, most: int) -> None:
    every = max(1, max_steps // 10_000)
    lines = shown(io.StringIO(), range(every, max_steps + 1, every), max_steps, seconds * every)
    assert least <= len(lines) <= most
    assert f"step {every:,}/" in lines[0]
    assert f"step {max_steps:,}/{max_steps:,}  ▕██████████▏  100 %" in lines[-1]
    assert "ETA 0 s" in lines[-1]
    assert not any("\r" in line or "\x1b" in line for line in lines)


def test_a_dumb_terminal_is_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    screen = Terminal()
    shown(screen, range(1, 4), 3, 1.0)
    assert "\r" not in screen.getvalue()


def test_the_time_left_does_not_count_the_first_step() -> None:
    screen, now = io.StringIO(), [0.0]
    progress = Progress(screen, "gpt", 100, clock=lambda: now[0])
    progress.start()
    for step, clock in ((51, 600.0), (61, 620.0)):
        now[0] = clock
        progress.show({"step": step} | LINE)
    first, second = screen.getvalue().splitlines()
    assert first.endswith("ETA –")
    assert second.endswith("ETA 1 m 18 s")


def test_terminals_without_utf_8_get_plain_letters() -> None:
    raw = io.BytesIO()
    screen = io.TextIOWrapper(raw, encoding="iso-8859-1")
    progress = Progress(screen, "gpt", 4)
    progress.say("rank 0 · 2 ranks → done…")
    progress.show({"step": 3} | LINE)
    progress.show({"step": 4} | LINE | {"grad_norm": None})
    assert raw.getvalue().decode("ascii").splitlines()[0] == "rank 0 - 2 ranks > done~"
    assert "[##########]" in raw.getvalue().decode("ascii")


@pytest.mark.covers("tracking.log_level")
def test_quiet_runs_show_warnings_only(tmp_path: Path) -> None:
    said: dict[str, str] = {}
    for level in ("debug", "info", "warning", "error"):
        screen = io.StringIO()
        plan: Any = SimpleNamespace(log_level=level, peak_flops=0.0, flops_per_token=0)
        reporter = Reporter(tmp_path / f"{level}.jsonl", Progress(screen, "gpt", 1), plan)
        reporter.start(0)
        reporter.say("saved")
        reporter.say("damaged", "warning")
        reporter.show(1, LINE)
        said[level] = screen.getvalue()
        assert [line["step"] for line in read_metrics(tmp_path / f"{level}.jsonl")] == [1]
    assert said["warning"] == "damaged\n"
    assert said["error"] == ""
    assert said["info"] == said["debug"]
    assert [words.split()[0] for words in said["info"].splitlines()] == ["saved", "damaged", "gpt"]


def test_the_share_of_the_peak_is_shown_and_recorded(tmp_path: Path) -> None:
    screen = io.StringIO()
    plan: Any = SimpleNamespace(log_level="info", peak_flops=2 * 989e12, flops_per_token=2_000_000_000)
    reporter = Reporter(tmp_path / "metrics.jsonl", Progress(screen, "gpt", 1), plan)
    reporter.start(0)
    reporter.show(1, LINE)
    assert read_metrics(tmp_path / "metrics.jsonl")[0]["mfu"] == pytest.approx(0.4169, abs=1e-4)
    assert "MFU 42 %" in screen.getvalue()


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


def test_other_ranks_are_silent(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(None, "gpt", 10)
    progress.start()
    progress.show({"step": 10} | LINE)
    progress.say("hidden")
    assert capsys.readouterr() == ("", "")


def test_numbers_for_people() -> None:
    assert [short(value) for value in (0.0, 12.0, 999.4, 12_345.0, 41.9e9)] == ["0", "12", "999", "12.3k", "41.9G"]
    assert [duration(value) for value in (5.2, 75, 75_960, 300_000)] == [*("5 s", "1 m 15 s", "21 h 06 m", "3 d 11 h")]


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
