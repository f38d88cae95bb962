"""What a run is at a step boundary, beside what the engine holds; checkpoints store it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cfgc_runtime.evaluate import Patience
from cfgc_runtime.health import Health

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cfgc_runtime.config import EarlyStopping


@dataclass(frozen=True)
class Evaluated:
    """A held-out loss and the step that it was taken after; infinite and 0 before there is one."""

    loss: float = math.inf
    step: int = 0

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Evaluated:
        """The inverse of ``as_json``."""
        return cls(math.inf if stored["loss"] is None else stored["loss"], stored["step"])

    def as_json(self) -> dict[str, Any]:
        """JSON has no infinity."""
        return {"loss": self.loss if math.isfinite(self.loss) else None, "step": self.step}


@dataclass(frozen=True)
class State:
    """Optimizer steps done, training seconds, data, and what evaluations and gradients said.

    ``last`` and ``best`` are the newest and the lowest held-out loss; a checkpoint of step ``last.step`` has that loss.
    """

    data: Mapping[str, Any]
    step: int = 0
    seconds: float = 0.0
    last: Evaluated = field(default_factory=Evaluated)
    best: Evaluated = field(default_factory=Evaluated)
    patience: Patience = field(default_factory=Patience)
    health: Health = field(default_factory=Health)

    @classmethod
    def from_json(cls, step: int, stored: Mapping[str, Any]) -> State:
        """The inverse of ``as_json``."""
        return cls(
            data=stored["data"],
            step=step,
            seconds=stored["seconds"],
            last=Evaluated.from_json(stored["last"]),
            best=Evaluated.from_json(stored["best"]),
            patience=Patience(Evaluated.from_json(stored["patience"]).loss, stored["patience"]["stale"]),
            health=Health(**stored["health"]),
        )

    def as_json(self) -> dict[str, Any]:
        """For complete.json, which holds the step itself."""
        return {
            "data": dict(self.data),
            "seconds": self.seconds,
            "last": self.last.as_json(),
            "best": self.best.as_json(),
            "patience": {**Evaluated(self.patience.best).as_json(), "stale": self.patience.stale},
            "health": vars(self.health),
        }

    def after_evaluation(self, loss: float, rule: EarlyStopping) -> State:
        """The same step, evaluated; of equal losses the earlier one is the best."""
        now = Evaluated(loss, self.step)
        best = now if loss < self.best.loss else self.best
        return replace(self, last=now, best=best, patience=self.patience.after(loss, rule))
