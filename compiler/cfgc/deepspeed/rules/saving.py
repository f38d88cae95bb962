"""Checkpoints: which engine writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case
from cfgc.diagnostics.model import Fix

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

WRITER, DATASTATES = "checkpoint.writer", "datastates_ckpt"


def one_engine_writes(case: Case) -> Iterator[Diagnostic]:
    """CFG599: a writer and DataStates are not both asked for."""
    writer, states = case.config.get(("checkpoint", "writer")), case.config.get((DATASTATES,))
    if writer is None or not isinstance(writer.value, dict) or states is None or not isinstance(states.value, dict):
        return
    if states.value.get("enabled") is False or any(
        case.release.key((key,)) is None for key in (DATASTATES, "checkpoint")
    ):
        return
    yield case.error(
        "CFG599",
        "two engines are asked to write the checkpoints",
        [At(DATASTATES, "passed over"), At(WRITER, "writes them")],
        ("DeepSpeed takes the writer, and does not say so",),
        (f"leave `{DATASTATES}` out", "or leave `writer` out of `checkpoint`"),
        (Fix((case.drop(DATASTATES),)), Fix((case.drop(WRITER),))),
    )


RULES = (one_engine_writes,)
