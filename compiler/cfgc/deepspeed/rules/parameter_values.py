"""Values of the parameters of optimizers: what torch refuses, and what DeepSpeed's kernels take and divide by."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case
from cfgc.deepspeed.config import AUTO, Json
from cfgc.deepspeed.rules.belonging import only
from cfgc.deepspeed.rules.optimizer_classes import PARAMS, built
from cfgc.deepspeed.wording import pair
from cfgc.diagnostics.model import Fix

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

NOT_NEGATIVE = (
    *("lr", "weight_decay", "eps", "momentum", "muon_lr", "adam_lr", "lr_decay", "initial_accumulator_value"),
    *("max_coeff", "min_coeff", "freeze_step", "rho", "alpha", "lambd", "momentum_decay"),
)
SWITCHES = (
    *("amsgrad", "bias_correction", "torch_adam", "adam_w_mode", "fp32_optimizer_states", "set_grad_none"),
    *("maximize", "capturable", "differentiable", "nesterov", "centered", "cuda_aware", "eps_inside_sqrt"),
)
METHODS = ("standard", "gram")
"""Ways of Muon to make a matrix orthogonal."""

OPTIONAL = ("foreach", "fused")
"""Switches that null leaves to torch."""

DEFAULTS: dict[str, Json] = {
    "lr": 1e-3,
    "muon_lr": 0.02,
    "adam_lr": 1e-3,
    "weight_decay": 0.01,
    "eps": 1e-8,
    "momentum": 0.9,
    "lr_decay": 0.0,
    "initial_accumulator_value": 0.0,
    "betas": [0.9, 0.999],
    "dampening": 0.0,
    "max_coeff": 10.0,
    "min_coeff": 0.01,
    "freeze_step": 1000,
    "rho": 0.9,
    "alpha": 0.99,
    "lambd": 1e-4,
    "momentum_decay": 0.004,
}
"""What is written in place of a value that cannot be read as the number it was meant to be."""


def parameter_values_work(case: Case) -> Iterator[Diagnostic]:
    """CFG585: every value is one that the optimizer can compute with."""
    made = built(case)
    if made is None:
        return
    for name, entry in case.config.below(("optimizer", "params")):
        untold = entry.value == AUTO or (made.takes and name not in made.takes) or made.name.endswith("Adafactor")
        refusal = "" if untold else _refusal(name, entry.value)
        if refusal:
            yield _refused(case, f"{PARAMS}.{name}", refusal, _repaired(name, entry.value))
    if case.flag(f"{PARAMS}.fused") and case.flag(f"{PARAMS}.foreach"):
        yield _both_kernels(case)
    if case.flag(f"{PARAMS}.nesterov") and not (
        case.number(f"{PARAMS}.momentum") if case.written(f"{PARAMS}.momentum") else 0
    ):
        yield _nesterov(case)


def _refusal(name: str, value: Json) -> str:
    """Why the value does not work; empty when it does, or nobody knows."""
    if name in SWITCHES or (name in OPTIONAL and value is not None):
        return "" if isinstance(value, bool) else "has to be true or false"
    if name == "betas":
        return _betas_refusal(value)
    if name == "ns_method":
        return "" if value in METHODS else 'has to be "standard" or "gram"'
    if name not in NOT_NEGATIVE:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "has to be a number" + (", without quotes" if isinstance(value, str) else "")
    return "" if value >= 0 and math.isfinite(value) else "has to be at least 0"


def _betas_refusal(value: Json) -> str:
    if not isinstance(value, list) or len(value) != 2 or not all(_is_number(each) or each == AUTO for each in value):
        return "has to be an array of two numbers"
    return (
        ""
        if all(each == AUTO or 0 <= each < 1 for each in value)
        else "has to hold decays, each at least 0 and below 1"
    )


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _repaired(name: str, value: Json) -> Json:
    """The value as it was probably meant."""
    held = only(value)
    if held == AUTO or not _refusal(name, held):
        return held
    value = held if name != "betas" else value
    if name in SWITCHES or name in OPTIONAL:
        return str(value).strip().lower() in ("true", "yes", "on", "1", "1.0")
    if name == "betas":
        return _repaired_betas(value)
    if name == "ns_method":
        return "standard" if str(value).lower().startswith("s") else "gram"
    number = _as_number(value)
    return abs(number) if number is not None and math.isfinite(number) else DEFAULTS[name]


def _repaired_betas(value: Json) -> list[Json]:
    """The first two usable decays, with the usual ones in place of others."""
    usual = DEFAULTS["betas"]
    if not isinstance(value, list):
        return list(usual)
    numbers = [_as_number(each) for each in value[:2]]
    found = [n if n is not None and 0 <= n < 1 else u for n, u in zip(numbers, usual, strict=False)]
    return [*found, *usual[len(found) :]]


def _as_number(value: Json) -> float | None:
    read: Callable[[Json], float] = float
    try:
        return value if _is_number(value) else read(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _refused(case: Case, dotted: str, refusal: str, meant: Json) -> Diagnostic:
    certain = case.config.entries[tuple(dotted.split("."))].value != meant and "quotes" in refusal
    return case.error(
        "CFG585",
        f"`{dotted}` {refusal}",
        [At(dotted)],
        ("DeepSpeed hands the value on unread; the optimizer refuses it, or computes with it",),
        (f"write {pair(dotted, meant)} in `{PARAMS}`",),
        (Fix((case.set(dotted, meant),), certain=certain),),
    )


def _both_kernels(case: Case) -> Diagnostic:
    return case.error(
        "CFG585",
        "`fused` and `foreach` exclude each other",
        [At(f"{PARAMS}.foreach"), At(f"{PARAMS}.fused")],
        ("torch stops when it builds the optimizer",),
        ("leave `foreach` out",),
        (Fix((case.drop(f"{PARAMS}.foreach"),)),),
    )


def _nesterov(case: Case) -> Diagnostic:
    return case.error(
        "CFG585",
        "`nesterov` needs a momentum above 0",
        [At(f"{PARAMS}.nesterov"), At(f"{PARAMS}.momentum", "no momentum")],
        ("torch stops when it builds the optimizer",),
        (f"write {pair('momentum', 0.9)} in `{PARAMS}`", "or leave `nesterov` out"),
        (Fix((case.set(f"{PARAMS}.momentum", 0.9),)), Fix((case.drop(f"{PARAMS}.nesterov"),))),
    )


RULES = (parameter_values_work,)
