"""Elastic training, which ended with 0.19.7: it computes the batch size, and takes no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At
from cfgc.deepspeed.rules.facts import flag_at, table_at
from cfgc.deepspeed.rules.remedy import drop, put, told
from cfgc.deepspeed.wording import pair

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

ENABLED, IGNORE = "elasticity.enabled", "elasticity.ignore_non_elastic_batch_info"
LARGEST, SIZES = "elasticity.max_train_batch_size", "elasticity.micro_batch_sizes"
BATCHES = ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps")


def elasticity_is_possible(case: Case) -> Iterator[Diagnostic]:
    """CFG534: elastic training has its limits, and computes the batch sizes alone."""
    if case.since("0.19.8") or flag_at(case, ENABLED) is not True:
        return
    for key, example in ((LARGEST, 2000), (SIZES, [2, 4, 6])):
        if not case.written(key):
            yield case.error(
                "CFG534",
                f"elastic training needs `{key}`",
                [At(ENABLED, "elastic")],
                (f"such as {pair(key, example)}; DeepSpeed refuses it when it reads the file",),
                *told([put(case, ENABLED, False), put(case, key, example)]),
            )
    yield from _fixed_batches(case)
    yield from _sizes_fit(case)


def _fixed_batches(case: Case) -> Iterator[Diagnostic]:
    fixed = [key for key in BATCHES if case.written(key)]
    if not fixed or flag_at(case, IGNORE) is not False:
        return
    yield case.error(
        "CFG534",
        "elastic training computes the batch sizes itself",
        [*(At(key, "would not be used") for key in fixed), At(ENABLED, "elastic")],
        (f"DeepSpeed refuses both when it reads the file, unless {pair(IGNORE, True)} says to ignore them",),
        *told([drop(case, *fixed), put(case, ENABLED, False)]),
    )


def _sizes_fit(case: Case) -> Iterator[Diagnostic]:
    sizes, largest = (table_at(case, "elasticity") or {}).get("micro_batch_sizes"), case.integer(LARGEST)
    if not isinstance(sizes, list) or not case.written(LARGEST) or largest is None:
        return
    above = [size for size in sizes if isinstance(size, int) and size > largest]
    if not above:
        return
    yield case.error(
        "CFG534",
        f"a micro batch of {max(above)} is more than the largest batch of {largest}",
        [At(SIZES, f"up to {max(above)}"), At(LARGEST, f"at most {largest}")],
        ("DeepSpeed refuses it when it reads the file",),
        *told([put(case, SIZES, [size for size in sizes if size not in above] or [1])]),
    )


RULES = (elasticity_is_possible,)
