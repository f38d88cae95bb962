"""The directory that holds a run's checkpoints: what stands there, what stays, and what a killed run left behind.

A directory called ``step-…`` is whole from the rename that makes it to the rename that takes it away. Everything else
has another name, and the next start removes it or puts it back. Standard library only.
"""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Final

from cfgc_runtime.checkpoints.complete import newest_first
from cfgc_runtime.rundir import sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from cfgc_runtime.checkpoints.complete import Complete

SAVING: Final = "saving-"
DAMAGED: Final = "damaged-"
UNIVERSAL: Final = "universal-"
CONVERTING: Final = "converting-"
_REPLACED: Final = "replaced-"
_DELETING: Final = "deleting-"


def commit(directory: Path, name: str) -> None:
    """Let what was saved under ``name`` count; an older one of the same name goes."""
    if (final := directory / name).exists():
        final.rename(directory / (_REPLACED + name))
    (directory / (SAVING + name)).rename(final)
    sync_directory(directory)


def prune(directory: Path, keep_last: int, keep_best: int) -> None:
    """Delete what is neither among the newest ``keep_last`` (0: all) nor among the ``keep_best`` of least loss."""
    found = newest_first(directory)
    kept = {name for name, _ in found[:keep_last]} | {name for name, _ in best_first(found)[:keep_best]}
    for name, _ in found if keep_last else ():
        if name not in kept:
            (directory / name).rename(directory / (_DELETING + name))
    _remove(directory, _REPLACED, _DELETING, UNIVERSAL)


def best_first(found: Iterable[tuple[str, Complete | None]]) -> list[tuple[str, float]]:
    """Name and held-out loss of the checkpoints that were evaluated; of equal losses the earlier step first.

    A checkpoint was evaluated when a loss that is a number was taken after its very step.
    """
    losses = ((name, one.step, _held_out(one)) for name, one in found if one)
    known = sorted((loss, step, name) for name, step, loss in losses if loss is not None)
    return [(name, loss) for loss, _, name in known]


def _held_out(found: Complete) -> float | None:
    last = found.state.get("last", {})
    loss = last.get("loss")
    return loss if loss is not None and math.isfinite(loss) and last.get("step") == found.step else None


def clean(directory: Path) -> None:
    """Undo what a killed save, conversion or deletion left half done."""
    directory.mkdir(parents=True, exist_ok=True)
    for replaced in directory.glob(_REPLACED + "*"):
        if not (original := directory / replaced.name.removeprefix(_REPLACED)).exists():
            replaced.rename(original)
    _remove(directory, SAVING, CONVERTING, _REPLACED, _DELETING)


def move_aside(directory: Path, names: Sequence[str]) -> None:
    """Damaged checkpoints no longer count as kept ones; what is left of them stays for a person to look at."""
    for name in names:
        aside = directory / (DAMAGED + name)
        if aside.exists():
            aside.rename(directory / (_DELETING + name))
        (directory / name).rename(aside)
    _remove(directory, _DELETING)


def _remove(directory: Path, *prefixes: str) -> None:
    for prefix in prefixes:
        for leftover in directory.glob(prefix + "*"):
            shutil.rmtree(leftover)
