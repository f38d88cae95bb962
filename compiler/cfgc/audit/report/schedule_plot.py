"""The learning rate over the steps, drawn: of one run, of the points of a sweep, and of what it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from types import ModuleType
from typing import Any, Final, Literal

from cfgc.audit.report.drawing import HEIGHT, WIDTH, Scale, Tick, line, place
from cfgc.emit.markdown import count, counted, number
from cfgc_runtime.schedule import learning_rate

_LEFT: Final = 62
_RIGHT: Final = WIDTH - 30
_TOP: Final = 16
_BOTTOM: Final = HEIGHT - 44
_SAMPLES: Final = 240
_MOST: Final = 12
"""Different curves that one picture shows."""


@dataclass(frozen=True)
class Curve:
    """One line; ``kind`` says how it is drawn."""

    label: str
    path: str
    kind: Literal["now", "point", "before"]


@dataclass(frozen=True)
class SchedulePlot:
    """A picture; ``text`` says the same in words, ``left_out`` how many more curves there are."""

    curves: tuple[Curve, ...]
    steps: tuple[Tick, ...]
    rates: tuple[Tick, ...]
    text: str
    left_out: int
    left: int = _LEFT
    right: int = _RIGHT
    top: int = _TOP
    bottom: int = _BOTTOM


def schedule_plot(
    plan: ModuleType, points: Mapping[str, ModuleType] | None = None, before: ModuleType | None = None
) -> SchedulePlot | None:
    """The rates of ``plan``, or of the ``points`` by name; None where nothing is trained.

    Raises what a forged config.py makes of it: ``planned.guarded``.
    """
    if getattr(plan, "WORK", "") != "train":
        return None
    named = {name: point.SCHEDULE for name, point in (points or {}).items()} or {"": plan.SCHEDULE}
    drawn = _different(named)
    was = before.SCHEDULE if before is not None and getattr(before, "WORK", "") == "train" else None
    shown = [*list(drawn.values())[:_MOST], *([was] if was is not None else [])]
    across = Scale(max(one.max_steps for one in shown), _LEFT, _RIGHT)
    up = Scale(max(one.learning_rate for one in shown), _BOTTOM, _TOP)
    curves = [Curve("before", _path(was, across, up), "before")] if was is not None else []
    kind: Literal["now", "point"] = "point" if len(drawn) > 1 else "now"
    curves += [Curve(label, _path(one, across, up), kind) for label, one in list(drawn.items())[:_MOST]]
    return SchedulePlot(
        tuple(curves),
        tuple(Tick(place(across(step)), count(round(step))) for step in across.ticks(4)),
        tuple(Tick(place(up(rate)), number(rate)) for rate in up.ticks(4)),
        _text(plan.SCHEDULE),
        max(len(drawn) - _MOST, 0),
    )


def _different(named: Mapping[str, Any]) -> dict[str, Any]:
    """Schedules that are not the same, under the first name that each has."""
    found: dict[str, tuple[str, Any]] = {}
    for name, schedule in named.items():
        found.setdefault(repr(sorted(vars(schedule).items())), (name, schedule))
    return dict(found.values())


def _path(schedule: Any, across: Scale, up: Scale) -> str:
    return line((across(step), up(learning_rate(schedule, step))) for step in _steps(schedule))


def _steps(schedule: Any) -> list[int]:
    """Evenly spaced ones, and both sides of every turn."""
    last = schedule.max_steps
    even = {max(1, round(last * share / _SAMPLES)) for share in range(_SAMPLES + 1)}
    drops = range(schedule.step_size, last, schedule.step_size) if schedule.step_size > 0 else schedule.milestones
    turns = [schedule.warmup_steps, last - schedule.decay_steps, *islice(drops, _SAMPLES)]
    return sorted(even | {step for turn in turns for step in (turn - 1, turn) if 1 <= step <= last})


def _text(schedule: Any) -> str:
    rise = f"from 0 in {counted(schedule.warmup_steps, 'step')} to " if schedule.warmup_steps else ""
    last = learning_rate(schedule, schedule.max_steps)
    return (
        f"{schedule.scheduler}: {rise}{number(schedule.learning_rate)}, "
        f"and {number(last)} at step {schedule.max_steps:,}, the last"
    )
