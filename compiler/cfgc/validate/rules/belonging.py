"""Keys that say nothing to the kind that their table is of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.schema.belonging import belongs
from cfgc.schema.catalogue import schema_fields
from cfgc.schema.defaults import DEFAULT_LAYER
from cfgc.schema.lookup import section_at
from cfgc.validate.rules.finding import At, error

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.origin import Path
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.field import OnlyFor
    from cfgc.schema.spec import Spec


def keys_belong_to_the_kind(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG466: no key is written that the table's kind would ignore; one finding a table."""
    tables: dict[tuple[Path, OnlyFor], list[Path]] = {}
    for path, field in schema_fields().items():
        only = field.meta.only
        if only and not belongs(path, resolved) and _is_of_a_working_kind(spec, path, only):
            written = [leaf for leaf in resolved.leaves if leaf[: len(path)] == path and _is_written(resolved, leaf)]
            tables.setdefault((path[:-1], only), []).extend(written[:1])
    for (table, only), paths in tables.items():
        if paths:
            yield _ignored(spec, resolved, table, only, paths)


def _is_written(resolved: Resolved, path: Path) -> bool:
    return resolved.leaves[path].origin.layer != DEFAULT_LAYER


def _is_of_a_working_kind(spec: Spec, path: Path, only: OnlyFor) -> bool:
    """Not for kinds that are refused as a whole."""
    section = section_at(path[:-1])
    later = schema_fields()[(*path[:-1], only.key)].meta.later
    assert section is not None, "a field is in a table"
    return later is None or _kind_of(spec, path[:-1], only) in later.works


def _kind_of(spec: Spec, table: Path, only: OnlyFor) -> object:
    held: object = spec
    for part in (*table, only.key):
        held = getattr(held, part)
    return held


def _ignored(spec: Spec, resolved: Resolved, table: Path, only: OnlyFor, paths: list[Path]) -> Diagnostic:
    key, kind = ".".join((*table, only.key)), _kind_of(spec, table, only)
    names = [".".join(path) for path in paths]
    from_below = [name for name in names if _is_of_a_lower_layer(resolved, name)]
    unset = ", ".join(f'"{name}"' for name in from_below)
    return error(
        "CFG466",
        f'`{names[0]}` is not read where `{key} = "{kind}"`',
        resolved,
        [*(At(name, "would be ignored") for name in names), At(key, "what the table is")],
        (f"it belongs to {' and '.join(only.kinds)}; what would be ignored is refused",),
        (f"add `unset = [{unset}]` at the top of the spec" if unset else "leave it out",),
    )


def _is_of_a_lower_layer(resolved: Resolved, name: str) -> bool:
    leaf = resolved.get(name)
    return leaf is not None and leaf.origin.layer.kind in ("base", "overlay", "project")
