"""Diagnostics as text: a code, one sentence, source lines with carets, reasons, and what to write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from unicodedata import category, east_asian_width

from cfgc.diagnostics.masking import masked
from cfgc.diagnostics.model import Diagnostic, Label
from cfgc.source import Span

Paint = Callable[[str, str], str]
"""Gives a text in a role: ``error``, ``warning``, ``frame``, ``secondary``, ``help`` or ``bold``."""

MAX_LINE = 120
"""Columns of a source line that are shown; a longer one is cut around its span."""

MAX_TEXT = 2_000
"""Characters of a message, reason or help that are shown."""

FAR = 1000
"""Characters around a span that are looked at; a file can be one line of a million."""

TAB = "    "


def plain(text: str, role: str) -> str:
    """No colour."""
    del role
    return text


def coloured(text: str, role: str) -> str:
    """ANSI colours for a terminal."""
    codes = {"error": "1;31", "warning": "1;33", "frame": "1;34", "secondary": "1;34", "help": "1;36", "bold": "1"}
    return f"\x1b[{codes[role]}m{text}\x1b[0m"


def render_text(diagnostics: Iterable[Diagnostic], paint: Paint = plain) -> str:
    """All of ``diagnostics``, a blank line between two, a newline at the end; empty for none. Secrets are masked."""
    blocks = ["\n".join(_block(d, paint)) for d in masked(diagnostics)]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _block(diagnostic: Diagnostic, paint: Paint) -> Iterator[str]:
    yield paint(f"{diagnostic.severity}[{diagnostic.code}]", diagnostic.severity) + paint(
        f": {printable(shortened(diagnostic.message))}", "bold"
    )
    labels = [x for x in (diagnostic.primary, *diagnostic.secondary) if x is not None]
    width = max((len(str(label.span.line)) for label in labels), default=1)
    for number, label in enumerate(labels):
        primary = number == 0 and diagnostic.primary is not None
        yield from _place(label, width, primary, paint, diagnostic.severity)
    if labels:
        yield paint(" " * width + " |", "frame")
    margin = paint(" " * width + " =", "frame")
    for note in diagnostic.notes:
        yield from _hanging(margin, "", note, width)
    for text in diagnostic.helps:
        yield from _hanging(margin, paint("help", "help") + ": ", text, width)
    yield f"{margin} more: cfgc explain {diagnostic.code}"


def _hanging(margin: str, lead: str, text: str, width: int) -> Iterator[str]:
    first, *rest = shortened(text).split("\n")
    yield f"{margin} {lead}{printable(first)}"
    for line in rest:
        yield f"{' ' * (width + 3)}{printable(line)}".rstrip()


def _place(label: Label, width: int, primary: bool, paint: Paint, severity: str) -> Iterator[str]:
    span = label.span
    arrow = "-->" if primary else ":::"
    role = severity if primary else "secondary"
    yield " " * width + paint(arrow, "frame") + f" {printable(str(span))}"
    yield paint(" " * width + " |", "frame")
    text, start, length = _excerpt(span)
    yield paint(f"{span.line:>{width}} |", "frame") + f" {text}".rstrip()
    marks = ("^" if primary else "-") * length
    said = f" {printable(shortened(label.text))}" if label.text else ""
    yield paint(" " * width + " |", "frame") + " " + " " * start + paint(marks + said, role)


def _excerpt(span: Span) -> tuple[str, int, int]:
    """The span's first line as shown, and the columns where its marks start and how many they are."""
    line = span.source.line_text(span.line)
    start = span.column - 1
    end = min(len(line), start + (span.end - span.start))
    near = line[max(0, start - FAR) : start], line[start : min(end, start + FAR)], line[end : end + FAR]
    head, marked, tail = map(printable, near)
    if len(line) > 3 * FAR or columns(head + marked + tail) > MAX_LINE:
        head = head if columns(head) <= MAX_LINE // 3 else "…" + head[-MAX_LINE // 3 :]
        room = MAX_LINE - columns(head)
        marked = marked if columns(marked) <= room else marked[: room - 1] + "…"
        tail = tail if columns(tail) <= max(0, room - columns(marked)) else "…"
    return head + marked + tail, columns(head), max(1, columns(marked))


def shortened(text: str) -> str:
    """``text``, cut where it shows a value that fills the screen."""
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def columns(text: str) -> int:
    """Terminal columns that ``text`` takes."""
    return sum(0 if category(c) in {"Mn", "Me"} else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def printable(text: str) -> str:
    """``text`` on one line, with tabs widened and control characters shown as escapes."""
    if text.isprintable():
        return text
    return "".join(TAB if c == "\t" else c if c.isprintable() else _escape(c) for c in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
