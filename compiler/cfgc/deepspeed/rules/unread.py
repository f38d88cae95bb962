"""Keys of sections that nothing switches on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At
from cfgc.deepspeed.rules.facts import flag_at, offload_of, stage_of, written_keys
from cfgc.deepspeed.rules.remedy import drop, listed, put, told
from cfgc.deepspeed.rules.wording import leaf

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic


@dataclass(frozen=True)
class Switch:
    """``key`` turns ``section`` on; ``others`` are read without it."""

    section: str
    key: str
    others: tuple[str, ...] = ()


SWITCHES = (
    Switch("compile", "deepcompile", ("autoep_non_moe",)),
    Switch("hybrid_engine", "enabled"),
    Switch("torch_autocast", "enabled"),
)


def sections_are_on(case: Case) -> Iterator[Diagnostic]:
    """CFG530: a section with keys is switched on. One that is switched off is meant to be."""
    for switch in SWITCHES:
        key = f"{switch.section}.{switch.key}"
        unread = written_keys(case, switch.section, (switch.key, *switch.others))
        if not unread or case.written(key) or not _has_switch(case, key):
            continue
        yield case.warning(
            "CFG530",
            _message(switch.section, unread),
            [At(other, "has no effect") for other in unread],
            (f"`{key}` is false when it is left out",),
            *told([put(case, key, True), drop(case, switch.section)]),
        )


def _has_switch(case: Case, key: str) -> bool:
    return case.release.key(tuple(key.split("."))) is not None


def _message(section: str, unread: list[str]) -> str:
    names = [leaf(key) for key in unread]
    return f"{listed(names)} of `{section}` {'has' if len(names) == 1 else 'have'} no effect: nothing switches it on"


OFFLOADED = ("compile.offload_opt_states", "compile.offload_parameters", "compile.offload_activation")


def compiled_offload_has_stage_3(case: Case) -> Iterator[Diagnostic]:
    """CFG530: what DeepCompile moves, it moves at stage 3."""
    unread = [key for key in OFFLOADED if flag_at(case, key) is True]
    if not unread or flag_at(case, "compile.deepcompile") is not True or stage_of(case) not in (1, 2):
        return
    yield case.warning(
        "CFG530",
        f"{listed(unread)} {'has' if len(unread) == 1 else 'have'} no effect at ZeRO-{stage_of(case)}",
        [*(At(key, "has no effect") for key in unread), At("zero_optimization.stage", "read at stage 3")],
        ("DeepCompile moves nothing at stages 1 and 2",),
        *told([drop(case, *unread), put(case, "zero_optimization.stage", 3)]),
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


RULES = (sections_are_on, compiled_offload_has_stage_3, aio_has_a_swapper)
