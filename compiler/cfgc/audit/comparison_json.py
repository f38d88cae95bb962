"""A comparison as data. A value that a side has not is left out, since null is one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from cfgc.audit.bundle_on_disk import BundleOnDisk
from cfgc.audit.comparing import Change, Comparison
from cfgc.audit.comparing_points import PointChange
from cfgc.audit.comparison_words import verdict
from cfgc.audit.facts import Fact
from cfgc.deepspeed.classes import class_of_key
from cfgc.emit.canonical import readable
from cfgc.schema.classes import classed_at
from cfgc_runtime.values import ABSENT, DS_CONFIG, Kind


def comparison_json(comparison: Comparison, only: Collection[Kind] = ()) -> str:
    """The text, a newline at the end; of the changes, those of the classes ``only``, where any are given."""
    return readable(comparison_data(comparison, only))


def comparison_data(comparison: Comparison, only: Collection[Kind] = ()) -> dict[str, Any]:
    """``counts`` and ``worst`` are those of everything, whatever ``only`` says."""

    def wanted(kind: Kind | None) -> bool:
        return not only or kind in only

    return {
        "old": _side(comparison.old),
        "new": _side(comparison.new),
        "same": comparison.is_same,
        "verdict": verdict(comparison),
        "worst": comparison.worst,
        "counts": comparison.counts,
        "changes": [_change(change) for change in comparison.changes if wanted(change.kind)],
        "ds_config": {
            "counts": comparison.counts_ds_config,
            "changes": [_change(change) for change in comparison.ds_config if wanted(change.kind)],
        },
        "others": [_fact(fact) for fact in comparison.facts if wanted(fact.kind)],
        "points": [_point(point) for point in comparison.points if wanted(point.difference.kind)],
        "stages": {name: comparison_data(stage, only) for name, stage in (comparison.stages or {}).items()},
    }


def _side(side: BundleOnDisk) -> dict[str, Any]:
    manifest = side.manifest
    return {
        "name": side.name,
        "experiment": manifest["experiment"],
        "root": manifest["root"],
        "cfgc_version": manifest["cfgc_version"],
        "plan_digest": side.plan_digest,
        "bundle_digest": manifest["bundle_digest"],
    }


def _change(change: Change) -> dict[str, Any]:
    steps = {"old_origin": list(change.old_steps), "new_origin": list(change.new_steps)}
    return {
        "key": change.key,
        "class": change.kind,
        **_why(change),
        **_values(change.old, change.new),
        **{name: found for name, found in steps.items() if found},
        **({"follows": change.follows} if change.follows else {}),
    }


def _why(change: Change) -> dict[str, Any]:
    """Why the key has its class; nothing where another cfgc had another opinion."""
    parts = tuple(int(part) if part.isdecimal() else part for part in change.key.removeprefix(DS_CONFIG).split("."))
    of_deepspeed = change.key.startswith(DS_CONFIG)
    classed = class_of_key(tuple(map(str, parts))) if of_deepspeed else classed_at(parts)
    return {"why": classed.why} if classed and classed.kind == change.kind else {}


def _point(point: PointChange) -> dict[str, Any]:
    found = point.difference
    return {"key": found.key, "class": found.kind, **_values(found.old, found.new), "points": list(point.points)}


def _values(old: Any, new: Any) -> Mapping[str, Any]:
    return {name: value for name, value in (("old", old), ("new", new)) if value is not ABSENT}


def _fact(fact: Fact) -> dict[str, Any]:
    return {"subject": fact.subject, "class": fact.kind, "text": fact.text, "details": list(fact.details)}
