"""Number formats against the hardware."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.validate.rules.finding import At, error

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec, Spec

PRECISION, ARCHITECTURE, DEVICE = "training.precision", "hardware.architecture", "hardware.device"

WITHOUT_BF16 = ("volta", "turing")
"""NVIDIA generations before compute capability 8.0."""

WITHOUT_FP8 = ("cpu", "volta", "turing", "ampere")
"""Everything before compute capability 8.9 (Ada, Hopper)."""


def bf16_exists(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG440: bf16 needs Ampere or newer, or a CPU."""
    architecture = spec.hardware.architecture
    if spec.training.precision != "bf16" or architecture not in WITHOUT_BF16:
        return
    yield error(
        "CFG440",
        f"{architecture} has no bf16",
        resolved,
        [At(PRECISION, "bf16"), At(ARCHITECTURE, "before Ampere")],
        ("bf16 matrix units came with Ampere (compute capability 8.0)",),
        ('set `precision = "fp16"`, or choose newer hardware',),
    )


def fp8_exists(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG441: fp8 needs Ada, Hopper or newer."""
    architecture = spec.hardware.architecture
    wanted = spec.training.precision == "fp8" or spec.training.fp8.enabled
    if not wanted or architecture not in WITHOUT_FP8:
        return
    key = PRECISION if spec.training.precision == "fp8" else "training.fp8.enabled"
    yield error(
        "CFG441",
        f"{architecture} has no fp8",
        resolved,
        [At(key, "fp8"), At(ARCHITECTURE, "before Ada and Hopper")],
        ("fp8 matrix units came with Ada and Hopper (compute capability 8.9 and 9.0)",),
        ('set `precision = "bf16"` and drop `[training.fp8]`',),
    )


def fp16_has_a_gpu(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG442: DeepSpeed refuses fp16 on most CPUs."""
    if spec.training.precision != "fp16" or spec.hardware.device != "cpu":
        return
    yield error(
        "CFG442",
        "fp16 does not train on a CPU",
        resolved,
        [At(PRECISION, "fp16"), At(DEVICE, "a CPU")],
        ("DeepSpeed stops with `Type fp16 is not supported on your device` on CPUs without fp16 instructions",),
        ('set `precision = "bf16"`, which every CPU can do',),
    )


def fp8_has_one_truth(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG443: ``fp8.enabled`` says the same as ``precision``."""
    enabled, precision = spec.training.fp8.enabled, spec.training.precision
    if enabled is None or enabled == (precision == "fp8"):
        return
    yield error(
        "CFG443",
        f"`training.fp8.enabled` is {str(enabled).lower()} and `training.precision` is {precision}",
        resolved,
        [At("training.fp8.enabled", "8-bit floats" if enabled else "no 8-bit floats"), At(PRECISION, precision)],
        ("the number format has one home, `training.precision`",),
        ("drop `fp8.enabled`",),
    )


def device_is_of_its_architecture(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG444: a CPU has no GPU generation, and the other way round."""
    device, architecture = spec.hardware.device, spec.hardware.architecture
    if architecture == "unknown" or (device == "cpu") == (architecture == "cpu"):
        return
    yield error(
        "CFG444",
        f'a "{device}" device is not of the architecture "{architecture}"',
        resolved,
        [At(DEVICE, device), At(ARCHITECTURE, architecture)],
        (),
        (
            f'set `hardware.device = "{"cpu" if architecture == "cpu" else "cuda"}"`',
            'or choose the hardware as a whole: `hardware = "cpu"` under `[overlays]`',
        ),
    )
