"""What files of each kind of source are called."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INCLUDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "text": ("*.txt",),
        "jsonl": ("*.jsonl", "*.jsonl.gz"),
        "parquet": ("*.parquet",),
        "arrow": ("*.arrow", "*.feather", "*.ipc"),
        "huggingface": ("*",),
        "tokens": ("*.tokens",),
    }
)
"""Patterns of a source that names none."""

_SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".jsonl.gz": "jsonl",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".tokens": "tokens",
}


def kind_of_pattern(pattern: str) -> str:
    """The kind that only files of this pattern have; empty when they can be anything."""
    return next((kind for suffix, kind in _SUFFIXES.items() if pattern.lower().endswith(suffix)), "")
