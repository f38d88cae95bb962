"""``[deepspeed]``: how state is partitioned, offloaded and exchanged."""

from __future__ import annotations

from typing import Any, Literal

from cfgc.schema.field import Later, Section, numerics, part, resources
from cfgc.schema.values import Int, Path, Stage

_CPU = 'write `"cpu"` or `"none"`'


class Zero(Section):
    """ZeRO: what is partitioned over the data-parallel ranks."""

    stage: Stage = resources(
        0,
        "0 nothing, 1 optimizer state, 2 and gradients, 3 and parameters.",
        why="It decides which rank holds what: memory and speed. Sums round otherwise.",
        unit="stage",
    )
    overlap_comm: bool = resources(
        False,
        "Reduce gradients while the backward pass goes on.",
        why="The same sums are made while something else goes on.",
    )
    contiguous_gradients: bool = resources(
        True, "Copy gradients to one buffer as they appear.", why="The same gradients lie elsewhere in memory."
    )
    reduce_scatter: bool = resources(
        True, "Reduce-scatter gradients instead of all-reduce.", why="The same sums arrive by another collective."
    )
    allgather_partitions: bool = resources(
        True,
        "All-gather updated parameters instead of broadcasts.",
        why="The same weights arrive by another collective.",
    )
    allgather_bucket_size: Int = resources(
        500_000_000,
        "Elements gathered at once.",
        why="The same weights arrive in other portions.",
        unit="elements",
        gt=0,
    )
    reduce_bucket_size: Int = resources(
        500_000_000, "Elements reduced at once.", why="The same sums are made in other portions.", unit="elements", gt=0
    )
    round_robin_gradients: bool = resources(
        False,
        "Spread gradient copies over ranks when offloading.",
        why="The same gradients are copied in another order.",
    )
    sub_group_size: Int = resources(
        1_000_000_000,
        "Elements that the optimizer updates at once; 0 is one parameter.",
        why="The same updates are made in other portions.",
        unit="elements",
        ge=0,
    )
    stage3_prefetch_bucket_size: Int = resources(
        50_000_000,
        "Parameters fetched ahead.",
        why="The same weights are fetched sooner or later.",
        unit="elements",
        ge=0,
    )
    stage3_param_persistence_threshold: Int = resources(
        100_000,
        "Smaller parameters are not partitioned.",
        why="It decides which weights stay in memory.",
        unit="elements",
        ge=0,
    )
    stage3_max_live_parameters: Int = resources(
        1_000_000_000,
        "Parameters that may be gathered at a time.",
        why="It decides how long gathered weights stay in memory.",
        unit="elements",
        ge=0,
    )
    stage3_max_reuse_distance: Int = resources(
        1_000_000_000,
        "A parameter that is needed again sooner is not released.",
        why="It decides how long gathered weights stay in memory.",
        unit="elements",
        ge=0,
    )
    stage3_gather_16bit_weights_on_model_save: bool = resources(
        False, "Gather whole 16-bit weights when saving.", why="It decides what a save holds in memory."
    )


class Offload(Section):
    """State kept off the device."""

    optimizer: Literal["none", "cpu", "nvme"] = resources(
        "none",
        "Where the optimizer state lives.",
        why="The same state lies elsewhere; the CPU's update rounds otherwise.",
        later=Later("nvme", _CPU, ("none", "cpu")),
    )
    parameters: Literal["none", "cpu", "nvme"] = resources(
        "none",
        "Where partitioned parameters live.",
        why="The same weights lie elsewhere.",
        later=Later("nvme", _CPU, ("none", "cpu")),
    )
    pin_memory: bool = resources(False, "Use page-locked host memory.", why="The same bytes are copied faster.")
    ratio: float = resources(
        1.0,
        "Share of the optimizer state that is offloaded.",
        why="It decides how much lies elsewhere.",
        unit="ratio",
        ge=0,
        le=1,
    )
    nvme_path: Path | None = resources(
        None,
        "Directory on the local disk.",
        why="It is where the same bytes lie.",
        later=Later("nvme", "leave it out; host memory needs no path"),
    )


class Fp16(Section):
    """Loss scaling, for ``training.precision = "fp16"``."""

    loss_scale: float = numerics(
        0.0,
        "Fixed loss scale; 0 scales dynamically.",
        why="It moves what overflows and what vanishes in 16 bits.",
        unit="ratio",
        ge=0,
        le=2**32,
    )
    initial_scale_power: Int = numerics(
        16,
        "First dynamic scale, as a power of 2.",
        why="It decides which first steps overflow, and are skipped.",
        unit="bits",
        ge=0,
        le=32,
    )
    loss_scale_window: Int = numerics(
        1000,
        "Steps without overflow before the scale grows.",
        why="It decides which later steps overflow, and are skipped.",
        unit="steps",
        gt=0,
    )
    hysteresis: Int = numerics(
        2,
        "Overflows before the scale falls.",
        why="It decides how many steps are skipped before the scale falls.",
        unit="steps",
        gt=0,
    )
    min_loss_scale: float = numerics(
        1.0, "Smallest dynamic scale.", why="It decides where a falling scale ends.", unit="ratio", gt=0, le=2**32
    )


class DeepSpeed(Section):
    """Settings of the engine that have no better home."""

    zero: Zero = part(Zero(), "Partitioning.")
    offload: Offload = part(Offload(), "State kept off the device.")
    fp16: Fp16 = part(Fp16(), "Loss scaling.")
    communication_data_type: Literal["fp32", "bf16", "fp16"] | None = numerics(
        None,
        "Number format of gradient reductions. Absent: that of the training precision.",
        why="Sums of fewer bits round otherwise.",
    )
    prescale_gradients: bool = numerics(
        False,
        "Divide gradients before the reduction.",
        why="It moves what overflows and what vanishes in sums of 16 bits.",
    )
    gradient_predivide_factor: float = numerics(
        1.0,
        "Divides gradients before the reduction, the rest follows it; read only with `prescale_gradients = false`.",
        why="It moves what overflows and what vanishes in sums of 16 bits.",
        unit="ratio",
        gt=0,
        le=1e6,
    )
    wall_clock_breakdown: bool = resources(
        False,
        "Time each phase of a step; costs synchronisation.",
        why="Waiting for each phase costs time; nothing else is computed.",
    )
    raw: dict[str, Any] = numerics(
        {},
        "Keys copied to ds_config.json verbatim; needs `raw.reason`.",
        why="Each of its keys has the class that the key of DeepSpeed has; one that is not known may change anything.",
    )
