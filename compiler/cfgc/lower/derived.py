"""Values that no layer gave and the plan needs: each a key of the spec, with the arithmetic that made it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.lower.plan import Plan
from cfgc.packing.changes import NAME as PATCH
from cfgc.schema.spec import Spec

if TYPE_CHECKING:
    from cfgc.lower.plan import AnyPlan, NodePath
    from cfgc.schema.spec import AnySpec

Derived = tuple[str, object, str]
"""Dotted key, value, and how it follows."""


def derived_values(spec: AnySpec, plan: AnyPlan) -> Iterator[Derived]:
    """Derived keys, of training first."""
    if isinstance(spec, Spec) and isinstance(plan, Plan):
        yield from _of_training(spec, plan)
    yield from _shared(spec, plan)


def _of_training(spec: Spec, plan: Plan) -> Iterator[Derived]:
    yield from _model(spec, plan)
    if spec.launch.watchdog is None:
        yield "launch.watchdog", plan.launch.watchdog_s, f"launch.timeout {plan.topology.timeout_s} // 2"
    yield from _training(spec, plan)
    if spec.data.shuffle_seed is None:
        yield "data.shuffle_seed", plan.data.shuffle_seed, "experiment.seed"
    if spec.deepspeed.communication_data_type is None:
        yield "deepspeed.communication_data_type", plan.precision, "training.precision"
    if spec.evaluation.micro_batch_size is None:
        yield "evaluation.micro_batch_size", plan.evaluation.micro_batch_size, "training.micro_batch_size"


def _shared(spec: AnySpec, plan: AnyPlan) -> Iterator[Derived]:
    yield from _ending(spec, plan)
    yield from _package(spec, plan)
    if spec.launch.run_dir is None:
        yield "launch.run_dir", _path(plan.launch.run_dir), "runs/ and experiment.name"
    if spec.cluster.cpus_per_task is None:
        ranks = plan.topology.ranks_per_node // plan.slurm.tasks_per_node
        reason = f"ranks {ranks} × threads {plan.launch.threads_per_rank}"
        yield "cluster.cpus_per_task", plan.slurm.cpus_per_task, reason


def _package(spec: AnySpec, plan: AnyPlan) -> Iterator[Derived]:
    archive, said = plan.archive, spec.package
    if archive.commit and not archive.changed and said.commit is None:
        yield "package.commit", archive.commit, "the newest that changed what is packed"
    if plan.package.sha256 and said.sha256 is None:
        of = f": commit {archive.commit} and {PATCH}" if archive.changed else ""
        yield "package.sha256", plan.package.sha256, f"what is packed{of}"


def _ending(spec: AnySpec, plan: AnyPlan) -> Iterator[Derived]:
    launch = spec.launch
    known = " + ".join(f"launch.{name}" for name in ("step_time", "save_time") if getattr(launch, name) is not None)
    both = launch.step_time is not None and launch.save_time is not None
    least = "whole minutes" if both else "at least five minutes" if known else "five minutes"
    if launch.signal_lead is None:
        clock = f"{known} + a minute for Slurm's clock, " if known else ""
        yield "launch.signal_lead", plan.launch.signal_lead_s, clock + least
    if launch.shutdown_grace is None:
        yield "launch.shutdown_grace", plan.launch.shutdown_grace_s, f"{known}, {least}" if known else least
    if spec.cluster.requeue is None:
        yield "cluster.requeue", plan.slurm.requeue, "not cluster.chain"


def _model(spec: Spec, plan: Plan) -> Iterator[Derived]:
    model = plan.model
    if model.kind != "decoder":
        return
    if spec.model.num_kv_heads is None:
        yield "model.num_kv_heads", model.num_kv_heads, "model.num_heads"
    if spec.model.intermediate_size is None:
        hidden = model.hidden_size
        reason = f"8/3 × {hidden}, rounded up to a multiple of 64" if model.activation == "swiglu" else f"4 × {hidden}"
        yield "model.intermediate_size", model.intermediate_size, reason


def _training(spec: Spec, plan: Plan) -> Iterator[Derived]:
    batch, copies = plan.batch, plan.topology.data_parallel
    size, micro, accumulation = (
        batch.global_batch_size,
        batch.micro_batch_size,
        batch.gradient_accumulation_steps,
    )
    said = spec.training
    if said.optimizer.momentum is None and said.optimizer.type in ("sgd", "muon"):
        yield "training.optimizer.momentum", plan.optimizer.momentum, f"training.optimizer.type {said.optimizer.type}"
    if said.max_steps is None:
        reason = f"{said.max_epochs} × ({spec.data.max_train_samples} // {size})"
        yield "training.max_steps", plan.schedule.max_steps, reason
    if said.global_batch_size is None:
        yield "training.global_batch_size", size, f"{micro} × {accumulation} × {copies}"
    if said.micro_batch_size is None:
        yield "training.micro_batch_size", micro, f"{size} / ({accumulation} × {copies})"
    if said.gradient_accumulation_steps is None:
        yield "training.gradient_accumulation_steps", accumulation, f"{size} / ({micro} × {copies})"


def _path(path: NodePath) -> object:
    """As a spec writes it."""
    match path.base:
        case "env":
            return {"env": path.name, "path": path.path}
        case "stdlib":
            return {"stdlib": True, "path": path.path}
        case _:
            return path.path
