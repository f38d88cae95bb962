"""Profilers and tuners: when they act, and what they do to the run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case
from cfgc.deepspeed.rules.wording import pair
from cfgc.diagnostics.model import Fix

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

START, END = "autotuning.start_profile_step", "autotuning.end_profile_step"
VOCABULARY, ALIGNED = "vocabulary_size", 8
GDS = "aio.use_gds"


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


def direct_storage_has_a_gpu(case: Case) -> Iterator[Diagnostic]:
    """CFG539: reading from a disk straight into a GPU needs one of NVIDIA's."""
    if not case.flag(GDS) or case.device == "cuda":
        return
    say = case.error if case.device else case.warning
    yield say(
        "CFG539",
        "GPUDirect Storage needs a CUDA device",
        [At(GDS, f"the device is {case.device}" if case.device else "asserted when the file is read")],
        ("DeepSpeed refuses the file on any other accelerator, also where the file is only looked at",),
        (f"write {pair(GDS, False)} in `aio`",),
        (Fix((case.set(GDS, False),)),),
    )


RULES = (tuning_ends_the_run, vocabulary_is_aligned, direct_storage_has_a_gpu)
