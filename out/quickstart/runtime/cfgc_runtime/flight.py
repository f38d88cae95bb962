"""NCCL's flight recorder: the last collectives of each rank, on disk when they say more than a stack.

torch writes them when a collective times out, and when somebody asks through a pipe. Standard library only.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cfgc_runtime.attempt import Attempt
    from cfgc_runtime.config import Topology

_PIPE: Final = "TORCH_NCCL_DEBUG_INFO_PIPE_FILE"
_DUMP: Final = "TORCH_NCCL_DEBUG_INFO_TEMP_FILE"
_PATIENCE_S: Final = 5.0
_POLL_S: Final = 0.1


def recorder_variables(topology: Topology, attempt: Attempt, local: Path) -> Mapping[str, str]:
    """Where the ranks of this node write, and where they listen: ``local``, since not every file system has pipes.

    Each appends its rank. Nothing without NCCL.
    """
    if topology.backend != "nccl":
        return {}
    attempt.flight.mkdir(exist_ok=True)
    return {_DUMP: str(attempt.flight / "rank-"), _PIPE: str(local / "ask-")}


def ask_for_records(variables: Mapping[str, str], ranks: Collection[int], patience_s: float = _PATIENCE_S) -> None:
    """Let ``ranks`` of this node write what they remember, and wait a little until they have."""
    if _PIPE not in variables:
        return
    asked = [rank for rank in ranks if _ask(f"{variables[_PIPE]}{rank}.pipe")]
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and not all(Path(f"{variables[_DUMP]}{rank}").exists() for rank in asked):
        time.sleep(_POLL_S)


def _ask(pipe: str) -> bool:
    """Whether somebody listens."""
    with suppress(OSError):
        descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        try:
            return os.write(descriptor, b"1\n") > 0
        finally:
            os.close(descriptor)
    return False
