"""run.json: whose run directory this is, and where each attempt ran. Standard library only.

``stage`` writes it when it opens an attempt, and rank 0 once all ranks have met. It is replaced as a whole.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cfgc_runtime.rundir import write_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cfgc_runtime.manifest import Manifest
    from cfgc_runtime.rundir import RunDirectory

_FORMAT: Final = 1


@dataclass(frozen=True)
class Identity:
    """``id`` is the run's own, for all attempts: trackers know the run by it. ``attempts`` are oldest first."""

    id: str
    content: Mapping[str, Any]
    attempts: tuple[Mapping[str, Any], ...]


def read_identity(run: RunDirectory) -> Identity:
    """What run.json says; of one that is absent or damaged only an id that follows from the place."""
    try:
        raw = json.loads(run.identity.read_bytes())
    except (OSError, ValueError, RecursionError):
        raw = {}
    content = raw if isinstance(raw, dict) else {}
    attempts = content.get("attempts")
    whole = tuple(one for one in attempts if isinstance(one, dict)) if isinstance(attempts, list) else ()
    known = content.get("id")
    return Identity(known if isinstance(known, str) and known else _derived(str(run.root)), content, whole)


def claim(run: RunDirectory, manifest: Manifest) -> None:
    """Say whose run directory this is from now on; a run that goes on with another bundle stays the same run."""
    known = read_identity(run)
    began = known.content.get("created", round(time.time(), 3))
    identity = {
        "format": _FORMAT,
        "id": known.content.get("id", _derived(f"{run.root} {manifest.plan_digest} {time.time_ns()}")),
        "experiment": manifest.experiment,
        "created": began,
        "plan_digest": manifest.plan_digest,
        "bundle_digest": manifest.bundle_digest,
        "attempts": list(known.attempts),
    }
    write_json(run.identity, identity)


def record_attempt(run: RunDirectory, number: int, facts: Mapping[str, Any]) -> None:
    """Add ``facts`` to what is known of attempt ``number``."""
    known = read_identity(run)
    entries = {entry.get("number"): dict(entry) for entry in known.attempts}
    entries[number] = {"number": number, **entries.get(number, {}), **facts}
    write_json(run.identity, {**known.content, "id": known.id, "attempts": list(entries.values())})


def _derived(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]
