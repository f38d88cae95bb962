"""The training loop: steps, metrics, evaluations, saves, and how it ends."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from cfgc_runtime.errors import DIVERGED, FINISHED, PREEMPTED, Failure
from cfgc_runtime.evaluate import evaluate
from cfgc_runtime.health import clipping_bound
from cfgc_runtime.progress import short
from cfgc_runtime.stepping import take_step

if TYPE_CHECKING:
    from cfgc_runtime.checkpoints.saving import Checkpoints
    from cfgc_runtime.collective import Ranks
    from cfgc_runtime.config import Config
    from cfgc_runtime.data.feed import Feed
    from cfgc_runtime.engine import Engine
    from cfgc_runtime.pulse import Pulse
    from cfgc_runtime.reporting import Reporter
    from cfgc_runtime.rundir import RunDirectory
    from cfgc_runtime.signals import StopRequest
    from cfgc_runtime.state import State
    from cfgc_runtime.stepping import StepOutcome


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
    pulse: Pulse

    def run(self, state: State) -> int:
        """Train on from ``state``; 0 when the plan is done, 75 when saved after a stop request."""
        config, max_steps = self.config, self.config.SCHEDULE.max_steps
        steps = range(state.step, max_steps)
        batches = self.pulse.follow(self.feed.train(steps), steps, config.BATCH.gradient_accumulation_steps)
        [stopping] = self.ranks.any_of(self.stop.requested)
        saved, logged = state.step, state
        while not stopping and not self._is_over(state):
            outcome = take_step(self.engine, config, state, batches)
            state = self._after(state, outcome)
            stopping, diverged = self.ranks.any_of(self.stop.requested, outcome.diverged())
            if diverged:
                raise Failure(DIVERGED, _divergence(state.step, saved))
            if state.step == 1 or _is_due(state.step, config.TRACKING.log_every_steps, max_steps):
                self._log(state, outcome, logged)
                logged = state
            if _is_due(state.step, config.EVALUATION.every_steps, max_steps if config.EVALUATION.at_end else 0):
                state = self._evaluate(state)
            if stopping or self._is_over(state) or _is_due(state.step, config.CHECKPOINT.every_steps):
                self._save(state)
                saved = state.step
        if not self._is_over(state):
            self.reporter.say(f"stopped after step {state.step:,} as asked; start again to go on")
            return PREEMPTED
        self._finish(state)
        return FINISHED

    def _is_over(self, state: State) -> bool:
        return state.step >= self.config.SCHEDULE.max_steps or state.patience.is_over(self.config.EARLY_STOPPING)

    def _after(self, state: State, outcome: StepOutcome) -> State:
        """One step further; a gradient that explodes is said at once."""
        step, health = state.step + 1, state.health.after(outcome.grad_norm, self.config.GRADIENT_HEALTH)
        if health.explosions > state.health.explosions:
            rate = f"is multiplied by {health.rate_scale:.3g} from here on"
            rate = rate if self.config.GRADIENT_HEALTH.auto_reduce_lr else "stays as planned (auto_reduce_lr = false)"
            self.reporter.say(
                f"the gradient exploded at step {step:,}: its norm is {outcome.grad_norm:.3g}, more than "
                f"{self.config.GRADIENT_HEALTH.explosion_threshold:g}; the learning rate {rate}",
                "warning",
            )
        if outcome.skipped:
            self.reporter.say(f"step {step:,} was skipped: fp16 gradients overflowed, so the loss scale falls", "debug")
        return replace(state, step=step, seconds=state.seconds + outcome.seconds, health=health)

    def _log(self, state: State, outcome: StepOutcome, logged: State) -> None:
        """One metrics line and the progress display, over what was done since ``logged``."""
        config = self.config
        total, unlabelled = self.ranks.sums(outcome.loss, torch.tensor(outcome.unlabelled))
        values: dict[str, Any] = {
            "loss": _of_labelled(total / self.ranks.size, int(unlabelled), config.BATCH.global_batch_size),
            "lr": outcome.rate,
            "grad_norm": outcome.grad_norm,
            **self._amount(state, logged),
        }
        if config.GRADIENT_HEALTH.enabled:
            values["clipping"] = clipping_bound(config.GRADIENT_HEALTH, state.step)
            values["explosions"] = state.health.explosions
        if config.TRACKING.log_level == "debug":
            values["samples"] = self.ranks.gather(outcome.samples)
        if unlabelled:
            values["unlabelled"] = int(unlabelled)
        self.reporter.show(state.step, values)

    def _amount(self, state: State, logged: State) -> dict[str, float]:
        """Tokens so far and per second; of samples that are the user's own, samples."""
        batch = self.config.BATCH
        each, unit = (batch.tokens_per_step, "tokens") if batch.tokens_per_step else (batch.global_batch_size, "seen")
        rate = "tokens_per_s" if unit == "tokens" else "samples_per_s"
        return {
            unit: state.step * each,
            rate: round((state.step - logged.step) * each / (state.seconds - logged.seconds), 1),
        }

    def _evaluate(self, state: State) -> State:
        if not self.feed.held_out:
            return state
        self.engine.share_buffers(self.ranks)
        found = evaluate(self.engine, self.pulse.evaluating(self.feed.evaluation()), self.ranks)
        self.reporter.record(state.step, {f"eval_{name}": value for name, value in found.items()})
        own = "".join(f" · {name} {value:.4g}" for name, value in found.items() if name != "loss")
        self.reporter.say(f"held-out loss at step {state.step:,}: {found['loss']:.3f}{own}")
        return state.after_evaluation(found["loss"], self.config.EARLY_STOPPING)

    def _save(self, state: State) -> None:
        with self.pulse.during("a save"):
            self.engine.share_buffers(self.ranks)
            saved = self.checkpoints.save(self.engine, state.step, state.as_json())
        self.reporter.say(f"saved step {saved.step:,} ({short(saved.bytes)}B in {saved.seconds:.1f} s, sha256 ok)")

    def _finish(self, state: State) -> None:
        if state.step < self.config.SCHEDULE.max_steps:
            rule = self.config.EARLY_STOPPING
            self.reporter.say(
                f"stopped early at step {state.step:,}: the held-out loss did not improve by {rule.threshold} "
                f"in {rule.patience} evaluation{'s' if rule.patience > 1 else ''}"
            )
        if self.ranks.rank == 0:
            tokens = state.step * self.config.BATCH.tokens_per_step
            self.run_directory.write_finished(self.config.PLAN_DIGEST, state.seconds, step=state.step, tokens=tokens)
        self.ranks.wait()


def _of_labelled(mean: float, unlabelled: int, samples: int) -> float:
    """``mean`` is over all ``samples`` of a step, and this over those with a label; nan when none has one."""
    return mean * (samples / (samples - unlabelled)) if unlabelled < samples else math.nan


def _divergence(step: int, saved: int) -> str:
    kept = f"the checkpoint of step {saved:,} is untouched" if saved else "nothing was saved yet"
    return (
        f"the loss or the gradient of step {step:,} is not a number any more ({kept}); "
        'try a lower training.learning_rate, a longer training.warmup_steps or training.precision = "fp32"'
    )


def _is_due(step: int, every: int, at: int = 0) -> bool:
    """Whether ``step`` is a multiple of ``every`` (0: never) or the step ``at``."""
    return step == at or (every > 0 and step % every == 0)
