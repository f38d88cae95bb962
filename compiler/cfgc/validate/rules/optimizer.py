"""The update rule."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cfgc.arithmetic.of_spec import decoder_of
from cfgc.arithmetic.parameter_names import decoder_names
from cfgc.arithmetic.update_rules import UNUSED, WHOLE_WEIGHTS
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.rules.finding import At, error, is_default, warning

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

GROUPS, STAGE = "training.optimizer.groups", "deepspeed.zero.stage"
TYPE, BETAS = "training.optimizer.type", "training.optimizer.betas"

NAMES = (
    "embedding.weight, blocks.0.attention.query.weight (key, value, output), blocks.0.mlp.up.weight (gate, down), "
    "blocks.0.attention_norm.weight (mlp_norm), norm.weight and head.weight"
)

MOST_LAYERS = 10_000
"""Names of more layers are not written out."""

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
    for name in UNUSED.get(said.type, ()):
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


def weights_are_whole(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG487: an update rule that needs whole parameters has them."""
    kind, stage = spec.training.optimizer.type, spec.deepspeed.zero.stage
    if kind not in WHOLE_WEIGHTS or stage == 0:
        return
    yield error(
        "CFG487",
        f"{kind} needs whole parameters, and ZeRO-{stage} updates pieces of them",
        resolved,
        [At(TYPE, "sees each parameter as a whole"), At(STAGE, "cuts the weights into one piece a rank")],
        (f"{kind} {WHOLE_WEIGHTS[kind]}; from stage 1 on a rank's optimizer holds a slice of all weights in a row",),
        ("set `deepspeed.zero.stage = 0`", 'or set `training.optimizer.type = "adamw"`'),
    )


def groups_have_parameters(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG490: every group of the decoder's parameters takes at least one that no group before has."""
    shape = decoder_of(spec)
    if shape is None or not spec.training.optimizer.groups or shape.num_layers > MOST_LAYERS:
        return
    left = list(decoder_names(shape))
    for index, group in enumerate(spec.training.optimizer.groups):
        taken = {name for name in left if fnmatchcase(name, group.pattern)}
        if not taken:
            known = any(fnmatchcase(name, group.pattern) for name in decoder_names(shape))
            yield _unmatched(resolved, index, group.pattern, known)
        left = [name for name in left if name not in taken]


def groups_differ(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG496: a group has a decay or a rate of its own, or keeps its parameters from a later one that has."""
    said = spec.training.optimizer
    if said.type == "target":
        return  # own code sees each group, whatever is in it
    for index, group in reversed(tuple(enumerate(said.groups))):
        if group.weight_decay is not None or group.learning_rate_scale != 1:
            return
        yield error(
            "CFG496",
            f"the group `{group.pattern}` changes nothing",
            resolved,
            [At(GROUPS, "trained as the rest", (index, "pattern"))],
            ("it gives neither `weight_decay` nor a `learning_rate_scale` other than 1",),
            ("give one of them, or drop the group",),
            one_fix(Remedy(resolved).drop((*GROUPS.split("."), index))),
        )


def _unmatched(resolved: Resolved, index: int, pattern: str, known: bool) -> Diagnostic:
    why = "the groups before it take every parameter that it matches" if known else f"the names are {NAMES}"
    help_ = "put it before them" if known else "write the pattern of one of these names"
    return error(
        "CFG490",
        f"no parameter is left for the group `{pattern}`",
        resolved,
        [At(GROUPS, "takes nothing", (index, "pattern"))],
        (why,),
        (help_, "or drop the group"),
        one_fix(Remedy(resolved).drop((*GROUPS.split("."), index))),
    )
