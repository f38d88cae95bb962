"""The calls of the user's code that a spec makes, each with the key that names it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from cfgc.schema.spec import AnySpec

Role: TypeAlias = Literal["model", "data", "optimizer", "loss", "metric", "task"]

GIVEN: Mapping[Role, tuple[str, ...]] = {
    "model": (),
    "data": ("split",),
    "optimizer": ("groups",),
    "loss": ("outputs", "batch"),
    "metric": ("outputs", "batch"),
    "task": (),
}
"""What the runtime hands over before the arguments of the spec, by position."""


@dataclass(frozen=True)
class NamedCall:
    """``location`` is the table that holds ``target`` and ``arguments``; ``name`` is a metric's own, else empty."""

    role: Role
    location: tuple[str | int, ...]
    target: str
    arguments: Mapping[str, Any]
    name: str = ""

    @property
    def module(self) -> str:
        """``my_pkg.model`` of ``my_pkg.model:build``."""
        return self.target.partition(":")[0]

    @property
    def attribute(self) -> str:
        """``build`` of ``my_pkg.model:build``."""
        return self.target.partition(":")[2]


def named_calls(spec: AnySpec) -> Iterator[NamedCall]:
    """Every call, in the order in which a run makes them first."""
    from cfgc.schema.spec import TaskSpec

    task = spec.task
    if task.target is not None:
        yield NamedCall("task", ("task",), task.target, task.arguments)
    if isinstance(spec, TaskSpec):
        return
    model, data, training = spec.model, spec.data, spec.training
    if model.kind == "target" and model.target is not None:
        yield NamedCall("model", ("model",), model.target, model.arguments)
    if data.target is not None:
        yield NamedCall("data", ("data",), data.target, data.arguments)
    if training.optimizer.target is not None:
        yield NamedCall("optimizer", ("training", "optimizer"), training.optimizer.target, training.optimizer.arguments)
    if training.loss.target is not None:
        yield NamedCall("loss", ("training", "loss"), training.loss.target, training.loss.arguments)
    for index, metric in enumerate(spec.evaluation.metrics):
        location = ("evaluation", "metrics", index)
        yield NamedCall("metric", location, metric.target, metric.arguments, metric.name)
