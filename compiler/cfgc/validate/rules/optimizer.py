"""The update rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.validate.rules.finding import At, error, is_default, warning

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

TYPE, BETAS = "training.optimizer.type", "training.optimizer.betas"

LARGEST_CLIPPING = 100.0
"""Gradient norms of transformers are of the order of 1; a bound this far above never acts in time."""


def clipping_acts(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG428: a bound on the gradient norm is one that can be reached."""
    bound = spec.training.gradient_clipping
    if bound <= LARGEST_CLIPPING:
        return
    yield warning(
        "CFG428",
        f"clipping at a gradient norm of {bound:g} hardly ever acts",
        resolved,
        [At("training.gradient_clipping", "norms are around 1")],
        (),
        ("set `gradient_clipping = 1.0`, or `0` to say that nothing is clipped",),
    )


def betas_are_decays(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG429: both decays are at least 0 and below 1, as torch asks."""
    betas = spec.training.optimizer.betas
    if all(0 <= beta < 1 for beta in betas):
        return
    wrong = next(beta for beta in betas if not 0 <= beta < 1)
    yield error(
        "CFG429",
        f"{wrong:g} is no decay of a running average",
        resolved,
        [At(BETAS, "each is at least 0 and below 1")],
        ("average = beta × average + (1 - beta) × new value",),
        ("set `betas = [0.9, 0.95]`",),
    )


def optimizer_keys_are_used(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG430: no key of another optimizer is set."""
    said = spec.training.optimizer
    unused = {"sgd": ("betas", "eps"), "adamw": ("momentum",), "adam": ("momentum",)}.get(said.type, ())
    for name in unused:
        dotted = f"training.optimizer.{name}"
        if is_default(dotted, getattr(said, name)):
            continue
        yield warning(
            "CFG430",
            f"`{dotted}` has no effect with {said.type}",
            resolved,
            [At(dotted, "has no effect"), At(TYPE, "does not read it")],
            (),
            (f"drop `{name}`, or choose the optimizer that reads it",),
        )
