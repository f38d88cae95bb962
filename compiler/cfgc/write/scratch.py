"""What a build writes beside a bundle before it takes its place, by name; nothing is imported to know it."""

from __future__ import annotations


def scratch_prefix(name: str) -> str:
    """How scratch directories of the bundle called ``name`` begin."""
    return f".{name[:80]}.cfgc-"
