"""Which class DeepSpeed builds for a scheduler type, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.rules.torch_names import TORCH_REQUIRED, TORCH_SCHEDULERS
from cfgc.deepspeed.table import MISSING

SCHEDULER_TYPE, SCHEDULER_PARAMS = "scheduler.type", "scheduler.params"


@dataclass(frozen=True)
class Schedule:
    """``takes``: its parameters; ``required``: those without a default; ``has_params``: whether the file has any."""

    name: str
    takes: tuple[str, ...]
    required: tuple[str, ...]
    has_params: bool


def schedule(case: Case) -> Schedule | None:
    """What the file asks for; None when there is no scheduler or it is not known."""
    name = case.text(SCHEDULER_TYPE) if case.written(SCHEDULER_TYPE) else None
    if name is None:
        return None
    entry = case.config.get(("scheduler", "params"))
    has_params = entry is not None and entry.value is not None
    own = case.release.schedulers.get(name)
    if own is not None:
        required = tuple(key for key, default in own.parameters.items() if default == MISSING)
        return Schedule(name, tuple(own.parameters), required, has_params)
    if name in TORCH_SCHEDULERS:
        return Schedule(name, TORCH_SCHEDULERS[name], TORCH_REQUIRED.get(name, ()), has_params)
    return None
