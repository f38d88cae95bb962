"""The line to write instead of a value of the wrong type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from cfgc.origin import dotted
from cfgc.schema.lookup import section_at
from cfgc.validate.values import toml_text

if TYPE_CHECKING:
    from cfgc.schema.field import Section
    from cfgc.validate.bad_values import Refused

_SWITCHES = {"yes": "true", "on": "true", "no": "false", "off": "false"}
"""Words of YAML for a switch."""

_AWAY = "remove it, or write a table"

_GROUPS = (("hardware",), ("cluster",))
"""Sections that an overlay group has the name of."""

_MEANT = ("type", "kind", "enabled", "stage", "optimizer")
"""Keys that stand for their table."""


def rewritten(refused: Refused, kind: str) -> tuple[str, ...]:
    """What to write for the refused value, when it can be guessed; ``kind`` is pydantic's name of the error."""
    value = refused.value
    section = section_at(refused.location)
    if section:
        return _of_tables(refused, section) if kind == "tuple_type" else _of_table(refused, section)
    if kind == "tuple_type":
        return line(refused, _array(refused)) if not isinstance(value, dict) else ()
    if kind == "int_type" and isinstance(value, float) and refused.notes:
        return ("divide with `//`, or use `round(…)`",)
    if isinstance(value, str):
        bare = value.strip().replace(",", "")
        bare = _SWITCHES.get(bare.lower(), bare.lower()) if kind == "bool_type" else bare
        return tuple(f"{written}, without quotes" for written in line(refused, bare)) if _reads_as(bare, kind) else ()
    return line(refused, _scalar(value, kind))


def line(refused: Refused, text: str) -> tuple[str, ...]:
    """The line that gives the refused key the value ``text``; nothing for no text."""
    name = refused.location[-1]
    if not text:
        return ()
    return (f"write `{text}` in its place",) if isinstance(name, int) else (f"write `{name} = {text}`",)


def _scalar(value: object, kind: str) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float):
        return f'"{toml_text(value)}"'
    if kind == "int_type" and isinstance(value, float):
        return str(round(value))
    return toml_text(bool(value)) if kind == "bool_type" and value in (0, 1) else ""


def _array(refused: Refused) -> str:
    """The value as an array; of a pair, its first element, with the second one's default. Nothing for another type."""
    value = refused.value
    elements = get_args(refused.info.annotation) if refused.info else ()
    if elements and _bare(elements[0]) in (int, float):
        is_number = isinstance(value, int if _bare(elements[0]) is int else int | float) and not isinstance(value, bool)
        second = [refused.info.default[1]] if refused.info and elements == (float, float) else []
        return toml_text([value, *second]) if is_number else ""
    if elements and _bare(elements[0]) is str and not isinstance(value, str):
        return f"[{_scalar(value, 'string_type')}]"
    return toml_text([value])


def _bare(annotation: object) -> object:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _reads_as(text: str, kind: str) -> bool:
    if kind not in {"int_type", "float_type"}:
        return kind == "bool_type" and text in {"true", "false"}
    try:
        number = float(text)
    except ValueError:
        return False
    return kind == "float_type" or number.is_integer()


def _of_table(refused: Refused, section: type[Section]) -> tuple[str, ...]:
    """For a value where a table belongs: an element of an array, or the key that it probably was meant for."""
    if isinstance(refused.location[-1], int):
        return line(refused, _element(section, refused.value)) if isinstance(refused.value, str) else ()
    if isinstance(refused.value, list) and len(refused.value) == 1 and isinstance(refused.value[0], dict):
        return (f"write `[{dotted(tuple(map(str, refused.location)))}]`, in single brackets",)
    if refused.location in _GROUPS and isinstance(refused.value, str):
        return (f"write `{refused.location[-1]} = {toml_text(refused.value)}` under `[overlays]`",)
    name = next((name for name in _MEANT if name in section.model_fields), None)
    return (f"write `{refused.location[-1]}.{name} = {toml_text(refused.value)}`",) if name else (_AWAY,)


def _of_tables(refused: Refused, section: type[Section]) -> tuple[str, ...]:
    """For a value where an array of tables belongs."""
    if isinstance(refused.value, dict):
        path = dotted(tuple(str(part) for part in refused.location))
        return (f"write `[[{path}]]`, in double brackets: each is one table of the array",)
    if not isinstance(refused.value, str):
        return ()
    return line(refused, f"[{_element(section, refused.value)}]")


def _element(section: type[Section], text: Any) -> str:
    """A table with ``text`` for each key that it needs."""
    needed = [name for name, info in section.model_fields.items() if info.is_required()]
    return "{ " + ", ".join(f"{name} = {toml_text(text)}" for name in needed) + " }"
