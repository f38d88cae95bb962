"""Values of the wrong type, out of range, or not among the choices."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cfgc.nearest import nearest
from cfgc.schema.field import meta_of
from cfgc.schema.limits import allows, choices_of, limits_of, nearest_allowed
from cfgc.schema.lookup import field_at
from cfgc.schema.renamed import CHOICES
from cfgc.schema.values import LARGEST
from cfgc.usercode.names import target_helps
from cfgc.validate import schema_errors as say
from cfgc.validate.amounts import unit_helps
from cfgc.validate.missing import dotted
from cfgc.validate.paths import culprit, path_helps
from cfgc.validate.places import Location, key_label, leaf_at, value_label
from cfgc.validate.rewriting import line, rewritten
from cfgc.validate.substitutes import has_substitute, instead
from cfgc.validate.targets import no_such_target
from cfgc.validate.value_fixes import value_fixes
from cfgc.validate.values import found_text, short_text, toml_text
from cfgc.validate.wording import pasteable
from cfgc.validate.words import word_in

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from cfgc.diagnostics import Diagnostic, Label
    from cfgc.resolve.resolved import Resolved

_WANTED = {
    "int_type": "an integer",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "`true` or `false`",
    "tuple_type": "an array",
    "dict_type": "a table",
    "model_type": "a table",
    "finite_number": "a finite number",
}
_FAR = 9
"""How many times a limit a number is beyond it at most, to be taken for a bold choice and no slip."""

_UNITS = {"seconds": 'a duration such as `"90min"`', "bytes": 'a size such as `"80GiB"`'}


@dataclass(frozen=True)
class Refused:
    """One value that pydantic refused, with what is known of its place."""

    resolved: Resolved
    location: Location
    error: Mapping[str, Any]

    @property
    def key(self) -> str:
        """``data.sources[0].path``."""
        return dotted(self.location)

    @property
    def value(self) -> Any:
        """The refused value, after interpolation."""
        return self.error["input"]

    @cached_property
    def info(self) -> FieldInfo | None:
        """The schema's field."""
        return field_at(self.location)

    @property
    def written(self) -> Any:
        """The value as written, before interpolation; None inside an array or table."""
        found = leaf_at(self.resolved, self.location)
        return found[0].origin.value if found and not found[1] else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the expression that was written came to."""
        written = self.written
        if isinstance(written, str) and written != self.value and "${" in written:
            return (f"`{short_text(written)}` is {short_text(self.value)}",)
        return ()

    def label(self, text: str = "") -> Label | None:
        """A label on the value."""
        return value_label(self.resolved, self.location, text)


def explain_value(resolved: Resolved, location: Location, error: Mapping[str, Any]) -> Diagnostic:
    """The finding for one pydantic error about a value."""
    refused = Refused(resolved, location, error)
    finding = _EXPLAIN.get(error["type"], _wrong_type)(refused)
    helps = pasteable(finding.helps, resolved, [refused.key], finding.primary)
    return replace(finding, helps=helps, fixes=value_fixes(refused, finding))


def _wrong_type(refused: Refused) -> Diagnostic:
    kind = refused.error["type"]
    wanted = _WANTED.get(kind, "another value")
    if refused.info and kind == "int_type":
        wanted = _UNITS.get(meta_of(refused.info).unit, wanted)
    label = refused.label(f"this is {found_text(refused.value)}")
    helps = rewritten(refused, kind) or instead(refused, f"write {wanted}")
    helps += instead(refused, "")[1:] if helps[0].startswith("divide") else ()
    return say.wrong_type(refused.key, wanted, label, refused.notes, helps)


def _out_of_range(refused: Refused) -> Diagnostic:
    unit = meta_of(refused.info).unit if refused.info else ""
    counted = unit and unit not in {"ratio", "rate", "seed", "port", "probability", "norm", "loss"}
    written = refused.written
    shown = short_text(written) if isinstance(written, str) and "${" not in written else short_text(refused.value)
    label = refused.label(f"{shown} {unit}" if counted and not isinstance(written, str) else f"{shown}")
    limits = limits_of(refused.info) if refused.info else ""
    if refused.error["type"] == "too_large":
        limits = f"at most {LARGEST:,}"
    allowed = f"{limits} {unit}".strip() if counted else limits
    return say.out_of_range(refused.key, label, allowed, refused.notes, _within(refused, limits, unit))


def _within(refused: Refused, limits: str, unit: str) -> tuple[str, ...]:
    """The nearest allowed number; for the sizes of a model, and far from what a base has, what the key is elsewhere.

    A sign is a slip of the hand, but for -1, which means everything or nothing elsewhere.
    """
    value = refused.value
    if value < 0 and value != -1 and refused.info and allows(refused.info, -value) and not refused.notes:
        return (f"write `{refused.location[-1]} = {toml_text(-value)}`",)
    write = _allowed(refused)
    general = f"write {_UNITS[unit]}" if unit in _UNITS else f"write a number {limits}"
    near = write and (float(write) == 0 or abs(refused.value - float(write)) <= max(1.0, _FAR * abs(float(write))))
    near = near or (bool(write) and refused.key == "launch.gpus_per_node")
    if write and unit not in _UNITS and (near or not has_substitute(refused)):
        return (f"write `{refused.location[-1]} = {write}`",)
    return instead(refused, general)


def _allowed(refused: Refused) -> str:
    """The nearest number, within what the hardware of the spec has."""
    write = nearest_allowed(refused.info, refused.value) if refused.info else ""
    devices = refused.resolved.get("hardware.gpus_per_node_max")
    if refused.key == "launch.gpus_per_node" and write and devices and isinstance(devices.value, int):
        meant = -refused.value if -64 <= refused.value < 0 else int(write)  # a sign is a slip of the hand
        return str(min(meant, devices.value or meant))
    return write


def _bad_choice(refused: Refused) -> Diagnostic:
    choices = choices_of(refused.info) if refused.info else ()
    if refused.location[0] == "target" and isinstance(refused.value, str | int | float):
        return no_such_target(refused.key, f"{refused.value}", refused.label(), [f"{choice}" for choice in choices])
    texts = [toml_text(choice) for choice in choices]
    text = str(refused.value).strip()
    key = ".".join(part for part in refused.location if isinstance(part, str))
    close = text if text in map(str, choices) else CHOICES.get(key, {}).get(text.lower())
    close = close or nearest(text, [word for word in choices if isinstance(word, str)])
    match = next((text for text, choice in zip(texts, choices, strict=True) if str(choice) == close), None)
    match = match or next((text for text, choice in zip(texts, choices, strict=True) if _begins(refused, choice)), None)
    label = refused.label(f"did you mean {match}?" if match else f"this is {found_text(refused.value)}")
    helps = (f"write `{refused.location[-1]} = {match}`",) if match else instead(refused, "write one of the choices")
    return say.bad_choice(refused.key, label, ", ".join(texts), helps, refused.notes)


def _begins(refused: Refused, choice: object) -> bool:
    """Whether the text that stands there begins with ``choice``."""
    return isinstance(refused.value, str) and isinstance(choice, str) and refused.value.lower().startswith(choice)


def _bad_length(refused: Refused) -> Diagnostic:
    limits = refused.error.get("ctx") or {}
    pair = refused.error["type"] == "missing" or "max_length" in limits
    location = refused.location[:-1] if refused.error["type"] == "missing" else refused.location
    outer = Refused(refused.resolved, location, refused.error)
    wanted = "two numbers" if pair else f"at least {limits.get('min_length', 1)} element"
    write = f"write two numbers: `{outer.location[-1]} = [0.9, 0.95]`" if pair else "give at least one"
    if refused.error["type"] == "string_too_short":
        wanted, write = "some text", "write a text that is not empty"
    label = outer.label("not two" if pair else "empty")
    helps = instead(outer, write) if write == "give at least one" else (write,)
    return say.bad_length(outer.key, label, wanted, refused.notes, helps)


def _bad_duration(refused: Refused) -> Diagnostic:
    return say.bad_duration(refused.key, refused.label(), refused.notes, unit_helps(refused))


def _bad_size(refused: Refused) -> Diagnostic:
    return say.bad_size(refused.key, refused.label(), refused.notes, unit_helps(refused))


def _control_character(refused: Refused) -> Diagnostic:
    plain = " ".join("".join(char if char.isprintable() else " " for char in refused.value).split())
    last = refused.location[-1]
    in_array = isinstance(last, int)
    write = f"write `{toml_text(plain)}` in its place" if in_array else f"write `{last} = {toml_text(plain)}`"
    return say.control_character(refused.key, refused.label(), refused.error["ctx"]["character"], write)


def _bad_name(refused: Refused) -> Diagnostic:
    close = re.sub(r"[^A-Za-z0-9_.-]+", "-", refused.value).strip("-.")[:64].rstrip(".")
    helps = (f'write `{refused.location[-1]} = "{close or "my-run"}"`',)
    return say.bad_name(refused.key, refused.label(), helps)


def _bad_word(refused: Refused) -> Diagnostic:
    plain = word_in(refused.value, is_list=refused.location[-1] == "exclude")
    optional = refused.info is not None and not refused.info.is_required()
    write = line(refused, toml_text(plain)) if plain else ()
    return say.bad_word(refused.key, refused.label(), write, () if write or not optional else ("or leave it out",))


def _bad_path(refused: Refused) -> Diagnostic:
    name, inside = refused.location[-1], culprit(refused.value)
    label = (value_label if inside in ((), ("env",), ("path",)) else key_label)(
        refused.resolved, (*refused.location, *inside), refused.error["msg"]
    )
    return say.bad_path(refused.key, label, refused.notes, path_helps(name, refused.value))


def _bad_variable(refused: Refused) -> Diagnostic:
    location, value = refused.location, refused.value
    if isinstance(value, dict):  # a path of the node, `{ env = "MY DATA" }`
        location, value = (*location, "env"), value.get("env")
    label = (value_label if value is not refused.value else key_label)(refused.resolved, location, "")
    close = re.sub(r"[^A-Za-z0-9_]+", "_", str(value)).strip("_").lstrip("0123456789")
    helps = (f"did you mean `{close}`?" if close else 'write a name such as `"HF_TOKEN"`',)
    return say.bad_variable(dotted(location), label, helps)


def _bad_store(refused: Refused) -> Diagnostic:
    return say.bad_store(refused.key, refused.label(refused.error["msg"]))


def _bad_target(refused: Refused) -> Diagnostic:
    return say.bad_target(refused.key, refused.label(refused.error["msg"]), target_helps(f"{refused.value}"))


def _bad_argument(refused: Refused) -> Diagnostic:
    """The argument's own place, which the message names."""
    name = refused.error["ctx"]["name"]
    label = (value_label if "what" in refused.error["ctx"] else key_label)(
        refused.resolved, (*refused.location, name), refused.error["msg"]
    )
    return say.bad_argument(refused.key, label)


_EXPLAIN: Mapping[str, Callable[[Refused], Diagnostic]] = {
    **dict.fromkeys(("greater_than", "greater_than_equal", "less_than", "less_than_equal"), _out_of_range),
    **dict.fromkeys(("too_short", "too_long", "missing", "string_too_short"), _bad_length),
    "too_large": _out_of_range,
    "literal_error": _bad_choice,
    "duration": _bad_duration,
    "size": _bad_size,
    "control_character": _control_character,
    "name": _bad_name,
    "word": _bad_word,
    "node_path": _bad_path,
    "variable": _bad_variable,
    "target": _bad_target,
    "argument": _bad_argument,
    "mlflow_uri": _bad_store,
}
