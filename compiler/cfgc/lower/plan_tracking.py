"""The plan of what a run says while it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Wandb:
    """Weights & Biases; an empty ``entity``, ``group`` or ``name`` is left to it, or to the run directory."""

    enabled: bool
    mode: Literal["online", "offline"]
    project: str
    entity: str
    group: str
    name: str


@dataclass(frozen=True)
class Mlflow:
    """MLflow; an empty ``uri`` is the run directory, an empty ``name`` that of the run directory."""

    enabled: bool
    uri: str
    experiment: str
    name: str


@dataclass(frozen=True)
class Tracking:
    """What is written while training: a metrics line every ``log_every_steps`` steps, always, and to whom else.

    MFU is ``flops_per_token`` × tokens/s ÷ ``peak_flops``, the peak of all devices together; 0 is unknown.
    """

    log_every_steps: int
    log_level: Literal["debug", "info", "warning", "error"]
    csv: bool
    tensorboard: bool
    wandb: Wandb
    mlflow: Mlflow
    flops_per_token: int
    peak_flops: float
