"""What NCCL remembers is asked of ranks that hang."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cfgc_runtime.attempt import Attempt
from cfgc_runtime.flight import ask_for_records, recorder_variables


def of(backend: str) -> Any:
    return SimpleNamespace(backend=backend)


def test_without_nccl_there_is_nothing_to_record(tmp_path: Path) -> None:
    assert recorder_variables(of("gloo"), Attempt(tmp_path), tmp_path) == {}
    ask_for_records({}, [0, 1])
    assert not list(tmp_path.iterdir())


def test_a_rank_that_listens_is_waited_for_and_others_are_not(tmp_path: Path) -> None:
    """As torch does it: it makes the pipe, reads it, and writes a file whose name ends with the rank."""
    variables = recorder_variables(of("nccl"), Attempt(tmp_path), tmp_path)
    pipe = f"{variables['TORCH_NCCL_DEBUG_INFO_PIPE_FILE']}1.pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.mkfifo(tmp_path / "ask-3.pipe")  # of a rank that has ended

    def write_record() -> None:
        while not os.read(reader, 128):
            pass
        Path(f"{variables['TORCH_NCCL_DEBUG_INFO_TEMP_FILE']}1").write_text("collectives")

    os.set_blocking(reader, True)
    listener = threading.Thread(target=write_record, daemon=True)
    listener.start()
    ask_for_records(variables, [0, 1, 3], patience_s=60)
    listener.join(60)
    assert (tmp_path / "flight" / "rank-1").read_text() == "collectives"
    os.close(reader)
