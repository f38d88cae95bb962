"""What differs between two directories of bundles, in every form. A bundle is known by its path in the directory."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cfgc.audit.bundle_on_disk import BundleOnDisk
from cfgc.audit.comparing import WORST_FIRST, Comparison, compare_bundles
from cfgc.audit.comparison_json import comparison_data
from cfgc.audit.comparison_md import comparison_md
from cfgc.audit.comparison_text import Paint, comparison_text, plain
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.diagnostics.text import printable
from cfgc.emit.canonical import readable
from cfgc.emit.markdown import code, counted
from cfgc_runtime.values import Kind


@dataclass(frozen=True)
class Tree:
    """A directory of bundles, by their paths in it."""

    name: str
    bundles: Mapping[str, BundleOnDisk]
    refused: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    """Those whose values say nothing, with the reasons: they cannot be read, or were edited."""


@dataclass(frozen=True)
class TreeComparison:
    """What differs of the bundles that both trees have; those of one alone are no change of a run."""

    old: Tree
    new: Tree
    bundles: Mapping[str, Comparison]
    refused: Mapping[str, tuple[Diagnostic, ...]]
    """Those of either tree that could not be compared, and why."""

    @cached_property
    def differing(self) -> Mapping[str, Comparison]:
        """Those that are not the same, byte for byte."""
        return {path: found for path, found in self.bundles.items() if not found.is_same}

    @property
    def worst(self) -> Kind | None:
        """The worst class of anything that changed."""
        return next(
            (kind for kind in WORST_FIRST if any(kind in found.counts for found in self.bundles.values())), None
        )

    def is_worse_than_allowed(self, gate: Kind) -> bool:
        """Whether something of the class ``gate``, or worse, changed of any bundle."""
        return any(found.is_worse_than_allowed(gate) for found in self.bundles.values())

    def of_one_side(self) -> list[tuple[str, list[str]]]:
        """``gone`` and ``new`` bundles, and those that are ``not compared``, where there are any."""
        pairs = (("gone", self.old, self.new), ("new", self.new, self.old))
        found = [
            (word, [path for path in side.bundles if path not in other.bundles and path not in other.refused])
            for word, side, other in pairs
        ]
        found.append(("not compared", list(self.refused)))
        return [(word, paths) for word, paths in found if paths]

    def verdict(self) -> str:
        """How many differ, without a full stop."""
        number = len(self.differing)
        said = f"{number} of {counted(len(self.bundles), 'bundle')} {'differs' if number == 1 else 'differ'}"
        return f"{said}, the worst change is of class {self.worst}" if self.worst else said


def compare_trees(old: Tree, new: Tree) -> TreeComparison:
    """What differs of those that can be compared: a bundle that became a pipeline cannot, nor can a damaged one."""
    compared: dict[str, Comparison] = {}
    damaged = {**old.refused, **new.refused}
    refused = {path: (*old.refused.get(path, ()), *new.refused.get(path, ())) for path in damaged}
    for path in (path for path in new.bundles if path in old.bundles):
        try:
            compared[path] = compare_bundles(old.bundles[path], new.bundles[path])
        except Rejected as rejected:
            refused[path] = rejected.diagnostics
    return TreeComparison(old, new, compared, refused)


def trees_text(found: TreeComparison, only: Collection[Kind] = (), paint: Paint = plain) -> str:
    """The bundles that differ, one after the other, then all in a sentence."""
    told = [f"{comparison_text(one, only, paint)}\n" for one in found.differing.values()]
    ends = [f"{word}: {printable(', '.join(paths))}\n" for word, paths in found.of_one_side()]
    return "".join([*told, *ends, paint(found.verdict(), "bold"), "\n"])


def trees_md(found: TreeComparison, only: Collection[Kind] = ()) -> str:
    """The same as Markdown, the sentence first."""
    ends = [f"\n{word}: {', '.join(map(code, paths))}\n" for word, paths in found.of_one_side()]
    told = [f"\n{comparison_md(one, only)}" for one in found.differing.values()]
    return "".join([f"{found.verdict()}.\n", *ends, *told])


def trees_json(found: TreeComparison, only: Collection[Kind] = ()) -> str:
    """The same as data, of all bundles that both have."""
    data: dict[str, Any] = {
        "verdict": found.verdict(),
        "worst": found.worst,
        **{word.replace(" ", "_"): paths for word, paths in found.of_one_side()},
        "bundles": {path: comparison_data(one, only) for path, one in found.bundles.items()},
    }
    return readable(data)
