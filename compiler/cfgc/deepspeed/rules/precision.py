"""Number formats: fp16, bf16, autocast, and what is kept or summed up in which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At
from cfgc.deepspeed.rules.facts import (
    FORMATS,
    STAGE,
    accumulated_in,
    flag_at,
    precision_at,
    precision_of,
    stage_at,
    stage_of,
    table_at,
)
from cfgc.deepspeed.rules.remedy import Remedy, drop, listed, put, told

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

AUTOCAST = "torch_autocast"
ACCUMULATED = "data_types.grad_accum_dtype"
WEIGHTS = "data_types.param_dtype"


def one_format_is_on(case: Case) -> Iterator[Diagnostic]:
    """CFG565: fp16 or bf16, not both."""
    other = "bf16.enabled"
    if flag_at(case, "fp16.enabled") is not True or flag_at(case, other) is not True:
        return
    yield case.error(
        "CFG565",
        "fp16 and bf16 are both on",
        [At("fp16.enabled", "fp16 weights"), At(other, "bf16 weights")],
        ("DeepSpeed refuses it when it reads the file; bf16 needs no loss scaling, fp16 runs before Ampere too",),
        *told([put(case, "fp16.enabled", False), put(case, other, False)]),
    )


def fp16_has_a_gpu(case: Case) -> Iterator[Diagnostic]:
    """CFG442: DeepSpeed refuses fp16 on most CPUs."""
    if case.device != "cpu" or precision_of(case) != "fp16" or not case.since("0.13.0"):
        return
    yield case.error(
        "CFG442",
        "fp16 does not train on a CPU",
        [At("fp16.enabled", "fp16")],
        ("DeepSpeed stops with `Type fp16 is not supported on your device` on CPUs without fp16 instructions",),
        *told([put(case, "fp16.enabled", False)]),
    )


def autocast_has_fp32_weights(case: Case) -> Iterator[Diagnostic]:
    """CFG567: torch casts fp32 weights where it is safe; low-precision weights leave it nothing to do."""
    precision = precision_of(case)
    if flag_at(case, f"{AUTOCAST}.enabled") is not True or precision not in ("fp16", "bf16"):
        return
    yield case.warning(
        "CFG567",
        f"`{AUTOCAST}` is on over {precision} weights",
        [At(f"{AUTOCAST}.enabled", "casts fp32 weights where it is safe"), precision_at(case)],
        (
            f"the weights are {precision} already, also where autocast would have kept fp32",
            "autocast alone keeps fp32 weights, and needs neither `fp16` nor `bf16`",
        ),
        *told([put(case, f"{AUTOCAST}.enabled", False), put(case, precision_at(case).dotted, False)]),
    )


def autocast_lowers_precision(case: Case) -> Iterator[Diagnostic]:
    """CFG566: torch casts to fp16 or bf16."""
    key = f"{AUTOCAST}.dtype"
    if flag_at(case, f"{AUTOCAST}.enabled") is not True:
        return
    if case.written(key) and FORMATS.get(case.text(key) or "") in ("fp32", "int8"):
        yield case.error(
            "CFG566",
            f"`{key}` is not a format that torch casts to",
            [At(key, "fp16 or bf16")],
            ("torch switches autocast off with any other, and everything is computed in fp32",),
            *told([put(case, key, "bfloat16"), put(case, f"{AUTOCAST}.enabled", False)]),
        )


def safe_modules_have_packages(case: Case) -> Iterator[Diagnostic]:
    """CFG566: a class of modules is named with its package."""
    key = f"{AUTOCAST}.lower_precision_safe_modules"
    names = case.value(key) if flag_at(case, f"{AUTOCAST}.enabled") is True and case.written(key) else None
    bare = [name for name in names if isinstance(name, str) and "." not in name] if isinstance(names, list) else []
    if not bare:
        return
    full = [f"torch.nn.{name}" if name in bare else name for name in names or ()]
    yield case.error(
        "CFG566",
        f"{listed(bare)} of `{key}` {'has' if len(bare) == 1 else 'have'} no package",
        [At(key, "classes with their packages")],
        ("DeepSpeed imports every class by its full name, and stops when it builds the engine",),
        *told([put(case, key, full), drop(case, key)]),
    )


def weights_have_their_format(case: Case) -> Iterator[Diagnostic]:
    """CFG568: the format of the weights is that of the switch."""
    precision = precision_of(case)
    asked = FORMATS.get(case.text(WEIGHTS) or "")
    if not case.since("0.19.2") or asked is None or precision is None or asked == precision:
        return
    yield case.error(
        "CFG568",
        f"`{WEIGHTS}` is {asked}, and the weights are {precision}",
        [At(WEIGHTS, asked), precision_at(case)],
        ("the switches of `fp16` and `bf16` decide; DeepSpeed stops at the start when the two differ",),
        *told([drop(case, WEIGHTS), *_switch_on(case, asked)]),
    )


def _switch_on(case: Case, asked: str) -> tuple[Remedy, ...]:
    """The switch of the format that was asked for, when no other one is on."""
    if precision_of(case) != "fp32" or asked not in ("fp16", "bf16"):
        return ()
    return (put(case, f"{asked}.enabled", True),)


def gradients_have_a_wrapper(case: Case) -> Iterator[Diagnostic]:
    """CFG568: without ZeRO gradients are summed up in the format of the weights."""
    precision, accumulated = precision_of(case), accumulated_in(case)
    if stage_of(case) != 0 or precision is None or accumulated is None or not table_at(case, "data_types"):
        return
    if not _mix_is_refused(case, precision, accumulated):
        return
    asked_for_zero = put(case, STAGE, 1)
    yield case.error(
        "CFG568",
        f"gradients of {precision} weights cannot be summed up in {accumulated} without ZeRO",
        [At(ACCUMULATED, accumulated), precision_at(case), stage_at(case)],
        (f"DeepSpeed {case.release.version} stops when it builds the optimizer (NotImplementedError)",),
        *told([drop(case, ACCUMULATED), asked_for_zero]),
    )


def _mix_is_refused(case: Case, precision: str, accumulated: str) -> bool:
    if (precision, accumulated) == ("bf16", "fp32"):
        return case.since("0.18.5")
    if (precision, accumulated) == ("bf16", "bf16"):
        return not case.since("0.17.6") and not case.written("pipeline")
    return precision != accumulated


def communication_keeps_precision(case: Case) -> Iterator[Diagnostic]:
    """CFG513: gradients are reduced in their own format or a wider one."""
    key = "communication_data_type"
    used, precision = (case.text(key) or "").lower(), precision_of(case)
    if not case.written(key) or used not in ("fp16", "bf16") or precision in (None, used):
        return
    yield case.warning(
        "CFG513",
        f"gradients of {precision} training are reduced in {used}",
        [At(key, used), precision_at(case)],
        ("fp16 overflows above 65,504, bf16 keeps 8 bits of a number",),
        *told([drop(case, key)]),
    )


RULES = (
    fp16_has_a_gpu,
    communication_keeps_precision,
    one_format_is_on,
    autocast_lowers_precision,
    safe_modules_have_packages,
    autocast_has_fp32_weights,
    weights_have_their_format,
    gradients_have_a_wrapper,
)
