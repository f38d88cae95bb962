"""Values of a scheduler by parameter group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case
from cfgc.deepspeed.rules.schedule_classes import SCHEDULER_PARAMS, schedule
from cfgc.deepspeed.wording import count, pair
from cfgc.diagnostics.model import Fix

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic


def groups_are_counted(case: Case) -> Iterator[Diagnostic]:
    """CFG539: an array has a value for each parameter group, however many the script makes."""
    made = schedule(case)
    if made is None or made.name not in case.release.schedulers:
        return
    for name, entry in case.config.below(("scheduler", "params")):
        values = entry.value
        if name not in made.takes or not name.endswith(("_lr", "_mom")) or not isinstance(values, list) or not values:
            continue
        dotted, first = f"{SCHEDULER_PARAMS}.{name}", values[0]
        yield case.warning(
            "CFG539",
            f"`{dotted}` is for exactly {count(len(values), 'parameter group')}",
            [At(dotted, "one for each group")],
            ("DeepSpeed stops when the script makes another number of groups, such as one without weight decay",),
            (f"write {pair(dotted, first)}, which is for all of them",),
            (Fix((case.set(dotted, first),)),),
        )


RULES = (groups_are_counted,)
