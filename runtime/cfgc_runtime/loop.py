"""The training loop: steps, metrics, evaluations, saves, and how it ends."""

from __future__ import annotations

import math
import time
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from cfgc_runtime.errors import DIVERGED, FINISHED, PREEMPTED, Failure
from cfgc_runtime.evaluate import Patience, evaluate
from cfgc_runtime.progress import short
from cfgc_runtime.rundir import write_json
from cfgc_runtime.schedule import learning_rate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cfgc_runtime.checkpoints.saving import Checkpoints
    from cfgc_runtime.collective import Ranks
    from cfgc_runtime.config import Config
    from cfgc_runtime.data.feed import Feed
    from cfgc_runtime.data.samples import MicroBatch
    from cfgc_runtime.engine import Engine
    from cfgc_runtime.reporting import Reporter
    from cfgc_runtime.rundir import RunDirectory
    from cfgc_runtime.signals import StopRequest


@dataclass(frozen=True)
class State:
    """What a checkpoint stores beside the engine: optimizer steps done, training seconds, early stopping, data."""

    data: Mapping[str, Any]
    step: int = 0
    seconds: float = 0.0
    patience: Patience = field(default_factory=Patience)

    @classmethod
    def from_json(cls, step: int, stored: Mapping[str, Any]) -> State:
        """The inverse of ``as_json``."""
        best = math.inf if stored["best"] is None else stored["best"]
        return cls(stored["data"], step, stored["seconds"], Patience(best, stored["stale"]))

    def as_json(self) -> dict[str, Any]:
        """For complete.json, which holds the step itself."""
        best = self.patience.best if math.isfinite(self.patience.best) else None
        return {"data": dict(self.data), "seconds": self.seconds, "best": best, "stale": self.patience.stale}


@dataclass(frozen=True)
class StepOutcome:
    """One optimizer step on this rank: its mean loss (a scalar tensor), the global gradient norm, sample digest."""

    loss: torch.Tensor
    grad_norm: float | None
    samples: int
    seconds: float


@dataclass
class Loop:
    """Everything that the loop works with; ``run`` is the loop."""

    config: Config
    run_directory: RunDirectory
    ranks: Ranks
    engine: Engine
    feed: Feed
    checkpoints: Checkpoints
    reporter: Reporter
    stop: StopRequest

    def run(self, state: State) -> int:
        """Train on from ``state``; 0 when the plan is done, 75 when saved after a stop request."""
        config, max_steps = self.config, self.config.SCHEDULE.max_steps
        batches = self.feed.train(range(state.step, max_steps))
        [stopping] = self.ranks.any_of(self.stop.requested)
        saved, logged = state.step, state
        while state.step < max_steps and not stopping and not state.patience.is_over(config.EARLY_STOPPING):
            outcome = self._step(state.step + 1, batches)
            state = replace(state, step=state.step + 1, seconds=state.seconds + outcome.seconds)
            stopping, diverged = self.ranks.any_of(self.stop.requested, self._diverged(outcome))
            if diverged:
                raise Failure(DIVERGED, self._divergence(state.step, saved))
            if state.step == 1 or _is_due(state.step, config.TRACKING.log_every_steps, max_steps):
                self._log(state, outcome, logged)
                logged = state
            if _is_due(state.step, config.EVALUATION.every_steps, max_steps if config.EVALUATION.at_end else 0):
                state = self._evaluate(state)
            over = state.step == max_steps or state.patience.is_over(config.EARLY_STOPPING)
            if stopping or over or _is_due(state.step, config.CHECKPOINT.every_steps):
                self._save(state)
                saved = state.step
        if stopping and state.step < max_steps:
            self.reporter.say(f"stopped after step {state.step:,} as asked; start again to go on")
            return PREEMPTED
        self._finish(state)
        return FINISHED

    def _step(self, step: int, batches: Iterator[MicroBatch]) -> StepOutcome:
        """Accumulate the micro batches of optimizer step ``step`` (from 1) and take it."""
        started = time.monotonic()
        accumulation = self.config.BATCH.gradient_accumulation_steps
        self.engine.set_learning_rate(learning_rate(self.config.SCHEDULE, step))
        loss, norm, samples = torch.zeros((), device=self.ranks.device), None, 0
        for micro in range(accumulation):
            batch = next(batches)
            samples = zlib.crc32(repr(batch.samples).encode(), samples)
            loss += self.engine.accumulate(batch.batch) / accumulation
            norm = self.engine.finish_micro_step(is_last=micro == accumulation - 1)
        return StepOutcome(loss, norm, samples, time.monotonic() - started)

    def _diverged(self, outcome: StepOutcome) -> bool:
        skipped = outcome.grad_norm is None or self.engine.skipped_last_step()
        return not (math.isfinite(float(outcome.loss)) and (skipped or math.isfinite(outcome.grad_norm or 0.0)))

    def _divergence(self, step: int, saved: int) -> str:
        kept = f"the checkpoint of step {saved:,} is untouched" if saved else "nothing was saved yet"
        return (
            f"the loss or the gradient of step {step:,} is not a number any more ({kept}); "
            'try a lower training.learning_rate, a longer training.warmup_steps or training.precision = "fp32"'
        )

    def _log(self, state: State, outcome: StepOutcome, logged: State) -> None:
        """One metrics line and the progress display, over what was done since ``logged``."""
        [loss] = self.ranks.sums(outcome.loss)
        tokens = self.config.BATCH.tokens_per_step
        values: dict[str, Any] = {
            "loss": loss / self.ranks.size,
            "lr": learning_rate(self.config.SCHEDULE, state.step),
            "grad_norm": outcome.grad_norm if not self.engine.skipped_last_step() else None,
            "tokens": state.step * tokens,
            "tokens_per_s": round((state.step - logged.step) * tokens / (state.seconds - logged.seconds), 1),
        }
        if self.config.TRACKING.log_level == "debug":
            values["samples"] = self.ranks.gather(outcome.samples)
        self.reporter.show(state.step, values)

    def _evaluate(self, state: State) -> State:
        if not self.feed.held_out:
            return state
        loss = evaluate(self.engine, self.feed.evaluation(), self.ranks)
        self.reporter.record(state.step, {"eval_loss": loss})
        self.reporter.say(f"held-out loss at step {state.step:,}: {loss:.3f}")
        return replace(state, patience=state.patience.after(loss, self.config.EARLY_STOPPING))

    def _save(self, state: State) -> None:
        saved = self.checkpoints.save(self.engine, state.step, state.as_json())
        self.reporter.say(f"saved step {saved.step:,} ({short(saved.bytes)}B in {saved.seconds:.1f} s, sha256 ok)")

    def _finish(self, state: State) -> None:
        if state.step < self.config.SCHEDULE.max_steps:
            rule = self.config.EARLY_STOPPING
            self.reporter.say(
                f"stopped early at step {state.step:,}: the held-out loss did not improve by {rule.threshold} "
                f"in {rule.patience} evaluations"
            )
        if self.ranks.rank == 0:
            summary = {
                "plan_digest": self.config.PLAN_DIGEST,
                "step": state.step,
                "tokens": state.step * self.config.BATCH.tokens_per_step,
                "seconds": round(state.seconds, 3),
            }
            write_json(self.run_directory.finished, summary)
        self.ranks.wait()


def _is_due(step: int, every: int, at: int = 0) -> bool:
    """Whether ``step`` is a multiple of ``every`` (0: never) or the step ``at``."""
    return step == at or (every > 0 and step % every == 0)
