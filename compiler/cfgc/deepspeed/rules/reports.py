"""Profilers and tuners: when they act, and what they do to the run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case
from cfgc.deepspeed.wording import pair
from cfgc.diagnostics.model import Fix

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

START, END = "autotuning.start_profile_step", "autotuning.end_profile_step"
VOCABULARY, ALIGNED = "vocabulary_size", 8


def tuning_ends_the_run(case: Case) -> Iterator[Diagnostic]:
    """CFG538: a run with autotuning on is one of its experiments, and ends by itself."""
    end, start = case.integer(END), case.integer(START)
    if not case.flag("autotuning.enabled") or end is None or start is None:
        return
    if start > end:
        yield case.error(
            "CFG538",
            "autotuning ends before it begins to measure",
            [At(START, f"measures from step {start}"), At(END, f"ends after step {end}")],
            (),
            (f"write {pair(END, start + 2)} in `autotuning`",),
            (Fix((case.set(END, start + 2),)),),
        )
        return
    yield case.warning(
        "CFG538",
        f"autotuning is on: a run with this file ends after step {end}",
        [At("autotuning.enabled", "every run is an experiment"), At(END)],
        ("every process leaves with exit code 0 and without a checkpoint, whoever started it",),
        (f"write {pair('enabled', False)} in `autotuning` to train",),
        (Fix((case.set("autotuning.enabled", False),)),),
    )


def vocabulary_is_aligned(case: Case) -> Iterator[Diagnostic]:
    """CFG415: the vocabulary is a multiple of what tensor cores work on."""
    size = case.integer(VOCABULARY) if case.written(VOCABULARY) else None
    if size is None or size < 1 or size % ALIGNED == 0:
        return
    whole = -(-size // ALIGNED) * ALIGNED
    yield case.warning(
        "CFG415",
        f"a vocabulary of {size:,} words is no multiple of {ALIGNED}",
        [At(VOCABULARY, "only looked at for this")],
        ("DeepSpeed logs the same; the model has to be changed too",),
        (f"write {pair(VOCABULARY, whole)}, when the model has as many",),
        (Fix((case.set(VOCABULARY, whole),)),),
    )


RULES = (tuning_ends_the_run, vocabulary_is_aligned)
