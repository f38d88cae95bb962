"""The layers of a bundle as columns, and what each of them said of every value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any, Final, get_args

from cfgc.audit.bundle_on_disk import BundleOnDisk, Step
from cfgc.diagnostics.masking import hidden, masked_text
from cfgc.origin import LayerKind
from cfgc.schema.classes import classed_at
from cfgc.schema.lookup import field_at
from cfgc_runtime.values import KINDS, Kind

DEFAULT: Final = "default"
COMPUTED: Final = "computed"
"""The last column: what the compiler computed from other values."""
_LONG: Final = 120


@dataclass(frozen=True)
class Column:
    """A layer: ``kind`` and which one of it."""

    key: str
    kind: str
    name: str


@dataclass(frozen=True)
class Text:
    """Something to show: ``more`` is all of it where ``short`` had to be cut."""

    short: str
    more: str = ""


@dataclass(frozen=True)
class Cell:
    """What a layer said; ``stays`` where it gave the value, ``note`` where it is not a plain value."""

    text: Text
    stays: bool
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A value; ``cells`` by the key of a column. ``is_default`` where no layer said anything.

    ``doc`` says what the key means, ``why`` why it has its class.
    """

    id: str
    key: str
    kind: Kind
    doc: str
    why: str
    value: Text
    cells: Mapping[str, Cell]
    is_default: bool


@dataclass(frozen=True)
class Group:
    """The rows of a section; ``is_default`` where all of them are."""

    section: str
    rows: tuple[Row, ...]

    @property
    def is_default(self) -> bool:
        """Whether nobody said anything of it."""
        return all(row.is_default for row in self.rows)


def columns_of(bundle: BundleOnDisk) -> tuple[Column, ...]:
    """The layers that say anything, the weakest first."""
    found = dict.fromkeys(_layer(step) for steps in bundle.origins.values() for step in steps)
    inputs = list(bundle.inputs)
    overlays = [f"{group}={option}" for group, option in _choices(bundle)]
    columns = [_column(key) for key in found]
    return tuple(sorted(columns, key=lambda column: _place(column, inputs, overlays)))


def groups_of(bundle: BundleOnDisk, prefix: str) -> tuple[Group, ...]:
    """Every value by section; ``prefix`` starts the id of each row."""
    kinds: dict[str, Kind] = {key: kind for kind in KINDS for key in bundle.values.get(kind, {})}
    rows = [_row(bundle, key, kinds[key], f"{prefix}-v{number}") for number, key in enumerate(sorted(kinds))]
    return tuple(Group(name, tuple(of)) for name, of in groupby(rows, key=lambda row: row.key.partition(".")[0]))


def value_text(value: Any, key: str) -> Text:
    """A value as JSON, secrets as dots; a long one cut."""
    return _cut(json.dumps(hidden(value, key.rpartition(".")[2]), ensure_ascii=False))


def _row(bundle: BundleOnDisk, key: str, kind: Kind, id_: str) -> Row:
    steps = bundle.origins.get(key, ())
    cells = {_layer(step): _cell(step, key, number == 0) for number, step in reversed(list(enumerate(steps)))}
    is_default = bool(steps) and all(_layer(step) == DEFAULT for step in steps)
    return Row(id_, key, kind, *_words(key), value_text(bundle.values[kind][key], key), cells, is_default)


def _cell(step: Step, key: str, stays: bool) -> Cell:
    if "derived" in step:
        return Cell(_cut(str(step["derived"])), stays, "from")
    if step.get("unset"):
        return Cell(Text(""), stays, "unset")
    said = _cut(masked_text(str(step["text"]))) if "text" in step else value_text(step.get("value"), key)
    return Cell(said, stays, f"{step['of']} =" if "of" in step else "")


def _cut(text: str) -> Text:
    return Text(text) if len(text) <= _LONG else Text(text[: _LONG - 1] + "…", text)


def _layer(step: Step) -> str:
    return COMPUTED if "derived" in step else str(step.get("layer", ""))


def _column(key: str) -> Column:
    kind = next((kind for kind in (*get_args(LayerKind), COMPUTED) if key == kind or key.startswith(f"{kind} ")), "")
    return Column(key, kind or key, key.removeprefix(kind).strip() if kind else "")


def _place(column: Column, inputs: Sequence[str], overlays: Sequence[str]) -> tuple[int, int]:
    kinds = (*get_args(LayerKind), COMPUTED)
    of = overlays if column.kind == "overlay" else inputs
    return _index(kinds, column.kind), _index(of, column.name)


def _index(among: Sequence[str], wanted: str) -> int:
    return among.index(wanted) if wanted in among else len(among)


def _choices(bundle: BundleOnDisk) -> Iterable[tuple[str, str]]:
    """Overlays in the order that they are applied in, which is that of the inputs."""
    said = bundle.manifest.get("overlays")
    choices = list(said.items()) if isinstance(said, Mapping) else []
    inputs = list(bundle.inputs)

    def at(choice: tuple[str, str]) -> int:
        ends = f"/{choice[0]}/{choice[1]}.toml"
        return next((place for place, name in enumerate(inputs) if f"/{name}".endswith(ends)), len(inputs))

    return sorted(choices, key=at)


@cache
def _words(key: str) -> tuple[str, str]:
    """What the key means, and why it has its class, as the schema of this cfgc has it; empty where it has nothing."""
    place = tuple(part for part in key.split(".") if not part.isdecimal())
    field, classed = field_at(place), classed_at(place)
    return (field.description or "" if field else ""), (classed.why if classed else "")
