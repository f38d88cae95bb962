"""Checkpoints and metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.of_spec import max_steps_of
from cfgc.validate.rules.finding import At, count, is_default, warning

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

EVERY, STEPS, LOG = "checkpoint.every_steps", "training.max_steps", "tracking.log_every_steps"


def checkpoint_happens(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG435: the run is long enough for a checkpoint before its end."""
    every, steps = spec.checkpoint.every_steps, max_steps_of(spec)
    if steps is None or every <= steps or steps <= 100:
        return
    yield warning(
        "CFG435",
        "no checkpoint is saved before the end of the run",
        resolved,
        [At(EVERY, f"first after {count(every, 'step')}"), At(STEPS, f"{count(steps, 'step')} in all")],
        ("a run that is killed starts again from its last checkpoint, here from nothing",),
        (f"set `checkpoint.every_steps = {max(1, steps // 10)}`",),
    )


def requeue_has_checkpoints(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG436: a run that may start several times saves while it runs."""
    if spec.checkpoint.every_steps > 0 or spec.launch.max_attempts == 1:
        return
    yield warning(
        "CFG436",
        "a crash loses the whole run: it saves only at its end and when told to stop",
        resolved,
        [At(EVERY, "0: only at the end"), At("launch.max_attempts", f"up to {spec.launch.max_attempts} starts")],
        (),
        (f"set `checkpoint.every_steps = {max(1, (max_steps_of(spec) or 1000) // 10)}`",),
    )


def metrics_are_written(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG438: the run is long enough for a line of metrics between its first and last step."""
    every, steps = spec.tracking.log_every_steps, max_steps_of(spec)
    if steps is None or every < steps or is_default(LOG, every):
        return
    yield warning(
        "CFG438",
        "metrics will hold the first and the last step, and none between",
        resolved,
        [
            At(LOG, f"next after {count(every, 'step')}"),
            At(STEPS, f"{count(steps, 'step')} in all"),
        ],
        (),
        (f"set `log_every_steps = {max(1, steps // 20)}`",),
    )
