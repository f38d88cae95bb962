"""PLAN.md of a pipeline: the chain, what passes along it, and how to start it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass

from cfgc.emit.cost_md import gpu_hours, in_gpu_hours, most_attempts, wall_time_limit
from cfgc.emit.markdown import code, counted, shown_path, table, text
from cfgc.emit.unusual_md import unusual_of_stages
from cfgc.lower.plan import NodePath, TaskPlan
from cfgc.stages.layer import FOLDER
from cfgc.stages.pipeline import PipelinePlan, StagePlan


def pipeline_md(plan: PipelinePlan, digest: str) -> str:
    """The text of PLAN.md."""
    parts: list[Sequence[str]] = [[f"# {plan.name} · {counted(len(plan.stages), 'stage')}"]]
    if plan.description:
        parts.append([text(plan.description)])
    parts += [_chain(plan), _stages(plan), _unusual(plan), _passing(plan), _starting(plan)]
    parts += [_paths(plan), _inputs(plan, digest)]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _chain(plan: PipelinePlan) -> list[str]:
    """Each stage below those that it needs."""
    width = max(len(stage.name) for stage in plan.stages)
    lines = [f"{stage.name:<{width}}  {_arrow(stage)}".rstrip() for stage in plan.stages]
    return ["```", *lines, "```"]


def _arrow(stage: StagePlan) -> str:
    return f"◀── {', '.join(stage.needs)}" if stage.needs else ""


def _stages(plan: PipelinePlan) -> list[str]:
    rows = [
        (
            code(stage.name),
            kind_of(stage),
            _machine(stage),
            wall_time_limit(stage.plan),
            most_attempts(stage.plan),
            f"[PLAN.md]({FOLDER}/{stage.name}/PLAN.md)",
        )
        for stage in plan.stages
    ]
    lines = table(("stage", "does", "on", "wall-time limit", "attempts", "in full"), rows)
    hours = sum(gpu_hours(stage.plan) for stage in plan.stages)
    whole = f"All of them: {in_gpu_hours(hours)} when each takes one attempt of its whole time."
    return ["## Stages", "", *lines, *(["", whole] if hours else [])]


def _unusual(plan: PipelinePlan) -> list[str]:
    return unusual_of_stages({stage.name: stage.plan for stage in plan.stages}, plan.overrides, plan.warnings)


def _machine(stage: StagePlan) -> str:
    topology = stage.plan.topology
    hardware = text(topology.hardware) or topology.device
    return f"{counted(topology.nodes, 'node')} × {topology.ranks_per_node} × {hardware}"


def kind_of(stage: StagePlan) -> str:
    """``train``, ``evaluate``, ``export``, ``script`` or ``function``."""
    return stage.plan.task.kind if isinstance(stage.plan, TaskPlan) else stage.plan.work


def _passing(plan: PipelinePlan) -> list[str]:
    rows = [(code(stage.name), code(shown_path(path))) for stage in plan.stages for path in _read(stage.plan)]
    if not rows:
        return []
    return ["## What passes along", "", *table(("stage", "reads"), list(dict.fromkeys(rows)))]


def _read(part: object) -> Iterator[NodePath]:
    """Paths of other stages in ``part`` of a plan."""
    if isinstance(part, NodePath):
        if part.base in ("stage", "checkpoint"):
            yield part
    elif is_dataclass(part):
        for field in fields(part):
            yield from _read(getattr(part, field.name))
    elif isinstance(part, tuple):
        for item in part:
            yield from _read(item)


def _starting(plan: PipelinePlan) -> list[str]:
    several = next((stage.name for stage in plan.stages if stage.plan.topology.nodes > 1), "")
    local = f"not this pipeline: {code(several)} needs several nodes" if several else "`./launch.sh`"
    rows = (
        ("see what would be submitted", "`./submit.sh --dry-run`", "nothing is submitted"),
        ("start on Slurm", "`./submit.sh`", "one job a stage, each after those that it needs have finished well"),
        ("start on this machine", local, "one stage after the other"),
        ("go on after a failure", "the same command", "what has finished is not run again"),
        ("run one stage alone", "the scripts in its directory", "with `--run-dir` as below"),
    )
    return ["## Start, and go on", "", *table(("to", "do", "note"), rows)]


def _paths(plan: PipelinePlan) -> list[str]:
    whole = shown_path(plan.run_dir)
    rows = [(code(stage.name), code(f"{whole}/{FOLDER}/{stage.name}")) for stage in plan.stages]
    return ["## Run directories on the node", "", *table(("stage", "where"), rows)]


def _inputs(plan: PipelinePlan, digest: str) -> list[str]:
    rows = [(code(item.logical), code(item.sha256[:12])) for item in plan.inputs]
    line = f"Compiled from {code(plan.root)}. Plan digest {code(digest[:19])}, in full in manifest.json."
    return ["## Inputs", "", line, "", *table(("file", "sha256"), rows)]
