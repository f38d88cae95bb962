"""Master weights, gradients and optimizer states that are kept in 16 bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, path_of
from cfgc.deepspeed.rules.facts import (
    STAGE,
    cpu_adam,
    device_key,
    flag_at,
    offload_at,
    offload_of,
    precision_at,
    precision_of,
    stage_at,
    stage_of,
    zero_name,
)
from cfgc.deepspeed.rules.offload import optimizer_at, own_adam
from cfgc.deepspeed.rules.remedy import drop, put, told

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

FP16_MASTER, BF16_MASTER = "fp16.fp16_master_weights_and_grads", "bf16.bf16_master_weights_and_grads"
STATES = "bf16.bf16_optimizer_states"


def master_weights_are_possible(case: Case) -> Iterator[Diagnostic]:
    """CFG570: what is asked to be kept in 16 bits can be."""
    masters = [key for key in (FP16_MASTER, BF16_MASTER) if flag_at(case, key) is True]
    for key in [*masters, *((STATES,) if flag_at(case, STATES) is True else ())]:
        found = next(_wrong_stage(case, key), None)
        if found:
            yield found
            return
    if flag_at(case, STATES) is True and flag_at(case, BF16_MASTER) is False:
        yield _states_alone(case, STATES, BF16_MASTER)
    elif len(masters) == 2:
        yield _both(case, masters)
    elif masters:
        yield from _without_offload(case, masters[0], flag_at(case, STATES))


def _wrong_stage(case: Case, key: str) -> Iterator[Diagnostic]:
    allowed = (1, 2, 3) if case.since("0.18.3") else (2,)
    stage, where = stage_of(case), "stages 1 to 3" if len(allowed) > 1 else "stage 2"
    if stage is None or stage in allowed:
        return
    yield case.error(
        "CFG570",
        f"`{key}` does not work at {zero_name(stage)}",
        [At(key, "kept in 16 bits"), stage_at(case)],
        (f"DeepSpeed {case.release.version} takes it at {where}, and refuses others when it reads the file",),
        *told([drop(case, key), put(case, STAGE, 2)]),
    )


def _states_alone(case: Case, states: str, master: str) -> Diagnostic:
    return case.error(
        "CFG570",
        f"`{states}` needs `{master}`",
        [At(states, "the optimizer's states in bf16"), At(master, "master weights in fp32")],
        ("DeepSpeed refuses it when it reads the file",),
        *told([put(case, master, True), drop(case, STATES)]),
    )


def _both(case: Case, masters: list[str]) -> Diagnostic:
    other = masters[1] if precision_of(case) == "fp16" else masters[0]
    return case.error(
        "CFG570",
        "master weights cannot be kept in fp16 and in bf16",
        [At(key, "kept in 16 bits") for key in masters],
        ("DeepSpeed stops when it builds the optimizer",),
        *told([drop(case, other)]),
    )


def _without_offload(case: Case, key: str, states: bool | None) -> Iterator[Diagnostic]:
    """The CPU Adam updates 16-bit master weights; only optimizer states in bf16 too do without."""
    device = offload_of(case, "optimizer")
    if device is None or states is None or (states and device == "none"):
        return
    notes = ("only DeepSpeed's CPU Adam updates 16-bit master weights; it stops when it builds the optimizer",)
    if device == "none":
        yield case.error(
            "CFG570",
            f"`{key}` needs an offloaded optimizer",
            [At(key, "kept in 16 bits"), offload_at(case, "optimizer", "nothing is offloaded")],
            notes,
            *told([drop(case, key), put(case, device_key("optimizer"), "cpu")]),
        )
    elif cpu_adam(case) is False:
        yield case.error(
            "CFG570",
            f"`{key}` needs DeepSpeed's CPU Adam",
            [At(key, "kept in 16 bits"), optimizer_at(case)],
            notes,
            *told([own_adam(case), drop(case, key)]),
        )


def update_is_immediate(case: Case) -> Iterator[Diagnostic]:
    """CFG530: only the optimizer of bf16 with fp32 gradients reads ``immediate_grad_update``."""
    key = "bf16.immediate_grad_update"
    known = case.release.key(path_of(key))
    if flag_at(case, key) is not True or stage_of(case) in (None, 1) or case.written("pipeline"):
        return
    if known is None or known.default is True:
        return
    if precision_of(case) is None or (stage_of(case) == 0 and not case.since("0.18.5")):
        return
    yield case.warning(
        "CFG530",
        f"`{key}` has no effect here",
        [At(key, "has no effect"), precision_at(case), stage_at(case)],
        ("it is read at stage 1 with gradients summed up in fp32, and by pipelines",),
        *told([drop(case, key)]),
    )


RULES = (master_weights_are_possible, update_is_immediate)
