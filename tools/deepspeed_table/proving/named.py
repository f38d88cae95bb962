"""The optimizers and schedulers of the installed DeepSpeed, and the signatures of what they are made with."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass, field
from typing import Any

from cfgc.deepspeed.table import MISSING

CONSTRUCTORS: dict[str, tuple[str, ...]] = {
    "adam": ("deepspeed.ops.adam.FusedAdam", "deepspeed.ops.adam.DeepSpeedCPUAdam", "torch.optim.Adam"),
    "adamw": ("deepspeed.ops.adam.FusedAdam", "deepspeed.ops.adam.DeepSpeedCPUAdam", "torch.optim.AdamW"),
    "adagrad": ("deepspeed.ops.adagrad.DeepSpeedCPUAdagrad", "torch.optim.Adagrad"),
    "lamb": ("deepspeed.ops.lamb.FusedLamb",),
    "lion": ("deepspeed.ops.lion.DeepSpeedCPULion", "deepspeed.ops.lion.FusedLion"),
    "onebitadam": ("deepspeed.runtime.fp16.onebit.adam.OnebitAdam",),
    "onebitlamb": ("deepspeed.runtime.fp16.onebit.lamb.OnebitLamb",),
    "zerooneadam": ("deepspeed.runtime.fp16.onebit.zoadam.ZeroOneAdam",),
}
"""What ``DeepSpeedEngine._configure_basic_optimizer`` makes of a name; the others are not constructors' to say."""

BY_ENGINE = dict.fromkeys(("adam", "adamw"), ("torch_adam", "adam_w_mode", "fp32_optimizer_states"))
"""Taken out by the engine, which has its own defaults for them."""

FIXED = {"adam": ("adamw_mode", "adam_w_mode"), "adamw": ("adamw_mode", "adam_w_mode")}
"""Given by the engine itself: no config can."""

NOT_SETTINGS = frozenset({"self", "params", "model_params", "optimizer", "deepspeed"})


@dataclass
class NamedSeen:
    """The parameters that constructors take, each with its defaults; None when they are not to be seen."""

    parameters: dict[str, list[Any]] | None = field(default_factory=dict)


def optimizers_seen() -> dict[str, NamedSeen]:
    """Every name, with what its constructors take."""
    from deepspeed.runtime.config import DEEPSPEED_OPTIMIZERS

    return {name: NamedSeen(_parameters(name)) for name in DEEPSPEED_OPTIMIZERS}


def _parameters(name: str) -> dict[str, list[Any]] | None:
    if name not in CONSTRUCTORS:
        return None
    found: dict[str, list[Any]] = {}
    for dotted in CONSTRUCTORS[name]:
        module, _, attribute = dotted.rpartition(".")
        for parameter, default in _signature(getattr(importlib.import_module(module), attribute)).items():
            if parameter not in FIXED.get(name, ()):
                known = found.setdefault(parameter, [])
                known += [default] if not dotted.startswith("torch.") else []
    for parameter in BY_ENGINE.get(name, ()):
        found[parameter] = []
    return found


def _signature(owner: Any) -> dict[str, Any]:
    parameters = inspect.signature(owner.__init__).parameters.values()
    defaults = {
        p.name: MISSING if p.default is p.empty else p.default for p in parameters if p.name not in NOT_SETTINGS
    }
    return {name: list(value) if isinstance(value, tuple) else value for name, value in defaults.items()}


def schedulers_seen() -> dict[str, NamedSeen]:
    """Every name, with what its class takes."""
    from deepspeed.runtime import lr_schedules

    found = {}
    for name in lr_schedules.VALID_LR_SCHEDULES:
        taken = _signature(getattr(lr_schedules, name))
        found[name] = NamedSeen({parameter: [default] for parameter, default in taken.items()})
    return found
