"""Model states against the memory they live in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.memory import model_states
from cfgc.arithmetic.of_spec import memory_setting_of
from cfgc.validate.rules.finding import At, count, error, gib, warning

if TYPE_CHECKING:
    from cfgc.arithmetic.memory import States
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

STAGE, MEMORY = "deepspeed.zero.stage", "hardware.memory"

LITTLE_ROOM = 0.85
"""Share of the memory beyond which activations, buckets and fragments have little left."""


def states_fit_the_device(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG445: weights, gradients and optimizer fit, before any activation."""
    states, capacity = model_states(memory_setting_of(spec)), spec.hardware.memory
    if capacity == 0 or states.device_total <= capacity:
        return
    yield error(
        "CFG445",
        f"the model states need {gib(states.device_total)} on each device, which has {gib(capacity)}",
        resolved,
        _places(spec, states),
        (_states_note(spec, states), "activations and communication buckets come on top"),
        (_way_out(spec, capacity),),
    )


def states_leave_room(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG446: something is left for activations."""
    states, capacity = model_states(memory_setting_of(spec)), spec.hardware.memory
    if capacity == 0 or not LITTLE_ROOM * capacity < states.device_total <= capacity:
        return
    yield warning(
        "CFG446",
        f"the model states leave {gib(capacity - states.device_total)} of {gib(capacity)} for activations and buckets",
        resolved,
        _places(spec, states),
        (_states_note(spec, states),),
        (_way_out(spec, int(LITTLE_ROOM * capacity)),),
    )


def states_fit_the_node(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG447: what is offloaded fits in the memory that the job asks for."""
    states, asked = model_states(memory_setting_of(spec)), spec.cluster.memory_per_node
    need = states.host_bytes * spec.launch.gpus_per_node
    if asked == 0 or need <= asked:
        return
    yield error(
        "CFG447",
        f"the offloaded states need {gib(need)} on each node, and the job asks for {gib(asked)}",
        resolved,
        [
            At("cluster.memory_per_node", gib(asked)),
            At("deepspeed.offload.optimizer", "in the node's memory"),
            At("launch.gpus_per_node", count(spec.launch.gpus_per_node, "rank")),
        ],
        (f"{gib(states.host_bytes)} a rank × {count(spec.launch.gpus_per_node, 'rank')} on each node",),
        ("set `cluster.memory_per_node = 0` for all of the node's memory, or start more nodes",),
    )


def _places(spec: Spec, states: States) -> list[At]:
    width = "model.hidden_size" if spec.model.kind == "decoder" else "model.config.hidden_size"
    return [
        At(STAGE, f"ZeRO-{spec.deepspeed.zero.stage}: {gib(states.device_total)} on each device"),
        At(MEMORY, f"{gib(spec.hardware.memory)} on each device"),
        At(width, f"{memory_setting_of(spec).parameters:,} parameters"),
    ]


def _states_note(spec: Spec, states: States) -> str:
    setting = memory_setting_of(spec)
    ranks = count(setting.shards, "rank")
    return (
        f"parameters {gib(states.parameter_bytes)} + gradients {gib(states.gradient_bytes)} + optimizer "
        f"{gib(states.optimizer_bytes)}, {setting.precision}, ZeRO-{setting.zero_stage} over {ranks}"
    )


def _way_out(spec: Spec, room: int) -> str:
    """The smallest stage that fits, else what else there is."""
    for stage in range(spec.deepspeed.zero.stage + 1, 4):
        need = model_states(memory_setting_of(spec, stage)).device_total
        if need <= room:
            return f'choose the overlay `zero = "{stage}"` (`deepspeed.zero.stage = {stage}`): {gib(need)} a device'
    if spec.deepspeed.offload.optimizer == "none":
        return 'choose the overlay `zero = "3-offload"`, more ranks or a smaller model; no stage alone is enough'
    return "use more ranks, larger devices or a smaller model; no ZeRO stage is enough"
