"""Dotted keys in texts: in ``unset``, ``append``, on the command line."""

from __future__ import annotations

from tomlkit.exceptions import ParseError

from cfgc.load.spans import SpanParser
from cfgc.origin import Path


class _KeyParser(SpanParser):
    def whole(self) -> Path | None:
        """The parts, when the text is a key and nothing else."""
        parts = tuple(part.key for part in self._parse_key())
        return parts if self.end() else None


def parse_key(text: str) -> Path | None:
    """The parts of ``training."odd name".x``; None when it is no TOML key."""
    try:
        return _KeyParser(text).whole()
    except (ParseError, IndexError):
        return None
