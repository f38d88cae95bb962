"""One bundle, or one stage of a pipeline, as the page shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

from cfgc.arithmetic.schedule import rank_hours
from cfgc.audit.bundle_on_disk import BundleOnDisk
from cfgc.audit.comparing import Comparison
from cfgc.audit.report.differences import Changes, Outcome, changes_of, of_stage
from cfgc.audit.report.layers import Column, Group, columns_of, groups_of
from cfgc.audit.report.memory_plot import MemoryPlot, memory_plot
from cfgc.audit.report.plan_html import PlanPage, plan_page
from cfgc.audit.report.planned import guarded, planned
from cfgc.audit.report.schedule_plot import SchedulePlot, schedule_plot
from cfgc.diagnostics.masking import masked_text
from cfgc.emit.markdown import count, number
from cfgc_runtime.point import Point

A = TypeVar("A")
T = TypeVar("T", int, float)


@dataclass(frozen=True)
class State:
    """Whether the bundle is what was compiled: ``said`` in short, ``details`` what is not.

    ``key`` signed it. ``is_edited`` where its files are not those that were compiled.
    """

    good: bool
    said: str
    details: tuple[str, ...] = ()
    key: str = ""
    is_edited: bool = False


@dataclass(frozen=True)
class Fact:
    """A cell of the table of all bundles; ``sort`` is what it is sorted by."""

    text: str
    sort: float = 0.0


@dataclass(frozen=True)
class Sheet:
    """Everything that is shown of it. ``above`` is the sheet of the pipeline that it is a stage of, by id."""

    id: str
    name: str
    experiment: str
    above: str
    state: State
    facts: Mapping[str, Fact]
    plan: PlanPage
    identity: Mapping[str, str]
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    schedule: SchedulePlot | None
    memory: MemoryPlot | None
    points: tuple[Point, ...]
    stages: Mapping[str, str]
    changes: Changes | None
    is_pipeline: bool


def sheets_of(
    bundle: BundleOnDisk, id_: str, state: State, outcome: Outcome | None, above: str = ""
) -> Iterator[Sheet]:
    """That of ``bundle``, then those of its stages. Raises ``Rejected`` for a bundle that cannot be read."""
    stages = {stage: f"{id_}-{number}" for number, stage in enumerate(bundle.needs)}
    yield _sheet(bundle, id_, state, outcome, above, stages)
    for stage, stage_id in stages.items():
        yield from sheets_of(bundle.stages[stage], stage_id, state, of_stage(outcome, stage), id_)


def _sheet(
    bundle: BundleOnDisk, id_: str, state: State, outcome: Outcome | None, above: str, stages: Mapping[str, str]
) -> Sheet:
    plan = planned(bundle)
    of_points = {str(point.index): planned(bundle, point) for point in bundle.points}
    points = {name: one for name, one in of_points.items() if one}
    groups = groups_of(bundle, id_)
    page = plan_page(bundle)
    title = page.title.removeprefix(f"{bundle.manifest['experiment']} · ")
    return Sheet(
        id=id_,
        name=bundle.name,
        experiment=str(bundle.manifest["experiment"]),
        above=above,
        state=state,
        facts=_facts(list(points.values()) or [plan], len(bundle.points), title),
        plan=page,
        identity=_identity(bundle, state.key, above),
        columns=columns_of(bundle),
        groups=groups,
        schedule=_schedule(plan, points, outcome),
        memory=guarded(lambda: memory_plot(plan, bundle.values)) if plan else None,
        points=bundle.points,
        stages=stages,
        changes=changes_of(outcome, groups) if outcome else None,
        is_pipeline=bundle.is_pipeline,
    )


def _schedule(
    plan: ModuleType | None, points: Mapping[str, ModuleType], outcome: Outcome | None
) -> SchedulePlot | None:
    if plan is None:
        return None
    before = planned(outcome.old) if isinstance(outcome, Comparison) else None
    return guarded(lambda: schedule_plot(plan, points, before))


def _facts(plans: Sequence[Any], points: int, title: str) -> dict[str, Fact]:
    """Of a task only what it has; a pipeline's are those of its stages. ``plans`` are those of a sweep's ``points``."""

    trained = [plan for plan in plans if getattr(plan, "WORK", "") == "train"]
    return {
        "what": Fact(title),
        "points": Fact(f"{points:,}" if points else "", points),
        "ranks": _fact(plans, lambda plan: int(plan.TOPOLOGY.world_size), "{:,}".format),
        "steps": _fact(trained, lambda plan: int(plan.SCHEDULE.max_steps), "{:,}".format),
        "tokens": _fact(trained, lambda plan: int(plan.SCHEDULE.total_tokens), count),
        "peak rate": _fact(trained, lambda plan: float(plan.SCHEDULE.learning_rate), number),
        "parameters": _fact(plans, lambda plan: int(plan.MODEL.parameters), count),
        "rank-hours at most": _fact([plans], lambda every: sum(map(_rank_hours, every)), _hours),
    }


def _fact(plans: Sequence[A], make: Callable[[A], T], show: Callable[[T], str]) -> Fact:
    """The lowest and the highest of ``plans``; empty where there is no such thing, or none is known."""
    found = sorted(filter(None, guarded(lambda: list(map(make, plans))) or ()))
    if not found:
        return Fact("")
    return Fact(" – ".join(dict.fromkeys((show(found[0]), show(found[-1])))), float(found[-1]))


def _rank_hours(plan: Any) -> float:
    """When each attempt that it may have takes its whole time."""
    return rank_hours(int(plan.TOPOLOGY.world_size), int(plan.LAUNCH.time_limit_s)) * int(plan.LAUNCH.max_attempts)


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 10 else f"{hours:.1f}"


def _identity(bundle: BundleOnDisk, key: str, above: str) -> dict[str, str]:
    """What it was compiled from, and which key signed it, in a line each. A stage is signed ``above`` it."""
    manifest = bundle.manifest
    overrides = " ".join(masked_text(str(text)) for text in manifest["overrides"])
    return {
        "spec": str(manifest["root"]),
        "overrides": overrides or "none",
        "cfgc": str(manifest["cfgc_version"]),
        "plan digest": bundle.plan_digest,
        "bundle digest": str(manifest["bundle_digest"]),
        **({"pipeline signed with" if above else "signed with": key} if key else {}),
    }
