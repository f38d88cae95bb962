"""What the rules say of the rest of a spec that the schema refuses, so that one run shows all mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cfgc.nearest import nearest
from cfgc.origin import Leaf, Path
from cfgc.schema.defaults import DEFAULT_LAYER
from cfgc.schema.lookup import section_at
from cfgc.schema.renamed import RENAMED
from cfgc.validate.places import Location

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved


def with_unresolved(resolved: Resolved) -> tuple[Resolved, dict[Path, Leaf]]:
    """``resolved`` with the defaults of keys whose ``${…}`` came to nothing, and those keys as they were written."""
    written = {path: Leaf(origin.value, origin) for path, origin in resolved.unresolved.items()}
    whole = replace(resolved, leaves={**resolved.leaves, **written})
    return without_refused(whole, list(written))


def is_missing(finding: Diagnostic, valueless: dict[Path, Leaf]) -> bool:
    """Whether ``finding`` misses a key that was written, only with a ``${…}`` that came to nothing."""
    return finding.code == "CFG302" and any(f"`{'.'.join(path)}`" in finding.message for path in valueless)


def without_refused(resolved: Resolved, refused: Sequence[Location]) -> tuple[Resolved, dict[Path, Leaf]]:
    """``resolved`` as it would be with the refused keys put right, and the leaves that are not to be judged.

    A mistyped or renamed key counts as the one that was meant; any other refused value gives way to its default.
    """
    leaves = dict(resolved.leaves)
    doubtful: dict[Path, Leaf] = {}
    for location in refused:
        path = tuple(part for part in location if isinstance(part, str))
        for known in [leaf for leaf in leaves if leaf[: len(path)] == path or path[: len(leaf)] == leaf]:
            leaf = leaves.pop(known)
            meant = _meant(known)
            doubtful |= {known: leaf, meant: leaf}
            bottom = list(leaf.origin.chain())[-1]
            if meant != known:
                leaves[meant] = leaf
            elif bottom.layer == DEFAULT_LAYER and bottom is not leaf.origin:
                leaves[known] = Leaf(bottom.value, bottom)
    return replace(resolved, leaves=leaves), doubtful


def _meant(path: Path) -> Path:
    renamed = RENAMED.get(".".join(path))
    if renamed and not renamed.value:
        return tuple(renamed.key.split("."))
    section = section_at(path[:-1])
    if section is None or path[-1] in section.model_fields:
        return path
    close = nearest(path[-1], tuple(section.model_fields))
    return (*path[:-1], close) if close else path


def untouched(findings: Sequence[Diagnostic], doubtful: dict[Path, Leaf]) -> Iterator[Diagnostic]:
    """The errors among ``findings`` that neither point at a doubtful value nor speak of its key."""
    for finding in findings:
        if finding.severity == "error" and finding.primary and not _concerns(finding, doubtful):
            yield finding


def _concerns(finding: Diagnostic, doubtful: dict[Path, Leaf]) -> bool:
    said = "\n".join((finding.message, *finding.notes, *finding.helps))
    labels = [label.span for label in (finding.primary, *finding.secondary) if label]
    for path, leaf in doubtful.items():
        start = leaf.origin.key_span or leaf.origin.span
        end = leaf.origin.span or start
        marked = any(
            start and end and span.source is start.source and span.start < end.end and start.start < span.end
            for span in labels
        )
        if marked or path[-1] in said:
            return True
    return False
