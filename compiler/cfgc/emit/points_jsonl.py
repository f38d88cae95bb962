"""points.jsonl: a line a point, with all that it changes of the bundle's config.py, ds_config.json and values.json."""

from __future__ import annotations

from cfgc.lower.plan import AnyPlan

NAME = "points.jsonl"


def points_jsonl(plan: AnyPlan) -> str:
    """The text of points.jsonl; point N is line N + 1."""
    return "".join(f"{point.line}\n" for point in plan.sweep.points)
