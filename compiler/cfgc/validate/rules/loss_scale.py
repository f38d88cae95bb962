"""Keys that depend on how gradients are scaled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.validate.rules.finding import At, error, is_default, warning

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

KEYS = ("loss_scale", "initial_scale_power", "loss_scale_window", "hysteresis", "min_loss_scale")


def loss_scale_has_fp16(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG511: only fp16 training scales its loss."""
    if spec.training.precision == "fp16":
        return
    for name in KEYS:
        dotted = f"deepspeed.fp16.{name}"
        if is_default(dotted, getattr(spec.deepspeed.fp16, name)):
            continue
        yield warning(
            "CFG511",
            f"`{dotted}` has no effect in {spec.training.precision}",
            resolved,
            [At(dotted, "has no effect"), At("training.precision", "does not scale the loss")],
            ("bf16 and fp32 have the same range of exponents, and need no loss scale",),
            (f"drop `{name}`",),
        )


def fixed_scale_is_all(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG530: a fixed scale is never raised or lowered."""
    if spec.training.precision != "fp16" or spec.deepspeed.fp16.loss_scale == 0:
        return
    for name in KEYS[1:]:
        dotted = f"deepspeed.fp16.{name}"
        if is_default(dotted, getattr(spec.deepspeed.fp16, name)):
            continue
        yield warning(
            "CFG530",
            f"`{dotted}` has no effect: the scale is fixed",
            resolved,
            [At(dotted, "has no effect"), At("deepspeed.fp16.loss_scale", "every loss is multiplied with it")],
            ("only a `loss_scale` of 0 is raised and lowered",),
            (f"drop `{name}`", "or set `loss_scale = 0`"),
        )


def least_scale_is_reached(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG571: a dynamic scale starts above the least one."""
    fp16 = spec.deepspeed.fp16
    first, least = 2**fp16.initial_scale_power, fp16.min_loss_scale
    if spec.training.precision != "fp16" or fp16.loss_scale != 0 or int(least) <= first:
        return
    yield error(
        "CFG571",
        "the loss scale starts below its least value",
        resolved,
        [At("deepspeed.fp16.min_loss_scale", f"{least:,g}"), At("deepspeed.fp16.initial_scale_power", f"{first:,}")],
        ("an overflow raises the scale to the least one, where the next one ends a run with ZeRO",),
        ("set `min_loss_scale = 1`",),
    )


def predivision_is_used(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG512: prescaling divides by the world size and ignores the factor; ZeRO-1's reduce-scatter ignores both."""
    said = spec.deepspeed
    if said.zero.stage == 1 and said.zero.reduce_scatter:
        yield from _scattered(resolved, spec)
        return
    if not said.prescale_gradients or said.gradient_predivide_factor == 1 or said.zero.stage >= 2:
        return
    yield warning(
        "CFG512",
        "`deepspeed.gradient_predivide_factor` has no effect with `prescale_gradients`",
        resolved,
        [
            At("deepspeed.gradient_predivide_factor", "has no effect"),
            At("deepspeed.prescale_gradients", "divides by the number of ranks"),
        ],
        (),
        ("drop `gradient_predivide_factor`, or `prescale_gradients`",),
    )


def _scattered(resolved: Resolved, spec: Spec) -> Iterator[Diagnostic]:
    said = spec.deepspeed
    prescaled = [At("deepspeed.prescale_gradients", "has no effect")] if said.prescale_gradients else []
    divided = (
        [At("deepspeed.gradient_predivide_factor", "has no effect")] if said.gradient_predivide_factor != 1 else []
    )
    for place in (*prescaled, *divided):
        yield warning(
            "CFG512",
            f"`{place.dotted}` has no effect at ZeRO-1",
            resolved,
            [place, At("deepspeed.zero.stage", "ZeRO-1"), At("deepspeed.zero.reduce_scatter", "averages by itself")],
            ("the reduce-scatter of ZeRO-1 divides by the number of ranks, before it sums, and by nothing else",),
            (f"drop `{place.dotted.removeprefix('deepspeed.')}`, or set `zero.reduce_scatter = false`",),
        )


def least_scale_is_whole(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG516: DeepSpeed keeps the least loss scale as an integer."""
    least = spec.deepspeed.fp16.min_loss_scale
    if float(least).is_integer():
        return
    yield error(
        "CFG516",
        f"the least loss scale is a whole number, and {least:g} is none",
        resolved,
        [At("deepspeed.fp16.min_loss_scale", "not whole")],
        (),
        (f"set `min_loss_scale = {max(1, round(least))}`",),
    )
