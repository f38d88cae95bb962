"""What a rank is doing, for those who watch it: one line in a small file, overwritten in place. Standard library only.

All ranks write the same sequence of lines, so the number of a line says how far a rank has come.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T = TypeVar("T")

IMPORTING: Final = "importing torch and DeepSpeed"
READING: Final = "reading the data"
BUILDING: Final = "building the model"
CONNECTING: Final = "connecting to the other ranks"
ENDING: Final = "ending"
PREPARING: Final = "preparing DeepSpeed and the checkpoint"
ALONE: Final = (IMPORTING, READING, BUILDING)
"""What a rank does by itself, before it needs the others."""

TRAINING: Final = "training"
TASK: Final = "running its task"
EVALUATING: Final = "evaluating"
FIRST_STEP: Final = "its first step"
FIRST_EVALUATION: Final = "its first evaluation"
_SIZE = 128


@dataclass(frozen=True)
class Beat:
    """Line ``count`` of a rank: what it does, and the optimizer step and micro step (both from 1; 0: none)."""

    count: int
    step: int
    micro: int
    phase: str

    @property
    def place(self) -> str:
        """Where that is, for people."""
        micro = f", micro step {self.micro}" if self.micro else ""
        return f"step {self.step:,}{micro} ({self.phase})" if self.step else self.phase


class Pulse:
    """The writer, in the rank itself. A disk that fills up is no reason to stop."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._count, self._step = 0, 0
        self._warm: set[str] = set()

    def enter(self, phase: str, step: int = 0, micro: int = 0) -> None:
        """Say what this rank does from now on."""
        self._count += 1
        self._step = step or self._step
        line = f"{self._count} {self._step} {micro} {phase}\n".ljust(_SIZE)
        with suppress(OSError):
            os.pwrite(self._file, line.encode(), 0)

    def follow(self, batches: Iterator[T], steps: range, accumulation: int) -> Iterator[T]:
        """``batches`` of the optimizer ``steps`` (from 0): a line before each is fetched, and one when it is here.

        The first step takes longer than the others: kernels are chosen and compiled, connections opened.
        """
        try:
            for step in steps:
                for micro in range(1, accumulation + 1):
                    phase = TRAINING if TRAINING in self._warm else FIRST_STEP
                    self.enter(phase, step + 1, micro)
                    batch = next(batches, None)
                    if batch is None:
                        return
                    self.enter(phase, step + 1, micro)
                    yield batch
                self._warm.add(TRAINING)
        finally:  # the loop has ended, and trackers may take their time
            self.enter(ENDING)

    def evaluating(self, batches: Iterator[T]) -> Iterator[T]:
        """``batches`` of an evaluation, a line before each."""
        self.enter(EVALUATING if EVALUATING in self._warm else FIRST_EVALUATION)
        for batch in batches:
            yield batch
            self.enter(EVALUATING)
        self._warm.add(EVALUATING)

    @contextmanager
    def during(self, phase: str) -> Iterator[None]:
        """Something that may take as long as it needs, such as a save."""
        self.enter(phase)
        yield
        self.enter(TRAINING)


def read_beat(path: Path) -> Beat | None:
    """The newest line in ``path``; None while there is none."""
    try:
        words = path.read_text(encoding="utf-8", errors="replace").split(maxsplit=3)
        return Beat(int(words[0]), int(words[1]), int(words[2]), words[3].strip())
    except (OSError, ValueError, IndexError):
        return None
