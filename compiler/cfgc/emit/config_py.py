"""config.py: the plan as frozen, typed data. Its classes are written beforehand (``tools.config_shapes``)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from importlib.resources import files

from cfgc.emit.literals import expression_of, string_of
from cfgc.lower import plan as plan_classes
from cfgc.lower.plan import AnyPlan, TaskPlan

CONSTANTS = (
    "experiment", "target", "topology", "work", "weights", "batch", "schedule", "precision", "zero_stage", "compile",
    "model", "optimizer", "data", "evaluation", "early_stopping", "gradient_health", "penalties", "checkpoint",
    "tracking", "package", "launch",
)  # fmt: skip
"""Fields of the plan that the runtime reads, in order; the constant is the upper-case name."""

TASK_CONSTANTS = ("experiment", "target", "topology", "task", "package", "launch")
"""The same of a task."""


@dataclass(frozen=True)
class _Shapes:
    """The head of every config.py; of each plan class its code there, and the annotations of its fields."""

    head: str
    code: dict[str, str]
    annotations: dict[str, dict[str, str]]


def config_py(plan: AnyPlan, plan_digest: str) -> str:
    """The text of config.py: a module that the standard library alone can load."""
    shapes = _shapes()
    classes = "".join(shapes.code[cls.__name__] for cls in _classes(plan))
    constants = "".join(_constants(plan))
    return f"{shapes.head}{classes}\n\n{constants}PLAN_DIGEST: Final[str] = {string_of(plan_digest)}\n"


@cache
def _shapes() -> _Shapes:
    found = json.loads(files("cfgc.emit").joinpath("config_shapes.json").read_text(encoding="utf-8"))
    classes = found["classes"].items()
    return _Shapes(
        found["head"],
        {name: one["code"] for name, one in classes},
        {name: one["annotations"] for name, one in classes},
    )


def _classes(plan: AnyPlan) -> list[type]:
    """The classes that the constants need, each after those it is made of."""
    found: dict[type, None] = {}
    for name in constants_of(plan):
        found.update(dict.fromkeys(_nested(getattr(plan, name))))
    return list(found)


def constants_of(plan: AnyPlan) -> tuple[str, ...]:
    """The fields that are constants of its config.py, in order."""
    return TASK_CONSTANTS if isinstance(plan, TaskPlan) else CONSTANTS


def _nested(value: object) -> Iterator[type]:
    if isinstance(value, tuple):
        for item in value:
            yield from _nested(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            held = getattr(value, field.name)
            yield from _nested(held) if held != () else _elements(str(field.type))
        yield type(value)


def _elements(annotation: str) -> Iterator[type]:
    """The plan's classes that ``annotation`` names: an empty tuple holds none to ask."""
    yield from (getattr(plan_classes, name) for name in re.findall(r"\w+", annotation) if name in _shapes().code)


def _constants(plan: AnyPlan) -> Iterator[str]:
    annotations = _shapes().annotations[type(plan).__name__]
    for name in constants_of(plan):
        value = getattr(plan, name)
        kind = "Final" if is_dataclass(value) else f"Final[{annotations[name]}]"
        yield f"{name.upper()}: {kind} = {expression_of(value)}\n"
