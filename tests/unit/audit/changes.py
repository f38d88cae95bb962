"""Changes of single keys, drawn at random from the schema, that a spec holds with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from cfgc.audit.bundle_on_disk import BundleOnDisk, bundle_in_memory
from cfgc.diagnostics import Rejected
from cfgc.load.disk import DiskReader
from cfgc.load.loader import load_spec
from cfgc.origin import Layer, Leaf, Origin
from cfgc.pipeline import compile_spec
from cfgc.resolve.resolved import Resolved
from cfgc.resolve.resolver import resolve_graph
from cfgc.resources import shipped_dir
from cfgc.schema.catalogue import SchemaField, schema_fields
from cfgc.validate.checker import check_resolved

ROOT = Path(__file__).parents[3]
SPECS = ("specs/examples/quickstart.toml", "specs/examples/16xh100-zero3.toml", "specs/examples/8xa100-zero2.toml")


@cache
def reader() -> DiskReader:
    return DiskReader(ROOT, shipped_dir("specs"))


@cache
def base(spec: str) -> BundleOnDisk:
    """The bundle of ``spec`` as it is."""
    return bundle_in_memory(compile_spec(reader(), spec), spec)


@dataclass(frozen=True)
class Draw:
    """A spec, a key, another value of it as TOML, and the bundle that it makes."""

    spec: str
    key: str
    text: str
    bundle: BundleOnDisk


def draws(random: Random, count: int) -> list[Draw]:
    """``count`` changes that their specs hold with."""
    fields = list(schema_fields().values())
    found: list[Draw] = []
    while len(found) < count:
        spec, field = random.choice(SPECS), random.choice(fields)
        values = [value for value in other_values(field, resolved(spec)) if holds(spec, field, value)]
        if values:
            found += _drawn(spec, field.dotted, json.dumps(random.choice(values)))
    return found


def _drawn(spec: str, key: str, text: str) -> Iterator[Draw]:
    """Nothing where the files of the project are what the value is refused for."""
    with suppress(Rejected):
        override = f"{key}={text}"
        yield Draw(spec, key, text, bundle_in_memory(compile_spec(reader(), spec, (override,)), override))


@cache
def resolved(spec: str) -> Resolved:
    return resolve_graph(load_spec(reader(), spec))


def holds(spec: str, field: SchemaField, value: Any) -> bool:
    """Whether the spec is accepted with ``value``."""
    origin = Origin(Layer("command line"), value)
    whole = resolved(spec)
    try:
        check_resolved(replace(whole, leaves={**whole.leaves, field.path: Leaf(value, origin)}))
    except Rejected:
        return False
    return True


def other_values(field: SchemaField, whole: Resolved) -> Iterator[Any]:
    """Values of the field's type that it has not."""
    leaf = whole.leaves.get(field.path)
    now = leaf.value if leaf else None
    yield from (value for value in _of_type(field.info.annotation, now) if value != now)


def _of_type(annotation: Any, now: Any) -> Iterator[Any]:
    kind = get_origin(annotation)
    if kind is Literal:
        yield from get_args(annotation)
    elif kind in (Union, UnionType):
        for part in get_args(annotation):
            yield from _of_type(part, now)
    elif annotation is bool:
        yield from (True, False)
    elif annotation is int:
        yield from (now * 2, now + 1, now // 2) if isinstance(now, int) else (1, 2, 64, 128)
    elif annotation is float:
        yield from (now / 2, now * 2) if isinstance(now, float) and now else (0.25, 0.5)
    elif annotation is str:
        yield from ("x", f"{now}2") if now else ("x", "x/y", "1.2.3.4/24", "a@b.c")
    elif kind is tuple:
        yield from ([], ["x"], ["A"], [{"env": "X", "path": "y"}])
