"""What all points of a sweep share: the allocation, and everything that the two scripts say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING

from cfgc.emit.scripts import needed_variables
from cfgc.lower.plan import TaskPlan

if TYPE_CHECKING:
    from cfgc.lower.plan import AnyPlan, Launch
    from cfgc.sweep.difference import Base

_MOST = 4
_ABSENT = "none"


def unlike(base: Base, plan: AnyPlan) -> str:
    """What of the scripts ``plan`` would have otherwise than ``base``: ``nodes 2 instead of 1``; empty for nothing."""
    found = [
        f"{name} {_shown(after)} instead of {_shown(before)}"
        for name, before, after in _differences(base.plan, plan, base.needed)
    ]
    return ", ".join(found[:_MOST]) + (f" and {len(found) - _MOST} more" if len(found) > _MOST else "")


def _differences(base: AnyPlan, plan: AnyPlan, needed: tuple[str, ...]) -> Iterator[tuple[str, object, object]]:
    if type(base) is not type(plan):
        yield "the kind of run", _kind(base), _kind(plan)
        return
    yield from _of("experiment.name", base.experiment.name, plan.experiment.name)
    yield from _of("target", base.target, plan.target)
    # these are read by the runtime alone
    yield from _of("topology", replace(base.topology, timeout_s=0), replace(plan.topology, timeout_s=0))
    yield from _of("launch", _launch(base), _launch(plan))
    yield from _of_pairs("env.variables", dict(base.launch.environment), dict(plan.launch.environment))
    yield from _of_pairs("--", dict(base.slurm.directives), dict(plan.slurm.directives))
    yield from _of("cluster", replace(base.slurm, directives=()), replace(plan.slurm, directives=()))
    yield from _of("required variables", needed, needed_variables(plan))
    yield from _of("package", base.package.sha256, plan.package.sha256)
    if isinstance(base, TaskPlan) and isinstance(plan, TaskPlan):
        yield from _of("task.script", base.task.script_sha256, plan.task.script_sha256)


def _launch(plan: AnyPlan) -> Launch:
    """Without what only the runtime reads, and without the variables, which are compared by name."""
    return replace(plan.launch, watchdog_s=0, restart_delay_s=0, environment={})


def _of(name: str, before: object, after: object) -> Iterator[tuple[str, object, object]]:
    if type(before) is type(after) and is_dataclass(before) and is_dataclass(after) and not isinstance(after, type):
        for field in fields(after):
            yield from _of(f"{name}.{field.name}", getattr(before, field.name), getattr(after, field.name))
    elif before != after:
        yield name, before, after


def _of_pairs(name: str, before: dict[str, str], after: dict[str, str]) -> Iterator[tuple[str, object, object]]:
    for key in sorted({*before, *after}):
        yield from _of(f"{name}{'' if name.endswith('-') else '.'}{key}", before.get(key), after.get(key))


def _shown(value: object) -> str:
    if value is None or value == "":
        return _ABSENT
    return str(value) if isinstance(value, (str, int, float)) else repr(value)


def _kind(plan: AnyPlan) -> str:
    return "a task" if isinstance(plan, TaskPlan) else "training"
