"""What processes of this node may have and where their temporary files go. Standard library only."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING

from cfgc_runtime.errors import CANNOT_WRITE, Failure, tell

if TYPE_CHECKING:
    from collections.abc import Sequence


def raise_limits(wanted: Sequence[tuple[str, int]]) -> None:
    """Give this process and those it starts the ``wanted`` limits, as far as the site permits; say where it does not.

    ``wanted`` are (name, value) such as ``("nofile", 65536)``, -1 without limit. A limit that is higher already stays,
    but for core files, whose limit is lowered.
    """
    for name, value in wanted:
        kind = getattr(resource, f"RLIMIT_{name.upper()}")
        soft, hard = resource.getrlimit(kind)
        lower = name == "core"
        target = value if lower or _at_least(hard, value) else hard
        if lower or not _at_least(soft, target):
            resource.setrlimit(kind, (target, hard))
        if target != value:
            tell(f"note: {name} is limited to {hard:,} on this node, and the plan asks for {_said(value)}")


def make_temporary_directory() -> None:
    """Make the directory that the profile names for temporary files, and name it TMPDIR from here on.

    The script cannot: Slurm replaces a TMPDIR that is not on the node yet.
    """
    named = os.environ.get("CFGC_TMPDIR", "")
    if not named:
        return
    try:
        Path(named).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(CANNOT_WRITE, f"{named}, for temporary files, cannot be made: {error.strerror}") from None
    os.environ["TMPDIR"] = named


def _at_least(limit: int, value: int) -> bool:
    return limit == resource.RLIM_INFINITY or (value != resource.RLIM_INFINITY and limit >= value)


def _said(value: int) -> str:
    return "no limit" if value == resource.RLIM_INFINITY else f"{value:,}"
