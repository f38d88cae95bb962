"""What a spec needs and the imported file does not say: filled in so that the spec builds, and marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from cfgc.importing.items import YOURS, Item, Setting
from cfgc.importing.names import dropped_as

_MODEL = {"hidden_size": 512, "num_layers": 10, "num_heads": 8}
"""The network of the shipped base ``small``: about 30 million parameters."""

_SOURCE = {"name": "corpus", "path": {"env": "DATA_DIR", "path": "text"}, "include": ["*.txt"]}


def with_placeholders(items: Iterable[Item], name: str, stem: str) -> tuple[Item, ...]:
    """``items``, and a setting for every key without which no spec builds. ``name`` empty: made of ``stem``."""
    kept = [item for item in items if not (name and isinstance(item, Setting) and item.key == "experiment.name")]
    said = {item.key for item in kept if isinstance(item, Setting)}
    return (*kept, *(_honest(item, kept) for item in _needed(name, stem, said) if item.key not in said))


def _honest(item: Setting, items: Iterable[Item]) -> Setting:
    """The file does say something when a key of that meaning was dropped."""
    dropped = dropped_as(item.key, items) if item.comment == YOURS else ""
    if not dropped:
        return item
    return replace(item, comment=f"check: {dropped} could not be kept: yours to say", grade="doubtful")


def _needed(name: str, stem: str, said: set[str]) -> Iterator[Setting]:
    if name:
        yield Setting("experiment.name", name, "--name")
    else:
        yield Setting("experiment.name", safe_name(stem), "from the file's name")
    for key, value in _MODEL.items():
        yield Setting(f"model.{key}", value, YOURS, grade="placeholder")
    if "training.max_epochs" not in said:
        yield Setting("training.max_steps", 10_000, YOURS, grade="placeholder")
    yield Setting("training.learning_rate", 3e-4, YOURS, grade="placeholder")
    yield Setting("data.sources", [_SOURCE], YOURS, grade="placeholder")


def safe_name(stem: str) -> str:
    """``stem`` as a name of an experiment."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip(".-")[:64].rstrip(".-") or "imported"
