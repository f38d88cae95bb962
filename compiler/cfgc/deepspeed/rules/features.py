"""SuperOffload, DeepCompile, Muon, the hybrid engine, GPUDirect Storage: what they go with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At
from cfgc.deepspeed.rules.facts import (
    OPTIMIZER_TYPE,
    STAGE,
    ZERO,
    device_key,
    flag_at,
    has_bf16_optimizer,
    offload_at,
    offload_of,
    stage_at,
    stage_of,
    zero_name,
)
from cfgc.deepspeed.rules.remedy import Remedy, drop, put, told
from cfgc.deepspeed.wording import count

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

SUPER = f"{ZERO}.offload_optimizer.super_offload"
SCATTER, QUANTIZED = f"{ZERO}.reduce_scatter", f"{ZERO}.zero_quantized_gradients"
GDS, TENSOR = "aio.use_gds", "tensor_parallel.autotp_size"
HYBRID, GRAPH, SHARDS = "hybrid_engine.enabled", "hybrid_engine.enable_cuda_graph", "hybrid_engine.inference_tp_size"


def super_offload_is_possible(case: Case) -> Iterator[Diagnostic]:
    """CFG576: SuperOffload is ZeRO-3 with Adam's states in the memory of a CPU next to a CUDA GPU."""
    stage, device, kind = stage_of(case), offload_of(case, "optimizer"), case.text(OPTIMIZER_TYPE)
    if flag_at(case, SUPER) is not True or stage is None:
        return
    if stage != 3:
        why = "other stages ignore it without a word"
        yield _no_super(case, f"needs ZeRO-3, and this is {zero_name(stage)}", stage_at(case), why, put(case, STAGE, 3))
    elif device == "none":
        place = offload_at(case, "optimizer", "nothing is offloaded")
        why = "DeepSpeed fails at the first step"
        yield _no_super(case, "offloads nothing", place, why, put(case, device_key("optimizer"), "cpu"))
    elif case.device == "cpu":
        why = "DeepSpeed stops when it builds the optimizer"
        yield _no_super(case, "needs CUDA", At(device_key("optimizer")), why, drop(case, SUPER))
    elif case.written(OPTIMIZER_TYPE) and kind and kind.lower() not in ("adam", "adamw"):
        place = At(OPTIMIZER_TYPE, "not Adam")
        why = "the worker on the CPU is an Adam, and asks the optimizer for `betas` and `eps`"
        yield _no_super(case, "needs Adam", place, why, put(case, OPTIMIZER_TYPE, "AdamW"))


def _no_super(case: Case, what: str, place: At, why: str, remedy: Remedy) -> Diagnostic:
    leave = drop(case, SUPER)
    return case.error(
        "CFG576",
        f"SuperOffload {what}",
        [At(SUPER, "SuperOffload"), *([place] if place.text else ())],
        (why,),
        *told([leave, *([remedy] if remedy != leave else ())]),
    )


def muon_meets_its_gradients(case: Case) -> Iterator[Diagnostic]:
    """CFG578: at stage 3 Muon needs whole gradients on every rank."""
    kind = case.text(OPTIMIZER_TYPE)
    if stage_of(case) != 3 or not case.since("0.18.9") or not kind or kind.lower() != "muon":
        return
    if flag_at(case, QUANTIZED) is True:
        places, remedy = [At(QUANTIZED, "exchanged in pieces"), At(OPTIMIZER_TYPE, "Muon")], drop(case, QUANTIZED)
    elif flag_at(case, SCATTER, default=True) is True:
        places, remedy = [At(OPTIMIZER_TYPE, "Muon"), At(SCATTER, "gives every rank a part")], put(case, SCATTER, False)
    else:
        return
    what = "quantized gradients" if places[0].dotted == QUANTIZED else "reduce-scatter"
    yield case.error(
        "CFG578",
        f"Muon does not work with {what} at ZeRO-3",
        [*places, stage_at(case)],
        ("it orthogonalizes whole matrices of gradients; DeepSpeed stops when it builds the optimizer",),
        *told([remedy, put(case, OPTIMIZER_TYPE, "AdamW")]),
    )


def muon_has_whole_matrices(case: Case) -> Iterator[Diagnostic]:
    """CFG578: Muon under the optimizer for bf16 weights and fp32 sums knows no shards of layers."""
    kind, shards = case.text(OPTIMIZER_TYPE), case.integer(TENSOR)
    if not case.since("0.19.8") or not kind or kind.lower() != "muon" or not has_bf16_optimizer(case):
        return
    if shards is None or shards < 2:
        return
    yield case.error(
        "CFG578",
        "Muon does not work with tensor parallelism at ZeRO-1 in bf16 with fp32 sums",
        [At(TENSOR, "splits matrices"), At(OPTIMIZER_TYPE, "Muon"), stage_at(case)],
        ("DeepSpeed's own bf16 optimizer takes Muon without tensor parallelism only, and stops when it is built",),
        *told([put(case, STAGE, 2), drop(case, TENSOR)]),
    )


def direct_storage_has_cuda(case: Case) -> Iterator[Diagnostic]:
    """CFG579: GPUDirect Storage reads from a disk into a CUDA GPU."""
    if flag_at(case, GDS) is not True or case.device not in ("", "cpu"):
        return
    said = case.error if case.device == "cpu" else case.warning
    yield said(
        "CFG579",
        f"`{GDS}` works with CUDA only",
        [At(GDS, "GPUDirect Storage")],
        ("DeepSpeed refuses it on any other device when it reads the file, also where nothing trains",),
        *told([drop(case, GDS)]),
    )


def hybrid_engine_is_possible(case: Case) -> Iterator[Diagnostic]:
    """CFG532: options of the hybrid engine that another setting rules out."""
    if flag_at(case, HYBRID) is not True:
        return
    shards, world = case.integer(SHARDS), case.world_size
    if shards and shards > 1 and world and world % shards:
        yield case.error(
            "CFG532",
            f"{count(world, 'rank')} cannot generate in groups of {shards}",
            [At(SHARDS, f"groups of {shards}")],
            ("ranks that are left over are in no group, and fail when they generate",),
            *told([put(case, SHARDS, 1)]),
        )
    blocked = next(_without_graphs(case, shards), None)
    if flag_at(case, GRAPH) is True and blocked:
        yield case.warning(
            "CFG532",
            f"`{GRAPH}` has no effect {blocked[0]}",
            [At(GRAPH, "has no effect"), *([blocked[1]] if blocked[1].text else ())],
            ("DeepSpeed says so in its log, and runs without CUDA graphs",),
            *told([drop(case, GRAPH)]),
        )


def _without_graphs(case: Case, shards: int | None) -> Iterator[tuple[str, At]]:
    release = "hybrid_engine.release_inference_cache"
    if case.device == "cpu":
        yield "without CUDA", At(GRAPH)
    if stage_of(case) == 3:
        yield "at ZeRO-3", stage_at(case)
    if flag_at(case, release) is True:
        yield "when the cache is released", At(release, "frees what a graph writes to")
    if shards and shards > 1:
        yield "over several ranks", At(SHARDS, f"groups of {shards}")


RULES = (
    hybrid_engine_is_possible,
    super_offload_is_possible,
    muon_meets_its_gradients,
    muon_has_whole_matrices,
    direct_storage_has_cuda,
)
