"""The batch triple: global = micro × accumulation × data-parallel."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Triple:
    """Samples a step, samples a rank and micro step, micro steps a step."""

    global_batch_size: int
    micro_batch_size: int
    gradient_accumulation_steps: int


@dataclass(frozen=True)
class Conflict:
    """All three are given and don't multiply; ``product`` is what the last two give."""

    product: int


@dataclass(frozen=True)
class Missing:
    """Fewer than two of the three are given."""

    given: tuple[str, ...]


@dataclass(frozen=True)
class Indivisible:
    """The global batch isn't a multiple of ``divisor``, so that ``name`` would be no whole number."""

    name: str
    divisor: int


Outcome = Triple | Conflict | Missing | Indivisible


def solve_batch(size: int | None, micro: int | None, accumulation: int | None, data_parallel: int) -> Outcome:
    """The triple that two of the three and ``data_parallel`` fix, or why there is none.

    ``size`` is the global batch size. Nothing is rounded: a triple that is returned multiplies exactly.
    """
    if micro is not None and accumulation is not None:
        product = micro * accumulation * data_parallel
        if size is not None and size != product:
            return Conflict(product)
        return Triple(product, micro, accumulation)
    if size is not None and micro is not None:
        return _divided(size, micro, "gradient_accumulation_steps", data_parallel)
    if size is not None and accumulation is not None:
        return _divided(size, accumulation, "micro_batch_size", data_parallel)
    named = {"global_batch_size": size, "micro_batch_size": micro, "gradient_accumulation_steps": accumulation}
    return Missing(tuple(name for name, value in named.items() if value is not None))


def _divided(size: int, factor: int, name: str, data_parallel: int) -> Triple | Indivisible:
    quotient, rest = divmod(size, factor * data_parallel)
    if rest or not quotient:
        return Indivisible(name, factor * data_parallel)
    if name == "micro_batch_size":
        return Triple(size, quotient, factor)
    return Triple(size, factor, quotient)
