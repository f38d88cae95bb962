"""Whether a spec is a pipeline: asked of every spec, so with as few imports as there can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfgc.load.graph import SpecGraph
    from cfgc.origin import Path
    from cfgc.patch import Patch

STAGES: Path = ("stages",)
"""The key that makes a spec a pipeline."""


def declares_stages(graph: SpecGraph) -> bool:
    """Whether the spec has stages when all its layers have spoken, so that it is a pipeline and no run."""
    found = False
    for layer in graph.layers:
        found = _has_stages(layer.patch, found)
    return found


def _has_stages(patch: Patch, below: bool) -> bool:
    """Whether there are stages above ``patch``, which lies on a spec that has some or, by ``below``, none."""
    held, more = patch.sets.get(STAGES), patch.appends.get(STAGES)
    kept = below and STAGES not in patch.unsets if held is None else held.value != []
    return kept or (more is not None and more.value != [])
