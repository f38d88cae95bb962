"""Another number of ranks: DeepSpeed's universal form of a checkpoint, made once and kept until the next save."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import torch

from cfgc_runtime.checkpoints import complete, shelf
from cfgc_runtime.errors import BAD_CHECKPOINT, Failure
from cfgc_runtime.rundir import sync_directory, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from cfgc_runtime.collective import Ranks
    from cfgc_runtime.engine import Engine

_INNER = "zero-states"
_MODULE = "deepspeed.checkpoint.ds_to_universal"


def converted(path: Path, found: complete.Complete, ranks: Ranks) -> Path:
    """The universal form of the checkpoint in ``path``, complete or absent: made by rank 0 if it is not there.

    Raises ``Failure`` on every rank with what DeepSpeed said when it cannot be made.
    """
    universal = path.parent / (shelf.UNIVERSAL + path.name)
    problem = _convert(path, universal, found) if ranks.rank == 0 else ""
    if problem := ranks.first(problem):
        raise Failure(BAD_CHECKPOINT, f"{path} could not be converted for {ranks.size} ranks: {problem}")
    return universal


def load_universal(engine: Engine, universal: Path, path: Path) -> None:
    """Load what ``converted`` made of ``path``."""
    settings = engine.raw._config  # DeepSpeed reads this switch when it loads, and nowhere else
    settings.load_universal_checkpoint = True
    try:
        loaded, _ = engine.raw.load_checkpoint(str(universal), tag=_INNER)
    finally:
        settings.load_universal_checkpoint = False
    if loaded is None:
        raise Failure(BAD_CHECKPOINT, f"DeepSpeed could not load {path} in its universal form {universal}")
    _count_apart(engine)


def _count_apart(engine: Engine) -> None:
    """ZeRO 3 gives all parts one tensor to count their steps in, and each of them would count it up."""
    for state in engine.raw.optimizer.state.values():
        if isinstance(step := state.get("step"), torch.Tensor):
            state["step"] = step.clone()


def _convert(path: Path, universal: Path, found: complete.Complete) -> str:
    """What went wrong; nothing when ``universal`` is there and whole."""
    if _is_whole(universal, found):
        return ""
    temporary = universal.with_name(shelf.CONVERTING + path.name)
    command = [sys.executable, "-B", "-m", _MODULE, "--inject_missing_state", "--num_extract_workers=1"]
    command += ["--num_merge_workers=1", "--input_folder", str(path), "--output_folder", str(temporary / _INNER)]
    done = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        return done.stderr.strip().rpartition("\n")[2] or f"exit code {done.returncode}"
    files = sorted(file for file in temporary.rglob("*") if file.is_file())
    sealed = {file.relative_to(temporary).as_posix(): complete.seal(file) for file in files}
    write_json(temporary / complete.FILE, {"of": found.files, "files": sealed})
    temporary.rename(universal)
    sync_directory(universal.parent)
    return ""


def _is_whole(universal: Path, found: complete.Complete) -> bool:
    """Whether ``universal`` was made of ``found`` and is still what it was; what is not is taken away."""
    try:
        made = json.loads((universal / complete.FILE).read_bytes())
        if made["of"] == found.files and all(complete.is_intact(universal / n, e) for n, e in made["files"].items()):
            return True
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    shutil.rmtree(universal, ignore_errors=True)
    return False
