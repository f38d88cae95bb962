"""Source texts and places in them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True, eq=False)
class SourceFile:
    """One text that values were read from.

    ``logical`` is the name that diagnostics and bundles show: relative to the project root, ``cfgc:…`` for
    a shipped spec, ``command line`` for an override. ``text`` is the decoded text, with its own newlines.
    """

    logical: str
    text: str = field(repr=False)

    @cached_property
    def line_starts(self) -> list[int]:
        """Offsets of the first character of every line."""
        return [0, *(i + 1 for i, c in enumerate(self.text) if c == "\n")]

    def line_of(self, offset: int) -> int:
        """1-based line that holds ``offset``."""
        return bisect_right(self.line_starts, offset)

    def line_text(self, line: int) -> str:
        """Text of the 1-based ``line``, without its newline."""
        start = self.line_starts[line - 1]
        end = self.line_starts[line] if line < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


class NotUtf8Error(ValueError):
    """Bytes that are no text: ``readable`` shows them, with ``what`` is wrong at ``offset`` of its text."""

    def __init__(self, readable: SourceFile, what: str, offset: int) -> None:
        super().__init__(what)
        self.readable, self.what, self.offset = readable, what, offset


def decode_source(logical: str, data: bytes) -> SourceFile:
    """The text of ``data``. Raises ``NotUtf8Error``."""
    try:
        return SourceFile(logical, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        readable = SourceFile(logical, data.decode("utf-8", errors="replace"))
        offset = len(data[: error.start].decode("utf-8"))
        raise NotUtf8Error(readable, f"byte 0x{data[error.start]:02x} is no UTF-8 character", offset) from None


@dataclass(frozen=True)
class Span:
    """Characters ``start`` to ``end`` (exclusive) of a source."""

    source: SourceFile
    start: int
    end: int

    @property
    def line(self) -> int:
        """1-based line of the first character."""
        return self.source.line_of(self.start)

    @property
    def column(self) -> int:
        """1-based column, in characters, of the first character."""
        return self.start - self.source.line_starts[self.line - 1] + 1

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    def __str__(self) -> str:
        return f"{self.source.logical}:{self.line}:{self.column}"
