"""Buckets and limits in proportion to devices and models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, path_of
from cfgc.deepspeed.rules.facts import ZERO, as_written, flag_at, precision_of, stage_of
from cfgc.deepspeed.rules.remedy import drop, told
from cfgc.deepspeed.table import MISSING
from cfgc.deepspeed.wording import count

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

BUCKET = f"{ZERO}.reduce_bucket_size"

SIZES = (
    BUCKET,
    *(f"{ZERO}.{name}" for name in ("allgather_bucket_size", "sub_group_size")),
    *(f"{ZERO}.stage3_{name}" for name in ("prefetch_bucket_size", "param_persistence_threshold")),
    *(f"{ZERO}.stage3_{name}" for name in ("model_persistence_threshold", "max_live_parameters", "max_reuse_distance")),
    *(f"{ZERO}.offload_param.{name}" for name in ("buffer_size", "max_in_cpu")),
)
"""Keys that count numbers of a model or of its gradients."""

LARGEST_DEVICE = 1024**4
"""Bytes; far above the memory of any GPU."""

LARGEST_MODEL = 10**13
"""Parameters; ten times those of the largest models that anybody has trained."""

LARGEST_FLOAT = 2**63
"""A number with an exponent is read as an integer of 64 bits."""


def sizes_are_in_proportion(case: Case) -> Iterator[Diagnostic]:
    """CFG514: a bucket fits a device, and a limit limits something."""
    for key in SIZES:
        entry, size = case.config.get(path_of(key)), case.integer(key)
        if entry is None or size is None or _is_default(case, key, size):
            continue
        if isinstance(entry.value, float) and size >= LARGEST_FLOAT:
            yield _unreadable(case, key, entry.value)
        elif key == BUCKET and (stage_of(case) or 0) > 0 and _bytes(case, size) > LARGEST_DEVICE:
            yield _too_large(case, size)
        elif size > LARGEST_MODEL:
            yield _limitless(case, key, size)


def _is_default(case: Case, dotted: str, size: int) -> bool:
    key = case.release.key(path_of(dotted))
    return key is not None and key.default is not MISSING and key.default == size


def _bytes(case: Case, size: int) -> int:
    """What the buckets of gradients take on each device; two when communication overlaps."""
    if flag_at(case, f"{ZERO}.contiguous_gradients", default=True) is not True:
        return 0
    overlaps = stage_of(case) != 3 and flag_at(case, f"{ZERO}.overlap_comm") is True
    return size * (4 if precision_of(case) == "fp32" else 2) * (2 if overlaps else 1)


def _unreadable(case: Case, key: str, size: float) -> Diagnostic:
    return case.error(
        "CFG514",
        f"`{as_written(case, key)}` of {size:g} does not fit an integer of 64 bits",
        [At(key, "at most 9.2e18")],
        ("DeepSpeed refuses it when it reads the file",),
        *told([drop(case, key)]),
    )


def _too_large(case: Case, size: int) -> Diagnostic:
    taken = _bytes(case, size)
    return case.error(
        "CFG514",
        f"gradient buckets of {_gib(taken)} fit no device",
        [At(BUCKET, count(size, "number"))],
        ("they are allocated at their full size, whatever the model",),
        *told([drop(case, BUCKET)]),
    )


def _gib(size: int) -> str:
    return f"{size // 1024**3:,} GiB"


def _limitless(case: Case, key: str, size: int) -> Diagnostic:
    return case.warning(
        "CFG514",
        f"`{as_written(case, key)}` of {size:.3g} is more than any model has",
        [At(key, "limits nothing")],
        (f"it counts parameters, and no model has {LARGEST_MODEL:.0e} of them",),
        *told([drop(case, key)]),
    )


RULES = (sizes_are_in_proportion,)
