"""What DeepSpeed makes of a ds_config beyond its keys: each a small function with one code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from cfgc.deepspeed.rules import (
    accumulation,
    activation,
    amp,
    batch,
    clipping,
    compile_passes,
    compiling,
    curriculum,
    elasticity,
    experts,
    features,
    groups,
    loss_scale,
    magnitudes,
    master_weights,
    offload,
    offload_keys,
    optimizer,
    parallel,
    parameter_values,
    parameters,
    precision,
    reports,
    saving,
    scaling,
    schedule_values,
    scheduler,
    sharing,
    sizes,
    stages,
    superoffload,
    switches,
    tuning,
    unread,
    values,
    zenflow,
    zero,
    zeropp,
)

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

Rule: TypeAlias = "Callable[[Case], Iterator[Diagnostic]]"
"""It yields what it finds, and never raises, whatever the config holds."""

RULES: tuple[Rule, ...] = (
    *stages.RULES,
    *zero.RULES,
    *sizes.RULES,
    *offload.RULES,
    *offload_keys.RULES,
    *precision.RULES,
    *master_weights.RULES,
    *scaling.RULES,
    *loss_scale.RULES,
    *accumulation.RULES,
    *zeropp.RULES,
    *zenflow.RULES,
    *features.RULES,
    *superoffload.RULES,
    *compiling.RULES,
    *compile_passes.RULES,
    *unread.RULES,
    *elasticity.RULES,
    *batch.RULES,
    *optimizer.RULES,
    *parameters.RULES,
    *parameter_values.RULES,
    *scheduler.RULES,
    *schedule_values.RULES,
    *groups.RULES,
    *magnitudes.RULES,
    *clipping.RULES,
    *activation.RULES,
    *parallel.RULES,
    *sharing.RULES,
    *experts.RULES,
    *curriculum.RULES,
    *values.RULES,
    *switches.RULES,
    *tuning.RULES,
    *reports.RULES,
    *saving.RULES,
    *amp.RULES,
)
"""Every rule; what they find is sorted by place."""
