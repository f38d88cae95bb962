"""The batch triple: train_batch_size = micro × accumulation × data-parallel ranks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.divisors import nearest_divisor
from cfgc.deepspeed.case import At, Case
from cfgc.deepspeed.rules.batch_sizes import ACCUMULATION, MICRO, TRAIN, Sizes, copies, sizes_of
from cfgc.deepspeed.wording import count, pair
from cfgc.diagnostics.model import Fix

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic


def batch_holds(case: Case) -> Iterator[Diagnostic]:
    """CFG401: the three sizes multiply, for the ranks that are known or for any number of them."""
    sizes, ranks = sizes_of(case), copies(case)
    if sizes is None or not sizes.train or not sizes.micro or not sizes.accumulation:
        return
    product = sizes.micro * sizes.accumulation * (ranks.count or 1)
    if sizes.train == product or (ranks.count is None and sizes.train % product == 0):
        return
    whole = product if ranks.count else _nearest_multiple(sizes.train, product)
    left_out = [key for key in (ACCUMULATION, MICRO) if _follows(sizes, key, ranks.count or 1)]
    yield case.error(
        "CFG401",
        "the batch sizes cannot all hold",
        _places(sizes),
        (_product_note(sizes, ranks.count), ranks.note),
        (f"write {pair(TRAIN, whole)}", *(f"or leave `{key}` out; it follows" for key in left_out)),
        (Fix((case.set(TRAIN, whole),)), *(Fix((case.drop(key),)) for key in left_out)),
    )


def batch_is_determined(case: Case) -> Iterator[Diagnostic]:
    """CFG402: a global or a micro batch size is given; accumulation alone says nothing."""
    sizes = sizes_of(case)
    if sizes is None or sizes.train or sizes.micro:
        return
    yield case.warning(
        "CFG402",
        "no batch size is given, and DeepSpeed does not start without one",
        [At(ACCUMULATION, "says nothing alone")],
        (
            "`train_batch_size` or `train_micro_batch_size_per_gpu` is needed",
            "a script that reads the file may still add it",
        ),
        (f"add {pair(MICRO, 1)}, or the number of samples that a GPU takes at a time",),
        (Fix((case.set(MICRO, 1),)),),
    )


def batch_divides(case: Case) -> Iterator[Diagnostic]:
    """CFG403: the size that follows is a whole number."""
    sizes, ranks = sizes_of(case), copies(case)
    if sizes is None or not sizes.train or (sizes.micro and sizes.accumulation):
        return
    given = MICRO if sizes.micro else ACCUMULATION
    factor = sizes.micro or sizes.accumulation or 1
    divisor = factor * (ranks.count or 1)
    if sizes.train % divisor == 0:
        return
    follows = ACCUMULATION if sizes.micro else MICRO
    whole = _nearest_multiple(sizes.train, divisor)
    other = nearest_divisor(sizes.train // (ranks.count or 1), factor) if _splits(sizes, ranks.count) else 0
    helps = [f"write {pair(TRAIN, whole)}"]
    fixes = [Fix((case.set(TRAIN, whole),))]
    if other and factor > 1:
        helps.append(f"or {pair(given, other)}")
        fixes.append(Fix((case.set(given, other),)))
    yield case.error(
        "CFG403",
        f"`{follows}` would not be a whole number",
        _places(sizes),
        (f"{sizes.train} ÷ {divisor} = {sizes.train / divisor:.6g}" if sizes.train < 2**53 else "", ranks.note),
        helps,
        fixes,
    )


def _splits(sizes: Sizes, ranks: int | None) -> bool:
    return (sizes.train or 0) % (ranks or 1) == 0


def _follows(sizes: Sizes, left_out: str, ranks: int) -> bool:
    """Whether the size, left out, would be a whole number."""
    factor = (sizes.micro if left_out == ACCUMULATION else sizes.accumulation) or 1
    return (sizes.train or 0) % (factor * ranks) == 0


def _nearest_multiple(size: int, divisor: int) -> int:
    return max(1, (size + divisor // 2) // divisor) * divisor


def _product_note(sizes: Sizes, ranks: int | None) -> str:
    factors = f"micro {sizes.micro} × accumulation {sizes.accumulation}"
    product = (sizes.micro or 1) * (sizes.accumulation or 1)
    if ranks:
        return f"{sizes.train} ≠ {factors} × data-parallel {ranks} = {product * ranks}"
    return f"{sizes.train} is no multiple of {factors} = {product}, so that no number of ranks makes them hold"


def _places(sizes: Sizes) -> list[At]:
    places = [
        At(TRAIN, f"{count(sizes.train or 0, 'sample')} per step"),
        At(MICRO, f"{count(sizes.micro or 0, 'sample')} per rank and micro step"),
        At(ACCUMULATION, count(sizes.accumulation or 0, "micro step")),
    ]
    held = (sizes.train, sizes.micro, sizes.accumulation)
    return [place for place, size in zip(places, held, strict=True) if size]


RULES = (batch_holds, batch_is_determined, batch_divides)
