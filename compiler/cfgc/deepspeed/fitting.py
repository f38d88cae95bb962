"""A ds_config in the words of the newest release, rewritten for the release that will read it.

What a release does not read is left out when the release does it anyway (``unneeded.py`` says which and why); what is
left then says the same to every release, or is said to be lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cfgc.deepspeed.config import Json, Path
from cfgc.deepspeed.releases import history
from cfgc.deepspeed.table import Key, Release
from cfgc.deepspeed.unneeded import ANY, DROPPED, UNNEEDED

PARAMETERS = ("optimizer", "params")
"""What is below is handed on to the class of the optimizer, which is torch's own in a bundle."""


@dataclass(frozen=True)
class Lost:
    """A value that the release cannot be told. ``since`` is the oldest release that can; empty when none newer can."""

    path: Path
    value: Json
    since: str


@dataclass(frozen=True)
class Fitted:
    """What ``release`` is given, and what it cannot be told."""

    config: dict[str, Json]
    lost: tuple[Lost, ...]


def fit(config: Mapping[str, Json], release: Release) -> Fitted:
    """``config`` for ``release``: keys that it does not read left out, numbers in the type that it takes."""
    lost: list[Lost] = []
    return Fitted(_table(config, (), release, lost), tuple(lost))


def _table(table: Mapping[str, Json], prefix: Path, release: Release, lost: list[Lost]) -> dict[str, Json]:
    fitted: dict[str, Json] = {}
    for name, value in table.items():
        path = (*prefix, name)
        key = release.key(path)
        if path[:-1] == PARAMETERS:
            fitted[name] = value
        elif key is None or key.refused:
            lost += [
                Lost(leaf, said, _since(leaf, release)) for leaf, said in _leaves(path, value) if _says(leaf, said)
            ]
        elif isinstance(value, dict):
            fitted[name] = _table(value, path, release, lost)
        else:
            fitted[name] = _number(value, key)
            if not _takes(key, fitted[name]):
                lost.append(Lost(path, value, _since(path, release, value)))
    return {**fitted, **_dropped(prefix, release)}


def _dropped(table: Path, release: Release) -> dict[str, Json]:
    paths = {tuple(dotted.split(".")): off for dotted, off in DROPPED.items()}
    read = {path: off for path, off in paths.items() if (key := release.key(path)) and not key.refused}
    return {path[-1]: off for path, off in read.items() if path[:-1] == table}


def _leaves(path: Path, value: Json) -> Iterator[tuple[Path, Json]]:
    if not isinstance(value, dict):
        yield path, value
        return
    for name, below in value.items():
        yield from _leaves((*path, name), below)


def _says(path: Path, value: Json) -> bool:
    """Whether the value is more than what a release that does not read the key does anyway."""
    known = UNNEEDED.get(".".join(path))
    return known is None or (known.value is not ANY and known.value != value)


def _number(value: Json, key: Key) -> Json:
    """A whole float as an integer where the release looks for one (``loss_scale`` was an integer until 0.17.1)."""
    whole = isinstance(value, float) and value.is_integer()
    return int(value) if whole and "int" in key.kinds and "float" not in key.kinds else value


def _takes(key: Key, value: Json) -> bool:
    return not (isinstance(value, float) and key.kinds and "float" not in key.kinds)


def _since(path: Path, release: Release, value: Json = None) -> str:
    """The oldest release newer than ``release`` that reads the key, and takes the value."""
    for phase in history(path):
        if not phase.key.refused and _takes(phase.key, value) and _order(phase.since) > _order(release.version):
            return phase.since
    return ""


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
