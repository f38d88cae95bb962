"""Ranks that share a model: whether they divide the world, and which kinds exclude each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.divisors import nearest_divisor
from cfgc.deepspeed.case import At, Case
from cfgc.deepspeed.rules.batch_sizes import ALONE_SINCE, DATA, SEQUENCE, whole
from cfgc.deepspeed.rules.facts import STAGE, stage_at, stage_of
from cfgc.deepspeed.rules.remedy import drop, put, told
from cfgc.deepspeed.wording import into, pair, unsplit
from cfgc.diagnostics.model import Fix

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

TENSOR, INNER = "tensor_parallel.autotp_size", "tensor_parallel.tp.tp_size"


def ranks_split(case: Case) -> Iterator[Diagnostic]:
    """CFG404: the ranks are a multiple of those that share one model, or one sequence.

    One rank is how a config is tried out, not what it is for.
    """
    world = case.world_size
    if world is None or world < 2:
        return
    for key, what in ((SEQUENCE, "share a sequence"), (TENSOR, "share every layer")):
        size = whole(case, key)
        if size is None or world % size == 0:
            continue
        near = nearest_divisor(world, size) or 1
        yield case.error(
            "CFG404",
            unsplit(world, f"{size}"),
            [At(key, f"{size} ranks {what}")],
            (f"{world} ÷ {size} leaves {world % size}",),
            (f"write {pair(key, near)}{into(key)}", f"or start {-(-world // size) * size} ranks"),
            (Fix((case.set(key, near),)),),
        )


def mesh_is_whole(case: Case) -> Iterator[Diagnostic]:
    """CFG530, CFG404: of the two keys that make a mesh of ranks neither is missing, and together they are all ranks."""
    data, sequence, world = whole(case, DATA), whole(case, SEQUENCE), case.world_size
    if case.written(DATA) and not case.written(SEQUENCE) and data:
        yield _without(case, DATA, SEQUENCE)
    elif case.written(SEQUENCE) and not case.written(DATA) and sequence and not case.since(ALONE_SINCE):
        yield _without(case, SEQUENCE, DATA)
    elif data and sequence and world and world > 1 and world % sequence == 0 and data * sequence != world:
        yield case.error(
            "CFG404",
            f"a mesh of {data} × {sequence} is {data * sequence} ranks, not {world}",
            [At(DATA, f"{data} groups"), At(SEQUENCE, f"{sequence} ranks share a sequence")],
            ("`deepspeed.initialize` stops where it makes the mesh",),
            (f"write {pair(DATA, world // sequence)}", f"or start {data * sequence} ranks"),
            (Fix((case.set(DATA, world // sequence),)),),
        )


def _without(case: Case, key: str, other: str) -> Diagnostic:
    return case.error(
        "CFG530",
        f"`{key}` has no effect without `{other}`",
        [At(key, "has no effect")],
        (f"`deepspeed.initialize` of {case.release.version} looks for both, and makes no mesh of one",),
        *told([drop(case, key)]),
    )


def pipeline_goes_with_zero(case: Case) -> Iterator[Diagnostic]:
    """CFG508: pipelines work with ZeRO 0 and 1."""
    entry, stage = case.config.get(("pipeline",)), stage_of(case)
    if entry is None or not entry.value or not isinstance(entry.value, dict) or stage is None or stage < 2:
        return
    remedies = [put(case, STAGE, 1), drop(case, "pipeline")]
    yield case.error(
        "CFG508",
        f"a pipeline does not work with ZeRO-{stage}",
        [
            stage_at(case, "gives gradients away after each micro batch"),
            At("pipeline", "sums those of many micro batches"),
        ],
        ("DeepSpeed's pipeline engine asserts a stage below 2; other engines do not read `pipeline`",),
        *told(remedies[::-1] if case.written("zero_optimization.offload_param") else remedies),
    )


def tensor_parallel_is_on(case: Case) -> Iterator[Diagnostic]:
    """CFG593: the two sizes of tensor parallelism agree, and the one that switches it on is there."""
    inner, outer = case.integer(INNER), case.integer(TENSOR)
    if not case.written(INNER) or inner is None or inner < 2 or outer is None:
        return
    if outer in (0, 1):
        yield case.error(
            "CFG593",
            "tensor parallelism is not on: `autotp_size` is what switches it on",
            [At(INNER, "read only when it is on"), At(TENSOR, "off")],
            ("DeepSpeed trains without it, and without a word",),
            (f"write {pair(TENSOR, inner)} in `tensor_parallel`", "or leave `tp_size` out"),
            (Fix((case.set(TENSOR, inner),)), Fix((case.drop(INNER),))),
        )
    elif outer > 1 and inner != outer and case.since("0.18.6"):
        yield case.error(
            "CFG593",
            "the two sizes of tensor parallelism differ",
            [At(INNER, str(inner)), At(TENSOR, str(outer))],
            ("DeepSpeed stops at the start",),
            ("leave `tp_size` out; `autotp_size` is enough",),
            (Fix((case.drop(INNER),)), Fix((case.set(TENSOR, inner),))),
        )


def tensor_parallel_goes_with(case: Case) -> Iterator[Diagnostic]:
    """CFG594: tensor parallelism goes with the other kinds of sharing in the file."""
    size, stage = whole(case, TENSOR), stage_of(case)
    if size is None or size < 2:
        return
    if stage == 3 and not case.since("0.19.4"):
        yield case.error(
            "CFG594",
            f"tensor parallelism does not work with ZeRO-3 in DeepSpeed {case.release.version}",
            [At(TENSOR, "tensor parallel"), stage_at(case)],
            ("DeepSpeed asserts a stage of at most 2; 0.19.4 is the first release that does both",),
            (f"write {pair(STAGE, 2)} in `zero_optimization`", "or take DeepSpeed 0.19.4"),
            (Fix((case.set(STAGE, 2),)), Fix((case.drop(TENSOR),))),
        )
    head = "tensor_parallel.vocab_parallel_lm_head"
    if (
        case.text("tensor_parallel.vocab_parallel_ce_backend") == "liger"
        and case.written(head)
        and case.value(head) is False
    ):
        yield case.error(
            "CFG594",
            "Liger's loss needs a head that is split by words",
            [At("tensor_parallel.vocab_parallel_ce_backend", "works on a split head"), At(head, "not split")],
            ("DeepSpeed stops at the start",),
            (f"write {pair(head, True)} in `tensor_parallel`",),
            (Fix((case.set(head, True),)), Fix((case.drop("tensor_parallel.vocab_parallel_ce_backend"),))),
        )


RULES = (ranks_split, mesh_is_whole, pipeline_goes_with_zero, tensor_parallel_is_on, tensor_parallel_goes_with)
