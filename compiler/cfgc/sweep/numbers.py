"""Numbers of points as people write them, and as Slurm and the scripts read them."""

from __future__ import annotations

from collections.abc import Sequence


def runs_of(which: Sequence[int]) -> list[str]:
    """``0-3``, ``7``: runs of neighbours, in order."""
    runs: list[tuple[int, int]] = []
    for index in sorted(which):
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return [str(first) if first == last else f"{first}-{last}" for first, last in runs]


def listed(which: Sequence[int]) -> str:
    """``0-3,7``: what ``--points`` and ``--array`` take; empty for none."""
    return ",".join(runs_of(which))


def told(which: Sequence[int], most: int = 8) -> str:
    """``0-3, 7 and 12``; of many the first runs and how many points more."""
    shown = runs_of(which)
    if len(shown) > most:
        inside = sum(_length(run) for run in shown[:most])
        return f"{', '.join(shown[:most])} and {len(which) - inside:,} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def _length(run: str) -> int:
    first, _, last = run.partition("-")
    return int(last or first) - int(first) + 1
