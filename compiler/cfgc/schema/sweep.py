"""``[sweep]``: many points from one spec."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator

from cfgc.schema.field import Section, logistics
from cfgc.schema.values import Int, array_to_tuple

Method: TypeAlias = Literal["grid", "zip", "list", "random"]

Points: TypeAlias = Annotated[tuple[dict[str, Any], ...], BeforeValidator(array_to_tuple)]

MOST_POINTS = 1_000
"""Points of a sweep that names no limit."""


class Sweep(Section):
    """Many points from one spec: each is compiled as if its settings stood on the command line."""

    method: Method | None = logistics(
        None,
        "How points are made: each value with each (grid), the first with the first (zip), as written (list), or drawn "
        "(random).",
        why="It is where points come from, which are compared themselves.",
    )
    parameters: dict[str, Any] | None = logistics(
        None,
        "Dotted keys and overlay groups, each with the values that it takes. For `random` also a range: "
        '`{ low = 1e-5, high = 1e-2, scale = "log" }`, or `integer = true`.',
        why="It is where points come from, which are compared themselves.",
    )
    points: Points | None = logistics(
        None, "For `list`: a table of settings for each point.", why="They are compared themselves."
    )
    max_points: Int | None = logistics(
        None,
        "How many points `random` draws; of the other methods the most that may come out. Absent: "
        f"{MOST_POINTS:,} of those.",
        why="It is where points come from, which are compared themselves.",
        unit="points",
        gt=0,
        le=100_000,
    )
    seed: Int | None = logistics(
        None,
        "What `random` draws with. Absent: 0.",
        why="It is where points come from, which are compared themselves.",
        unit="seed",
        ge=0,
    )
    max_parallel: Int | None = logistics(
        None,
        "Points of each array that run at the same time on Slurm. Absent: no limit.",
        why="It decides how many points run at a time.",
        unit="points",
        gt=0,
    )
