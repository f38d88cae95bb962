"""ZeRO and offloading, as DeepSpeed 0.19.8 executes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.memory import bytes_per_number
from cfgc.arithmetic.of_spec import world_of
from cfgc.validate.rules.finding import At, count, error, gib, is_default, warning

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

STAGE, DEVICE = "deepspeed.zero.stage", "hardware.device"
OPTIMIZER, PARAMETERS = "deepspeed.offload.optimizer", "deepspeed.offload.parameters"

READ_AT: dict[str, tuple[int, ...]] = {
    "overlap_comm": (1, 2, 3),
    "contiguous_gradients": (1, 2, 3),
    "reduce_scatter": (1, 2, 3),
    "allgather_partitions": (),
    "allgather_bucket_size": (1, 2),
    "reduce_bucket_size": (1, 2, 3),
    "round_robin_gradients": (1, 2),
    "sub_group_size": (3,),
    "stage3_prefetch_bucket_size": (3,),
    "stage3_param_persistence_threshold": (3,),
    "stage3_max_live_parameters": (3,),
    "stage3_max_reuse_distance": (3,),
    "stage3_gather_16bit_weights_on_model_save": (3,),
}
"""Stages whose optimizer is given the key (DeepSpeed 0.19.8, ``engine._configure_zero_optimizer``)."""


def zero_keys_are_read(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG501: a ZeRO key that was changed has an effect at the stage."""
    zero = spec.deepspeed.zero
    for name, stages in READ_AT.items():
        dotted = f"deepspeed.zero.{name}"
        if zero.stage in stages or is_default(dotted, getattr(zero, name)):
            continue
        yield warning(
            "CFG501",
            f"`{dotted}` has no effect at ZeRO-{zero.stage}",
            resolved,
            [At(dotted, "has no effect"), At(STAGE, f"ZeRO-{zero.stage}")],
            (_where_read(stages),),
            (f"drop `{name}`, or set `stage = {stages[-1]}`" if stages else f"drop `{name}`",),
        )


def _where_read(stages: tuple[int, ...]) -> str:
    if not stages:
        return "this release of DeepSpeed accepts it and reads it nowhere"
    *first, last = map(str, stages)
    several = f"stages {', '.join(first)} and {last}" if first else f"stage {last}"
    return f"it is read at {several}"


