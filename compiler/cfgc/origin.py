"""Where a value was written, and what it replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Literal, TypeAlias

from cfgc.source import Span

Scalar: TypeAlias = str | int | float | bool | date | datetime | time
Value: TypeAlias = "Scalar | list[Value] | dict[str, Value]"
Path: TypeAlias = tuple[str, ...]
"""A dotted key, one part a string."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def dotted(path: Path) -> str:
    """``path`` as it is written in TOML, parts quoted where they must be."""
    return ".".join(part if _BARE_KEY.fullmatch(part) else _quoted(part) for part in path)


def _quoted(part: str) -> str:
    escaped = part.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda c: f"\\u{ord(c.group()):04x}", escaped) + '"'


LayerKind = Literal["default", "project", "base", "overlay", "spec", "stage", "command line", "sweep point"]


@dataclass(frozen=True)
class Layer:
    """One source of values.

    ``name`` is the logical file (``cfgc:bases/base.toml``), a point's number, empty for defaults and the command line;
    ``choice`` is ``group=option`` for an overlay, the name of a stage, else empty.
    """

    kind: LayerKind
    name: str = ""
    choice: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind, self.choice or self.name) if part)


@dataclass(frozen=True)
class Origin:
    """One place that gave a key its value.

    ``value`` is the value as written there, before interpolation. ``span`` and ``key_span`` are None for a default
    only. ``replaced`` is what stood there before, ``None`` at the bottom of the chain. ``inner`` maps positions inside
    an array or inline table (``(0, "path")``) to the places of their values, ``inner_keys`` to those of their keys.
    ``appended`` says that ``value`` is still to be added to an array that a lower layer holds; it is False everywhere
    in a merged tree. ``removed`` says that the layer unset the key: ``value`` is then the text ``unset``, and such an
    origin never stands first in the chain of a leaf.
    """

    layer: Layer
    value: Value
    span: Span | None = None
    key_span: Span | None = None
    replaced: Origin | None = None
    inner: Mapping[tuple[str | int, ...], Span] = field(default_factory=lambda: MappingProxyType({}))
    inner_keys: Mapping[tuple[str | int, ...], Span] = field(default_factory=lambda: MappingProxyType({}))
    appended: bool = False
    removed: bool = False

    def chain(self) -> Iterator[Origin]:
        """This origin and all that it replaced, newest first."""
        origin: Origin | None = self
        while origin is not None:
            yield origin
            origin = origin.replaced

    def written(self) -> str:
        """``value`` as its file has it."""
        return self.span.text if self.span else str(self.value)


@dataclass(frozen=True)
class Leaf:
    """A resolved value (after interpolation) and its origin."""

    value: Value
    origin: Origin


def kind_of(value: Value) -> str:
    """``value``'s type, as TOML calls it, with its article."""
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a float"),
        (str, "a text"),
        (list, "an array"),
        (dict, "a table"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "a date or time")
