"""Keys that say nothing to the kind that their table is of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.schema.belonging import belongs
from cfgc.schema.catalogue import schema_fields
from cfgc.schema.defaults import DEFAULT_LAYER
from cfgc.schema.spec import Spec
from cfgc.validate.places import from_layer
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.rules.finding import At, error

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.origin import Path
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.field import OnlyFor
    from cfgc.schema.spec import AnySpec


def keys_belong_to_the_kind(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG466: no key is written that the table's kind would ignore; one finding a table."""
    tables: dict[tuple[Path, str, tuple[str, ...]], list[Path]] = {}
    for path, field in schema_fields().items():
        only = field.meta.only if _is_judged(spec, path) else None
        if only and not belongs(path, resolved) and _is_of_a_working_kind(spec, path[:-1], only):
            written = [leaf for leaf in resolved.leaves if leaf[: len(path)] == path and _is_written(resolved, leaf)]
            tables.setdefault((path[:-1], only.key, only.kinds), []).extend(written[:1])
    for (table, key, kinds), paths in tables.items():
        if paths:
            yield _ignored(spec, resolved, (*table, key), kinds, paths)


def _is_judged(spec: AnySpec, path: Path) -> bool:
    """Of a task of somebody's own, CFG473 says what is not read of its own table."""
    return isinstance(spec, Spec) or path[0] == "package"


def _is_written(resolved: Resolved, path: Path) -> bool:
    return resolved.leaves[path].origin.layer != DEFAULT_LAYER


def _is_of_a_working_kind(spec: AnySpec, table: Path, only: OnlyFor) -> bool:
    """Not where the kind is refused as a whole."""
    later = schema_fields()[(*table, only.key)].meta.later
    return later is None or _value_at(spec, (*table, only.key)) in later.works


def _value_at(spec: AnySpec, path: Path) -> object:
    held: object = spec
    for part in path:
        held = getattr(held, part)
    return held


def _ignored(
    spec: AnySpec, resolved: Resolved, discriminator: Path, kinds: tuple[str, ...], paths: list[Path]
) -> Diagnostic:
    key, names = ".".join(discriminator), [".".join(path) for path in paths]
    inherited = [name for path, name in zip(paths, names, strict=True) if from_layer(resolved.leaves[path].origin)]
    unset = ", ".join(f'"{name}"' for name in inherited)
    own = [name for name in names if name not in inherited]
    remedy = Remedy(resolved)
    edits = [*(edit for name in own for edit in remedy.drop(tuple(name.split(".")))), *remedy.unset(inherited)]
    return error(
        "CFG466",
        f'`{names[0]}` is not read where `{key} = "{_value_at(spec, discriminator)}"`',
        resolved,
        [*(At(name, "would be ignored") for name in names), At(key, "the kind")],
        (f"read where `{discriminator[-1]}` is {' or '.join(kinds)}; what would be ignored is refused",),
        (
            f"leave out {', '.join(f'`{name}`' for name in own)}" if own else "",
            f"{'and ' if own else ''}add `unset = [{unset}]` at the top of the spec" if inherited else "",
        ),
        one_fix(edits),
    )
