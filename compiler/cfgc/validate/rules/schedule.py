"""Steps, epochs and the learning rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.of_spec import (
    checkpoint_steps_of,
    evaluation_steps_of,
    max_steps_of,
    steps_from_epochs_of,
    triple_of,
)
from cfgc.validate.rules.finding import At, count, error, is_default, warning
from cfgc.validate.rules.intervals import EPOCHS, STEPS, length_place

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

SAMPLES = "data.max_train_samples"
RATE, FINAL, WARMUP = "training.learning_rate", "training.scheduler.final_learning_rate", "training.warmup_steps"

EPOCHS_IN_STEPS = "${training.max_epochs * (data.max_train_samples // training.global_batch_size)}"
"""What a spec can write where a base gives a number of steps, and other keys follow from it."""

HIGHEST_ADAM_RATE = 0.1
"""Adam moves every weight by about the rate in each step, whatever the gradient; weights start near 0.02."""


def warmup_ends(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG420: warm-up ends before the run does."""
    steps, warmup = max_steps_of(spec), spec.training.warmup_steps
    if steps is None or warmup < steps:
        return
    yield error(
        "CFG420",
        "warm-up is not over before the run ends",
        resolved,
        [At(WARMUP, f"{count(warmup, 'step')} of warm-up"), length_place(spec, steps)],
        (),
        (f"set `warmup_steps = {steps // 50}` (2 % of the steps), or train longer",),
    )


def rate_falls(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG421: the final rate is not above the peak."""
    peak, final = spec.training.learning_rate, spec.training.scheduler.final_learning_rate
    if final <= peak:
        return
    yield error(
        "CFG421",
        "the final learning rate is above the peak",
        resolved,
        [At(FINAL, f"ends at {final:g}"), At(RATE, f"peaks at {peak:g}")],
        (),
        (f"set `final_learning_rate = {peak / 10:g}` (a tenth of the peak)",),
    )


def length_is_given(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG422: the spec says how long to train."""
    if spec.training.max_steps is not None or spec.training.max_epochs is not None:
        return
    yield error(
        "CFG422",
        "nothing says how long to train",
        resolved,
        [At(STEPS, "`max_steps` is missing here")],
        ("the learning-rate schedule, the checkpoints and the cost all follow from the number of steps",),
        ("add `max_steps = 1000`, or `max_epochs = 1` together with `data.max_train_samples`",),
    )


def steps_and_epochs_agree(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG423: steps and epochs, when both are given, mean the same."""
    training = (STEPS, EPOCHS, spec.training.max_steps, steps_from_epochs_of(spec))
    for steps, epochs, said, derived in (training, *_given_twice(spec)):
        if said is None or derived is None or said == derived:
            continue
        run = steps == STEPS
        yield error(
            "CFG423",
            f"`{steps}` and `{epochs}` do not agree",
            resolved,
            [At(steps, count(said, "step")), At(epochs, count(derived, "step")), At(SAMPLES, "samples in each epoch")],
            (_epochs_note(spec),) if run else (),
            _agreeing_steps(spec, derived) if run else (f"set `{steps} = {derived}`",),
        )


def _given_twice(spec: Spec) -> Iterator[tuple[str, str, int, int]]:
    """Intervals that are said in epochs and, other than by default, in steps: both keys, the steps of each."""
    for key, (epochs, steps) in _intervals(spec).items():
        other = key.replace("every_epochs", "every_steps")
        derived = evaluation_steps_of(spec) if key.startswith("evaluation") else checkpoint_steps_of(spec)
        if epochs and spec.data.max_train_samples and not is_default(other, steps):
            yield other, key, steps, derived


def epochs_have_a_size(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG424: epochs are counted in a known number of samples."""
    said = {EPOCHS: spec.training.max_epochs, **{key: epochs for key, (epochs, _) in _intervals(spec).items()}}
    for key, epochs in said.items():
        if not epochs or spec.data.max_train_samples > 0:
            continue
        steps = key.rpartition(".")[2].replace("epochs", "steps")
        yield error(
            "CFG424",
            f"`{key}` needs `data.max_train_samples`",
            resolved,
            [At(key, "how many steps is this?"), At(SAMPLES, "0: as many as the files hold")],
            ("a bundle is compiled without looking at the data, and its plan needs a number of steps",),
            (
                "add `max_train_samples = 100_000` (as many as the files hold, or fewer)",
                f"or replace `{key.rpartition('.')[2]}` by `{steps}`",
            ),
        )


def _intervals(spec: Spec) -> dict[str, tuple[int, int]]:
    """Epochs and steps between evaluations, and between saves."""
    return {
        "evaluation.every_epochs": (spec.evaluation.every_epochs, spec.evaluation.every_steps),
        "checkpoint.every_epochs": (spec.checkpoint.every_epochs, spec.checkpoint.every_steps),
    }


def samples_fill_a_batch(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG425: the training samples are at least one global batch, since a step takes its samples from one pass."""
    triple, samples = triple_of(spec), spec.data.max_train_samples
    if triple is None or samples == 0 or samples >= triple.global_batch_size:
        return
    yield error(
        "CFG425",
        "the training samples are less than one global batch",
        resolved,
        [
            At(SAMPLES, f"{count(samples, 'sample')} in each pass"),
            At("training.global_batch_size", f"{count(triple.global_batch_size, 'sample')} in one step"),
        ],
        ("a step takes its samples from one pass over the data; an incomplete last batch is dropped",),
        (f"set `max_train_samples = {triple.global_batch_size}`", "or lower the global batch"),
    )


def rate_is_plausible(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG426: the peak rate is one that Adam survives."""
    rate, kind = spec.training.learning_rate, spec.training.optimizer.type
    if rate <= HIGHEST_ADAM_RATE or kind == "sgd":
        return
    yield warning(
        "CFG426",
        f"a learning rate of {rate:g} is far above what {kind} survives",
        resolved,
        [At(RATE, f"more than {HIGHEST_ADAM_RATE:g}"), At("training.optimizer.type", "moves each weight by the rate")],
        ("common peaks are 1e-5 to 1e-3",),
        ("set `learning_rate = 3e-4`",),
    )


def final_rate_is_used(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG427: a constant schedule has no final rate."""
    final = spec.training.scheduler.final_learning_rate
    if spec.training.scheduler.type != "constant" or is_default(FINAL, final):
        return
    yield warning(
        "CFG427",
        "a constant learning rate never reaches `final_learning_rate`",
        resolved,
        [At(FINAL, "has no effect"), At("training.scheduler.type", "stays at the peak")],
        (),
        ('drop `final_learning_rate`, or set `type = "cosine"`',),
    )


def _agreeing_steps(spec: Spec, derived: int) -> Iterator[str]:
    if derived:
        yield f"set `max_steps = {derived}`"
    if derived and spec.training.global_batch_size is not None:
        yield f'or let it follow: `max_steps = "{EPOCHS_IN_STEPS}"`'


def _epochs_note(spec: Spec) -> str:
    triple = triple_of(spec)
    size = triple.global_batch_size if triple else 1
    epochs, samples = spec.training.max_epochs or 0, spec.data.max_train_samples
    steps = count(epochs * (samples // size), "step")
    return f"{count(epochs, 'epoch')} × ({count(samples, 'sample')} // {count(size, 'sample')} a step) = {steps}"
