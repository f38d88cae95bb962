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
