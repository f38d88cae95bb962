"""How a rule says what it found: a sentence, the places, the arithmetic, and what to write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic, Label, Severity
from cfgc.schema.catalogue import schema_fields
from cfgc.source import Span
from cfgc.validate.help_fixes import fixes_of
from cfgc.validate.places import header_label, with_layer
from cfgc.validate.wording import pasteable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cfgc.diagnostics.model import Fix
    from cfgc.origin import Origin
    from cfgc.resolve.resolved import Resolved

GIB = 1024**3


@dataclass(frozen=True)
class At:
    """A key that has a part in a finding, and what to say under it.

    ``inside`` is a position in its value, when that is an array: ``(1, "name")``.
    """

    dotted: str
    text: str
    inside: tuple[str | int, ...] = ()


def error(
    code: str,
    message: str,
    resolved: Resolved,
    places: Sequence[At],
    notes: Iterable[str] = (),
    helps: Iterable[str] = (),
    fixes: Iterable[Fix] = (),
) -> Diagnostic:
    """An error about ``places``; the value most likely wrong comes first when all are of the same layer.

    What ``helps`` say is done by fixes too, behind ``fixes``.
    """
    return _finding("error", code, message, resolved, places, notes, tuple(helps), tuple(fixes))


def warning(
    code: str,
    message: str,
    resolved: Resolved,
    places: Sequence[At],
    notes: Iterable[str] = (),
    helps: Iterable[str] = (),
    fixes: Iterable[Fix] = (),
) -> Diagnostic:
    """The same as a warning, which ``[checks] allow`` can waive."""
    return _finding("warning", code, message, resolved, places, notes, tuple(helps), tuple(fixes))


def _finding(
    severity: Severity,
    code: str,
    message: str,
    resolved: Resolved,
    places: Sequence[At],
    notes: Iterable[str],
    helps: tuple[str, ...],
    fixes: tuple[Fix, ...],
) -> Diagnostic:
    written, defaults = _split(resolved, places)
    labels = [label for _, label in sorted(written, key=lambda pair: -pair[0])]
    if not labels:
        labels = [header_label(resolved, tuple(places[0].dotted.split(".")), places[0].text)]
    keys = [place.dotted for place in places]
    return Diagnostic(
        code=code,
        message=message,
        primary=labels[0],
        secondary=tuple(labels[1:]),
        notes=tuple(note for note in (*notes, *defaults) if note),
        helps=pasteable(helps, resolved, keys, labels[0]),
        severity=severity,
        fixes=(*fixes, *fixes_of(helps, resolved, keys)),
    )


def _split(resolved: Resolved, places: Sequence[At]) -> tuple[list[tuple[int, Label]], list[str]]:
    """Labels with the height of their layer, the latest highest; and notes for values that no file holds."""
    heights = {patch.layer: height for height, patch in enumerate(resolved.graph.layers)}
    written: list[tuple[int, Label]] = []
    defaults: list[str] = []
    for place in places:
        leaf = resolved.get(place.dotted)
        if leaf is None:
            continue
        span = leaf.origin.inner.get(place.inside) or entry_span(leaf.origin)
        if span:
            label = Label(span, with_layer(place.text, leaf.origin))
            written.append((heights.get(leaf.origin.layer, 0), label))
        else:
            defaults.append(_default_note(place, leaf.value))
    return written, defaults


def _default_note(place: At, value: object) -> str:
    """What a reader is told of a value that no file holds: key, value, and what it means here."""
    text = place.text.removeprefix(f"{value}: ")
    shown = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    said = f"`{place.dotted} = {shown}` by default"
    return said if text == str(value) else f"{said} ({text})"


def entry_span(origin: Origin) -> Span | None:
    """The whole entry, ``key = value``; the value alone where its key is somewhere else."""
    span, key = origin.span, origin.key_span
    if span is None or key is None or key.source is not span.source or key.end > span.start:
        return span
    if origin.layer.kind == "sweep point":  # its key stands before all values
        return span
    return Span(span.source, key.start, span.end)


def is_default(dotted: str, value: object) -> bool:
    """Whether ``value`` is what the schema gives anyway.

    Rules ask this, never whether a key was written: in resolved.toml every key is.
    """
    return bool(schema_fields()[tuple(dotted.split("."))].default == value)


def gib(size: int) -> str:
    """Bytes as GiB, two decimals."""
    return f"{size / GIB:,.2f} GiB" if size < GIB * 10**6 else f"{size // GIB:,} GiB"


def count(number: int, noun: str) -> str:
    """``1 rank``, ``8 ranks``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
