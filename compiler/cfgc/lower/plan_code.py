"""The plan of the user's own code: calls of it, and a task that runs in place of training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cfgc.lower.plan_machine import NodePath

Argument: TypeAlias = "str | int | float | bool | list[Argument] | dict[str, Argument]"
"""A literal of Python that TOML can say."""


@dataclass(frozen=True)
class Call:
    """A call of the user's own code in wiring.py; ``name`` is a metric's, else empty.

    Dotted ``attribute`` of ``module``, with keyword ``arguments`` after what the runtime hands over.
    """

    role: Literal["model", "data", "optimizer", "loss", "metric", "task"]
    name: str
    module: str
    attribute: str
    arguments: Mapping[str, Argument]


@dataclass(frozen=True)
class Task:
    """What every rank runs in place of training: a function, which wiring.py calls, a script of the bundle, an export.

    ``interpreter`` are the words before the script, ``python`` for the run's own; ``environment`` is the task's alone,
    and ``paths`` are variables too. ``checkpoint`` is what an export reads, ``dtype`` empty the precision of training.
    """

    kind: Literal["function", "script", "export"]
    target: str
    script: str
    script_sha256: str
    interpreter: tuple[str, ...]
    args: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    paths: tuple[tuple[str, NodePath], ...]
    working_directory: NodePath
    checkpoint: NodePath
    format: Literal["auto", "huggingface", "safetensors"]
    dtype: Literal["", "fp32", "bf16", "fp16"]
