"""Which emitted values follow from a key: found by changing it and comparing the plans."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Literal, get_args, get_origin

from cfgc.diagnostics import Rejected
from cfgc.lower.lowering import lower_spec
from cfgc.lower.plan import AnyPlan
from cfgc.origin import Layer, Leaf, Origin, Path, Value
from cfgc.resolve.resolved import Resolved
from cfgc.schema.catalogue import SchemaField, schema_fields
from cfgc.validate.checker import check_resolved

_FILES = {"ds_config": "ds_config.json", "slurm": "job.sbatch", "calls": "wiring.py", "script": "the script"}
_ESTIMATES = {
    "flops_per_token": "PLAN.md compute",
    "peak_tflops": "PLAN.md compute",
    "gpu_hours": "PLAN.md wall-time limit",
}
"""What an estimate is called in PLAN.md; the others are parts of the model states."""
_YIELDING = ("training.gradient_accumulation_steps", "training.global_batch_size")
"""Left to be derived when nothing else lets the key change: two of the batch triple fix the third."""

MOST = 8
"""How many uses are named; a world size changes dozens."""


def used_by(path: Path, resolved: Resolved) -> list[str]:
    """Places such as ``ds_config.json optimizer.params.lr``; empty when no other value of the key holds."""
    field = schema_fields().get(path)
    try:
        plan = lower_spec(check_resolved(resolved))
    except Rejected:
        return []
    leaf = resolved.leaves.get(path)
    for yielding in ("", *_YIELDING):
        rest = {other: kept for other, kept in resolved.leaves.items() if ".".join(other) != yielding}
        for candidate in _others(field, leaf.value if leaf else None):
            changed = {**rest, path: Leaf(candidate, Origin(Layer("command line"), candidate))}
            try:
                other = lower_spec(check_resolved(replace(resolved, leaves=changed)))
            except Rejected:
                continue
            return list(dict.fromkeys(_differences(plan, other)))
    return []


def _others(field: SchemaField | None, value: Value | None) -> Iterator[Value]:
    """Values of the same type, most likely to hold first."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value * 2, value + 1, max(value // 2, 0), value - 1)
    elif isinstance(value, float):
        yield from (x for x in (value / 2, value * 2, value + 0.5) if math.isfinite(x))
    elif isinstance(value, str):
        choices = get_args(field.info.annotation) if field and get_origin(field.info.annotation) is Literal else ()
        yield from (choice for choice in choices if choice != value)
        yield from (f"{value}x", "1:00:00") if not choices else ()
    elif isinstance(value, list):
        yield [*value, *value[-1:]] if value else ["x"]


def _differences(before: AnyPlan, after: AnyPlan) -> Iterator[str]:
    for section in fields(before):
        if section.name == "review":
            continue
        for where in _changed(getattr(before, section.name), getattr(after, section.name, None), ()):
            if section.name == "estimate":
                yield _ESTIMATES.get(where[0], "PLAN.md model states")
                continue
            file = _FILES.get(section.name)
            name = ".".join(where)
            yield f"{file} {name}".rstrip() if file else f"config.py {'.'.join((section.name.upper(), *where))}"


def _changed(before: object, after: object, at: Path) -> Iterator[Path]:
    if is_dataclass(before) and is_dataclass(after):
        for field in fields(before):
            yield from _changed(getattr(before, field.name), getattr(after, field.name), (*at, field.name))
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _changed(before.get(key), after.get(key), (*at, str(key)))
    elif at == ("directives",):
        yield from ((name,) for name, _ in sorted(set(_pairs(before)) ^ set(_pairs(after))))
    elif before != after:
        yield at


def _pairs(directives: object) -> tuple[tuple[str, str], ...]:
    assert isinstance(directives, tuple), "Slurm.directives is a tuple of pairs"
    return directives
