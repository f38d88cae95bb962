"""The outcome of the resolve phase: every key's value with its origin chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cfgc.diagnostics import Diagnostic
from cfgc.load.graph import SpecGraph
from cfgc.origin import Leaf, Origin, Path, Value
from cfgc.patch import empty_map
from cfgc.usercode.code import UserCode


@dataclass(frozen=True)
class Resolved:
    """The merged spec: leaves by dotted path, in the order of first appearance.

    An array is one leaf; an empty table is no leaf. ``graph`` is kept for its layers, inputs and overrides.
    ``unresolved`` are the keys whose ``${…}`` came to nothing, and ``findings`` say why: the validate phase reports
    them together with its own, so that one run shows all mistakes. ``removed`` are the keys that a layer unset and that
    have no value since. ``code`` is what the project holds of the user's own code that the spec names.
    """

    leaves: Mapping[Path, Leaf]
    graph: SpecGraph
    unresolved: Mapping[Path, Origin] = field(default_factory=empty_map)
    findings: tuple[Diagnostic, ...] = ()
    removed: Mapping[Path, Origin] = field(default_factory=empty_map)
    code: UserCode = field(default_factory=UserCode)

    def get(self, dotted: str) -> Leaf | None:
        """The leaf of ``training.learning_rate``, or None when nothing gave it a value."""
        return self.leaves.get(tuple(dotted.split(".")))

    def tree(self) -> dict[str, Value]:
        """The values alone, nested."""
        root: dict[str, Value] = {}
        for path, leaf in self.leaves.items():
            table = root
            for part in path[:-1]:
                child = table.setdefault(part, {})
                assert isinstance(child, dict), "a table over a scalar is refused by merge"
                table = child
            table[path[-1]] = leaf.value
        return root
