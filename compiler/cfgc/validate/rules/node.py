"""What a node is asked to do for its ranks: bind them to CPUs, build what they load."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.schema.spec import TaskSpec
from cfgc.validate.rules.finding import At, count, error

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec

BINDING, OPS = "launch.cpu_binding", "launch.build_ops"

GPU_OPS = frozenset({"fused_lamb", "fused_lion", "quantizer"})
"""What DeepSpeed has for GPUs alone; the others exist for its CPU accelerator too."""


def ranks_have_cores(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG625: ranks that are bound to CPUs of their own have one each."""
    asked, ranks = spec.cluster.cpus_per_task, spec.launch.gpus_per_node
    if spec.launch.cpu_binding == "none" or spec.launch.launcher == "srun" or asked is None or asked >= ranks:
        return
    yield error(
        "CFG625",
        f"{count(ranks, 'rank')} cannot be bound to {count(asked, 'CPU')} on each node",
        resolved,
        [
            At("cluster.cpus_per_task", count(asked, "CPU")),
            At("launch.gpus_per_node", count(ranks, "rank")),
            At(BINDING, "one share for each rank"),
        ],
        (f"{count(ranks, 'rank')} × {spec.launch.threads_per_rank} = {ranks * spec.launch.threads_per_rank} threads",),
        (f"set `cpus_per_task = {ranks * spec.launch.threads_per_rank}`, or drop it: it follows",),
    )


def ops_have_a_device(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG613: DeepSpeed has the op for the device."""
    for place, op in enumerate(spec.launch.build_ops):
        if op not in GPU_OPS or spec.hardware.device == "cuda":
            continue
        yield error(
            "CFG613",
            f"DeepSpeed has no `{op}` for a CPU",
            resolved,
            [At(OPS, "for GPUs alone", (place,)), At("hardware.device", "no GPU")],
            (),
            (f"drop `{op}` from `build_ops`, or choose GPU hardware",),
        )


def ops_have_deepspeed(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG626: what builds the ops is on the node."""
    if not spec.launch.build_ops or not isinstance(spec, TaskSpec) or spec.task.uses_deepspeed:
        return
    yield error(
        "CFG626",
        "a task without DeepSpeed has no ops of DeepSpeed to build",
        resolved,
        [At(OPS, "built by DeepSpeed"), At("task.uses_deepspeed", "it need not be installed")],
        (),
        ("set `uses_deepspeed = true`, or drop `build_ops`",),
    )
