"""Which keys say how long a run is, and how often it evaluates and saves: steps, or epochs in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from cfgc.arithmetic.of_spec import epochs_in_steps_of
from cfgc.validate.rules.finding import At, count

if TYPE_CHECKING:
    from cfgc.schema.spec import Spec

STEPS, EPOCHS = "training.max_steps", "training.max_epochs"


def length_key(spec: Spec) -> str:
    """The key that says how long the run is."""
    return EPOCHS if spec.training.max_steps is None else STEPS


def length_place(spec: Spec, steps: int) -> At:
    """That key, which gives ``steps`` steps."""
    return At(length_key(spec), f"{count(steps, 'step')} in all")


def interval_key(spec: Spec, section: Literal["evaluation", "checkpoint"]) -> str:
    """The key that says how often: epochs, where somebody knows how long one is."""
    in_epochs = epochs_in_steps_of(spec, getattr(spec, section).every_epochs) > 0
    return f"{section}.{'every_epochs' if in_epochs else 'every_steps'}"


def ten_times(spec: Spec, section: Literal["evaluation", "checkpoint"], steps: int) -> str:
    """What to write for about ten times in ``steps`` steps: in epochs where these are said and are short enough."""
    often, key = max(1, steps // 10), interval_key(spec, section)
    in_steps = f"`{section}.every_steps = {often}`"
    if key.endswith("every_steps"):
        return in_steps
    epoch = epochs_in_steps_of(spec, 1)
    return f"`{key} = {max(1, often // epoch)}`" if epoch <= steps else f"`{key} = 0` and {in_steps}"
