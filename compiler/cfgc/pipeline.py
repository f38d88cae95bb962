"""The whole compiler: each phase's outcome is the next one's input.

``check``, ``lower`` and ``emit`` take whatever a spec may be: a run, a sweep, a pipeline of stages. ``check_spec`` and
``plan_spec`` are for what makes sense of a run or a sweep only, and refuse a pipeline.

Each phase is imported when it is come to: imports take longer than the work, and most commands end early.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias, overload

from cfgc.diagnostics import Rejected
from cfgc.load.graph import SpecGraph
from cfgc.load.loader import load_spec
from cfgc.load.reader import Reader
from cfgc.origin import Path
from cfgc.resolve.resolved import Resolved
from cfgc.resolve.resolver import resolve_graph
from cfgc.stages.asked import STAGES, declares_stages
from cfgc.sweep.asked import is_sweep
from cfgc.usercode.reading import with_user_code
from cfgc.validate.checker import Checked, check_resolved

if TYPE_CHECKING:
    from cfgc.emit.bundle import Bundle
    from cfgc.lower.plan import AnyPlan
    from cfgc.stages.pipeline import CheckedPipeline, PipelinePlan

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many points of a sweep are compiled, of how many."""


def compile_spec(reader: Reader, logical: str, overrides: Sequence[str] = ()) -> Bundle:
    """The whole road: a spec becomes a bundle in memory. Raises ``Rejected``."""
    return emit(lower(check(reader, logical, overrides)))


def check(
    reader: Reader, logical: str, overrides: Sequence[str] = (), progress: Progress | None = None
) -> Checked | CheckedPipeline:
    """Load, resolve and validate a run, every point of a sweep, or every stage of a pipeline.

    Raises ``Rejected`` with all that is wrong; warnings are in the outcome.
    """
    graph = load_spec(reader, logical, overrides)
    if declares_stages(graph):
        from cfgc.stages.checking import check_pipeline

        return check_pipeline(reader, graph)
    return _check_run(reader, graph, progress)


@overload
def lower(checked: Checked) -> AnyPlan: ...
@overload
def lower(checked: CheckedPipeline) -> PipelinePlan: ...
@overload
def lower(checked: Checked | CheckedPipeline) -> AnyPlan | PipelinePlan: ...
def lower(checked: Checked | CheckedPipeline) -> AnyPlan | PipelinePlan:
    """Do all arithmetic: what holds becomes the plan of what is run."""
    if isinstance(checked, Checked):
        from cfgc.lower.lowering import lower_spec

        return lower_spec(checked)
    from cfgc.stages.lowering import lower_pipeline

    return lower_pipeline(checked)


def emit(plan: AnyPlan | PipelinePlan) -> Bundle:
    """Write the files of a run or of a pipeline, in memory."""
    from cfgc.emit.bundle import emit_bundle
    from cfgc.lower.plan import Plan, TaskPlan

    if isinstance(plan, (Plan, TaskPlan)):
        return emit_bundle(plan)
    from cfgc.emit.pipeline import emit_pipeline

    return emit_pipeline(plan)


def check_spec(
    reader: Reader, logical: str, overrides: Sequence[str] = (), progress: Progress | None = None
) -> Checked:
    """``check`` of a run or a sweep. Raises ``Rejected``, of a pipeline too."""
    return _check_run(reader, load_spec(reader, logical, overrides), progress)


def plan_spec(reader: Reader, logical: str, overrides: Sequence[str] = ()) -> AnyPlan:
    """``check_spec``, then ``lower``: the plan of a run, or of a sweep's first point. Raises ``Rejected``."""
    return lower(check_spec(reader, logical, overrides))


def resolve_key(reader: Reader, logical: str, overrides: Sequence[str], path: Path) -> tuple[Resolved, Path]:
    """The resolved spec that has ``path``, and the key there, not validated. Raises ``Rejected``.

    ``stages.pretrain.training.seed`` is the key ``training.seed`` of the pipeline's stage ``pretrain``.
    """
    graph = load_spec(reader, logical, overrides)
    if not declares_stages(graph):
        return _resolve_run(reader, graph), path
    from cfgc.stages.checking import resolve_stage
    from cfgc.stages.declaring import declare

    declared, problems = declare(graph)
    if problems:
        raise Rejected(problems)
    stage = resolve_stage(reader, declared, path[1]) if path[:1] == STAGES and len(path) > 2 else None
    return (declared.root, path) if stage is None else (stage, path[2:])


def _check_run(reader: Reader, graph: SpecGraph, progress: Progress | None) -> Checked:
    resolved = _resolve_run(reader, graph)
    if is_sweep(resolved):
        from cfgc.sweep.checking import check_sweep  # which needs the emitters too

        return check_sweep(reader, graph, resolved, progress)
    return check_resolved(resolved)


def _resolve_run(reader: Reader, graph: SpecGraph) -> Resolved:
    if declares_stages(graph):
        from cfgc.stages.errors import is_a_pipeline

        raise Rejected([is_a_pipeline(graph)])
    return with_user_code(reader, resolve_graph(graph))
