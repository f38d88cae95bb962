"""What the compiler warned of, for whoever reads the bundle and saw no terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc.diagnostics.masking import masked
from cfgc.lower.plan import Warned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cfgc.diagnostics import Diagnostic, Label


def warned(findings: Iterable[Diagnostic]) -> tuple[Warned, ...]:
    """Each of them once, in their order, secrets as dots.

    A place is the file and what its line says, without the line's number: lines that move change no bundle.
    """
    return tuple(dict.fromkeys(_warned(masked(findings))))


def _warned(findings: Iterable[Diagnostic]) -> Iterator[Warned]:
    for finding in findings:
        yield Warned(finding.code, finding.message, *_place(finding.primary))


def _place(label: Label | None) -> tuple[str, str]:
    if label is None:
        return "", ""
    source = label.span.source
    return source.logical, source.line_text(label.span.line).strip()
