"""What the run reports, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc.lower import plan
from cfgc.schema.trackers import is_on

if TYPE_CHECKING:
    from cfgc.schema.spec import Spec


def tracking(spec: Spec, topology: plan.Topology, estimate: plan.Estimate) -> plan.Tracking:
    """Everything that is written while training."""
    said = spec.tracking
    return plan.Tracking(
        log_every_steps=said.log_every_steps,
        log_level=said.log_level,
        csv=said.csv,
        tensorboard=said.tensorboard,
        wandb=_wandb(spec),
        mlflow=_mlflow(spec),
        flops_per_token=estimate.flops_per_token,
        peak_flops=_peak(spec, topology, estimate),
    )


def _peak(spec: Spec, topology: plan.Topology, estimate: plan.Estimate) -> float:
    """FLOP/s of all devices: the known peak is that of bf16, which fp16 shares and fp32 does not."""
    if spec.training.precision not in ("bf16", "fp16"):
        return 0.0
    return estimate.peak_tflops * 1e12 * topology.world_size


def _wandb(spec: Spec) -> plan.Wandb:
    said = spec.tracking.wandb
    return plan.Wandb(
        enabled=is_on(said),
        mode=said.mode or "online",
        project=said.project or spec.experiment.name,
        entity=said.entity or "",
        group=said.group or "",
        name=said.name or "",
    )


def _mlflow(spec: Spec) -> plan.Mlflow:
    said = spec.tracking.mlflow
    return plan.Mlflow(is_on(said), said.uri or "", said.experiment or spec.experiment.name, said.name or "")
