"""Data as JSON: one canonical form for digests, one readable form for files."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from cfgc.lower.plan import AnyPlan, Json


def json_of(value: object) -> Json:
    """``value`` made of what JSON has: dataclasses and mappings as objects, tuples as arrays.

    Raises TypeError for anything else, and for a number that is not finite.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: json_of(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): json_of(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [json_of(item) for item in value]
    if value is None or isinstance(value, (str, int, bool)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise TypeError(f"no JSON for {value!r}")


def readable(value: object) -> str:
    """Sorted keys, two spaces, a newline at the end, text as text."""
    return json.dumps(json_of(value), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def digest_of(value: object) -> str:
    """``sha256:…`` of the canonical JSON: sorted keys, no spaces, ASCII."""
    return digest_bytes(json.dumps(json_of(value), sort_keys=True, separators=(",", ":")).encode())


def digest_bytes(data: bytes) -> str:
    """``sha256:…`` of ``data``."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


_NO_MEANING = ("review", "script", "sweep", "archive")


def plan_digest(plan: AnyPlan) -> str:
    """What the plan means, without how it came about; a script counts by its digest, a sweep by its first point."""
    return digest_of({f.name: getattr(plan, f.name) for f in fields(plan) if f.name not in _NO_MEANING})


def bundle_plan_digest(plan: AnyPlan) -> str:
    """The same of all that a bundle can run: of every point of a sweep."""
    points = plan.sweep.points
    return digest_of([point.plan_digest for point in points]) if points else plan_digest(plan)
