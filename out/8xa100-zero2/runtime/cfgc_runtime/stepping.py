"""One optimizer step: its rate and its bound, its micro batches, and what came of it."""

from __future__ import annotations

import math
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from cfgc_runtime.health import clipping_bound
from cfgc_runtime.models.losses import has_label
from cfgc_runtime.schedule import learning_rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cfgc_runtime.config import Config
    from cfgc_runtime.data.samples import MicroBatch
    from cfgc_runtime.engine import Engine
    from cfgc_runtime.state import State


@dataclass(frozen=True)
class StepOutcome:
    """One optimizer step on this rank.

    ``loss`` is this rank's mean of what training lowers, a scalar tensor; ``grad_norm`` that of the whole gradient
    before clipping, None when it is unknown or the step was ``skipped`` (an fp16 overflow); ``samples`` a digest of the
    samples' numbers; ``unlabelled`` counts this rank's samples without a label, which that mean counts too: with 0,
    unless the user's own loss says otherwise.
    """

    loss: torch.Tensor
    grad_norm: float | None
    skipped: bool
    rate: float
    samples: int
    seconds: float
    unlabelled: int

    def diverged(self) -> bool:
        """Whether the loss or the gradient is no number any more."""
        return not (math.isfinite(float(self.loss)) and (self.grad_norm is None or math.isfinite(self.grad_norm)))


def take_step(engine: Engine, config: Config, state: State, batches: Iterator[MicroBatch]) -> StepOutcome:
    """Accumulate the micro batches of the step after ``state`` and take it."""
    started, step = time.monotonic(), state.step + 1
    accumulation = config.BATCH.gradient_accumulation_steps
    rate = learning_rate(config.SCHEDULE, step) * state.health.rate_scale
    engine.set_learning_rate(rate)
    if config.GRADIENT_HEALTH.enabled:
        engine.set_clipping(clipping_bound(config.GRADIENT_HEALTH, step))
    losses, norm, samples, unlabelled = [], None, 0, 0
    for micro in range(accumulation):
        batch = next(batches)
        samples = zlib.crc32(repr(batch.samples).encode(), samples)
        unlabelled += int((~has_label(batch.batch["labels"])).sum())
        losses.append(engine.accumulate(batch.batch))
        norm = engine.finish_micro_step(is_last=micro == accumulation - 1)
    skipped = engine.skipped_last_step()
    seconds = time.monotonic() - started
    return StepOutcome(sum(losses, torch.zeros_like(losses[0])) / accumulation, None if skipped else norm, skipped,
                       rate, samples, seconds, unlabelled)  # fmt: skip
