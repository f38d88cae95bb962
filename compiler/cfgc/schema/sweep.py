"""``[sweep]``: many points from one spec."""

from __future__ import annotations

from typing import Any, Literal

from cfgc.schema.field import Later, Section, logistics
from cfgc.schema.values import Int

_ONE = Later("sweep", "leave the table out; build a bundle for each point, with overrides on the command line")


class Sweep(Section):
    """Many points from one spec."""

    method: Literal["grid", "zip", "random"] | None = logistics(None, "How points are made.", later=_ONE)
    parameters: dict[str, Any] | None = logistics(None, "Keys and the values they take.", later=_ONE)
    max_points: Int | None = logistics(None, "Most points.", unit="points", gt=0, later=_ONE)
