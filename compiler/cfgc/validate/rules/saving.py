"""Checkpoints and metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.of_spec import checkpoint_steps_of, evaluation_steps_of, max_steps_of
from cfgc.validate.rules.finding import At, count, error, is_default, warning
from cfgc.validate.rules.intervals import interval_key, length_place, ten_times

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

EVERY, LOG = "checkpoint.every_steps", "tracking.log_every_steps"
BEST, LAST = "checkpoint.keep_best", "checkpoint.keep_last"
ELASTIC, OPTIMIZER, STAGE = "checkpoint.elastic", "training.optimizer.type", "deepspeed.zero.stage"
_CONVERTED = ("adam", "adamw")
"""Optimizers whose state DeepSpeed's universal form holds: a running mean and a running square for each weight."""


def checkpoint_happens(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG435: the run is long enough for a checkpoint before its end."""
    every, steps = checkpoint_steps_of(spec), max_steps_of(spec)
    if steps is None or every <= steps or steps <= 100:
        return
    yield warning(
        "CFG435",
        "no checkpoint is saved before the end of the run",
        resolved,
        [At(interval_key(spec, "checkpoint"), f"first after {count(every, 'step')}"), length_place(spec, steps)],
        ("a run that is killed starts again from its last checkpoint, here from nothing",),
        (f"set {ten_times(spec, 'checkpoint', steps)}",),
    )


def requeue_has_checkpoints(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG436: a run that may start several times saves while it runs."""
    if checkpoint_steps_of(spec) > 0 or spec.launch.max_attempts == 1:
        return
    yield warning(
        "CFG436",
        "a crash loses the whole run: it saves only at its end and when told to stop",
        resolved,
        [At(EVERY, "0: only at the end"), At("launch.max_attempts", f"up to {spec.launch.max_attempts} starts")],
        (),
        (f"set `checkpoint.every_steps = {max(1, (max_steps_of(spec) or 1000) // 10)}`",),
    )


def best_is_evaluated(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG493: every checkpoint that may be the best one has a held-out loss of its own step."""
    saves, evaluations = checkpoint_steps_of(spec), evaluation_steps_of(spec)
    if spec.checkpoint.keep_best == 0 or (saves > 0 and evaluations > 0 and saves % evaluations == 0):
        return
    epochs = spec.checkpoint.every_epochs or spec.evaluation.every_epochs
    every = epochs or saves or evaluations or max(1, (max_steps_of(spec) or 1000) // 10)
    name = "every_epochs" if epochs else "every_steps"
    sections = ((spec.checkpoint, "checkpoint"), (spec.evaluation, "evaluation"))
    keys = [f"{section}.{name}" for said, section in sections if getattr(said, name) != every]
    yield error(
        "CFG493",
        "nobody could say which checkpoints are the best: they are saved at steps without an evaluation",
        resolved,
        [
            At(BEST, "compares held-out losses"),
            At(
                interval_key(spec, "evaluation"),
                f"evaluates every {count(evaluations, 'step')}" if evaluations else "0: never",
            ),
            At(
                interval_key(spec, "checkpoint"),
                f"saves every {count(saves, 'step')}" if saves else "0: saves at the end only",
            ),
        ],
        (),
        (f"set {' and '.join(f'`{key} = {every}`' for key in keys)}",),
    )


def best_is_kept_besides(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG494: the best are kept beside the newest few, not beside all."""
    if spec.checkpoint.keep_best == 0 or spec.checkpoint.keep_last > 0:
        return
    yield warning(
        "CFG494",
        "`checkpoint.keep_best` has no effect: every checkpoint is kept",
        resolved,
        [At(BEST, "keeps nothing more"), At(LAST, "0: keeps all")],
        (),
        ("set `checkpoint.keep_last = 3`, or drop `keep_best`",),
    )


def elastic_state_can_be_converted(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG495: DeepSpeed can convert the state of the optimizer for other ranks."""
    kind = spec.training.optimizer.type
    if not spec.checkpoint.elastic or spec.deepspeed.zero.stage == 0 or kind in _CONVERTED:
        return
    yield error(
        "CFG495",
        f"the state of `{kind}` cannot be converted for another number of ranks",
        resolved,
        [At(ELASTIC, "allows to resume with other ranks"), At(OPTIMIZER, "not Adam"), At(STAGE, "cuts it by rank")],
        ("DeepSpeed's universal checkpoints hold two running averages for each weight, which are those of Adam",),
        ("drop `checkpoint.elastic`, or choose `adamw`, or `zero.stage = 0`, where every rank has all of the state",),
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
        [At(LOG, f"next after {count(every, 'step')}"), length_place(spec, steps)],
        (),
        (f"set `log_every_steps = {max(1, steps // 20)}`",),
    )
