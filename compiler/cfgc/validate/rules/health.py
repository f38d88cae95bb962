"""Watching gradients, and the terms added to the loss: bounds that agree, and keys that have an effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.of_spec import max_steps_of
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.rules.finding import At, count, error, is_default
from cfgc.validate.rules.intervals import length_place

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

HEALTH, PENALTIES = "training.gradient_health", "training.penalties"
CLIPPING = "training.gradient_clipping"
INITIAL, FINAL = f"{HEALTH}.initial_clip_value", f"{HEALTH}.final_clip_value"
EOS, SHORTEST = f"{PENALTIES}.eos", f"{PENALTIES}.min_sequence_length"


def bounds_agree(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG491: one bound on the gradient norm, which is reached, and below what counts as an explosion."""
    said, steps = spec.training.gradient_health, max_steps_of(spec)
    if not said.enabled:
        return
    message = "the bounds on the gradient norm do not agree"
    clipping, highest = spec.training.gradient_clipping, max(said.initial_clip_value, said.final_clip_value)
    if not is_default(CLIPPING, clipping) and clipping != said.final_clip_value:
        places = [At(CLIPPING, f"clips at {clipping:g}"), At(FINAL, f"clips at {said.final_clip_value:g}")]
        helps = (f"set `final_clip_value = {clipping:g}`",) if clipping else (f"set `{HEALTH}.enabled = false`",)
        yield error("CFG491", message, resolved, places, (), (*helps, "or drop `gradient_clipping`"))
    if said.explosion_threshold <= highest:
        key = INITIAL if highest == said.initial_clip_value else FINAL
        places = [At(f"{HEALTH}.explosion_threshold", "an explosion from here on"), At(key, "and clipped only here")]
        note = "a norm that clipping lets through would count as an explosion"
        yield error("CFG491", message, resolved, places, (note,), (f"set `explosion_threshold = {2.5 * highest:g}`",))
    if steps is not None and said.warmup_steps > steps:
        places = [
            At(f"{HEALTH}.warmup_steps", f"final after {count(said.warmup_steps, 'step')}"),
            length_place(spec, steps),
        ]
        yield error("CFG491", message, resolved, places, (), (f"set `warmup_steps = {max(1, steps // 10)}`",))


def watching_is_on(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG496: what watching does is set where it watches, starts lower, and reduces the rate."""
    said = spec.training.gradient_health
    if not said.enabled:
        by = At(f"{HEALTH}.enabled", "norms are not watched")
        names = (name for name in type(said).model_fields if name != "enabled")
        yield from _idle(spec, resolved, names, by, "set `enabled = true`")
        return
    if said.warmup_steps == 0:
        by = At(f"{HEALTH}.warmup_steps", "0: the final value from the first step on")
        yield from _idle(spec, resolved, ("initial_clip_value",), by, "set `warmup_steps = 100`")
    if not said.auto_reduce_lr:
        by = At(f"{HEALTH}.auto_reduce_lr", "the rate is not reduced")
        yield from _idle(spec, resolved, ("lr_reduction_factor",), by, "set `auto_reduce_lr = true`")


def _idle(spec: Spec, resolved: Resolved, names: Iterable[str], by: At, instead: str) -> Iterator[Diagnostic]:
    for name in names:
        key = f"{HEALTH}.{name}"
        if is_default(key, getattr(spec.training.gradient_health, name)):
            continue
        yield error(
            "CFG496",
            f"`{key}` changes nothing",
            resolved,
            [At(key, "has no effect"), by],
            (),
            (instead, f"or drop `{name}`"),
            one_fix(Remedy(resolved).drop(tuple(key.split(".")))),
        )


def penalties_act(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG492: an early end has a weight and a length, and penalties see the runtime's own tokens."""
    said = spec.training.penalties
    length = spec.data.sequence_length
    message = "the penalty against early ends does not act as it says"
    if (said.eos > 0) != (said.min_sequence_length > 0):
        places = [At(EOS, f"weight {said.eos:g}"), At(SHORTEST, f"of texts below {said.min_sequence_length}")]
        help_ = "set `min_sequence_length = 20`" if said.eos else "set `eos = 1.0`"
        yield error("CFG492", message, resolved, places, ("it is `eos` × -log(1 - p(end)) in shorter texts",), (help_,))
    elif said.min_sequence_length > length:
        places = [At(SHORTEST, "longer than what is read at once"), At("data.sequence_length", count(length, "token"))]
        note = "every end would be punished, since a text is counted within its sample"
        yield error("CFG492", message, resolved, places, (note,), (f"set `min_sequence_length = {length // 4}`",))
