"""The type of one key as JSON Schema: ranges, choices, units, and ``${…}`` wherever it may stand for a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType, NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from cfgc.schema import values
from cfgc.schema.field import meta_of
from cfgc.schema.units import DURATION, SIZE

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

Schema = dict[str, Any]

_EXPRESSION: Schema = {"$ref": "#/definitions/expression"}
_PLAIN = r"^[^\x00-\x1f\x7f-\x9f]*$"
_PATH_BELOW: Schema = {"type": "string", "description": "Path below it.", "pattern": "^[^/]"}

DEFINITIONS: Mapping[str, Schema] = MappingProxyType(
    {
        "expression": {
            "description": "A value that follows from other keys, as in `${training.max_steps // 20}`.",
            "type": "string",
            "pattern": r"\$\{",
        },
        "path": {
            "description": 'A path on the node: `"data"` below the start directory, `"/abs"`, or below a variable.',
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["env"],
                    "properties": {
                        "env": {
                            "type": "string",
                            "description": "Environment variable of the node.",
                            "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
                        },
                        "path": _PATH_BELOW,
                    },
                },
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["stdlib"],
                    "properties": {
                        "stdlib": {"const": True, "description": "Below the interpreter's own library."},
                        "path": _PATH_BELOW,
                    },
                },
            ],
        },
    }
)
"""What several keys share."""

_LIMITS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def type_of(info: FieldInfo) -> Schema:
    """What the key takes, a ``${…}`` included."""
    choices = _choices(info)
    if choices:
        return {"anyOf": [*choices, _EXPRESSION]}
    found = _typed(info.annotation, tuple(info.metadata), limits(info))
    if "anyOf" in found:
        return {"anyOf": [*found["anyOf"], _EXPRESSION]}
    takes_text = found.get("type") == "string" and "pattern" not in found
    return (
        found
        if takes_text or not found or found.get("type") in {"object", "array"}
        else {"anyOf": [found, _EXPRESSION]}
    )


def limits(info: FieldInfo) -> Schema:
    """Range and length, by the names of JSON Schema."""
    found: Schema = {}
    for mark in info.metadata:
        for name, key in _LIMITS.items():
            if getattr(mark, name, None) is not None:
                found[key] = getattr(mark, name)
        for name in ("min", "max"):
            length = getattr(mark, f"{name}_length", None)
            if length is not None:
                found[f"{name}Items" if is_array(info) else f"{name}Length"] = length
    return found


def is_array(info: FieldInfo) -> bool:
    """Whether the key holds an array."""
    return any(tuple in (part, get_origin(part)) for part in _parts(info.annotation))


def _parts(annotation: Any) -> Iterator[Any]:
    """``annotation`` without None, ``Annotated`` taken apart."""
    if get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from _parts(part)
    elif get_origin(annotation) is Annotated:
        yield from _parts(get_args(annotation)[0])
    elif annotation is not NoneType:
        yield annotation


def _choices(info: FieldInfo) -> list[Schema]:
    """The choices, those that the runtime does not execute yet apart."""
    literal = next((part for part in _parts(info.annotation) if get_origin(part) is Literal), None)
    if literal is None:
        return []
    later = meta_of(info).later
    every = list(get_args(literal))
    works = [choice for choice in every if not later or choice in later.works]
    others = [choice for choice in every if choice not in works]
    unsupported = {"enum": others, "description": "Not supported by this runtime yet.", "deprecated": True}
    return [*([{"enum": works}] if works else []), *([unsupported] if others else [])]


def _typed(annotation: Any, marks: tuple[Any, ...], limited: Schema) -> Schema:
    """The type of ``annotation``; pydantic has moved what ``Annotated`` says of it to ``marks``."""
    for alias, schema in _NAMED:
        if annotation == alias or _is_marked(alias, annotation, marks):
            return _limited(schema, limited)
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return _typed(next(part for part in get_args(annotation) if part is not NoneType), marks, limited)
    if origin is dict:
        return _table(*get_args(annotation))
    simple = {bool: "boolean", int: "integer", float: "number", str: "string"}.get(annotation)
    return _limited({"type": simple}, limited) if simple else {}


def _is_marked(alias: Any, annotation: Any, marks: tuple[Any, ...]) -> bool:
    if get_origin(alias) is not Annotated:
        return False
    base, *own = get_args(alias)
    return base == annotation and bool(own) and all(mark in marks for mark in own)


def _limited(schema: Schema, limited: Schema) -> Schema:
    """``schema`` with ``limited`` at its number, array or text."""
    if "anyOf" in schema:
        return {"anyOf": [{**part, **limited} if part.get("type") == "integer" else part for part in schema["anyOf"]]}
    return {**schema, **limited}


def _table(key: Any, value: Any) -> Schema:
    names = {"propertyNames": {"pattern": _VARIABLE["pattern"]}} if key == values.Variable else {}
    inner = {} if value is Any else {"additionalProperties": dict(_TEXT)}
    return {"type": "object", **names, **inner}


_TEXT: Schema = {"type": "string", "pattern": _PLAIN}
_WORD: Schema = {"type": "string", "pattern": r"^([A-Za-z0-9_@%+=:,./&|*\[\]()!][A-Za-z0-9_@%+=:,./&|*\[\]()!-]*)?$"}
_VARIABLE: Schema = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}
_AMOUNT: Schema = {"type": "integer"}
_NUMBER: Schema = {"anyOf": [{"type": "number"}, _EXPRESSION]}


def _array_of(items: Schema) -> Schema:
    return {"type": "array", "items": {"anyOf": [items, _EXPRESSION]}}


_NAMED: tuple[tuple[Any, Schema], ...] = (
    (values.Int, {"type": "integer"}),
    (values.Duration, {"anyOf": [_AMOUNT, {"type": "string", "pattern": f"^ *(?:{DURATION}) *$"}]}),
    (values.ByteSize, {"anyOf": [_AMOUNT, {"type": "string", "pattern": f"^ *(?:{SIZE}) *$"}]}),
    (values.Pair, {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}),
    (values.Texts, _array_of(_TEXT)),
    (values.Ints, _array_of({"type": "integer"})),
    (values.Words, _array_of(_WORD)),
    (values.Variables, _array_of(_VARIABLE)),
    (values.Path, {"$ref": "#/definitions/path"}),
    (values.WritablePath, {"$ref": "#/definitions/path"}),
    (values.Program, _TEXT),
    (values.Text, _TEXT),
    (values.Word, _WORD),
    (values.Name, {"type": "string", "pattern": "^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9_-])?$"}),
    (values.Variable, _VARIABLE),
)
"""Types that have a name, the first that fits counts."""
