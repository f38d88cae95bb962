"""One point of a sweep: what it changes of the bundle that all points share. Standard library only.

The compiler has computed every difference; here a line of points.jsonl is selected and applied. A point's run directory
holds that line as ``point.json``, beside ``bundle``, a link to the one copy of the bundle: whatever is read of a bundle
through such a link is the point's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from cfgc_runtime.errors import BAD_BUNDLE, USAGE, Failure

if TYPE_CHECKING:
    from pathlib import Path

LIST: Final = "points.jsonl"
NAME: Final = "point.json"
FOLDER: Final = "points"
VARIABLE: Final = "CFGC_POINT"
_CLASS: Final = ""


@dataclass(frozen=True)
class Point:
    """``config`` is by dotted path of config.py's constants; ``ds_config`` and ``values`` are JSON merge patches.

    ``files`` are texts that take the place of the bundle's, null for one that the point does not have.
    """

    index: int
    name: str
    overrides: tuple[str, ...]
    plan_digest: str
    config: Mapping[str, Any]
    ds_config: Mapping[str, Any]
    values: Mapping[str, Any]
    files: Mapping[str, str | None]

    def __str__(self) -> str:
        return f"point {self.index} ({', '.join(self.overrides)})"


def point_of(bundle: Path) -> Point | None:
    """The point whose run directory holds ``bundle``; None for a bundle that stands for itself."""
    try:
        line = (bundle.parent / NAME).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise Failure(BAD_BUNDLE, f"{bundle.parent / NAME} cannot be read: {error}") from None
    return parse_point(line, bundle.parent / NAME)


def find_point(bundle: Path, index: int) -> tuple[Point, str]:
    """Point ``index`` of ``bundle`` and its line. Raises ``Failure`` when there is none."""
    try:
        with (bundle / LIST).open(encoding="utf-8") as file:
            count = 0
            for count, line in enumerate(file, 1):
                if count - 1 == index:
                    return parse_point(line, bundle / LIST), line
    except FileNotFoundError:
        raise Failure(USAGE, f"{bundle} is no sweep: it has no {LIST}, so that it takes no --point") from None
    raise Failure(USAGE, f"there is no point {index}: {bundle} holds points 0 to {count - 1}")


def read_points(bundle: Path) -> list[Point]:
    """All points of ``bundle``; none when it is a single run. Raises ``Failure`` for a damaged list."""
    try:
        with (bundle / LIST).open(encoding="utf-8") as file:
            return [parse_point(line, bundle / LIST) for line in file]
    except FileNotFoundError:
        return []


def parse_point(line: str, place: Path) -> Point:
    """The point that a ``line`` of the file ``place`` holds. Raises ``Failure`` when it holds none."""
    try:
        raw = json.loads(line)
        return Point(
            int(raw["index"]),
            str(raw["name"]),
            tuple(map(str, raw["overrides"])),
            str(raw["plan_digest"]),
            *(dict(raw.get(part, {})) for part in ("config", "ds_config", "values", "files")),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Failure(BAD_BUNDLE, f"{place} holds no point: {error!r}") from None


def apply_config(module: ModuleType, point: Point) -> None:
    """Give the constants of ``module``, a bundle's config.py, the values of ``point``."""
    for path, value in point.config.items():
        name, *below = path.split(".")
        held = getattr(module, name, None)
        setattr(module, name, _changed(held, below, _decoded(value, module)))


def patched(content: Any, patch: Any) -> Any:
    """``content`` after a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(content) if isinstance(content, Mapping) else {}
    for key, change in patch.items():
        if change is None:
            merged.pop(key, None)
        else:
            merged[key] = patched(merged.get(key), change)
    return merged


def read_ds_config(bundle: Path) -> dict[str, Any]:
    """What DeepSpeed is given."""
    content: dict[str, Any] = json.loads((bundle / "ds_config.json").read_text(encoding="utf-8"))
    point = point_of(bundle)
    applied: dict[str, Any] = patched(content, point.ds_config) if point else content
    return applied


def read_text(bundle: Path, name: str) -> bytes | None:
    """The content of the file ``name``; None where there is none."""
    point = point_of(bundle)
    if point and name in point.files:
        own = point.files[name]
        return None if own is None else own.encode()
    path = bundle / name
    return path.read_bytes() if path.is_file() else None


def _changed(held: Any, below: list[str], value: Any) -> Any:
    """``held`` with ``value`` at the path ``below``; what holds it is made anew, since it is frozen."""
    if not below:
        return value
    name, *rest = below
    if isinstance(held, tuple):
        place = int(name)
        return (*held[:place], _changed(held[place], rest, value), *held[place + 1 :])
    return type(held)(**{**vars(held), name: _changed(getattr(held, name), rest, value)})


def _decoded(value: Any, module: ModuleType) -> Any:
    """JSON as config.py writes it: arrays are tuples, and an object names its class."""
    if isinstance(value, list):
        return tuple(_decoded(item, module) for item in value)
    if isinstance(value, dict):
        fields = {name: _decoded(item, module) for name, item in value.items() if name != _CLASS}
        known = vars(module)
        return known.get(str(value.get(_CLASS)), known.get("Frozen", SimpleNamespace))(**fields)
    return value
