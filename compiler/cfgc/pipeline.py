"""The whole compiler: each phase's outcome is the next one's input.

``check``, ``lower`` and ``emit`` take whatever a spec may be: a run, a sweep, a pipeline of stages. ``check_spec`` and
``plan_spec`` are for what makes sense of a run or a sweep only, and refuse a pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, overload

from cfgc.deepspeed.checking import check_ds_config
from cfgc.diagnostics import Rejected
from cfgc.emit.bundle import Bundle, emit_bundle
from cfgc.emit.pipeline import emit_pipeline
from cfgc.load.graph import SpecGraph
from cfgc.load.loader import load_spec
from cfgc.load.reader import Reader
from cfgc.lower.lowering import lower_spec
from cfgc.lower.plan import AnyPlan
from cfgc.origin import Path
from cfgc.resolve.resolved import Resolved
from cfgc.resolve.resolver import resolve_graph
from cfgc.stages.checking import check_pipeline, resolve_stage
from cfgc.stages.declaring import declare, declares_stages
from cfgc.stages.errors import is_a_pipeline
from cfgc.stages.lowering import lower_pipeline
from cfgc.stages.pipeline import STAGES, CheckedPipeline, PipelinePlan
from cfgc.sweep.reading import is_sweep
from cfgc.usercode.reading import with_user_code
from cfgc.validate.checker import Checked, check_resolved

__all__ = [
    "check", "check_ds_config", "check_spec", "compile_spec", "emit", "lower", "plan_spec", "resolve_key",
]  # fmt: skip
"""``check_ds_config`` is a short road of its own: a ds_config is read, then judged."""

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
    return check_pipeline(reader, graph) if declares_stages(graph) else _check_run(reader, graph, progress)


@overload
def lower(checked: Checked) -> AnyPlan: ...
@overload
def lower(checked: CheckedPipeline) -> PipelinePlan: ...
@overload
def lower(checked: Checked | CheckedPipeline) -> AnyPlan | PipelinePlan: ...
def lower(checked: Checked | CheckedPipeline) -> AnyPlan | PipelinePlan:
    """Do all arithmetic: what holds becomes the plan of what is run."""
    return lower_pipeline(checked) if isinstance(checked, CheckedPipeline) else lower_spec(checked)


def emit(plan: AnyPlan | PipelinePlan) -> Bundle:
    """Write the files of a run or of a pipeline, in memory."""
    return emit_pipeline(plan) if isinstance(plan, PipelinePlan) else emit_bundle(plan)


def check_spec(
    reader: Reader, logical: str, overrides: Sequence[str] = (), progress: Progress | None = None
) -> Checked:
    """``check`` of a run or a sweep. Raises ``Rejected``, of a pipeline too."""
    return _check_run(reader, load_spec(reader, logical, overrides), progress)


def plan_spec(reader: Reader, logical: str, overrides: Sequence[str] = ()) -> AnyPlan:
    """``check_spec``, then ``lower``: the plan of a run, or of a sweep's first point. Raises ``Rejected``."""
    return lower_spec(check_spec(reader, logical, overrides))


def resolve_key(reader: Reader, logical: str, overrides: Sequence[str], path: Path) -> tuple[Resolved, Path]:
    """The resolved spec that has ``path``, and the key there, not validated. Raises ``Rejected``.

    ``stages.pretrain.training.seed`` is the key ``training.seed`` of the pipeline's stage ``pretrain``.
    """
    graph = load_spec(reader, logical, overrides)
    if not declares_stages(graph):
        return _resolve_run(reader, graph), path
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
        raise Rejected([is_a_pipeline(graph)])
    return with_user_code(reader, resolve_graph(graph))
