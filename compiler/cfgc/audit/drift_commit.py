"""A bundle that is what a build gives, but for the name of the commit that has its code: history was rewritten."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Any, Final, TypeAlias

from cfgc.audit.drift import Drift
from cfgc.diagnostics import Rejected

_MANIFEST: Final = "manifest.json"
_FOLLOWING: Final = ("bundle_digest", "manifest_digest")
"""What a manifest says of its other bytes."""

Files: TypeAlias = Mapping[PurePosixPath, bytes]


def other_commit(drift: Drift) -> tuple[str, str] | None:
    """The commit that the bundle records and the one that a build would, where nothing else at all differs.

    The packed code is the same then, byte for byte. Nothing says that the old commit is, or was, one of the repository.
    """
    if drift.comparison is None or any(one.how != "stale" for one in drift.files):
        return None
    paths = {one.path for one in drift.files}
    old, new = drift.comparison.old.files, drift.comparison.new.files
    try:
        named = {(_commit(old, path), _commit(new, path)) for path in paths if path.name == _MANIFEST}
        pairs = {(was, now) for was, now in named if was != now}
        if len(pairs) != 1:
            return None
        [(was, now)] = pairs
        same = all(_is_same(path, paths, old, new, (was, now)) for path in paths)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, Rejected):
        return None  # it cannot be read as a bundle is: what differs is said as it is
    return (was, now) if was and now and same else None


def _is_same(
    path: PurePosixPath, paths: Collection[PurePosixPath], old: Files, new: Files, pair: tuple[str, str]
) -> bool:
    was, now = pair
    renamed = new[path].replace(now.encode(), was.encode())
    if path.name != _MANIFEST:
        return renamed == old[path]
    listed = {other.relative_to(path.parent).as_posix() for other in paths if other.is_relative_to(path.parent)}
    return _meant(renamed, listed) == _meant(old[path], listed)


def _meant(manifest: bytes, listed: Collection[str]) -> dict[str, Any]:
    """What a manifest says, but for the digests of files that are compared by themselves."""
    said: dict[str, Any] = json.loads(manifest)
    outputs = {name: {} if name in listed else of for name, of in said["outputs"].items()}
    return {**{key: value for key, value in said.items() if key not in _FOLLOWING}, "outputs": outputs}


def _commit(files: Files, path: PurePosixPath) -> str:
    package = json.loads(files[path]).get("package")
    return str(package.get("commit", "")) if package else ""
