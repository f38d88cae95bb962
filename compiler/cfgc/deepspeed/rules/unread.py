"""Keys that are read only by what is not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At
from cfgc.deepspeed.rules.facts import STAGE, flag_at, offload_of, stage_of, written_keys
from cfgc.deepspeed.rules.remedy import drop, listed, put, told
from cfgc.deepspeed.wording import leaf

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic


def passes_are_compiled(case: Case) -> Iterator[Diagnostic]:
    """CFG530: what DeepCompile is told is read when it is on. Off in so many words is meant to be."""
    switch = "compile.deepcompile"
    unread = written_keys(case, "compile", ("deepcompile", "autoep_non_moe"))
    if not unread or case.written(switch) or not case.since("0.16.6"):
        return
    names = [leaf(key) for key in unread]
    yield case.warning(
        "CFG530",
        f"{listed(names)} of `compile` {'has' if len(names) == 1 else 'have'} no effect without DeepCompile",
        [At(key, "has no effect") for key in unread],
        (f"`{switch}` is false when it is left out",),
        *told([put(case, switch, True), drop(case, "compile")]),
    )


OFFLOADED = ("compile.offload_opt_states", "compile.offload_parameters", "compile.offload_activation")


def compiled_offload_has_stage_3(case: Case) -> Iterator[Diagnostic]:
    """CFG530: what DeepCompile moves, it moves at stage 3."""
    unread = [key for key in OFFLOADED if flag_at(case, key) is True]
    if not unread or flag_at(case, "compile.deepcompile") is not True or stage_of(case) not in (1, 2):
        return
    yield case.warning(
        "CFG530",
        f"{listed(unread)} {'has' if len(unread) == 1 else 'have'} no effect at ZeRO-{stage_of(case)}",
        [*(At(key, "has no effect") for key in unread), At(STAGE, "read at stage 3")],
        ("DeepCompile moves nothing at stages 1 and 2",),
        *told([drop(case, *unread), put(case, STAGE, 3)]),
    )


def aio_has_a_swapper(case: Case) -> Iterator[Diagnostic]:
    """CFG530: asynchronous I/O is for what goes to NVMe, and for DeepSpeed's own checkpoint writer."""
    devices = {offload_of(case, "optimizer"), offload_of(case, "param")}
    if not written_keys(case, "aio") or not devices <= {"none", "cpu"} or case.written("checkpoint.writer"):
        return
    yield case.warning(
        "CFG530",
        "`aio` has no effect: nothing goes to NVMe",
        [At("aio", "has no effect")],
        ("it is read by offloading to NVMe, and by `checkpoint.writer`",),
        *told([drop(case, "aio")]),
    )


RULES = (passes_are_compiled, compiled_offload_has_stage_3, aio_has_a_swapper)
