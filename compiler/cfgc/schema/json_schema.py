"""The schema of specs as JSON Schema, for editors: draft 7, which their TOML language servers and validators read.

It knows one file at a time. A file may be a base or an overlay and leave anything out, so only what an element of an
array must hold is required; what several keys mean together is left to ``cfgc check``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticUndefined

from cfgc.load.switches import SWITCHES
from cfgc.schema import json_types
from cfgc.schema.catalogue import SchemaField
from cfgc.schema.describe import describe_type
from cfgc.schema.field import Section, meta_of
from cfgc.schema.lookup import section_of
from cfgc.schema.renamed import NO_PLACE, RENAMED
from cfgc.schema.spec import Spec
from cfgc.schema.units import format_duration, format_size

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from cfgc.origin import Path

Schema = dict[str, Any]

_LANGUAGE: Mapping[str, Schema] = {
    "extends": {
        "description": "The base to start from, or several, the later ones over the earlier. A path relative to this "
        "file, then to `specs/` of the project; `cfgc:…` is shipped.",
        "anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}}],
    },
    "unset": {
        "description": "Dotted keys that fall back to their defaults, such as `training.max_steps`.",
        "type": "array",
        "items": {"type": "string", "minLength": 1},
    },
    "append": {
        "description": "Dotted keys, each with an array whose elements are added to what lower layers hold.",
        "type": "object",
        "additionalProperties": {"anyOf": [{"type": "array"}, {"type": "object"}]},
    },
}


def json_schema(overlays: Mapping[str, Sequence[str]]) -> Schema:
    """The JSON Schema of a spec file. ``overlays`` are the options of each shipped group, which projects add to."""
    properties = _properties(Spec, ())
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "cfgc spec",
        "description": "An experiment, a base or an overlay of cfgc. Unknown keys are errors.",
        "type": "object",
        "additionalProperties": False,
        "properties": {**_LANGUAGE, "overlays": _overlays(overlays), **properties},
        "definitions": dict(json_types.DEFINITIONS),
    }


def _overlays(groups: Mapping[str, Sequence[str]]) -> Schema:
    known = {
        group: {"description": f"The overlay `{group}/….toml`.", "anyOf": [{"enum": list(options)}, {"type": "string"}]}
        for group, options in groups.items()
    }
    return {
        "description": 'Layers between the bases and this file, chosen as `group = "option"`.',
        "type": "object",
        "properties": known,
        "additionalProperties": {"type": "string", "minLength": 1},
    }


def _section(section: type[Section], path: Path, description: str) -> Schema:
    """A table; ``required`` only where it is an element of an array, which no other layer completes."""
    return {
        "description": description,
        "type": "object",
        "additionalProperties": False,
        "properties": _properties(section, path),
    }


def _properties(section: type[Section], path: Path) -> Schema:
    own = {name: _field(info, (*path, name)) for name, info in section.model_fields.items()}
    return {**own, **{name: other for name, other in _other_names(path) if name not in own}}


def _field(info: FieldInfo, path: Path) -> Schema:
    inner = section_of(info.annotation)
    doc = info.description or ""
    if inner and json_types.is_array(info):
        element = {**_section(inner, path, doc), "required": _required(inner)}
        return {"description": doc, "type": "array", "items": element, **_lengths(info)}
    if inner:
        table = _section(inner, path, (inner.__doc__ or doc).strip().splitlines()[0])
        return {"anyOf": [{"type": "boolean"}, table]} if path in SWITCHES else table
    return {"description": _description(info, path), **json_types.type_of(info), **_default(info)}


def _required(section: type[Section]) -> list[str]:
    return [name for name, info in section.model_fields.items() if info.is_required()]


def _lengths(info: FieldInfo) -> Schema:
    return {key: value for key, value in json_types.limits(info).items() if key in {"minItems", "maxItems"}}


def _description(info: FieldInfo, path: Path) -> str:
    """Meaning, type with range and unit, class, and what the runtime makes of it."""
    field = SchemaField(path, info, meta_of(info))
    later = field.meta.later
    unsupported = f"Not supported by this runtime yet: {later.instead}." if later and not later.works else ""
    about = f"{describe_type(field)} · {field.field_class}"
    return "\n\n".join(text for text in (field.doc, about, unsupported) if text)


def _default(info: FieldInfo) -> Schema:
    default, unit = info.default, meta_of(info).unit
    if default is PydanticUndefined or default is None or isinstance(default, Section):
        return {}
    if unit == "seconds" and isinstance(default, int):
        return {"default": format_duration(default)}
    if unit == "bytes" and isinstance(default, int) and default:
        return {"default": format_size(default)}
    return {"default": list(default) if isinstance(default, tuple) else default}


def _other_names(path: Path) -> Iterator[tuple[str, Schema]]:
    """Names that other systems use here: never valid, and an editor that knows them says what to write."""
    found: dict[str, list[str]] = {}
    depth = len(path)
    for old, renamed in RENAMED.items():
        parts = tuple(old.split("."))
        if parts[:depth] == path and len(parts) > depth:
            found.setdefault(parts[depth], []).append(f"`{old}` is called `{renamed.key}` here.")
    for old, why in NO_PLACE.items():
        parts = tuple(old.split("."))
        if parts[:depth] == path and len(parts) > depth:
            found.setdefault(parts[depth], []).append(f"`{old}` has no counterpart here: {why}.")
    for name, texts in found.items():
        yield name, {"description": "\n\n".join(texts), "deprecated": True, "not": {}, "x-taplo": {"hidden": True}}
