"""Whether a spec is a sweep: asked of every spec, so with as few imports as there can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cfgc.resolve.resolved import Resolved

TABLE: Final = "sweep"


def is_sweep(resolved: Resolved) -> bool:
    """Whether a layer says anything of a sweep."""
    return any(path[0] == TABLE and leaf.origin.span for path, leaf in resolved.leaves.items()) or any(
        path[0] == TABLE for path in resolved.unresolved
    )
