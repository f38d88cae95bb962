"""The autotuner's names for arguments of the program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At
from cfgc.deepspeed.rules.belonging import only
from cfgc.deepspeed.rules.facts import flag_at
from cfgc.deepspeed.rules.remedy import drop, put, told
from cfgc.deepspeed.wording import shown

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

MAPPINGS = ("autotuning", "arg_mappings")


def arguments_are_named(case: Case) -> Iterator[Diagnostic]:
    """CFG550: what an argument of the program is called is a text."""
    if flag_at(case, "autotuning.enabled") is False:
        return
    for name, entry in case.config.below(MAPPINGS):
        if isinstance(entry.value, str) or "." in name:
            continue
        key, held = ".".join((*MAPPINGS, name)), only(entry.value)
        meant = [put(case, key, held)] if isinstance(held, str) else []
        yield case.error(
            "CFG550",
            f"`{key}` takes a text, not {shown(entry.value)}",
            [At(key, "the name of an argument, such as `--batch_size`")],
            ("the autotuner looks for it among the arguments of the program, and stops (AttributeError)",),
            *told([*meant, drop(case, key)]),
        )


RULES = (arguments_are_named,)
