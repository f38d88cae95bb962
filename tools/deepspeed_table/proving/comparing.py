"""The table's release against what was seen: every difference as a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from cfgc.deepspeed.table import MISSING, Key, Named, Release

from .models import FieldSeen
from .named import NamedSeen
from .observing import Observed
from .probing import says
from .recording import Path

OF_NO_SECTION = frozenset({("optimizer", "params"), ("scheduler", "params")})
"""Tables whose keys are constructors' parameters."""

READ_LATER = {
    ("pipeline", "use_reentrant"): "by the pipeline engine",
    ("data_efficiency", "data_sampling", "curriculum_learning", "data_cluster_path"): "by the engine's data loader",
    ("data_efficiency", "data_routing", "random_ltd"): "by the scheduler of random layer token dropping",
    ("curriculum_learning",): "by the scheduler of curriculum learning",
    ("progressive_layer_drop",): "by the engine",
    ("sparse_attention",): "by the attention of sparse transformers",
    ("compression_training",): "by the compression library",
    ("data_parallel_size",): "by `deepspeed.initialize`, which makes a mesh of it",
}
"""Keys, and sections but for ``enabled``, that parsing does not look at: only reading the source tells of them."""


AGAINST_OTHERS: dict[Path, tuple[object, ...]] = {("zero_optimization", "compute_grad_norm"): (False, 0)}
"""Values that a model refuses for what another key is, here the stage: a rule's to say, not the table's."""


def differences(release: Release, seen: Observed) -> list[str]:
    """Every way in which the table and the installed DeepSpeed differ."""
    return [
        *_fields(release, seen),
        *_taken(release, seen),
        *_texts(release, seen),
        *_asked(release, seen),
        *_forbidding(release, seen),
        *_nulls(release, seen),
        *_refusing(release, seen),
        *_named("optimizer", release.optimizers, seen.optimizers),
        *_named("scheduler", release.schedulers, seen.schedulers),
    ]


def measure(release: Release, seen: Observed) -> str:
    """How much was compared."""
    probes = sum(len(tried) for tried in seen.takes.values())
    defaults = sum(bool(found) for found in seen.defaults.values())
    fields = sum(len(fields) for fields in seen.models.values())
    named = f"{len(seen.optimizers)} optimizers and {len(seen.schedulers)} schedulers"
    return (
        f"{len(release.keys)} keys in the table, {len(seen.asked)} asked for, {fields} fields of {len(seen.models)} "
        f"models, {defaults} defaults of raw keys, {probes} values tried, {named}"
    )


def _dotted(path: Path) -> str:
    return ".".join(path)


def _fields(release: Release, seen: Observed) -> Iterator[str]:
    for section, fields in seen.models.items():
        names = {name for found in fields.values() for name in found.names}
        ours = {path[-1] for path, key in release.keys.items() if path[:-1] == section}
        removed = {path[-1] for path, key in release.keys.items() if path[:-1] == section and seen.refused.get(path)}
        for name in sorted(names ^ (ours - (removed - names))):
            where = "only in the table" if name in ours else "not in the table"
            yield f"{_dotted((*section, name))}: {where}"
        for found in fields.values():
            key = release.keys.get((*section, found.names[0]))
            if key is not None:
                yield from _field(key, found)
            for other in found.names[1:]:
                alias = release.keys.get((*section, other))
                if alias is not None and alias.alias_of[-1:] != found.names[:1]:
                    yield f"{_dotted(alias.path)}: not said to be another name of {found.names[0]}"


def _field(key: Key, found: FieldSeen) -> Iterator[str]:
    name = _dotted(key.path)
    is_table = key.closed or found.model
    if not key.refused and not is_table and key.default != found.default:
        yield f"{name}: the default is {found.default!r}, not {key.default!r}"
    if not key.refused and type(key.default) is not type(found.default) and not is_table:
        yield f"{name}: the default is a {type(found.default).__name__}"
    ours = {bound: getattr(key, bound) for bound in ("above", "minimum", "below", "maximum")}
    for bound, value in found.bounds.items():
        if ours[bound] != value:
            yield f"{name}: {bound} is {value}, not {ours[bound]}"
    if key.required != found.required:
        yield f"{name}: required is {found.required}"
    if key.deprecated != found.deprecated:
        yield f"{name}: deprecated is {found.deprecated}"
    replaced = _dotted(key.replaced_by).rpartition(".")[2]
    if found.deprecated and " " not in found.replaced_by and not replaced.endswith(found.replaced_by):
        yield f"{name}: replaced by {found.replaced_by}, not {replaced}"


