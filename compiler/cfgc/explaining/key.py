"""A key of a spec: its value, its origin, and everything it replaced."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from cfgc.diagnostics import Rejected
from cfgc.diagnostics.masking import masked
from cfgc.explaining.text import columns_of, layer_text, short_text, whole_text
from cfgc.explaining.usage import MOST, used_by
from cfgc.lower.lowering import lower_spec
from cfgc.lower.plan import Provenance
from cfgc.nearest import nearest
from cfgc.origin import Leaf, Origin, Path, Value
from cfgc.pipeline import resolve_key
from cfgc.resolve.resolved import Resolved
from cfgc.schema.catalogue import schema_fields, schema_positions, schema_sections
from cfgc.schema.classes import classed_at
from cfgc.schema.describe import describe_type
from cfgc.schema.renamed import RENAMED, aliases
from cfgc.session import Session
from cfgc.source import Span
from cfgc.sweep.reading import PARAMETERS
from cfgc.validate.checker import check_resolved


def explained(session: Session, key: str) -> str | None:
    """The text for ``key``, a newline at the end; None when there is no such key. Raises ``Rejected``.

    ``key`` may lead into an array (``data.sources[0].path``). A spec that breaks a rule can still be explained, since
    that is when one asks; one whose layers can't be merged can't. ``stages.NAME.`` leads into a stage of a pipeline.
    """
    path = tuple(re.sub(r"\[(\d+)\]", r".\1", key).split("."))
    resolved, path = resolve_key(session.reader, session.logical, session.overrides, path)
    if resolved.graph.findings:
        raise Rejected(resolved.graph.findings)
    lines = _Explainer(session, resolved).lines(path)
    if not lines:
        return None
    order = dict.fromkeys(str(layer.layer) for layer in resolved.graph.layers)
    return "\n".join([*lines, "", "layers, a later one wins: " + " < ".join(order)]) + "\n"


def suggestions(key: str) -> str:
    """What ``key`` may have been meant to be."""
    fields = {field.dotted: field.doc for field in schema_fields().values()}
    sections = {".".join(path): _first_line(section) for path, section in schema_sections().items() if path}
    known = {**sections, **fields}
    last = key.rsplit(".", maxsplit=1)[-1]
    renamed = RENAMED[key].key if key in RENAMED else aliases().get(last, "")
    near = [name for name in fields if name.rsplit(".", 1)[-1] == last] or _alike(key, fields, sections)
    found = list(dict.fromkeys(name for name in (renamed, *near) if name in known))
    lines = [f"  did you mean `{name}`?  {known[name]}" for name in found[:3]]
    return "\n".join([f"there is no key `{key}`", *lines])


def _alike(key: str, fields: Iterable[str], sections: Collection[str]) -> list[str]:
    """The section that is nearer to ``key`` than any other name; else keys that read like it."""
    close = nearest(key, (*fields, *sections))
    return [close] if close and close in sections else get_close_matches(key, list(fields), n=3)


def _first_line(section: type) -> str:
    return (inspect.getdoc(section) or "").partition("\n")[0].replace("``", "`")


@dataclass(frozen=True)
class _Explainer:
    session: Session
    resolved: Resolved

    def lines(self, path: Path) -> list[str]:
        resolved = self.resolved
        if path[0] == "overlays":
            return list(self._overlays())
        if path in resolved.unresolved:
            return list(self._valueless(path))
        if path in resolved.leaves:
            return list(self._value(path, resolved.leaves[path]))
        if path in schema_sections() or any(known[: len(path)] == path for known in resolved.leaves):
            return list(self._section(path))
        if path in schema_fields():
            return list(self._without_origin(path))
        return list(self._inside(path))

    def _value(self, path: Path, leaf: Leaf) -> Iterator[str]:
        text = short_text(leaf.value, path)
        yield from _heading(path, text)
        yield from ("", *self._chain(leaf.origin, path))
        written = leaf.origin.value
        if written != leaf.value and isinstance(written, str):
            yield f"\n  {text} is what {short_text(written, path)} comes to after merging"
        if text != whole_text(leaf.value, path):
            elements = leaf.value if isinstance(leaf.value, list) else [leaf.value]
            yield from ("", *(f"  [{place}] {whole_text(each, path)}" for place, each in enumerate(elements)))
        yield from self._swept(path)
        uses = used_by(path, self.resolved)
        more = f" · and {len(uses) - MOST} more" if len(uses) > MOST else ""
        yield from (f"\nused by  {' · '.join(uses[:MOST])}{more}",) if uses else ()

    def _swept(self, path: Path) -> Iterator[str]:
        """What the points of a sweep set it to."""
        for at in (path, (".".join(path),)):
            leaf = self.resolved.leaves.get((*PARAMETERS, *at))
            if leaf:
                where = self._place(leaf.origin.key_span)
                yield f"\n  the sweep's points set it to {short_text(leaf.origin.value, path)}  {where}"

    def _valueless(self, path: Path) -> Iterator[str]:
        yield from _heading(path, "nothing: its `${…}` has no value")
        yield from ("", *self._chain(self.resolved.unresolved[path], path), "")
        yield from (f"  {finding.code}: {finding.message}" for finding in masked(self.resolved.findings))

    def _section(self, path: Path) -> Iterator[str]:
        """Every key below ``path``, those too that are only derived."""
        leaves = {known: leaf for known, leaf in self.resolved.leaves.items() if known[: len(path)] == path}
        rows = {known: self._row(known, leaf) for known, leaf in leaves.items()}
        for entry in self._provenance:
            if entry.path[: len(path)] == path and entry.path not in rows:
                rows[entry.path] = (short_text(entry.value, entry.path), entry.comment, "")
        ordered = sorted(rows, key=lambda known: schema_positions().get(known, len(schema_positions())))
        yield f"[{'.'.join(path)}]" if rows else f"{'.'.join(path)}: no key of this section has a value"
        yield from columns_of([(".".join(known[len(path) :]), *rows[known]) for known in ordered])

    def _without_origin(self, path: Path) -> Iterator[str]:
        derived = next((entry for entry in self._provenance if entry.path == path), None)
        removed = self.resolved.removed.get(path)
        yield from _heading(path, short_text(derived.value, path) if derived else "nothing")
        if derived:
            yield f"\n  {short_text(derived.value, path)}  {derived.comment}"
        elif not removed:
            yield "\n  no layer gives it a value"
        yield from ("", *self._chain(removed, path)) if removed else ()

    def _inside(self, path: Path) -> Iterator[str]:
        """A place inside an array or inline table; nothing when there is none."""
        for length in range(len(path) - 1, 0, -1):
            leaf = self.resolved.leaves.get(path[:length])
            if leaf is None:
                continue
            place = tuple(int(part) if part.isdigit() else part for part in path[length:])
            value = _at(leaf.value, place)
            if value is not None:
                yield from _heading(path, whole_text(value, path))
                where = self._place(leaf.origin.inner.get(place) or leaf.origin.span)
                yield from ("", *columns_of([(short_text(value, path), layer_text(leaf.origin), where)]))
            return

    def _overlays(self) -> Iterator[str]:
        chosen = self.resolved.graph.overlays
        yield "[overlays]" if chosen else "no overlay is chosen"
        yield from columns_of([(group, f'"{option}"') for group, option in sorted(chosen.items())])

    def _row(self, path: Path, leaf: Leaf) -> tuple[str, str, str]:
        origin = leaf.origin
        return short_text(leaf.value, path), layer_text(origin), self._place(origin.key_span or origin.span)

    def _chain(self, origin: Origin, path: Path) -> list[str]:
        rows = [
            (
                "unset" if found.removed else short_text(found.value, path),
                layer_text(found),
                self._place(found.key_span or found.span),
            )
            for found in origin.chain()
        ]
        return columns_of(rows)

    def _place(self, span: Span | None) -> str:
        """``file:line:column``, the file as it can be opened from here."""
        return f"{self.session.shown(span.source.logical)}:{span.line}:{span.column}" if span else "schema"

    @cached_property
    def _provenance(self) -> tuple[Provenance, ...]:
        """Every value of the plan; empty while the spec does not hold."""
        try:
            return lower_spec(check_resolved(self.resolved)).review.provenance
        except Rejected:
            return ()


def _heading(path: Path, value: str) -> Iterator[str]:
    field = schema_fields().get(path)
    about = f"        {describe_type(field)}" if field else ""
    yield f"{'.'.join(path)} = {value}{about}"
    if field:
        yield f'  "{field.doc}"'
    if classed := classed_at(tuple(int(part) if part.isdigit() else part for part in path)):
        yield f"  {classed.kind}: {classed.why}"


def _at(value: Value, place: tuple[int | str, ...]) -> Value | None:
    for part in place:
        if isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        elif isinstance(value, dict) and part in value:
            value = value[str(part)]
        else:
            return None
    return value
