"""Offloading: what moves, where to, and at which stage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At
from cfgc.deepspeed.rules.facts import (
    OPTIMIZER_TYPE,
    STAGE,
    ZERO,
    Side,
    cpu_adam,
    device_key,
    flag_at,
    offload_at,
    offload_of,
    offload_section,
    stage_at,
    stage_of,
    table_at,
    written_keys,
    zero_name,
)
from cfgc.deepspeed.rules.remedy import Remedy, drop, put, told
from cfgc.deepspeed.rules.stages import LAST, READ_AT
from cfgc.deepspeed.wording import leaf

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

SIDES: tuple[Side, ...] = ("optimizer", "param")
RATIO = f"{ZERO}.offload_optimizer.ratio"


def parameters_are_partitioned(case: Case) -> Iterator[Diagnostic]:
    """CFG502: only stage 3 partitions parameters, and only partitions are offloaded."""
    stage = stage_of(case)
    if stage in (None, 3) or offload_of(case, "param") not in ("cpu", "nvme"):
        return
    yield case.error(
        "CFG502",
        f"parameters cannot be offloaded at {zero_name(stage or 0)}",
        [offload_at(case, "param"), stage_at(case)],
        ("only ZeRO-3 partitions parameters; DeepSpeed ignores the section, and keeps them on every device",),
        *told(_without_parameters(case)),
    )


def _without_parameters(case: Case) -> tuple[Remedy, ...]:
    """Stage 3 first when the rest of the section is written for it."""
    keys = (leaf(key).removeprefix("stage3_") for key in written_keys(case, ZERO))
    dropped, third = drop(case, offload_section("param")), put(case, STAGE, 3)
    return (third, dropped) if any(READ_AT.get(key) == LAST for key in keys) else (dropped, third)


def optimizer_is_partitioned(case: Case) -> Iterator[Diagnostic]:
    """CFG503: only ZeRO moves the optimizer's state."""
    if stage_of(case) != 0 or offload_of(case, "optimizer") not in ("cpu", "nvme"):
        return
    yield case.error(
        "CFG503",
        "the optimizer cannot be offloaded without ZeRO",
        [offload_at(case, "optimizer"), stage_at(case)],
        ("the state of a plain optimizer stays with the weights; DeepSpeed's CPU Adam then fails at the first step",),
        *told([put(case, STAGE, 2), drop(case, offload_section("optimizer"))]),
    )


def ratio_is_possible(case: Case) -> Iterator[Diagnostic]:
    """CFG504: a part of the optimizer is offloaded only at stage 3, and with DeepSpeed's CPU Adam."""
    ratio, stage = case.number(RATIO), stage_of(case)
    if ratio is None or not 0 <= ratio < 1 or stage is None or not case.written(RATIO):
        return
    whole = put(case, RATIO, 1.0)
    if stage != 3:
        yield case.error(
            "CFG504",
            f"{ratio:g} of the optimizer cannot be offloaded at {zero_name(stage)}",
            [At(RATIO, "a part"), stage_at(case)],
            ("only ZeRO-3 splits the update between GPU and CPU; DeepSpeed refuses it when it reads the file",),
            *told([whole, put(case, STAGE, 3)]),
        )
    elif cpu_adam(case) is False and offload_of(case, "optimizer") in ("cpu", "nvme"):
        yield case.error(
            "CFG504",
            f"{ratio:g} of the optimizer cannot be offloaded with this optimizer",
            [At(RATIO, "a part"), optimizer_at(case)],
            ("a part needs DeepSpeed's own CPU Adam; it stops when it builds the optimizer",),
            *told([whole, own_adam(case)]),
        )


def optimizer_at(case: Case) -> At:
    """The place that makes the optimizer another one than DeepSpeed's CPU Adam."""
    torch_adam = "optimizer.params.torch_adam"
    if flag_at(case, torch_adam) is True:
        return At(torch_adam, "torch's Adam")
    return At(OPTIMIZER_TYPE, "not Adam")


def own_adam(case: Case) -> Remedy:
    """Have DeepSpeed's CPU Adam."""
    torch_adam = "optimizer.params.torch_adam"
    return drop(case, torch_adam) if flag_at(case, torch_adam) is True else put(case, OPTIMIZER_TYPE, "AdamW")


def nvme_has_a_path(case: Case) -> Iterator[Diagnostic]:
    """CFG560: what goes to NVMe has a directory there."""
    for side in SIDES:
        section = offload_section(side)
        path = f"{section}.nvme_path"
        if stage_of(case) != 3 or offload_of(case, side) != "nvme" or (table_at(case, section) or {}).get("nvme_path"):
            continue
        yield case.error(
            "CFG560",
            f"`{section}` goes to NVMe without a path",
            [offload_at(case, side), *([At(path, "no path")] if case.written(path) else ())],
            ("`nvme_path` is a directory of the node's own disk; DeepSpeed stops when it builds the optimizer",),
            *told([put(case, device_key(side), "cpu"), put(case, path, "/local_nvme")]),
        )


def nvme_is_reached(case: Case) -> Iterator[Diagnostic]:
    """CFG561: below stage 3 the optimizer goes to the CPU's memory, whatever device is named."""
    stage = stage_of(case)
    if stage not in (1, 2) or offload_of(case, "optimizer") != "nvme":
        return
    yield case.error(
        "CFG561",
        f"ZeRO-{stage} keeps an offloaded optimizer in the CPU's memory, not on NVMe",
        [offload_at(case, "optimizer"), stage_at(case)],
        ("only ZeRO-3 swaps to NVMe; at stages 1 and 2 DeepSpeed takes every device as the CPU, without a word",),
        *told([put(case, device_key("optimizer"), "cpu"), put(case, STAGE, 3)]),
    )


def offload_leaves_a_device(case: Case) -> Iterator[Diagnostic]:
    """CFG506: offloading from a CPU moves nothing."""
    sides: list[Side] = [side for side in SIDES if offload_of(case, side) == "cpu"]
    if case.device != "cpu" or not sides or not stage_of(case):
        return
    yield case.warning(
        "CFG506",
        "offloading from a CPU to the CPU saves nothing",
        [offload_at(case, side) for side in sides],
        ("it trains the same, with copies in between; useful to try a config for GPUs without one",),
        *told([drop(case, *(offload_section(side) for side in sides))]),
    )


RULES = (
    parameters_are_partitioned,
    optimizer_is_partitioned,
    ratio_is_possible,
    offload_leaves_a_device,
    nvme_has_a_path,
    nvme_is_reached,
)
