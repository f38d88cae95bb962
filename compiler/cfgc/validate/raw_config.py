"""``[deepspeed.raw]`` judged as a ds_config.json is: over the config that the spec becomes, at the spec's own keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cfgc.arithmetic.of_spec import triple_of, world_of
from cfgc.deepspeed.case import Case
from cfgc.deepspeed.config import AUTO, Config, Entry, Json, Path
from cfgc.deepspeed.judge import judge_config
from cfgc.deepspeed.of_spec import deepspeed_config, raw_keys
from cfgc.deepspeed.releases import release
from cfgc.validate.places import first_below, from_layer
from cfgc.validate.rules.raw import is_json
from cfgc.validate.rules.raw_keys import OWNED

if TYPE_CHECKING:
    from cfgc.deepspeed.table import Key
    from cfgc.diagnostics import Diagnostic
    from cfgc.diagnostics.model import Fix
    from cfgc.origin import Origin
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec
    from cfgc.source import Span

HOME: Path = ("deepspeed", "raw")
_JSON = re.compile(r'`"(\w+)": ([^`]*)`')


def judge_raw(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """What is to say of the raw keys. A config without them has no finding: what concerns none of them is left out."""
    raw = _free(raw_keys(spec))
    triple = triple_of(spec)
    if not raw or triple is None:
        return
    judged = spec.model_copy(update={"deepspeed": spec.deepspeed.model_copy(update={"raw": raw})})
    target = release(spec.target.deepspeed)
    every = dict(_entries(deepspeed_config(judged, triple), (), raw, resolved))
    entries = {path: entry for path, entry in every.items() if _says_something(target.key(path), entry)}
    case = Case(Config(resolved.graph.root, entries, home=HOME), target, world_of(spec), spec.hardware.device)
    places = [span for path in _paths(raw) for span in _spans(entries[path])]
    for finding in judge_config(case):
        labels = [label for label in (finding.primary, *finding.secondary) if label]
        if any(_meet(place, label.span) for label in labels for place in places):
            fixes = tuple(fix for fix in finding.fixes if _can_be_done(fix, resolved))
            yield replace(finding, fixes=fixes, helps=tuple(map(_in_toml, finding.helps)))


def _says_something(key: Key | None, entry: Entry) -> bool:
    """Whether a person or the spec says it: a default that is written out is in the way of nobody's raw key."""
    return bool(entry.edited) or key is None or key.default != entry.value


def _in_toml(text: str) -> str:
    """What a JSON file would say, as a spec says it."""
    return _JSON.sub(r"`\1 = \2`", text)


def _meet(one: Span, other: Span) -> bool:
    return one.source is other.source and one.start < other.end and other.start < one.end


def _spans(entry: Entry) -> Iterator[Span]:
    yield from (span for span in (entry.span, entry.key) if span)


def _free(raw: Mapping[str, Any], prefix: str = "") -> dict[str, Json]:
    """The raw keys without those that a rule refuses: the spec has a key for them, or JSON no such value."""
    kept: dict[str, Json] = {}
    for key, value in raw.items():
        if f"{prefix}{key}" in OWNED or value == AUTO or not is_json(value):
            continue
        below = _free(value, f"{prefix}{key}.") if isinstance(value, dict) else value
        if below or not isinstance(value, dict) or not value:
            kept[key] = list(below) if isinstance(below, tuple) else below
    return kept


def _paths(raw: Mapping[str, Any], prefix: Path = ()) -> Iterator[Path]:
    for key, value in raw.items():
        yield (*prefix, key)
        if isinstance(value, dict):
            yield from _paths(value, (*prefix, key))


def _entries(table: Json, prefix: Path, raw: Any, resolved: Resolved) -> Iterator[tuple[Path, Entry]]:
    for key, value in table.items():
        path = (*prefix, key)
        is_raw = isinstance(raw, dict) and key in raw
        yield path, _raw_entry(path, value, resolved) if is_raw else _own_entry(path, value, resolved)
        if isinstance(value, dict):
            yield from _entries(value, path, raw[key] if is_raw else None, resolved)


def _raw_entry(path: Path, value: Json, resolved: Resolved) -> Entry:
    where = (*HOME, *path)
    leaf = resolved.leaves.get(where)
    if leaf:
        return Entry(value, leaf.origin.span, leaf.origin.key_span, where, _layer(leaf.origin))
    header = first_below(resolved, where, "")
    return Entry(value, header.span if header else None, None, where)


def _own_entry(path: Path, value: Json, resolved: Resolved) -> Entry:
    """A key that another key of the spec became; without a place when none has it alone."""
    home = OWNED.get(".".join(path))
    leaf = resolved.get(home) if home else None
    if not home or leaf is None or leaf.origin.span is None:
        return Entry(value)
    return Entry(value, leaf.origin.span, leaf.origin.key_span, tuple(home.split(".")), _layer(leaf.origin))


def _layer(origin: Origin) -> str:
    return from_layer(origin).removeprefix("from ")


def _can_be_done(fix: Fix, resolved: Resolved) -> bool:
    """Whether every key that is taken away or moved is written in the spec's own file, which is what is edited."""
    paths = [tuple(str(part) for part in edit.path) for edit in fix.edits if edit.action != "set"]
    return all(_is_of_root(path, resolved) for path in paths)


def _is_of_root(path: Path, resolved: Resolved) -> bool:
    below = [leaf.origin.span for known, leaf in resolved.leaves.items() if known[: len(path)] == path]
    return bool(below) and all(span is not None and span.source is resolved.graph.root for span in below)
