"""The bundle in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from cfgc.lower.plan import Plan


@dataclass(frozen=True)
class Bundle:
    """The emitted directory: bytes by path, ``executable`` among them."""

    name: str
    files: Mapping[PurePosixPath, bytes]
    executable: frozenset[PurePosixPath]


def emit_bundle(plan: Plan) -> Bundle:
    """All files of the bundle, manifest.json included."""
    raise NotImplementedError
