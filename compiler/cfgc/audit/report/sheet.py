"""One bundle, or one stage of a pipeline, as the page shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, TypeVar

from cfgc.arithmetic.schedule import rank_hours
from cfgc.audit.bundle_on_disk import BundleOnDisk
from cfgc.audit.comparing import Comparison
from cfgc.audit.report.differences import Changes, changes_of
from cfgc.audit.report.layers import Column, Group, columns_of, groups_of
from cfgc.audit.report.memory_plot import MemoryPlot, memory_plot
from cfgc.audit.report.plan_html import PlanPage, plan_page
from cfgc.audit.report.planned import guarded, planned
from cfgc.audit.report.schedule_plot import SchedulePlot, schedule_plot
from cfgc.diagnostics.masking import masked_text
from cfgc.emit.markdown import count, number
from cfgc_runtime.point import Point

T = TypeVar("T", int, float)

_CURVES: Final = 60
"""Points whose schedules are read; a picture shows fewer."""


@dataclass(frozen=True)
class State:
    """Whether the bundle is what was compiled: ``said`` in short, ``details`` what is not."""

    good: bool
    said: str
    details: tuple[str, ...] = ()


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
    bundle: BundleOnDisk, id_: str, state: State, comparison: Comparison | None, above: str = ""
) -> Iterator[Sheet]:
    """That of ``bundle``, then those of its stages. Raises ``Rejected`` for a bundle that cannot be read."""
    stages = {stage: f"{id_}-{number}" for number, stage in enumerate(bundle.needs)}
    inner = (comparison.stages if comparison else None) or {}
    yield _sheet(bundle, id_, state, comparison, above, stages)
    for stage, stage_id in stages.items():
        yield from sheets_of(bundle.stages[stage], stage_id, state, inner.get(stage), id_)


def _sheet(
    bundle: BundleOnDisk, id_: str, state: State, comparison: Comparison | None, above: str, stages: Mapping[str, str]
) -> Sheet:
    plan = planned(bundle)
    groups = groups_of(bundle, id_)
    page = plan_page(bundle)
    return Sheet(
        id=id_,
        name=bundle.name,
        experiment=str(bundle.manifest["experiment"]),
        above=above,
        state=state,
        facts=_facts(plan, page.title.removeprefix(f"{bundle.manifest['experiment']} · ")),
        plan=page,
        identity=_identity(bundle),
        columns=columns_of(bundle),
        groups=groups,
        schedule=_schedule(bundle, plan, comparison),
        memory=guarded(lambda: memory_plot(plan, bundle.values)) if plan else None,
        points=bundle.points,
        stages=stages,
        changes=changes_of(comparison, groups) if comparison else None,
        is_pipeline=bundle.is_pipeline,
    )


def _schedule(bundle: BundleOnDisk, plan: ModuleType | None, comparison: Comparison | None) -> SchedulePlot | None:
    if plan is None:
        return None
    of_points = {str(point.index): planned(bundle, point) for point in bundle.points[:_CURVES]}
    before = planned(comparison.old) if comparison else None
    return guarded(lambda: schedule_plot(plan, {name: one for name, one in of_points.items() if one}, before))


def _facts(plan: Any, title: str) -> dict[str, Fact]:
    """Of a task only what it has; a pipeline's are those of its stages."""

    trains = getattr(plan, "WORK", "") == "train"
    return {
        "what": Fact(title),
        "ranks": _fact(lambda: int(plan.TOPOLOGY.world_size), "{:,}".format),
        "steps": _fact(lambda: int(plan.SCHEDULE.max_steps) * trains, "{:,}".format),
        "tokens": _fact(lambda: int(plan.SCHEDULE.total_tokens) * trains, count),
        "peak rate": _fact(lambda: float(plan.SCHEDULE.learning_rate) * trains, number),
        "parameters": _fact(lambda: int(plan.MODEL.parameters), count),
        "rank-hours at the limit": _fact(lambda: _rank_hours(plan), _hours),
    }


def _fact(make: Callable[[], T], show: Callable[[T], str]) -> Fact:
    """Empty where there is no such thing, or none is known."""
    found = guarded(make)
    return Fact(show(found), float(found)) if found else Fact("")


def _rank_hours(plan: Any) -> float:
    return rank_hours(int(plan.TOPOLOGY.world_size), int(plan.LAUNCH.time_limit_s))


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 10 else f"{hours:.1f}"


def _identity(bundle: BundleOnDisk) -> dict[str, str]:
    """What it was compiled from, in a line each."""
    manifest = bundle.manifest
    overrides = " ".join(masked_text(str(text)) for text in manifest["overrides"])
    return {
        "spec": str(manifest["root"]),
        "overrides": overrides or "none",
        "cfgc": str(manifest["cfgc_version"]),
        "plan digest": bundle.plan_digest,
        "bundle digest": str(manifest["bundle_digest"]),
    }
