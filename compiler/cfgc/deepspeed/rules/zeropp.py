"""ZeRO++ (hpZ, qwZ, qgZ) and MiCS: groups of ranks, and quantized traffic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At
from cfgc.deepspeed.rules.facts import ZERO, flag_at, offload_at, offload_of, stage_of
from cfgc.deepspeed.rules.remedy import Remedy, drop, put, told
from cfgc.deepspeed.wording import count

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

HPZ, MICS = f"{ZERO}.zero_hpz_partition_size", f"{ZERO}.mics_shard_size"
WEIGHTS, GRADIENTS = f"{ZERO}.zero_quantized_weights", f"{ZERO}.zero_quantized_gradients"
SCATTER, AUTOCAST = f"{ZERO}.reduce_scatter", "torch_autocast.enabled"


def hpz_groups_are_whole(case: Case) -> Iterator[Diagnostic]:
    """CFG573: the ranks split into groups that each hold a copy of the weights."""
    size, world = case.integer(HPZ), case.world_size
    if stage_of(case) != 3 or not case.written(HPZ) or size is None or not world:
        return
    if size > world > 1:
        yield case.warning(
            "CFG573",
            f"there are only {count(world, 'rank')} for groups of {size}",
            [At(HPZ, f"groups of {size}")],
            ("DeepSpeed makes one group of all ranks, so that nothing is nearer than before",),
            *told([put(case, HPZ, _divisor(world, max(1, world // 2))), drop(case, HPZ)]),
        )
    if size <= 1 or world % min(size, world) == 0:
        return
    yield case.error(
        "CFG573",
        f"{count(world, 'rank')} cannot be split into groups of {size}",
        [At(HPZ, f"groups of {size}")],
        (f"{world} = {world // size} × {size} + {world % size}; it is best the number of GPUs of a node",),
        *told([put(case, HPZ, _divisor(world, size)), drop(case, HPZ)]),
    )


def _divisor(world: int, size: int) -> int:
    """The largest divisor of ``world`` that is not above ``size``."""
    return next(d for d in range(min(size, world), 0, -1) if world % d == 0)


def quantized_traffic_is_possible(case: Case) -> Iterator[Diagnostic]:
    """CFG574: nothing stands in the way of quantized weights or gradients."""
    stage = stage_of(case)
    if stage == 3 and flag_at(case, GRADIENTS) is True and flag_at(case, SCATTER, default=True) is False:
        yield _in_the_way(
            case,
            GRADIENTS,
            At(SCATTER, "no reduce-scatter"),
            "need reduce-scatter",
            "they are exchanged in its place; DeepSpeed stops when it builds the optimizer",
            put(case, SCATTER, True),
        )
    if flag_at(case, WEIGHTS) is not True:
        return
    if case.since("0.17.2") and flag_at(case, AUTOCAST) is True:
        yield _in_the_way(
            case,
            WEIGHTS,
            At(AUTOCAST, "torch's autocast"),
            "do not work with `torch_autocast`",
            "DeepSpeed stops when it builds the engine, at every stage",
            put(case, AUTOCAST, False),
        )
    elif stage == 3 and case.device == "cpu":
        yield case.error(
            "CFG574",
            "quantized weights need CUDA",
            [At(WEIGHTS, "quantized by CUDA kernels")],
            ("on a CPU the operator is not implemented, and DeepSpeed stops when it partitions the weights",),
            *told([drop(case, WEIGHTS)]),
        )


def _in_the_way(case: Case, key: str, place: At, what: str, why: str, without: Remedy) -> Diagnostic:
    name = "gradients" if key == GRADIENTS else "weights"
    return case.error(
        "CFG574",
        f"quantized {name} {what}",
        [At(key, f"quantized {name}"), place],
        (why,),
        *told([without, drop(case, key)]),
    )


def mics_groups_are_whole(case: Case) -> Iterator[Diagnostic]:
    """CFG535: MiCS, until 0.19.6, splits the ranks into whole groups, and keeps its shards on the device."""
    size, world = case.integer(MICS), case.world_size
    if case.since("0.19.7") or stage_of(case) != 3 or not case.written(MICS) or size is None or size <= 0 or not world:
        return
    if world % size:
        yield case.error(
            "CFG535",
            f"MiCS cannot split {count(world, 'rank')} into groups of {size}",
            [At(MICS, f"groups of {size}")],
            ("every group holds the whole model; DeepSpeed stops when it makes the groups",),
            *told([put(case, MICS, _divisor(world, size)), drop(case, MICS)]),
        )
    elif world > size and offload_of(case, "optimizer") in ("cpu", "nvme"):
        yield case.error(
            "CFG535",
            "MiCS does not work with an offloaded optimizer",
            [At(MICS, f"{world // size} groups"), offload_at(case, "optimizer")],
            ("gradients are summed between the groups on the device; DeepSpeed stops at the first step",),
            *told([drop(case, MICS), drop(case, f"{ZERO}.offload_optimizer")]),
        )


RULES = (mics_groups_are_whole, hpz_groups_are_whole, quantized_traffic_is_possible)
