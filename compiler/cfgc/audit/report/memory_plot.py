"""What a rank holds of the model, drawn: at the run's ZeRO stage, and at the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import ModuleType
from typing import Final

from cfgc.arithmetic.memory import Setting, States, model_states, optimizer_moments
from cfgc.audit.report.drawing import WIDTH, Scale, Tick, place
from cfgc.emit.markdown import memory
from cfgc_runtime.values import Values

PARTS: Final = {"parameters": "parameter_bytes", "gradients": "gradient_bytes", "optimizer": "optimizer_bytes"}
"""What a bar is made of, and its name in ``States``."""
_LEFT: Final = 74
_RIGHT: Final = WIDTH - 32
"""Half of the last label is beyond it."""
_TOP: Final = 22
_ROW: Final = 44
_STAGES: Final = (0, 1, 2, 3)
_FAR: Final = 12
"""A device this many times larger than the largest bar is beyond the picture, which would show dots else."""


@dataclass(frozen=True)
class Segment:
    """A part of a bar."""

    part: str
    x: str
    width: str


@dataclass(frozen=True)
class Bar:
    """One ZeRO stage; ``text`` is its sum and what else is to say."""

    label: str
    chosen: bool
    segments: tuple[Segment, ...]
    text: str
    y: int


@dataclass(frozen=True)
class MemoryPlot:
    """A picture; ``text`` says the same in words, ``limit`` is the device's memory where it is known and in sight."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    limit: Tick | None
    text: str
    height: int
    left: int = _LEFT
    right: int = _RIGHT
    top: int = _TOP


def memory_plot(plan: ModuleType, values: Values) -> MemoryPlot | None:
    """The bars of a training; None where the model's size is known on the node only.

    Raises what a forged bundle makes of it: ``planned.guarded``.
    """
    if getattr(plan, "WORK", "") != "train" or not plan.MODEL.parameters:
        return None
    chosen = _setting(plan, values)
    stages = {stage: _states(chosen, stage) for stage in _STAGES}
    device = plan.TOPOLOGY.device_memory
    largest = max(states.device_total for states in stages.values())
    near = 0 < device <= largest * _FAR
    scale = Scale(max(largest, device if near else 0) * 1.02, _LEFT, _RIGHT)
    bars = tuple(_bar(stage, states, stage == chosen.zero_stage, scale) for stage, states in stages.items())
    unit = 1024.0 ** next((power for power in (4, 3, 2, 1) if scale.highest >= 2 * 1024**power), 0)
    ticks = [value * unit for value in Scale(scale.highest / unit, 0, 1).ticks()]
    return MemoryPlot(
        bars,
        tuple(Tick(place(scale(tick)), memory(round(tick)) if tick else "0") for tick in ticks),
        Tick(place(scale(device)), memory(device)) if near else None,
        _text(stages[chosen.zero_stage], chosen.zero_stage, device),
        _TOP + _ROW * len(bars) + 26,
    )


def _setting(plan: ModuleType, values: Values) -> Setting:
    """What the sizes follow from, as ``arithmetic.of_spec.memory_setting_of`` has it of a spec."""
    topology, offload = plan.TOPOLOGY, "deepspeed.offload"
    split = topology.tensor_parallel * topology.pipeline_parallel
    return Setting(
        parameters=-(-plan.MODEL.parameters // split),
        shards=max(1, topology.world_size // split),
        zero_stage=plan.ZERO_STAGE,
        precision=plan.PRECISION,
        moments=optimizer_moments(plan.OPTIMIZER.type, plan.OPTIMIZER.momentum),
        offload_optimizer=values["resources"].get(f"{offload}.optimizer", "none") != "none",
        offload_parameters=values["resources"].get(f"{offload}.parameters", "none") != "none",
    )


def _states(setting: Setting, stage: int) -> States:
    """At another stage, without what that one cannot offload."""
    return model_states(
        replace(
            setting,
            zero_stage=stage,
            offload_optimizer=setting.offload_optimizer and stage >= 1,
            offload_parameters=setting.offload_parameters and stage == 3,
        )
    )


def _bar(stage: int, states: States, chosen: bool, scale: Scale) -> Bar:
    segments, at = [], 0
    for part, name in PARTS.items():
        size = getattr(states, name)
        if size:
            segments.append(Segment(part, place(scale(at)), place(scale(at + size) - scale(at))))
        at += size
    host = f", and {memory(states.host_bytes)} in the node's memory" if states.host_bytes else ""
    return Bar(f"ZeRO-{stage}", chosen, tuple(segments), f"{memory(at)}{host}", _TOP + _ROW * stage)


def _text(states: States, stage: int, device: int) -> str:
    sizes = {part: getattr(states, name) for part, name in PARTS.items()}
    held = ", ".join(f"{part} {memory(size)}" for part, size in sizes.items() if size)
    room = f" of {memory(device)}" if device else ""
    host = f"; {memory(states.host_bytes)} in the node's memory" if states.host_bytes else ""
    return f"ZeRO-{stage}: {memory(states.device_total)}{room} on each device ({held or 'nothing stays there'}){host}"
