"""The keys of ds_config that one release of DeepSpeed reads, as JSON Schema for editors (draft 7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cfgc.deepspeed.config import AUTO, Path
from cfgc.deepspeed.table import MISSING

if TYPE_CHECKING:
    from cfgc.deepspeed.table import Key, Release

Schema = dict[str, Any]

_TYPES = {"bool": "boolean", "int": "integer", "float": "number", "str": "string", "null": "null", "array": "array"}
_BOUNDS = (("minimum", "minimum"), ("maximum", "maximum"), ("above", "exclusiveMinimum"), ("below", "exclusiveMaximum"))


def ds_config_schema(release: Release) -> Schema:
    """The JSON Schema of a ds_config for ``release``. Unknown keys are refused, also those that it would ignore."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"ds_config of DeepSpeed {release.version}",
        "description": f'Keys that DeepSpeed {release.version} reads; "{AUTO}" is for accelerate and transformers.',
        **_table(release, ()),
    }


def _table(release: Release, path: Path) -> Schema:
    below = [key for other, key in release.keys.items() if len(other) == len(path) + 1 and other[: len(path)] == path]
    own = release.key(path)
    open_table = own is not None and (own.free or not below)
    return {
        "type": "object",
        **({} if open_table else {"additionalProperties": False}),
        "properties": {key.path[-1]: _key(release, key) for key in below},
    }


def _key(release: Release, key: Key) -> Schema:
    about = "\n\n".join(_about(key))
    told = {**({"description": about} if about else {}), **({"deprecated": True} if key.deprecated else {})}
    if key.refused:
        return {**told, "deprecated": True, "not": {}}
    ways = [*_ways(key), *([_table(release, key.path)] if "table" in key.kinds else []), {"const": AUTO}]
    default = {} if key.default == MISSING else {"default": key.default}
    return {**told, **({"anyOf": ways} if key.kinds else {}), **default}


def _about(key: Key) -> Iterator[str]:
    if key.refused:
        yield f"Refused: {key.refused}."
    if key.replaced_by:
        yield f"Write `{'.'.join(key.replaced_by)}`."
    if key.alias_of:
        yield f"The same as `{'.'.join(key.alias_of)}`."
    if key.unread:
        yield "Accepted, and read by nothing."


def _ways(key: Key) -> Iterator[Schema]:
    """What it takes besides a table."""
    bounds = {name: getattr(key, field) for field, name in _BOUNDS if getattr(key, field) is not None}
    choices = [choice for choice in key.choices if isinstance(choice, str)]
    for kind in sorted(key.kinds - {"table"}):
        if kind in {"int", "float"}:
            yield {"type": _TYPES[kind], **bounds}
        elif kind == "str" and choices and not key.any_case:
            yield {"enum": choices}
        else:
            yield {"type": _TYPES[kind]}
