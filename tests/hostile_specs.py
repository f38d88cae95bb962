"""Specs with hostile strings in all their places, a string a line, so that a finding tells whom it means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from types import MappingProxyType

from tests.hostile import as_toml
from tests.hostile_places import Place

_WORDS = re.compile(r"\W+")

SLOT = "SLOT"
"""Stands for the number of the cell in what a scene says."""


@dataclass(frozen=True)
class Cell:
    """A string in a place of a spec; ``slot`` tells it from others of the same array or table."""

    place: Place
    text: str
    slot: int = 0


@dataclass(frozen=True)
class Scene:
    """A spec that has a use for some places: what it says besides, as TOML, by dotted key.

    ``elements``: what a table of an array needs, by the array's path, or by that of the one place that needs it.
    ``keys``: the key of a free table that text stands at, by place, and ``values`` what stands at a key that is text.
    ``per`` strings stand in each array and table of one spec; with ``grouped``, those of a slot in one table.
    """

    fixed: Mapping[str, str]
    elements: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    always: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    per: int = 1
    grouped: bool = False


def spec_of(scene: Scene, cells: Iterable[Cell]) -> tuple[str, Mapping[int, Cell]]:
    """The spec, and the cell in each of its lines (which count from 1) that has one."""
    lines: list[tuple[str, Cell | None]] = []
    tables: list[tuple[str, Cell | None]] = []
    for top, group in groupby(sorted(cells, key=lambda cell: cell.place.path), key=lambda cell: _top(cell.place)):
        held = list(group)
        if scene.grouped and "[]" in held[0].place.path:
            tables += _tables(scene, top, held)
        else:
            lines += _lines(scene, top, held)
    said = {text.partition(" = ")[0] for text, _ in lines} | {text.strip("[]") for text, _ in tables}
    fixed = [(f"{key} = {value}", None) for key, value in scene.fixed.items() if key not in said]
    fixed += [(f"{path} = [{{ {element} }}]", None) for path, element in scene.always.items() if path not in said]
    every = [*lines, *fixed, *tables]
    places = {number: cell for number, (_, cell) in enumerate(every, 1) if cell}
    return "\n".join(text for text, _ in every) + "\n", MappingProxyType(places)


def _top(place: Place) -> str:
    """The key at the root of the spec: the array of tables, or the field itself."""
    return place.path.partition("[]")[0]


def _inner(place: Place) -> str:
    """The key in a table of that array."""
    return place.path.partition("[]")[2].removeprefix(".")


def _lines(scene: Scene, top: str, cells: list[Cell]) -> Iterator[tuple[str, Cell | None]]:
    if "[]" in cells[0].place.path:
        yield f"{top} = [", None
        if top in scene.always:
            yield f"  {{ {scene.always[top]} }},", None
        for cell in cells:
            yield f"  {{ {_element(scene, top, cell)} }},", cell
        yield "]", None
    elif cells[0].place.form == "item":
        yield f"{top} = [", cells[0]  # of the field as a whole
        for cell in cells:
            yield f"  {as_toml(cell.text)},", cell
        yield "]", None
    else:
        for cell in cells:
            yield _setting(scene, top, cell), cell


def _tables(scene: Scene, top: str, cells: list[Cell]) -> Iterator[tuple[str, Cell | None]]:
    """A table of an array for each slot, a key a line."""
    if top in scene.always:
        yield from ((f"[[{top}]]", None), (scene.always[top], None))
    for slot, group in groupby(sorted(cells, key=lambda cell: cell.slot), key=lambda cell: cell.slot):
        held = [(_inner(cell.place), cell) for cell in group]
        yield f"[[{top}]]", None
        needed = {key: value.replace(SLOT, str(slot)) for key, value in scene.elements.get(top, {}).items()}
        yield from ((f"{key} = {value}", None) for key, value in needed.items() if key not in dict(held))
        yield from ((_setting(scene, inner, cell), cell) for inner, cell in held)


def _element(scene: Scene, top: str, cell: Cell) -> str:
    """An inline table of an array, with the keys that it needs for its string to be of use."""
    inner = _inner(cell.place)
    needed = {**scene.elements.get(top, {}), **scene.elements.get(cell.place.path, {})}
    needed = {key: value.replace(SLOT, f"{abs(hash_of(cell))}") for key, value in needed.items()}
    needed.pop(inner, None)
    said = _setting(scene, inner, cell) if cell.place.form != "item" else f"{inner} = [{as_toml(cell.text)}]"
    return ", ".join([*(f"{key} = {value}" for key, value in needed.items() if value), said])


def hash_of(cell: Cell) -> int:
    """A number for the cell's own names, the same in every process."""
    return sum(ord(letter) * (index + 1) for index, letter in enumerate(str(cell.place))) * 1_000 + cell.slot


def _setting(scene: Scene, key: str, cell: Cell) -> str:
    """``key = …`` in one line."""
    place, text = cell.place, as_toml(cell.text)
    name = scene.keys.get(str(place), f"{_WORDS.sub('_', str(place))}{SLOT}").replace(SLOT, str(cell.slot))
    inner = f"{key}.{name}" if key else name
    value, key_said = scene.values.get(place.path, '"v"'), as_key(cell.text)
    forms = {
        "text": f"{key} = {text}",
        "variable": f'{key} = {{ env = {text}, path = "p" }}',
        "below": f'{key} = {{ env = "HOME", path = {text} }}',
        "value": f"{inner} = {text}",
        "key": f"{key}.{key_said} = {value}" if key else f"{key_said} = {value}",
        "inside": f"{inner} = [{text}]",
        "inner key": f'{inner} = {{ {key_said} = "v" }}',
    }
    return forms[place.form]


def as_key(text: str) -> str:
    """``text`` as a key of TOML: nothing is interpolated there."""
    return as_toml(text).replace("$${", "${")
