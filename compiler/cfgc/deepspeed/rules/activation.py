"""Activation checkpointing: options that need each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case
from cfgc.diagnostics.model import Fix

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

SECTION = "activation_checkpointing"
CONTIGUOUS, PARTITION, NUMBER = (
    f"{SECTION}.contiguous_memory_optimization",
    f"{SECTION}.partition_activations",
    f"{SECTION}.number_checkpoints",
)


def contiguous_activations_have_a_size(case: Case) -> Iterator[Diagnostic]:
    """CFG591: contiguous buffers need partitioned activations, and the number of checkpoints."""
    if not case.flag(CONTIGUOUS):
        return
    partition, number = case.value(PARTITION), case.config.get((SECTION, "number_checkpoints"))
    unpartitioned = partition is False or (partition is None and not case.written(PARTITION))
    uncounted = number is None or number.value is None
    if not unpartitioned and not uncounted:
        return
    absent = (("partition_activations", unpartitioned), ("number_checkpoints", uncounted))
    missing = [name for name, is_absent in absent if is_absent]
    needed = {"partition_activations": '`"partition_activations": true`', "number_checkpoints": "`number_checkpoints`"}
    yield case.error(
        "CFG591",
        f"contiguous activations need {' and '.join(f'`{name}`' for name in missing)}",
        [At(CONTIGUOUS), *(At(key) for key in (PARTITION, NUMBER) if case.written(key))],
        (
            "one buffer is allocated for all checkpoints, of the parts that each rank keeps",
            "`deepspeed.checkpointing.configure` asserts it, when the model calls it",
        ),
        (
            f'write `"contiguous_memory_optimization": false` in `{SECTION}`',
            f"or add {' and '.join(needed[name] for name in missing)} (how many layers are checkpointed)"
            if uncounted
            else f"or write {needed['partition_activations']}",
        ),
        _fixes(case, uncounted),
    )


def _fixes(case: Case, uncounted: bool) -> tuple[Fix, ...]:
    off = Fix((case.set(CONTIGUOUS, False),))
    return (off,) if uncounted else (Fix((case.set(PARTITION, True),)), off)


RULES = (contiguous_activations_have_a_size,)
