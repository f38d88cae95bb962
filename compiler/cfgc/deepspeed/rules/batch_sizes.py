"""What a ds_config says of its batch, and how many ranks share it."""

from __future__ import annotations

from dataclasses import dataclass

from cfgc.deepspeed.case import Case, path_of

TRAIN, MICRO, ACCUMULATION = "train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps"
SEQUENCE, DATA = "sequence_parallel_size", "data_parallel_size"
ALONE_SINCE = "0.17.0"
"""Before, ranks share sequences only where both keys are written."""
ELASTIC = "elasticity"
"""It computes the sizes, in releases that have it."""


@dataclass(frozen=True)
class Sizes:
    """The three sizes, each a positive whole number or None when it is left out."""

    train: int | None
    micro: int | None
    accumulation: int | None


@dataclass(frozen=True)
class Copies:
    """How many ranks read samples of their own; ``count`` is None when that is not known."""

    count: int | None
    note: str = ""


def sizes_of(case: Case) -> Sizes | None:
    """The sizes; None when one of them is not to be relied on: ``auto``, of a wrong type, below 1, or elastic."""
    if case.flag(f"{ELASTIC}.enabled") and _read(case, ELASTIC):
        return None
    values = [_size(case, key) for key in (TRAIN, MICRO, ACCUMULATION)]
    if any(value == 0 for value in values):
        return None
    train, micro, accumulation = values
    return Sizes(train, micro, accumulation)


def _size(case: Case, key: str) -> int | None:
    """The number, None when it is left out or null, and 0 when it is none that can be used."""
    entry = case.config.get(path_of(key))
    if entry is None or entry.value is None:
        return None
    return max(0, case.integer(key) or 0)


def copies(case: Case) -> Copies:
    """The data-parallel ranks as DeepSpeed counts them for the batch: tensor-parallel ranks are among them."""
    sequence, data = whole(case, SEQUENCE), whole(case, DATA)
    if sequence and data:
        return Copies(data, f"data-parallel {data}: `{DATA}`")
    if case.world_size is None or case.world_size < 1 or case.config.get(("pipeline",)):
        return Copies(None)
    if case.written(SEQUENCE) and case.since(ALONE_SINCE):
        if not sequence or case.world_size % sequence:
            return Copies(None)
        number = case.world_size // sequence
        return Copies(number, f"data-parallel {number} = {case.world_size} ranks ÷ `{SEQUENCE}` {sequence}")
    return Copies(case.world_size, f"data-parallel {case.world_size}: the world size that was given")


def whole(case: Case, key: str) -> int | None:
    """The number of a key that is written and read, when it is at least 1."""
    number = case.integer(key) if case.written(key) and _read(case, key) else None
    return number if number and number > 0 else None


def _read(case: Case, key: str) -> bool:
    known = case.release.key(path_of(key))
    return known is not None and not known.refused