def _taken(release: Release, seen: Observed) -> Iterator[str]:
    for path, probes in seen.takes.items():
        key = release.keys.get(path)
        if key is None:
            continue
        for value, taken in probes:
            if value in AGAINST_OTHERS.get(path, ()):
                continue
            said = not key.refused and says(key, value)
            if said is not taken and not _is_refused_below(key, value):
                yield f"{_dotted(path)}: {json.dumps(value)} is {'taken' if taken else 'refused'}"


def _is_refused_below(key: Key, value: object) -> bool:
    """A table of its own model refuses the key of nobody in itself."""
    return isinstance(value, dict) and bool(value) and key.closed


def _texts(release: Release, seen: Observed) -> Iterator[str]:
    """The texts that a key takes which is not a model's, where DeepSpeed refuses others when it parses."""
    for path, taken in seen.texts.items():
        key = release.keys.get(path)
        if key is not None and "str" in key.kinds:
            ours = {choice.casefold() if key.any_case else choice for choice in key.choices}
            theirs = {text.casefold() if key.any_case else text for text in taken}
            if ours != theirs:
                yield f"{_dotted(path)}: takes {sorted(theirs)}, not {sorted(ours)}"


def _asked(release: Release, seen: Observed) -> Iterator[str]:
    for path in sorted(seen.asked):
        if (path[:2] in OF_NO_SECTION and len(path) > 2) or path[:-1] in seen.models:
            continue
        if path not in release.keys and not _in_free(release, path):
            yield f"{_dotted(path)}: asked for, not in the table"
    for path, key in release.keys.items():
        if path[:-1] in seen.models or key.refused or key.alias_of or _later(path):
            continue
        if path not in seen.asked and path not in seen.models and not seen.defaults.get(path):
            yield f"{_dotted(path)}: never asked for"
        elif "table" not in key.kinds and path not in seen.models:
            yield from _default(key, [*seen.asked.get(path, ()), *seen.defaults.get(path, ())])


def _default(key: Key, found: list[object]) -> Iterator[str]:
    same = [value for value in found if value == key.default and type(value) is type(key.default)]
    if key.default is not MISSING and found and not same:
        yield f"{_dotted(key.path)}: the default is {found[0]!r}, not {key.default!r}"
    if key.default is MISSING and any(value is not None for value in found):
        yield f"{_dotted(key.path)}: the default is {found[0]!r}, and the table has none"


def _later(path: Path) -> bool:
    return any(path[: len(later)] == later and path != (*later, "enabled") for later in READ_LATER)


def _in_free(release: Release, path: Path) -> bool:
    return any(release.keys[path[:end]].free for end in range(1, len(path)) if path[:end] in release.keys)


def _forbidding(release: Release, seen: Observed) -> Iterator[str]:
    for path, forbids in seen.forbids.items():
        key = release.keys.get(path)
        if key is None:
            yield f"{_dotted(path)}: a section that is not in the table"
        elif key.closed is not forbids and not key.free:
            yield f"{_dotted(path)}: {'refuses' if forbids else 'ignores'} unknown keys"


def _nulls(release: Release, seen: Observed) -> Iterator[str]:
    for path, taken in seen.nulls.items():
        key = release.keys.get(path)
        if key is None or key.alias_of or key.free or _later(path):
            continue
        if ("null" in key.kinds) is not taken:
            yield f"{_dotted(path)}: null is {'taken' if taken else 'refused'}"


def _refusing(release: Release, seen: Observed) -> Iterator[str]:
    for path, refused in seen.refused.items():
        key = release.keys.get(path)
        if (key is not None and bool(key.refused)) is not refused:
            yield f"{_dotted(path)}: {'refused' if refused else 'not refused'}"


def _named(kind: str, ours: Mapping[str, Named], seen: Mapping[str, NamedSeen]) -> Iterator[str]:
    for name in sorted({*ours} ^ {*seen}):
        yield f"{kind} {name}: {'only' if name in ours else 'not'} in the table"
    for name in sorted({*ours} & {*seen}):
        found = seen[name].parameters
        if found is None:
            continue
        for parameter in sorted({*ours[name].parameters} ^ {*found}):
            where = "only in the table" if parameter in ours[name].parameters else "not in the table"
            yield f"{kind} {name}: {parameter} {where}"
        for parameter, default in ours[name].parameters.items():
            if found.get(parameter) and default not in found[parameter]:
                yield f"{kind} {name}: {parameter} is {found[parameter][0]!r}, not {default!r}"
