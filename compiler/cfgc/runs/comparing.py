"""What differs between runs: values of their specs, and how they went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cfgc.runs.facts import Facts
from cfgc_runtime.values import ABSENT, KINDS, same

NAMING: Final = ("experiment.name", "experiment.description", "experiment.tags", "launch.run_dir")
"""Keys that say what a run is called: they differ and explain nothing, so they come last."""


@dataclass(frozen=True)
class Row:
    """A key whose value is not the same in all runs, and its value in each; ``ABSENT`` where it has none."""

    kind: str
    key: str
    values: tuple[Any, ...]


def differences(runs: Sequence[Facts]) -> list[Row]:
    """Keys that differ between the runs whose spec is known, numerics first; each class by key."""
    return [row for kind in KINDS for row in _of_kind(runs, kind)]


def _of_kind(runs: Sequence[Facts], kind: str) -> Iterator[Row]:
    keys = {key for run in runs for key in run.values.get(kind, {})}
    for key in sorted(keys, key=lambda key: (key in NAMING, key)):
        values = tuple(run.values.get(kind, {}).get(key, ABSENT) for run in runs)
        known = [value for run, value in zip(runs, values, strict=True) if run.values]
        if not all((value is ABSENT) == (known[0] is ABSENT) and same(value, known[0]) for value in known):
            yield Row(kind, key, values)
