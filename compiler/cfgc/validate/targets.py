"""Releases that a bundle cannot be compiled for: unknown, or older than what its runtime runs on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cfgc.deepspeed.releases import known_releases
from cfgc.deepspeed.targets import OLDEST
from cfgc.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cfgc.diagnostics import Label

NAMES = {"deepspeed": "DeepSpeed", "torch": "PyTorch", "slurm": "Slurm"}
_RELEASE = re.compile(r"\d+(\.\d+)*")


def no_such_target(key: str, value: str, place: Label | None, choices: Sequence[str]) -> Diagnostic:
    """CFG526: ``value`` is no release that ``key`` (``target.deepspeed``) can be."""
    name = NAMES[key.rpartition(".")[2]]
    near = nearest_release(value, choices)
    return Diagnostic(
        "CFG526",
        f"no bundle can be compiled for {name} {value}",
        place,
        notes=(f"choices: {_in_short(choices)}, and older patches of these", *_old(value)),
        helps=(f'write `{key.rpartition(".")[2]} = "{near}"`',),
    )


def _old(value: str) -> tuple[str, ...]:
    if value not in known_releases():
        return ()
    return (
        f"DeepSpeed before {OLDEST} cannot load its own checkpoints with a torch that the runtime runs on",
        f"`cfgc check ds_config.json --deepspeed {value}` judges a config for it all the same",
    )


def nearest_release(value: str, choices: Sequence[str]) -> str:
    """The newest of the same minor, else the next newer one, else the newest of all."""
    if not _RELEASE.fullmatch(value):
        return choices[-1]
    wanted = _order(value)
    same = [one for one in choices if _order(one)[:2] == wanted[:2]]
    newer = [one for one in choices if _order(one) > wanted]
    return (same or newer[:1] or list(choices))[-1]


def _in_short(choices: Sequence[str]) -> str:
    """The newest release of each minor: what a person chooses among."""
    newest = {_order(choice)[:2]: choice for choice in choices}
    return ", ".join(newest.values())


def _order(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))
