"""What to write where a value says nothing that could be put right: what it holds, what a base has, or the default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticUndefined

from cfgc.schema.field import meta_of
from cfgc.schema.limits import choices_of
from cfgc.schema.units import format_duration, format_size
from cfgc.validate.missing import VALUES
from cfgc.validate.places import leaf_at
from cfgc.validate.values import toml_text

if TYPE_CHECKING:
    from cfgc.validate.bad_values import Refused

_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "int_type": int,
    "float_type": (int, float),
    "string_type": str,
    "bool_type": bool,
}


def instead(refused: Refused, general: str) -> tuple[str, ...]:
    """A line to write for a value that cannot be guessed from what stands there; ``general`` when there is none."""
    name = refused.location[-1]
    if isinstance(name, int):
        return (general,)
    for value, why in _candidates(refused):
        if value is not None:
            return general, f"{why} `{name} = {toml_text(value)}`"
    optional = refused.info is not None and refused.info.default is None
    return (f"leave it out, or {general}",) if optional else (general,)


def has_substitute(refused: Refused) -> bool:
    """Whether a base has a value, the key has a default, or it is one that every spec needs."""
    needed = ".".join(map(str, refused.location)) in VALUES
    return needed or _below(refused)[0] is not None or _default(refused) is not None


def _candidates(refused: Refused) -> list[tuple[Any, str]]:
    plain = ".".join(part for part in refused.location if isinstance(part, str))
    return [
        (_inside(refused), "write"),
        _below(refused),
        (_default(refused), "the default is"),
        (VALUES.get(plain), "such as"),
    ]


def _inside(refused: Refused) -> Any:
    """The one value in an array or table, where it is of the type that is wanted."""
    held = refused.value
    while isinstance(held, list | dict) and len(held) == 1:
        held = next(iter(held.values())) if isinstance(held, dict) else held[0]
    kind = _KINDS.get(refused.error["type"])
    if held is refused.value or (isinstance(held, bool) and kind is not bool):
        return None
    choices = choices_of(refused.info) if refused.info else ()
    return held if held in choices or (kind and isinstance(held, kind)) else None


def _below(refused: Refused) -> tuple[Any, str]:
    """What a lower layer has."""
    found = leaf_at(refused.resolved, refused.location)
    if found is None or found[1]:
        return None, ""
    lower = (origin for origin in found[0].origin.chain() if origin.span and not origin.removed)
    origin = next((origin for origin in list(lower)[1:]), None)
    return (origin.value, f"the {origin.layer} has") if origin else (None, "")


def _default(refused: Refused) -> Any:
    if refused.info is None or refused.info.default in (PydanticUndefined, None):
        return None
    default, unit = refused.info.default, meta_of(refused.info).unit
    if isinstance(default, bool) or not isinstance(default, str | int | float | tuple):
        return default if isinstance(default, bool) else None
    if unit == "seconds" and isinstance(default, int):
        return format_duration(default)
    return format_size(default) if unit == "bytes" and isinstance(default, int) and default else default
