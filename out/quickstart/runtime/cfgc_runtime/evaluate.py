"""The held-out loss, and when it is no longer worth going on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from cfgc_runtime.models.losses import has_label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cfgc_runtime.collective import Ranks
    from cfgc_runtime.config import EarlyStopping
    from cfgc_runtime.data.samples import MicroBatch
    from cfgc_runtime.engine import Engine


def evaluate(engine: Engine, batches: Iterable[MicroBatch], ranks: Ranks) -> dict[str, float]:
    """Mean ``loss`` and metrics over the held-out samples of all ranks that have a label, each counted once.

    They are nan when there are none; ``unlabelled`` counts those without a label, where there are any.
    """
    engine.train_mode(False)
    totals: dict[str, torch.Tensor] = {"loss": torch.zeros(())}
    count, unlabelled = torch.zeros(()), torch.zeros(())
    with torch.no_grad():
        for batch in batches:
            weights = batch.weights * has_label(batch.batch["labels"])
            for name, values in engine.judge(batch.batch).items():
                weighed = torch.where(weights > 0, values.cpu() * weights, 0.0)  # a mean over no label may be nan
                totals[name] = totals.get(name, torch.zeros(())) + weighed.sum()
            count += weights.sum()
            unlabelled += (batch.weights - weights).sum()
    engine.train_mode(True)
    *sums, samples, left_out = ranks.sums(*totals.values(), count, unlabelled)
    found = {name: total / samples if samples else math.nan for name, total in zip(totals, sums, strict=True)}
    return {**found, "unlabelled": left_out} if left_out else found


@dataclass(frozen=True)
class Patience:
    """The best held-out loss so far, and how many evaluations since did not improve on it."""

    best: float = math.inf
    stale: int = 0

    def after(self, loss: float, rule: EarlyStopping) -> Patience:
        """The state after one more evaluation; it counts as better when it gains at least ``threshold``."""
        if loss < self.best and self.best - loss >= rule.threshold:
            return Patience(loss, 0)
        return Patience(self.best, self.stale + 1)

    def is_over(self, rule: EarlyStopping) -> bool:
        """Whether to stop."""
        return 0 < rule.patience <= self.stale
