"""The fields of an installed pydantic model."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from cfgc.deepspeed.table import MISSING

BOUNDS = {"gt": "above", "ge": "minimum", "lt": "below", "le": "maximum"}


@dataclass(frozen=True)
class FieldSeen:
    """One field: the names that it is given by, what is meant first, and all that is declared of it."""

    names: tuple[str, ...]
    default: Any
    bounds: dict[str, float]
    required: bool
    deprecated: bool
    replaced_by: str
    model: bool


def is_old(model: type[Any]) -> bool:
    """Whether a model is of pydantic 1, which DeepSpeed used until 0.14.5."""
    return not hasattr(model, "model_fields")


def forbids(model: type[Any]) -> bool:
    """Whether a model refuses what it has no field for."""
    if is_old(model):
        return str(getattr(model.__config__.extra, "value", model.__config__.extra)) == "forbid"
    return bool(model.model_config.get("extra") == "forbid")


def fields_of(model: type[Any]) -> dict[str, FieldSeen]:
    """Every field by its name in Python."""
    if is_old(model):
        return {name: _old_field(name, found) for name, found in model.__fields__.items()}
    return {name: _field(name, found) for name, found in model.model_fields.items()}


def _old_field(name: str, found: Any) -> FieldSeen:
    info, default = found.field_info, found.get_default()
    bounds = {ours: getattr(info, theirs) for theirs, ours in BOUNDS.items() if getattr(info, theirs) is not None}
    return FieldSeen(
        names=(found.alias, name) if found.alias != name else (name,),
        default=MISSING if found.required else _plain(default),
        bounds=bounds,
        required=bool(found.required),
        deprecated=info.extra.get("deprecated", False),
        replaced_by=info.extra.get("new_param", ""),
        model=hasattr(default, "__fields__") or hasattr(found.type_, "__fields__"),
    )


def _field(name: str, found: Any) -> FieldSeen:
    extra = found.json_schema_extra or {}
    bounds = {}
    for one in found.metadata:
        bounds.update({ours: getattr(one, theirs) for theirs, ours in BOUNDS.items() if hasattr(one, theirs)})
    required = found.is_required()
    default = MISSING if required else _plain(found.get_default(call_default_factory=True))
    return FieldSeen(
        names=(found.alias, name) if found.alias else (name,),
        default=default,
        bounds=bounds,
        required=required,
        deprecated=extra.get("deprecated", False),
        replaced_by=extra.get("new_param", ""),
        model=hasattr(type(default), "model_fields"),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, PurePath):
        return str(value)
    return int(value) if type(value).__name__ == "pp_int" else value
