"""What a pipeline is on its way through the compiler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cfgc.diagnostics import Diagnostic
from cfgc.load.graph import Input
from cfgc.lower.plan import AnyPlan, NodePath, Warned
from cfgc.origin import Origin
from cfgc.resolve.resolved import Resolved
from cfgc.stages.asked import STAGES
from cfgc.validate.checker import Checked


@dataclass(frozen=True)
class Said:
    """A stage as the spec writes it, at ``position`` of the array. An empty ``spec`` is the pipeline's own."""

    position: int
    name: str
    needs: tuple[str, ...]
    spec: str
    set: Mapping[str, Any]


@dataclass(frozen=True)
class Declared:
    """A pipeline before its stages are compiled; ``root`` is its spec, with the array of stages as it is written."""

    root: Resolved
    name: str
    run_dir: NodePath
    stages: tuple[Said, ...]

    @property
    def array(self) -> Origin:
        """Where the stages are written."""
        return self.root.leaves[STAGES].origin

    def upstream(self, name: str) -> frozenset[str]:
        """All stages that have finished when stage ``name`` starts."""
        needs = {said.name: said.needs for said in self.stages}
        found: set[str] = set()
        waiting = list(needs.get(name, ()))
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += needs.get(one, ())
        return frozenset(found)


@dataclass(frozen=True)
class CheckedStage:
    """A stage that holds."""

    name: str
    needs: tuple[str, ...]
    checked: Checked


@dataclass(frozen=True)
class CheckedPipeline:
    """A pipeline that holds, its stages in an order in which they can run; and the warnings of all."""

    declared: Declared
    stages: tuple[CheckedStage, ...]
    warnings: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class StagePlan:
    """What one stage runs, and which stages come before it."""

    name: str
    needs: tuple[str, ...]
    plan: AnyPlan


@dataclass(frozen=True)
class PipelinePlan:
    """Everything that the emitters need of a pipeline, stages in the order in which they run."""

    name: str
    description: str
    run_dir: NodePath
    stages: tuple[StagePlan, ...]
    inputs: tuple[Input, ...]
    root: str
    overrides: tuple[str, ...]
    warnings: tuple[Warned, ...]


def in_order(stages: Sequence[Said]) -> tuple[tuple[Said, ...], tuple[Said, ...]]:
    """``stages`` with each after those that it needs, else as they are written; and those that go round in a circle.

    What needs one of a circle is not of it.
    """
    waiting, ordered = list(stages), list[Said]()
    known = {said.name for said in stages}
    while waiting:
        done = {said.name for said in ordered}
        ready = next((said for said in waiting if known.intersection(said.needs) <= done), None)
        if ready is None:
            return tuple(ordered), _circle(waiting)
        ordered.append(ready)
        waiting.remove(ready)
    return tuple(ordered), ()


def _circle(stuck: Sequence[Said]) -> tuple[Said, ...]:
    """One circle among stages none of which can start."""
    by_name = {said.name: said for said in stuck}
    road = [stuck[0]]
    while True:
        following = next(by_name[name] for name in road[-1].needs if name in by_name)
        if following in road:
            return tuple(road[road.index(following) :])
        road.append(following)
