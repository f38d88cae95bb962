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

    ``kinds`` are what it takes; a number with a fraction has the kinds ``int`` and ``float``. ``default`` is what holds
    when it is absent, ``MISSING`` when there is none. ``items`` are the kinds of an array's members; empty when any.
    ``choices``: a value of a kind that is among them must be one of them, and so must an array's members; in any case
    when ``any_case``. ``coerces``: its section is a pydantic model, which converts what looks like its type (``"1.0"``,
    ``1`` for true) but for ``rejects``, and passes over ``"auto"``; a raw section hands on whatever is written.
    ``closed``: a table that refuses unknown keys; others ignore them. ``free``: a table whose keys are not DeepSpeed's
    to know. ``unread``: taken, and then looked at by nothing. ``refused``: why the release stops when the key is there.
    ``replaced_by``: the key to write instead of a deprecated or refused one. ``alias_of``: silently read as that one.
    """

    path: Path
    kinds: frozenset[Kind]
    default: Json
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    items: frozenset[Kind] = frozenset()
    choices: tuple[Json, ...] = ()
    any_case: bool = False
    coerces: bool = False
    rejects: frozenset[Kind] = frozenset()
    closed: bool = False
    free: bool = False
    unread: bool = False
    required: bool = False
    deprecated: bool = False
    replaced_by: Path = ()
    alias_of: Path = ()
    refused: str = ""


MISSING = "<no default>"


@dataclass(frozen=True)
class Named:
    """An optimizer or scheduler type: its parameters with their defaults, as one release takes them.

    A default is ``MISSING`` where the parameter must be given, and None where only the library that the type is handed
    on to has one. ``open``: it hands on parameters that are not listed, to a library that is not torch.
    """

    name: str
    parameters: Mapping[str, Json]
    open: bool = False


@dataclass(frozen=True)
class Release:
    """What one release of DeepSpeed reads.

    ``optimizers`` are by their names in lower case, which is how DeepSpeed compares them; any other name is looked up
    in ``torch.optim``. ``schedulers`` are by their exact names; any other is looked up in ``torch.optim.lr_scheduler``.
    """

    version: str
    keys: Mapping[Path, Key]
    optimizers: Mapping[str, Named]
    schedulers: Mapping[str, Named]

    def key(self, path: Path) -> Key | None:
        """The key, or None when this release does not read it."""
        return self.keys.get(path)
