"""What takes the place of SuperOffload's own update."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At
from cfgc.deepspeed.rules.facts import device_key, flag_at, offload_at, offload_of, stage_of
from cfgc.deepspeed.rules.features import SUPER
from cfgc.deepspeed.rules.remedy import drop, put, told
from cfgc.deepspeed.rules.zenflow import ZENFLOW, has_zenflow

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic


def super_offload_updates(case: Case) -> Iterator[Diagnostic]:
    """CFG576: SuperOffload updates in the CPU's memory, and nothing else updates there."""
    device = offload_of(case, "optimizer")
    if flag_at(case, SUPER) is not True or stage_of(case) != 3:
        return
    if device == "nvme":
        yield case.error(
            "CFG576",
            "SuperOffload does not work with NVMe",
            [At(SUPER, "SuperOffload"), offload_at(case, "optimizer")],
            ("it writes gradients beside weights that are on the disk, and fails in the first step",),
            *told([drop(case, SUPER), put(case, device_key("optimizer"), "cpu")]),
        )
    elif device == "cpu" and has_zenflow(case):
        yield case.error(
            "CFG576",
            "SuperOffload does not go with ZenFlow",
            [At(SUPER, "SuperOffload"), At(ZENFLOW, "ZenFlow")],
            ("both put their own update in the place of ZeRO's; one of them is overridden without a word",),
            *told([drop(case, SUPER), drop(case, ZENFLOW)]),
        )


RULES = (super_offload_updates,)
