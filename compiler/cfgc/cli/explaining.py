"""``cfgc explain SPEC KEY``: a value, its origin, and everything it replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from cfgc.cli.session import Session
from cfgc.cli.usage import MOST, used_by
from cfgc.diagnostics import Rejected
from cfgc.diagnostics.masking import hidden, masked
from cfgc.lower.lowering import lower_spec
from cfgc.lower.plan import Provenance
from cfgc.origin import Leaf, Origin, Path
from cfgc.pipeline import resolve_spec
from cfgc.resolve.resolved import Resolved
from cfgc.schema.catalogue import SchemaField, schema_fields, schema_sections
from cfgc.schema.describe import describe_type
from cfgc.validate.checker import check_resolved


def explained(session: Session, key: str) -> str:
    """The text for ``key``, a newline at the end. Raises ``Rejected`` when the layers can't be merged.

    A spec that breaks a rule can still be explained: that is when one asks.
    """
    resolved = resolve_spec(session.reader, session.logical, session.overrides)
    if resolved.graph.findings:
        raise Rejected(resolved.graph.findings)
    path = tuple(key.split("."))
    below = [found for found in resolved.leaves if found[: len(path)] == path and found != path]
    leaf = resolved.leaves.get(path)
    if path in resolved.unresolved:
        lines = list(_valueless(path, resolved))
    elif leaf is not None:
        lines = [
            *_heading(path, _text(leaf.value, path)),
            "",
            *_chain(leaf.origin, path),
            *_expression(leaf, path),
            *_uses(path, resolved),
        ]
    elif below or path in schema_sections():
        lines = list(_section(below, path, resolved))
    else:
        lines = list(_without_origin(path, resolved))
    return "\n".join([*lines, "", *_order(resolved)]) + "\n"


def _heading(path: Path, value: str) -> Iterator[str]:
    field = schema_fields().get(path)
    about = f"        {describe_type(field)} · {field.meta.field_class}" if field else ""
    yield f"{'.'.join(path)} = {value}{about}"
    if field:
        yield f'  "{field.doc}"'


def _valueless(path: Path, resolved: Resolved) -> Iterator[str]:
    yield from _heading(path, "nothing: its `${…}` has no value")
    yield from ("", *_chain(resolved.unresolved[path], path), "")
    yield from (f"  {finding.code}: {finding.message}" for finding in masked(resolved.findings))


def _chain(origin: Origin, path: Path) -> list[str]:
    return _table([("unset" if o.removed else _text(o.value, path), _layer(o), _place(o)) for o in origin.chain()])


def _expression(leaf: Leaf, path: Path) -> Iterator[str]:
    written = leaf.origin.value
    if written != leaf.value and isinstance(written, str):
        yield f"\n  {_text(leaf.value, path)} is what {_text(written, path)} comes to after merging"


def _uses(path: Path, resolved: Resolved) -> Iterator[str]:
    uses = used_by(path, resolved)
    if uses:
        more = f" · and {len(uses) - MOST} more" if len(uses) > MOST else ""
        yield f"\nused by  {' · '.join(uses[:MOST])}{more}"


def _section(below: Sequence[Path], path: Path, resolved: Resolved) -> Iterator[str]:
    if not below:
        yield f"{'.'.join(path)}: no key of this section has a value"
        return
    yield f"[{'.'.join(path)}]"
    leaves = [(found, resolved.leaves[found]) for found in below]
    rows = [
        (".".join(found[len(path) :]), _text(leaf.value, found), _layer(leaf.origin), _place(leaf.origin))
        for found, leaf in leaves
    ]
    yield from _table(rows)


def _without_origin(path: Path, resolved: Resolved) -> Iterator[str]:
    field = schema_fields().get(path)
    if field is None:
        yield from _unknown(".".join(path))
        return
    derived = _derived(path, resolved)
    if derived is None:
        yield from _heading(path, "nothing")
        yield ""
        yield from (
            _chain(resolved.removed[path], path)
            if path in resolved.removed
            else _table([("no layer gives it a value",)])
        )
        return
    yield from _heading(path, _text(derived.value, path))
    yield f"\n  {_text(derived.value, path)}  {derived.comment}"
    yield from ("", *_chain(resolved.removed[path], path)) if path in resolved.removed else ()


def _derived(path: Path, resolved: Resolved) -> Provenance | None:
    try:
        plan = lower_spec(check_resolved(resolved))
    except Rejected:
        return None
    return next((entry for entry in plan.review.provenance if entry.path == path), None)


def _unknown(key: str) -> Iterator[str]:
    fields: dict[str, SchemaField] = {field.dotted: field for field in schema_fields().values()}
    last = key.rsplit(".", maxsplit=1)[-1]
    near = get_close_matches(key, fields, n=3, cutoff=0.6) or [k for k in fields if k.rsplit(".", 1)[-1] == last]
    yield f"there is no key `{key}`"
    yield from (f"  did you mean `{name}`?  {fields[name].doc}" for name in near[:3])


def _order(resolved: Resolved) -> Iterator[str]:
    layers = list(dict.fromkeys(str(layer.layer) for layer in resolved.graph.layers))
    yield "layers, a later one wins: " + " < ".join(layers)


def _layer(origin: Origin) -> str:
    return str(origin.layer) if origin.layer.kind == "overlay" else origin.layer.kind


def _place(origin: Origin) -> str:
    span = origin.key_span or origin.span
    return str(span) if span else "schema"


def _text(shown: object, path: Path) -> str:
    value = hidden(shown, path[-1])
    if isinstance(value, list | tuple | dict):
        text = json.dumps(value, ensure_ascii=False, default=str)
        return text if len(text) <= 60 else text[:57] + "…"
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return ["  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
