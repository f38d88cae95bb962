"""What DeepSpeed reads of two configs, attribute by attribute, and the differences that an import means to make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias
from unittest import mock

from deepspeed import comm
from deepspeed.runtime.config import DeepSpeedConfig
from pydantic import BaseModel

from tests.deepspeed.parsing import FakeRanks

Tree: TypeAlias = dict[str, Any]
ABSENT = "<absent>"


@dataclass(frozen=True)
class Difference:
    """One attribute that DeepSpeed reads as ``before`` from the imported file and ``after`` from the bundle."""

    path: str
    before: Any
    after: Any


def read(config: Mapping[str, Any], world_size: int) -> Tree:
    """Every attribute of DeepSpeed's configuration by dotted path. Raises what DeepSpeed raises."""
    with mock.patch.object(comm, "get_rank", return_value=0):
        parsed = DeepSpeedConfig(dict(config), mpu=FakeRanks(world_size))
    return dict(_flat({key: value for key, value in vars(parsed).items() if key != "_param_dict"}, ""))


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields if name not in _deprecated(value)}
    elif hasattr(value, "__dict__") and not isinstance(value, Enum | type):
        value = vars(value)
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    else:
        yield path, value.value if isinstance(value, Enum) else value


def _deprecated(section: BaseModel) -> set[str]:
    """Spellings whose value DeepSpeed has handed on to another field."""
    fields = type(section).model_fields.items()
    return {
        name
        for name, field in fields
        if isinstance(field.json_schema_extra, dict) and "deprecated" in field.json_schema_extra
    }


def differences(before: Tree, after: Tree) -> list[Difference]:
    """Attributes that are not the same in both."""
    paths = dict.fromkeys((*before, *after))
    pairs = ((path, before.get(path, ABSENT), after.get(path, ABSENT)) for path in paths)
    return [Difference(*pair) for pair in pairs if not _same(pair[1], pair[2])]


def _same(before: Any, after: Any) -> bool:
    return bool(before == after) and isinstance(before, bool) == isinstance(after, bool)


def without_auto(config: Any) -> Any:
    """What DeepSpeed is given when nobody fills in ``auto``."""
    if isinstance(config, dict):
        return {key: without_auto(value) for key, value in config.items() if value != "auto"}
    return config
