"""Which checkpoint is meant, and its weights put together. Loads torch and DeepSpeed only to read weights."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from cfgc_runtime.checkpoints import complete
from cfgc_runtime.checkpoints.shelf import best_first
from cfgc_runtime.errors import BAD_CHECKPOINT, NO_INPUT, WRONG_WORLD, Failure
from cfgc_runtime.rundir import RunDirectory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Weights: TypeAlias = "Mapping[str, Any]"
"""By name: tensors, or stand-ins with a ``shape`` whose ``contiguous()`` reads the tensor from disk."""


@dataclass(frozen=True)
class Source:
    """A checkpoint that was declared whole, and the run that it belongs to."""

    run: RunDirectory
    path: Path
    found: complete.Complete

    def verify(self) -> None:
        """Raise ``Failure`` that names the files which are not what was saved."""
        entries = self.found.files.items()
        if damaged := [name for name, entry in entries if not complete.is_intact(self.path / name, entry)]:
            raise Failure(BAD_CHECKPOINT, f"{self.path} is damaged: {', '.join(damaged)}; export another step")


def choose(path: Path, step: int | None = None, best: bool = False) -> Source:
    """The checkpoint at ``path``, or of the run there: the newest, the best, or the one of ``step``.

    Raises ``Failure`` when there is none.
    """
    if complete.step_of(path.name) is not None and (path / complete.FILE).is_file():
        directory, wanted = path.parent, complete.step_of(path.name)
    else:
        directory, wanted = RunDirectory(path).checkpoints, step
    if not directory.is_dir():
        raise Failure(NO_INPUT, f"{path} is neither a run directory with checkpoints nor a checkpoint")
    found = {name: one for name, one in complete.newest_first(directory) if one}
    names = [name for name, _ in best_first(found.items())] if best else list(found)
    names = [name for name in names if wanted in (None, found[name].step)]
    if not names:
        which = f"no whole checkpoint of step {wanted:,}" if wanted is not None else "no whole checkpoint"
        which = "no checkpoint with a held-out loss" if best else which
        there = ", ".join(islice((str(one.step) for one in found.values()), 10)) or "none"
        raise Failure(NO_INPUT, f"{directory} has {which}; steps there: {there}")
    return Source(RunDirectory(directory.parent), directory / names[0], found[names[0]])


def read_weights(source: Source, zero_stage: int) -> Weights:
    """The weights by the model's own names: fp32 from ZeRO's partitions, else in the precision of training.

    Memory: files are mapped; a stand-in reads its tensor when asked for it.
    """
    try:
        import torch
        from deepspeed.utils.zero_to_fp32 import get_fp32_state_dict_from_zero_checkpoint
    except ImportError as error:
        raise Failure(WRONG_WORLD, f"reading a checkpoint needs torch and deepspeed here: {error}") from None
    if zero_stage == 0:
        file = source.path / "mp_rank_00_model_states.pt"
        module: Weights = torch.load(file, map_location="cpu", mmap=True, weights_only=False)["module"]
        return {_plain(name): weight for name, weight in module.items()}
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        found: Any = get_fp32_state_dict_from_zero_checkpoint(
            str(source.path.parent), tag=source.path.name, lazy_mode=True
        )
    return {_plain(name): weight for name, weight in found.items()}


def _plain(name: str) -> str:
    """Without what ``torch.compile`` puts before names."""
    return name.replace("_orig_mod.", "")
