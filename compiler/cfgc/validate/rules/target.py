"""What the spec asks for against the releases of its target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.ending import shutdown_grace_of
from cfgc.arithmetic.of_spec import triple_of
from cfgc.deepspeed.fitting import fit
from cfgc.deepspeed.of_spec import newest_config
from cfgc.deepspeed.releases import release
from cfgc.deepspeed.targets import BF16_WITHOUT_ZERO, FORGETS_GRADIENTS, ZERO_3_ON_A_CPU, ZEROS_ALONE, is_older
from cfgc.launching.slurm import GPUS_PER_NODE
from cfgc.launching.torch import FIXED_SHUTDOWN_S, SHUTDOWN_TIMEOUT
from cfgc.schema.units import format_duration
from cfgc.validate.rules.finding import At, count, error
from cfgc.validate.rules.raw_keys import OWNED
from cfgc.validate.rules.wall_time import GRACE, computed

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec, Spec

TARGET, STAGE, PRECISION = "target.deepspeed", "deepspeed.zero.stage", "training.precision"


def gradients_are_accumulated(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG522: some releases lose the gradients of all micro steps but the last."""
    triple, version, (since, until) = triple_of(spec), spec.target.deepspeed, FORGETS_GRADIENTS
    several = triple is not None and triple.gradient_accumulation_steps > 1
    if not several or spec.deepspeed.zero.stage != 2 or spec.deepspeed.offload.optimizer != "none":
        return
    if is_older(version, since) or not is_older(version, until):
        return
    steps = triple.gradient_accumulation_steps if triple else 0
    yield error(
        "CFG522",
        f"ZeRO-2 of DeepSpeed {version} forgets accumulated gradients",
        resolved,
        [
            At(STAGE, "ZeRO-2"),
            At(TARGET, f"broken from {since}, mended in {until}"),
            At("training.global_batch_size", f"{count(steps, 'micro step')} for each optimizer step"),
        ],
        (f"each optimizer step would see the last of its {steps} micro batches alone",),
        (f'set `target.deepspeed = "{until}"`, or newer', "set `zero.stage = 1`"),
    )


def target_can_be_told(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG527: every value of the spec has a spelling that the target reads."""
    triple, version = triple_of(spec), spec.target.deepspeed
    if triple is None:
        return
    for lost in fit(newest_config(spec, triple), release(version)).lost:
        dotted = ".".join(lost.path)
        home = OWNED.get(dotted) or TARGET
        newer = (f'or set `target.deepspeed = "{lost.since}"`',) if lost.since else ()
        yield error(
            "CFG527",
            f"DeepSpeed {version} cannot be told `{dotted}` = {lost.value}",
            resolved,
            [At(home, "not there"), At(TARGET, f"takes it since {lost.since}" if lost.since else "does not take it")],
            ("a bundle never leaves out what would change the training",),
            (f"write a whole number, `{home.rpartition('.')[2]} = {round(lost.value) or 1}`", *newer)
            if isinstance(lost.value, float)
            else newer,
        )


def sixteen_bits_have_zero(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG528: older releases train bf16 with ZeRO only, and newer ones scale the loss of fp16 for ZeRO only."""
    version, precision = spec.target.deepspeed, spec.training.precision
    old = precision == "bf16" and is_older(version, BF16_WITHOUT_ZERO)
    if spec.deepspeed.zero.stage > 0 or not (old or precision == "fp16"):
        return
    places = [At(STAGE, "no ZeRO"), At(PRECISION, precision)]
    yield error(
        "CFG528",
        f"DeepSpeed {version} does not train {precision} without ZeRO"
        if old or not is_older(version, ZEROS_ALONE)
        else "fp16 is trained with ZeRO only",
        resolved,
        [*places, At(TARGET, f"it works since {BF16_WITHOUT_ZERO}")] if old else places,
        (_why_zero(version, old),),
        ("set `zero.stage = 1`", *((f'set `target.deepspeed = "{BF16_WITHOUT_ZERO}"`, or newer',) if old else ())),
    )


def _why_zero(version: str, is_old_bf16: bool) -> str:
    if is_old_bf16:
        return "older releases refuse it, or scale the loss as if it were fp16 and cannot go on from a checkpoint"
    if is_older(version, ZEROS_ALONE):
        return f"no release since {ZEROS_ALONE} scales the loss without ZeRO, and a spec trains alike on all"
    return "its engine scales the loss for ZeRO's optimizers only; the other divides the gradients all the same"


def weights_arrive_in_time(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG529: on a CPU, older releases read weights of ZeRO-3 before they have arrived."""
    version = spec.target.deepspeed
    if spec.hardware.device != "cpu" or spec.deepspeed.zero.stage < 3 or not is_older(version, ZERO_3_ON_A_CPU):
        return
    yield error(
        "CFG529",
        f"ZeRO-3 of DeepSpeed {version} is not reliable on a CPU",
        resolved,
        [At(STAGE, "ZeRO-3"), At("hardware.device", "no streams"), At(TARGET, f"mended in {ZERO_3_ON_A_CPU}")],
        (
            "after a step it waits for the last of several gathers only; a GPU's stream keeps them in order",
            "on a CPU a forward pass now and then reads weights that have not arrived, and each run has another loss",
        ),
        ("set `zero.stage = 2`", f'set `target.deepspeed = "{ZERO_3_ON_A_CPU}"`'),
    )


def torchrun_waits_as_said(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG619: older torchrun waits a fixed time for ranks that save."""
    grace, version = shutdown_grace_of(spec.launch), spec.target.torch
    if grace == FIXED_SHUTDOWN_S or not SHUTDOWN_TIMEOUT.is_newer_than(version):
        return
    yield error(
        "CFG619",
        f"torchrun of PyTorch {version} waits {FIXED_SHUTDOWN_S} s for its ranks, and cannot be told another time",
        resolved,
        [
            At("target.torch", f"`{SHUTDOWN_TIMEOUT.name}` came with {SHUTDOWN_TIMEOUT.since}"),
            At("launch.shutdown_grace", f"{format_duration(grace)} to save after TERM"),
        ],
        computed(spec.launch, GRACE),
        (
            f'set `launch.shutdown_grace = "{FIXED_SHUTDOWN_S}s"`, if a checkpoint is saved in that time',
            f'set `target.torch = "{SHUTDOWN_TIMEOUT.since}.0"`, or newer',
        ),
    )


def slurm_has_the_option(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG620: older Slurm asks for GPUs in one way only."""
    version = spec.target.slurm
    if spec.hardware.device != "cuda" or spec.cluster.gres or not GPUS_PER_NODE.is_newer_than(version):
        return
    yield error(
        "CFG620",
        f"Slurm {version} has no `--{GPUS_PER_NODE.name}`",
        resolved,
        [
            At("target.slurm", f"it came with {GPUS_PER_NODE.since}"),
            At("cluster.gres", f"empty asks with --{GPUS_PER_NODE.name}"),
        ],
        (),
        ('set `cluster.gres = "gpu"`', f'set `target.slurm = "{GPUS_PER_NODE.since}"`, or newer'),
    )
