"""AutoEP: what DeepSpeed checks at the start, when the groups of ranks are made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfgc.arithmetic.divisors import nearest_divisor
from cfgc.deepspeed.case import At, Case
from cfgc.deepspeed.config import Json
from cfgc.deepspeed.rules.batch_sizes import SEQUENCE, whole
from cfgc.deepspeed.rules.facts import stage_of
from cfgc.deepspeed.rules.parallel import TENSOR
from cfgc.deepspeed.wording import count, into, pair, unsplit
from cfgc.diagnostics.model import Fix

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

SECTION = "expert_parallel"
SIZE, WIDTH = f"{SECTION}.autoep_size", f"{SECTION}.expert_tensor_parallel_size"
PATTERNS = ("router_pattern", "expert_pattern", "shared_experts_pattern", "shared_experts_gate_pattern")
ATTRIBUTES = ("expert_w1", "expert_w2", "expert_w3", "num_experts_attr", "top_k_attr")


@dataclass(frozen=True)
class Clash:
    """Two keys that do not go together: ``key`` is given ``value``, and then they do."""

    key: str
    value: Json
    other: str
    why: str


def experts_split_the_ranks(case: Case) -> Iterator[Diagnostic]:
    """CFG404: the ranks are a multiple of those that share the experts; one rank is how a config is tried out."""
    world = case.world_size or 1
    size, width = whole(case, SIZE), whole(case, WIDTH) or 1
    if not _on(case) or size is None or world == 1 or world % (size * width) == 0:
        return
    near = nearest_divisor(world, size, lambda d: world % (d * width) == 0) or 1
    yield case.error(
        "CFG404",
        unsplit(world, f"{size * width}"),
        [At(SIZE, f"{count(size, 'rank')} {'share' if size > 1 else 'has'} the experts"), At(WIDTH)],
        (f"{world} ÷ {size * width} leaves {world % (size * width)}",),
        (f"write {pair(SIZE, near)}{into(SIZE)}",),
        (Fix((case.set(SIZE, near),)),),
    )


def experts_go_with_the_rest(case: Case) -> Iterator[Diagnostic]:
    """CFG595: nothing else in the file excludes the expert parallelism that it asks for."""
    if not _on(case):
        return
    for clash in (*_with_tensor_parallel(case), *_with_stage_three(case), *_of_kernels(case)):
        places = [At(clash.key, "does not go with the other"), At(clash.other)]
        yield case.error(
            "CFG595",
            f"`{clash.key}` and `{clash.other}` do not go together with AutoEP",
            places,
            (clash.why, "DeepSpeed stops at the start"),
            (f"write {pair(clash.key, clash.value)}{into(clash.key)}",),
            (Fix((case.set(clash.key, clash.value),)),),
        )
    yield from _names(case)


def _on(case: Case) -> bool:
    return case.flag(f"{SECTION}.enabled") and case.release.key((SECTION,)) is not None


def _with_tensor_parallel(case: Case) -> Iterator[Clash]:
    tensor, size = whole(case, TENSOR) or 1, case.integer(SIZE)
    if (case.integer(WIDTH) or 1) > 1:
        yield Clash(WIDTH, 1, f"{SECTION}.enabled", "experts are not split inside yet; only 1 is supported")
    if tensor < 2:
        return
    if size == 1:
        yield Clash(TENSOR, 1, SIZE, "with one rank for all experts, tensor-parallel ranks would count tokens twice")
    if (whole(case, SEQUENCE) or 1) > 1:
        yield Clash(SEQUENCE, 1, TENSOR, "tensor and sequence parallelism exclude each other here")
    if case.flag("compile.deepcompile"):
        yield Clash(
            "compile.deepcompile", False, TENSOR, "DeepCompile does not support experts in tensor-parallel ranks"
        )
    if case.flag(f"{SECTION}.async_split_plan") and (size or 1) > 1:
        yield Clash(f"{SECTION}.async_split_plan", False, TENSOR, "the plan does not support tensor-parallel ranks yet")
    if case.flag("use_data_before_expert_parallelism"):
        yield Clash(
            "use_data_before_expert_parallelism", False, TENSOR, "this order of ranks is not supported with both"
        )
    for part in ("optimizer", "param"):
        key = f"zero_optimization.offload_{part}"
        if case.config.get(("zero_optimization", f"offload_{part}")) and case.value(key) is not None:
            yield Clash(key, None, TENSOR, "offloading is not supported with both")
    ours, theirs = case.text(f"{SECTION}.preset_model"), case.text("tensor_parallel.preset_model")
    if ours and theirs and ours != theirs:
        yield Clash("tensor_parallel.preset_model", ours, f"{SECTION}.preset_model", "both describe the same model")


def _with_stage_three(case: Case) -> Iterator[Clash]:
    if stage_of(case) != 3:
        return
    if (whole(case, SEQUENCE) or 1) > 1:
        yield Clash(
            "zero_optimization.stage", 2, SEQUENCE, "ZeRO-3 with experts does not support sequence parallelism yet"
        )
    if case.flag("zero_optimization.zero_quantized_gradients"):
        key = "zero_optimization.zero_quantized_gradients"
        yield Clash(key, False, f"{SECTION}.enabled", "ZeRO-3 with experts does not support quantized gradients yet")
    if (case.integer("zero_optimization.zero_hpz_partition_size") or 1) > 1:
        key = "zero_optimization.zero_hpz_partition_size"
        yield Clash(key, 1, f"{SECTION}.enabled", "ZeRO-3 with experts does not support hpZ yet")


def _of_kernels(case: Case) -> Iterator[Clash]:
    size, tensor = case.integer(SIZE) or 1, whole(case, TENSOR) or 1
    backend, tokens = f"{SECTION}.comm_backend", f"{SECTION}.comm_max_tokens_per_rank"
    combine, weighting, gate = (f"{SECTION}.{name}" for name in ("combine_impl", "row_weighting_impl", "gate_up_impl"))
    if case.text(combine) == "fused_weighted_sum" and tensor > 1:
        yield Clash(combine, "auto", TENSOR, "the fused sum does not support tensor-parallel ranks")
    if case.text(combine) == "fused_weighted_sum" and case.text(backend) == "deepep" and size > 1:
        yield Clash(combine, "auto", backend, "DeepEP sums the rows itself")
    if case.text(gate) == "fused" and case.value(f"{SECTION}.use_grouped_mm") is False:
        yield Clash(
            gate, "separate", f"{SECTION}.use_grouped_mm", "both projections run as one grouped product, or as two"
        )
    if case.text(weighting) == "fused" and case.text(backend) != "deepep":
        yield Clash(weighting, "auto", backend, "rows are weighted by DeepEP, which is not in use")
    elif case.text(weighting) == "fused" and size == 1:
        yield Clash(weighting, "auto", SIZE, "DeepEP is not in use with one rank for all experts")
    if case.text(backend) == "deepep" and case.integer(tokens) == 0:
        yield Clash(backend, "comm", tokens, "DeepEP needs the largest number of tokens that a rank can route")
    limited, groups = f"{SECTION}.num_limited_groups", f"{SECTION}.num_expert_groups"
    few, many = case.integer(limited), case.integer(groups)
    if few and many and few > many > 0:
        yield Clash(limited, many, groups, f"{few} of {many} groups cannot be chosen")


def _names(case: Case) -> Iterator[Diagnostic]:
    """Names of attributes: not empty, and without dots."""
    for name in (*PATTERNS, *ATTRIBUTES):
        key = f"{SECTION}.{name}"
        text = case.text(key) if case.written(key) else None
        if text is None or (text and "." not in text):
            continue
        yield case.error(
            "CFG595",
            f"`{key}` is no name of an attribute",
            [At(key, "empty" if not text else "a name without dots")],
            ("DeepSpeed stops at the start",),
            (f"write {pair(key, text.rpartition('.')[2])}{into(key)}" if text.strip(".") else f"leave `{name}` out",),
            (Fix((case.set(key, text.rpartition(".")[2]) if text.rpartition(".")[2] else case.drop(key),)),),
        )


RULES = (experts_split_the_ranks, experts_go_with_the_rest)
