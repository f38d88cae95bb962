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


@dataclass(frozen=True)
class Package:
    """The user's code that the bundle carries, as ``package.tar`` of this digest; without one, none.

    Python looks in ``roots`` of it, in order: each ends in ``/``, or is empty for the archive's own root.
    """

    sha256: str
    roots: tuple[str, ...]


NO_PACKAGE = Package("", ())


@dataclass(frozen=True)
class Archive:
    """The package's bytes, and where its files are from.

    ``commit`` is empty where git was not asked. ``changed`` are not as in it, which is what ``patch`` holds, and
    ``besides`` are none of git's. ``files`` are path, sha256 and size.
    """

    kind: Literal["none", "git", "files", "both"]
    commit: str
    repository: str
    subdirectory: str
    changed: tuple[str, ...]
    besides: tuple[str, ...]
    files: tuple[tuple[str, str, int], ...]
    data: bytes
    patch: bytes


NO_ARCHIVE = Archive("none", "", "", "", (), (), (), b"", b"")
