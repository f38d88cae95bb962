"""The bundle's manifest: is every file the one that was compiled? Standard library only."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cfgc_runtime.errors import BAD_BUNDLE, Failure
from cfgc_runtime.point import point_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT = 1
NAME = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """What a run needs to know of its bundle; the plan is that of the point, where there is one.

    ``outputs`` maps a posix path to sha256, size and executable.
    """

    experiment: str
    plan_digest: str
    bundle_digest: str
    outputs: Mapping[str, Mapping[str, Any]]


REBUILD = f"put your change into the spec and rebuild: cfgc build <spec> (it is listed in {NAME})"
DELETE = "this is the run's own copy: remove that directory and start again, which copies the bundle anew"


def read_manifest(bundle: Path) -> Manifest:
    """The manifest of ``bundle``. Raises ``Failure`` when there is none or it is not of this format."""
    try:
        raw = json.loads((bundle / NAME).read_text(encoding="utf-8"))
        if raw["format"] != FORMAT:
            raise Failure(BAD_BUNDLE, f"{bundle / NAME} has format {raw['format']}, this runtime reads {FORMAT}")
        point = point_of(bundle)
        return Manifest(
            _text(raw["experiment"]),
            point.plan_digest if point else _text(raw["plan_digest"]),
            _text(raw["bundle_digest"]),
            _outputs(raw["outputs"]),
        )
    except FileNotFoundError:
        raise Failure(BAD_BUNDLE, f"{bundle} is not a bundle: it has no {NAME}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure(BAD_BUNDLE, f"{bundle / NAME} cannot be read: {error!r}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} stands where text is due")
    return value


def _outputs(value: Any) -> Mapping[str, Mapping[str, Any]]:
    """``value`` if it is a table of entries with a sha256 and a size."""
    if not isinstance(value, dict):
        raise TypeError("outputs is no table")
    for name, entry in value.items():
        if not (isinstance(entry, dict) and isinstance(entry["size"], int) and isinstance(entry["sha256"], str)):
            raise TypeError(f"the entry of {name} has no sha256 or no size")
    return value


def verify_bundle(bundle: Path, advice: str = REBUILD) -> Manifest:
    """The manifest, after every file was compared with it.

    Raises ``Failure`` that names each file that was edited, is missing or was added, and gives the ``advice``.
    """
    try:
        manifest = read_manifest(bundle)
    except Failure as failure:
        raise Failure(failure.code, f"{failure}\n{advice}" if advice == DELETE else str(failure)) from None
    problems = [*_own_digest(manifest), *_compare(bundle, manifest)]
    if problems:
        listing = "".join(f"\n  {problem}" for problem in problems)
        raise Failure(
            BAD_BUNDLE,
            f"the bundle {bundle} is not what was compiled:{listing}\n{advice}",
        )
    return manifest


def _own_digest(manifest: Manifest) -> list[str]:
    canonical = json.dumps(manifest.outputs, sort_keys=True, separators=(",", ":")).encode()
    expected = "sha256:" + hashlib.sha256(canonical).hexdigest()
    return [] if manifest.bundle_digest == expected else [f"edited: {NAME} (its bundle_digest does not hold)"]


def _compare(bundle: Path, manifest: Manifest) -> list[str]:
    found = {
        path.relative_to(bundle).as_posix(): path
        for path in sorted(bundle.rglob("*"))
        if path.is_symlink() or not path.is_dir()
    }
    found.pop(NAME, None)
    problems = [f"added: {name}" for name in found if name not in manifest.outputs]
    for name, entry in sorted(manifest.outputs.items()):
        if name not in found:
            problems.append(f"missing: {name}")
        elif not _is_same(found[name], entry):
            problems.append(f"edited: {name}")
    return problems


def _is_same(path: Path, entry: Mapping[str, Any]) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    content = path.read_bytes()
    return len(content) == entry["size"] and hashlib.sha256(content).hexdigest() == _bare(entry["sha256"])


def _bare(digest: str) -> str:
    return digest.removeprefix("sha256:")
