"""Which pair of runs shows the class of a key, and what they showed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeAlias

from cfgc.emit.bundle import Bundle
from cfgc.load.disk import DiskReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.schema.catalogue import SchemaField
from tools.executed_keys import all_keys

HERE = Path(__file__).resolve().parent
ROUNDING = 1e-4
"""The largest difference of losses, as a share of them, that other orders of the same sums make in these runs."""

Verdict: TypeAlias = Literal["same input", "equal", "rounding", "different"]
ALLOWED: Mapping[str, tuple[Verdict, ...]] = {
    "numerics": ("rounding", "different"),
    "resources": ("same input", "equal", "rounding"),
    "logistics": ("same input", "equal"),
}
"""What each class says of a pair of runs."""

Losses: TypeAlias = Mapping[str, float]
"""The loss of each step that was written down."""


@dataclass(frozen=True)
class Probe:
    """Two runs that differ in one key; what they share are overrides of the base."""

    key: SchemaField
    change: str
    shared: tuple[str, ...]

    @property
    def runs(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The overrides of both."""
        return self.shared, (*self.shared, self.change)


def probes() -> Iterator[Probe]:
    """All of them, in the order of the schema."""
    said: Mapping[str, Sequence[str]] = _table()["runs"]
    for key in all_keys():
        if key.dotted in said:
            value, *shared = said[key.dotted]
            change = value if value.startswith(f"{key.path[0]}.") else f"{key.dotted}={value}"
            yield Probe(key, change, tuple(shared))


def unseen(key: SchemaField) -> str:
    """Why no pair of runs shows the class of ``key``; empty when one does."""
    if key.dotted in _table()["runs"]:
        return ""
    if key.meta.later and not key.meta.later.works:
        return "It is refused: no run has it."
    said: Mapping[str, str] = _table()["unseen"]
    tables = [f"{'.'.join(key.path[:end])}.*" for end in range(len(key.path) - 1, 0, -1)]
    return next((said[name] for name in (key.dotted, *tables) if name in said), "")


def compiled(overrides: Sequence[str]) -> Bundle:
    """The bundle of the base with ``overrides``."""
    return compile_spec(DiskReader(HERE, shipped_dir("specs")), "base.toml", overrides)


def has_same_input(old: Bundle, new: Bundle) -> bool:
    """Whether the ranks of both are given the same settings."""
    return all(_given(old, name) == _given(new, name) for name in ("config.py", "ds_config.json"))


def verdict(old: Losses, new: Losses, key: str = "") -> Verdict:
    """How the losses of two runs differ: those of the steps that both wrote down, where ``key`` is how many are."""
    if key == "tracking.log_every_steps":
        old, new = ({step: losses[step] for step in old if step in new} for losses in (old, new))
    if old == new:
        return "equal"
    if set(old) != set(new):
        return "different"
    worst = max(abs(new[step] - loss) / abs(loss) for step, loss in old.items())
    return "rounding" if worst <= ROUNDING else "different"


def losses_of(lines: Iterable[str]) -> dict[str, float]:
    """The loss of each step in the lines of a metrics.jsonl."""
    found = map(json.loads, lines)
    return {str(line["step"]): line["loss"] for line in found if "loss" in line}


def _given(bundle: Bundle, name: str) -> list[bytes]:
    lines = bundle.files[PurePosixPath(name)].splitlines()
    return [line for line in lines if not line.startswith(b"PLAN_DIGEST")]


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((HERE / "probes.toml").read_text(encoding="utf-8"))
