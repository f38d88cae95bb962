"""The good files: every shipped example, every committed resolved spec, and ds_configs."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

import tomlkit

REPOSITORY = Path(__file__).parents[2]
GOOD = Path(__file__).parent / "good"

Where: TypeAlias = tuple[str | int, ...]
"""Keys, and positions in arrays of tables."""


@dataclass(frozen=True)
class Subject:
    """One good file as a tree. ``world_size`` is what a ds_config is checked for."""

    name: str
    kind: Literal["spec", "ds_config"]
    tree: Mapping[str, Any]
    world_size: int = 0

    @cached_property
    def leaves(self) -> tuple[Where, ...]:
        """Every key that holds a value, tables and arrays of tables walked through."""
        return tuple(leaves_of(self.tree))

    @cached_property
    def tables(self) -> tuple[Where, ...]:
        """Every table, the top first."""
        return tuple(_tables(self.tree))


def leaves_of(tree: Any, at: Where = ()) -> Iterator[Where]:
    """Paths of the values below ``tree``."""
    if isinstance(tree, Mapping) and (tree or not at):
        for key, value in tree.items():
            yield from leaves_of(value, (*at, key))
    elif isinstance(tree, list) and tree and all(isinstance(item, Mapping) for item in tree):
        for position, item in enumerate(tree):
            yield from leaves_of(item, (*at, position))
    else:
        yield at


def value_at(tree: Any, where: Where) -> Any:
    """The value at ``where``; None when there is none."""
    for part in where:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return None
    return tree


def text_of(kind: str, tree: Mapping[str, Any]) -> str:
    """``tree`` as a file."""
    return tomlkit.dumps(tree) if kind == "spec" else json.dumps(tree, indent=2) + "\n"


def specs() -> list[Subject]:
    """The shipped examples as people write them, and the committed bundles' specs with every key."""
    files = [*sorted((REPOSITORY / "specs/examples").glob("*.toml")), *sorted(REPOSITORY.glob("out/*/resolved.toml"))]
    return [Subject(_named(file), "spec", tomllib.loads(file.read_text(encoding="utf-8"))) for file in files]


def ds_configs(more: Sequence[Path] = ()) -> list[Subject]:
    """The configs beside this module, those of the committed bundles, and ``more``."""
    files = [*sorted(GOOD.glob("*.json")), *sorted(REPOSITORY.glob("out/*/ds_config.json")), *more]
    return [Subject(_named(file), "ds_config", tree, _world(tree)) for file in files for tree in [_json(file)]]


def _named(file: Path) -> str:
    return file.relative_to(REPOSITORY).as_posix() if file.is_relative_to(REPOSITORY) else file.name


def _json(file: Path) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return tree


def _world(tree: Mapping[str, Any]) -> int:
    """The world size that the batch triple of a whole config is for; 0 when it is for any."""
    triple = [
        tree.get(key) for key in ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps")
    ]
    if not all(isinstance(number, int) for number in triple):
        return 0
    batch, micro, steps = (int(number) for number in triple if number is not None)
    return batch // (micro * steps)


def _tables(tree: Any, at: Where = ()) -> Iterator[Where]:
    if isinstance(tree, Mapping):
        yield at
        for key, value in tree.items():
            yield from _tables(value, (*at, key))
    elif isinstance(tree, list):
        for position, item in enumerate(tree):
            yield from _tables(item, (*at, position))
