"""What a point sets, and where that is written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cfgc.load.directives import is_one_value
from cfgc.load.keys import parse_key
from cfgc.load.overlays import Choice
from cfgc.load.switches import key_of
from cfgc.origin import Layer, Origin, Path, Value, dotted
from cfgc.patch import Patch, Places, empty_map
from cfgc.source import Span

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class Setting:
    """One key of one point; a key of one part is an overlay group. ``inner`` are the places inside the value."""

    key: Path
    value: Value
    span: Span
    key_span: Span
    inner: Places = field(default_factory=empty_map)
    inner_keys: Places = field(default_factory=empty_map)

    @property
    def is_overlay(self) -> bool:
        """Whether it chooses an overlay."""
        return len(self.key) == 1

    @property
    def text(self) -> str:
        """The value as an override has it; a number as it was written."""
        if self.is_overlay:
            return str(self.value)
        if isinstance(self.value, int | float) and not isinstance(self.value, bool) and _is(self.span.text, self.value):
            return self.span.text
        return toml_of(self.value)

    def __str__(self) -> str:
        return f"{dotted(self.key)}={self.text}"

    def choice(self) -> Choice:
        """The overlay that it chooses."""
        return Choice(self.key[0], str(self.value), self.span, self.key_span, on_command_line=True)


def described(settings: tuple[Setting, ...]) -> str:
    """``training.learning_rate=1e-2, zero=3``."""
    return ", ".join(map(str, settings))


def patch_of(settings: tuple[Setting, ...], layer: Layer) -> Patch:
    """What ``settings`` change, as ``layer``; overlays are layers of their own."""
    sets: dict[Path, Origin] = {}
    tables: dict[Path, Span] = {}
    for setting in settings:
        if not setting.is_overlay:
            _add(setting, layer, (), setting.value, sets, tables)
    return Patch(sets=MappingProxyType(sets), tables=MappingProxyType(tables))


def element(origin: Origin, at: Location, key: Path) -> Setting:
    """The part of ``origin``'s value at ``at``, as a setting of ``key``."""
    value: Value = origin.value
    for part in at:
        value = value[part]  # type: ignore[index]
    span = _nearest(origin.inner, at) or origin.span
    assert span is not None, "a default has no sweep"
    in_array = not at or isinstance(at[-1], int)  # the key stands before the array then
    key_span = (None if in_array else _nearest(origin.inner_keys, at)) or origin.key_span or span
    return Setting(key, value, span, key_span, _below(origin.inner, at), _below(origin.inner_keys, at))


def parts_of(table: Mapping[str, Value], at: Location = (), key: Path = ()) -> Iterator[tuple[Location, Path | None]]:
    """The settings of a table: where each is in it, and its key; None for what is no key."""
    for name, value in table.items():
        parts = key_parts(name)
        here, path = (*at, name), None if parts is None else (*key, *parts)
        if isinstance(value, dict) and value and not is_one_value(value) and path is not None:
            yield from parts_of(value, here, path)
        else:
            yield here, path


def key_parts(name: str) -> Path | None:
    """The parts of a key in a table of a sweep, whose keys are dotted ones in quotes; None for what is no key."""
    return parse_key(name) if name == name.strip() else None  # TOML reads blanks at an end as none


def toml_of(value: Value) -> str:
    """``value`` on one line, as TOML writes it."""
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_of, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{dotted((key,))} = {toml_of(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _quoted(text: str) -> str:
    """A basic string."""
    return '"' + "".join(_escaped(c) for c in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    code = ord(character)
    return character if character.isprintable() else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is(text: str, value: float) -> bool:
    """Whether ``text`` is how ``value`` was written."""
    try:
        return math.isclose(float(text.replace("_", "")), value, rel_tol=0.0, abs_tol=0.0)
    except ValueError:
        return False


def _add(
    setting: Setting,
    layer: Layer,
    at: Location,
    value: Value,
    sets: dict[Path, Origin],
    tables: dict[Path, Span],
) -> None:
    path = (*setting.key, *map(str, at))
    if isinstance(value, dict) and not is_one_value(value):
        tables[path] = _nearest(setting.inner_keys, at) or setting.key_span
        for name, inner in value.items():
            _add(setting, layer, (*at, name), inner, sets, tables)
        return
    span = _nearest(setting.inner, at) or setting.span
    sets[key_of(path, value)] = Origin(
        layer,
        value,
        span,
        _nearest(setting.inner_keys, at) or setting.key_span,
        inner=_below(setting.inner, at),
        inner_keys=_below(setting.inner_keys, at),
    )


def _nearest(places: Places, at: Location) -> Span | None:
    found = (places.get(at[:length]) for length in range(len(at), 0, -1))
    return next((span for span in found if span), None)


def _below(places: Places, at: Location) -> Places:
    depth = len(at)
    return MappingProxyType({place[depth:]: span for place, span in places.items() if place[:depth] == at != place})