def parameter_offload_has_stage_3(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG502: only partitioned parameters can be offloaded."""
    stage = spec.deepspeed.zero.stage
    if spec.deepspeed.offload.parameters == "none" or stage == 3:
        return
    yield error(
        "CFG502",
        f"parameters cannot be offloaded at ZeRO-{stage}",
        resolved,
        [At(PARAMETERS, "offloads parameters"), At(STAGE, "parameters are not partitioned")],
        ("DeepSpeed would ignore it without a word, and keep the parameters on the device",),
        ('set `offload.parameters = "none"`, or `zero.stage = 3`',),
    )


def optimizer_offload_has_zero(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG503: only ZeRO moves the optimizer's state."""
    if spec.deepspeed.offload.optimizer == "none" or spec.deepspeed.zero.stage >= 1:
        return
    yield error(
        "CFG503",
        "the optimizer cannot be offloaded without ZeRO",
        resolved,
        [At(OPTIMIZER, "offloads the optimizer"), At(STAGE, "no ZeRO")],
        ("the state of a plain optimizer lives where the weights live",),
        ('set `zero.stage = 2`, or choose the overlay `zero = "2-offload"`',),
    )


def offload_ratio_is_whole(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG504: a part of the optimizer can be offloaded only with DeepSpeed's own CPU Adam."""
    ratio = spec.deepspeed.offload.ratio
    if ratio == 1.0:
        return
    yield error(
        "CFG504",
        f"{ratio:g} of the optimizer cannot be offloaded, only all or nothing",
        resolved,
        [At("deepspeed.offload.ratio", "a part"), At(OPTIMIZER, spec.deepspeed.offload.optimizer)],
        ("a part needs DeepSpeed's own CPU Adam, which compiles C++ on every node; a bundle uses torch's optimizer",),
        ("set `offload.ratio = 1.0`",),
    )


def pinned_memory_is_used(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG505: page-locked memory is for what is offloaded from a GPU."""
    offload = spec.deepspeed.offload
    offloads = "cpu" in (offload.optimizer, offload.parameters)
    if not offload.pin_memory or (offloads and spec.hardware.device == "cuda"):
        return
    reason = At(DEVICE, "a CPU has nothing to copy") if offloads else At(OPTIMIZER, "nothing is offloaded")
    yield warning(
        "CFG505",
        "`deepspeed.offload.pin_memory` has no effect here",
        resolved,
        [At("deepspeed.offload.pin_memory", "has no effect"), reason],
        (),
        ("drop `pin_memory`",),
    )


def offload_leaves_a_device(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG506: offloading from a CPU moves nothing."""
    offload = spec.deepspeed.offload
    if spec.hardware.device == "cuda" or "cpu" not in (offload.optimizer, offload.parameters):
        return
    key = OPTIMIZER if offload.optimizer == "cpu" else PARAMETERS
    yield warning(
        "CFG506",
        "offloading from a CPU to the CPU saves nothing",
        resolved,
        [At(key, "to the CPU"), At(DEVICE, "from the CPU")],
        ("it trains the same, with copies in between; useful to try a GPU spec without a GPU",),
        (f'set `{key.removeprefix("deepspeed.")} = "none"`',),
    )


def gradients_are_scaled_once(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG507: reduce-scatter at ZeRO-2 and 3 scales gradients itself."""
    said = spec.deepspeed
    if said.zero.stage < 2 or not said.zero.reduce_scatter:
        return
    changed = [
        At("deepspeed.prescale_gradients", "divides before the reduction") if said.prescale_gradients else None,
        At("deepspeed.gradient_predivide_factor", "another divisor") if said.gradient_predivide_factor != 1 else None,
    ]
    places = [place for place in changed if place]
    if not places:
        return
    yield error(
        "CFG507",
        f"gradients cannot be divided before the reduce-scatter of ZeRO-{said.zero.stage}",
        resolved,
        [*places, At(STAGE, f"ZeRO-{said.zero.stage}"), At("deepspeed.zero.reduce_scatter", "reduce-scatter")],
        ("DeepSpeed stops when it builds the optimizer: not yet supported with reduce scatter enabled",),
        (f"drop `{places[0].dotted.removeprefix('deepspeed.')}`, or set `zero.reduce_scatter = false`",),
    )


def pipeline_keeps_gradients(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG508: a pipeline accumulates gradients that ZeRO-2 and 3 would have given away."""
    stages, stage = spec.parallel.pipeline_parallel, spec.deepspeed.zero.stage
    if stages == 1 or stage < 2:
        return
    yield error(
        "CFG508",
        f"ZeRO-{stage} does not work with pipeline parallelism",
        resolved,
        [At("parallel.pipeline_parallel", count(stages, "pipeline stage")), At(STAGE, f"ZeRO-{stage}")],
        ("DeepSpeed's pipeline engine refuses every stage above 1",),
        ("set `zero.stage = 1`, or `pipeline_parallel = 1`",),
    )


def overlap_has_streams(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG509: a CPU has no streams to overlap."""
    if not spec.deepspeed.zero.overlap_comm or spec.hardware.device == "cuda":
        return
    yield warning(
        "CFG509",
        "communication does not overlap on a CPU",
        resolved,
        [At("deepspeed.zero.overlap_comm", "has no effect"), At(DEVICE, "no streams")],
        (),
        ("set `overlap_comm = false`",),
    )


def offload_has_contiguous_gradients(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG510: with the optimizer offloaded, DeepSpeed makes gradients contiguous whatever is said."""
    said = spec.deepspeed
    if said.zero.contiguous_gradients or said.offload.optimizer == "none" or said.zero.stage not in (1, 2):
        return
    yield error(
        "CFG510",
        "an offloaded optimizer needs contiguous gradients",
        resolved,
        [At("deepspeed.zero.contiguous_gradients", "would be ignored"), At(OPTIMIZER, "offloads the optimizer")],
        ("DeepSpeed turns them on by itself, so that the bundle would not say what happens",),
        ("set `contiguous_gradients = true`",),
    )


def communication_keeps_precision(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG513: gradients are reduced in their own format or a wider one."""
    used, precision = spec.deepspeed.communication_data_type, spec.training.precision
    if used in (None, "fp32", precision):
        return
    yield warning(
        "CFG513",
        f"gradients of {precision} training are reduced in {used}",
        resolved,
        [At("deepspeed.communication_data_type", used), At("training.precision", precision)],
        ("fp16 overflows above 65,504, bf16 keeps 8 bits of a number",),
        ("drop `communication_data_type`; it follows the precision",),
    )


def buckets_fit(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG514: buckets are a small part of the device's memory."""
    zero, capacity = spec.deepspeed.zero, spec.hardware.memory
    if zero.stage == 0 or capacity == 0:
        return
    buffers = 2 if zero.overlap_comm else 1
    width = bytes_per_number(spec.training.precision)
    size = zero.reduce_bucket_size * width * buffers
    if size <= capacity // 4:
        return
    fitting = leading_digit(max(1, capacity // 20 // width // buffers))
    yield warning(
        "CFG514",
        f"gradient buckets take {gib(size)} of the {gib(capacity)} on each device",
        resolved,
        [
            At("deepspeed.zero.reduce_bucket_size", f"{zero.reduce_bucket_size:,} numbers"),
            At("hardware.memory", gib(capacity)),
        ],
        (f"{count(buffers, 'buffer')} of {zero.reduce_bucket_size:,} × {width} bytes",),
        (f"set `reduce_bucket_size = {fitting:_}`",),
    )


def leading_digit(number: int) -> int:
    """``429_496_729`` as ``400_000_000``."""
    unit: int = 10 ** (len(str(number)) - 1)
    return number // unit * unit


def zero_has_ranks(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG515: there is somebody to share the state with."""
    stage, offload = spec.deepspeed.zero.stage, spec.deepspeed.offload
    if stage == 0 or world_of(spec) > 1 or "cpu" in (offload.optimizer, offload.parameters):
        return
    yield warning(
        "CFG515",
        f"ZeRO-{stage} over one rank partitions nothing",
        resolved,
        [At(STAGE, f"ZeRO-{stage}"), At("launch.gpus_per_node", "one rank in all")],
        ("it costs time and, without offloading, saves no memory",),
        ("set `zero.stage = 0`, or start more ranks",),
    )
