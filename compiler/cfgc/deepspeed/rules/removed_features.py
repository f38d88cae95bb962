"""What only older releases have: elastic training and Apex AMP, and what they exclude there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case, path_of
from cfgc.deepspeed.rules.batch_sizes import ACCUMULATION, MICRO, TRAIN
from cfgc.deepspeed.rules.facts import precision_at, precision_of, stage_at, stage_of
from cfgc.diagnostics.model import Fix

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

ELASTIC, AMP = "elasticity", "amp"


def elastic_training_sets_the_batch(case: Case) -> Iterator[Diagnostic]:
    """CFG536: elastic training chooses the batch; sizes beside it are refused."""
    if not _has(case, ELASTIC) or case.flag(f"{ELASTIC}.ignore_non_elastic_batch_info"):
        return
    given = [key for key in (TRAIN, MICRO, ACCUMULATION) if case.written(key)]
    if not given:
        return
    yield case.error(
        "CFG536",
        "elastic training chooses the batch size, and sizes are given too",
        [*(At(key, "given") for key in given), At(f"{ELASTIC}.enabled", "chooses it")],
        ("DeepSpeed refuses the file",),
        (
            f"leave {', '.join(f'`{key}`' for key in given)} out",
            f'or write `"enabled": false` in `{ELASTIC}`; DeepSpeed 0.19.8 has no elastic training any more',
        ),
        (Fix(tuple(case.drop(key) for key in given)), Fix((case.set(f"{ELASTIC}.enabled", False),))),
    )


def amp_is_alone(case: Case) -> Iterator[Diagnostic]:
    """CFG536: Apex AMP excludes ZeRO, fp16 and bf16."""
    if not _has(case, AMP):
        return
    places = (
        [precision_at(case)] if precision_of(case) in ("fp16", "bf16") else [stage_at(case)] if stage_of(case) else []
    )
    if not places:
        return
    yield case.error(
        "CFG536",
        f"Apex AMP does not go with `{places[0].dotted}`",
        [At(f"{AMP}.enabled", "casts by itself"), *places],
        ("DeepSpeed stops at the start; 0.19.8 has no AMP any more",),
        (f"leave `{AMP}` out; fp16 and bf16 of DeepSpeed work with ZeRO",),
        (Fix((case.drop(AMP),)),),
    )


def _has(case: Case, section: str) -> bool:
    """Whether the release has the feature and the file asks for it."""
    known = case.release.key(path_of(section))
    return known is not None and not known.refused and case.flag(f"{section}.enabled")


RULES = (elastic_training_sets_the_batch, amp_is_alone)
