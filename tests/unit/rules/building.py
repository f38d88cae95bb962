"""Resolved specs straight from a tree of values, without files: what rules and lowering take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cfgc.load.graph import LayerPatch, SpecGraph
from cfgc.origin import Layer, Leaf, Origin, Path
from cfgc.patch import Patch
from cfgc.resolve.resolved import Resolved
from cfgc.schema.defaults import DEFAULT_LAYER, default_patch
from cfgc.source import SourceFile, Span

SPEC = Layer("spec", "spec.toml")

SMALL: dict[str, Any] = {
    "experiment": {"name": "small"},
    "model": {
        "hidden_size": 64,
        "num_layers": 2,
        "num_heads": 4,
        "vocab_size": 320,
        "max_sequence_length": 128,
    },
    "training": {"max_steps": 1000, "global_batch_size": 32, "micro_batch_size": 8, "warmup_steps": 10},
    "data": {"sequence_length": 64, "sources": [{"name": "text", "path": "data"}]},
    "hardware": {"device": "cpu", "architecture": "cpu"},
    "launch": {"gpus_per_node": 2},
    "checkpoint": {"every_steps": 100},
}
"""A spec without a finding: two CPU ranks."""


def merged(*trees: Mapping[str, Any]) -> dict[str, Any]:
    """Trees over one another; None removes a key."""
    out: dict[str, Any] = {}
    for tree in trees:
        for key, value in tree.items():
            below = out.get(key)
            if value is None:
                out.pop(key, None)
            elif isinstance(value, Mapping):
                out[key] = merged(below if isinstance(below, dict) else {}, value)
            else:
                out[key] = value
    return out


def resolved_of(tree: Mapping[str, Any]) -> Resolved:
    """Every leaf written on its own line of one spec, over the schema's defaults."""
    written = list(_leaves(tree, ()))
    lines = [f"{'.'.join(path)} = {value!r}" for path, value in written]
    root = SourceFile("spec.toml", "\n".join([*lines, ""]))
    leaves = {path: Leaf(origin.value, origin) for path, origin in default_patch().sets.items()}
    sets = {}
    for (path, value), line, start in zip(written, lines, root.line_starts, strict=False):
        key_end = start + len(".".join(path))
        below = leaves.get(path)
        origin = Origin(
            SPEC,
            value,
            Span(root, key_end + 3, start + len(line)),
            Span(root, start, key_end),
            below.origin if below else None,
        )
        leaves[path], sets[path] = Leaf(value, origin), origin
    layers = (LayerPatch(DEFAULT_LAYER, default_patch()), LayerPatch(SPEC, Patch(sets=sets)))
    return Resolved(leaves, SpecGraph(root, layers, {}, (), ()))


def _leaves(tree: Mapping[str, Any], prefix: Path) -> Iterator[tuple[Path, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and (*prefix, key) != ("launch", "run_dir"):
            yield from _leaves(value, (*prefix, key))
        else:
            yield (*prefix, key), value
