"""The keys of ds_config in every known release of DeepSpeed: a committed table, read from published sources.

``tools/deepspeed_table`` writes ``table.json`` beside this module; nothing here imports DeepSpeed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cfgc.deepspeed.config import Json, Path

Kind: TypeAlias = Literal["bool", "int", "float", "str", "null", "array", "table"]


@dataclass(frozen=True)
class Key:
    """One key as one release reads it.

    ``kinds`` are what it takes; empty means that the release looks at nothing but its presence. ``default`` is what
    holds when it is absent, ``MISSING`` when there is none. ``coerces``: a section of pydantic models converts what
    looks like its type (``"1.0"``, ``1`` for true); a raw section hands on whatever is written. ``closed``: a table
    that refuses unknown keys; others ignore them. ``refused``: why the release stops when the key is there.
    ``replaced_by``: the key that takes the value of a deprecated spelling. ``alias_of``: read as that key, in silence.
    """

    path: Path
    kinds: frozenset[Kind]
    default: Json
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[Json, ...] = ()
    coerces: bool = False
    closed: bool = False
    free: bool = False
    required: bool = False
    deprecated: bool = False
    replaced_by: Path = ()
    alias_of: Path = ()
    refused: str = ""


MISSING = "<no default>"


@dataclass(frozen=True)
class Named:
    """An optimizer or scheduler type: its parameters with their defaults, as one release takes them.

    ``open``: it hands on parameters that are not listed (``torch.optim`` has its own).
    """

    name: str
    parameters: Mapping[str, Json]
    open: bool = False


@dataclass(frozen=True)
class Release:
    """What one release of DeepSpeed reads."""

    version: str
    keys: Mapping[Path, Key]
    optimizers: Mapping[str, Named]
    schedulers: Mapping[str, Named]

    def key(self, path: Path) -> Key | None:
        """The key, or None when this release does not read it."""
        return self.keys.get(path)
