"""What the rules say of the rest of a spec that the schema refuses, so that one run shows all mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cfgc.nearest import nearest
from cfgc.origin import Leaf, Origin, Path, Value, dotted
from cfgc.schema.defaults import DEFAULT_LAYER
from cfgc.schema.lookup import field_at, section_at
from cfgc.schema.renamed import RENAMED
from cfgc.validate.places import Location
from cfgc.validate.unknown import other_home

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved

Doubtful = dict[Path, Leaf]
"""Keys that no rule should judge, with what is written there."""

PLACEHOLDERS: Mapping[Path, Value] = {
    ("experiment", "name"): "run",
    ("model", "hidden_size"): 768,
    ("model", "num_layers"): 12,
    ("model", "num_heads"): 12,
    ("data", "sources"): [{"name": "text", "path": "data"}],
}
"""A value for each required key: what stands there while the rules judge the other keys."""


def without_unresolved(resolved: Resolved) -> tuple[Resolved, Doubtful]:
    """``resolved`` with a stand-in for each key that has no value of its own to be judged.

    That is a key whose ``${…}`` came to nothing, and a key that a layer may set which could not be read.
    """
    leaves = dict(resolved.leaves)
    doubtful: Doubtful = {}
    for path, origin in resolved.unresolved.items():
        doubtful[path] = Leaf(origin.value, origin)
        if _is_known(path):
            _give_way(leaves, path, origin)
        else:
            leaves[path] = doubtful[path]  # so that the schema says what is wrong with the key
    for path in resolved.graph.doubtful:
        doubtful[path] = leaves.get(path) or _stand_in(path)
    return replace(resolved, leaves=_completed(leaves, doubtful)), doubtful


def without_refused(resolved: Resolved, refused: Sequence[Location], again: bool) -> tuple[Resolved, Doubtful]:
    """``resolved`` as it would be with the refused keys put right, and the keys that are not to be judged.

    A mistyped or renamed key counts as the one that was meant, unless that one is refused ``again``; any other refused
    value gives way to its default, or to a placeholder where a spec has to give one.
    """
    leaves = dict(resolved.leaves)
    doubtful: Doubtful = {}
    for location in refused:
        path = tuple(part for part in location if isinstance(part, str))
        doubtful[path] = _stand_in(path)
        for known in [leaf for leaf in leaves if leaf[: len(path)] == path or path[: len(leaf)] == leaf]:
            leaf = leaves.pop(known)
            meant = known if again else _meant(known, path, leaf.origin.value)
            doubtful |= {known: leaf, meant: leaf}
            if meant != known and not any(other != meant and _related(meant, other) for other in leaves):
                leaves[meant] = leaf
            else:
                _give_way(leaves, known, leaf.origin)
    needed = {path: _stand_in(path) for path in PLACEHOLDERS if any(_related(path, other) for other in doubtful)}
    return replace(resolved, leaves=_completed(leaves, needed)), {**needed, **doubtful}


def _give_way(leaves: Doubtful, path: Path, origin: Origin) -> None:
    """Put the default below ``origin`` at ``path``, if there is one."""
    bottom = list(origin.chain())[-1]
    if bottom.layer == DEFAULT_LAYER and bottom is not origin:
        leaves[path] = Leaf(bottom.value, bottom)


def _completed(leaves: Doubtful, doubtful: Iterable[Path]) -> Doubtful:
    """``leaves`` with placeholders for the doubtful keys that a spec has to give, where no scalar is in the way."""
    free = [path for path in PLACEHOLDERS if not any(path[: len(leaf)] == leaf for leaf in leaves)]
    needed = [path for path in free if path in doubtful]
    return {**leaves, **{path: _stand_in(path) for path in needed}}


def _stand_in(path: Path) -> Leaf:
    value = PLACEHOLDERS.get(path, "")
    return Leaf(value, Origin(DEFAULT_LAYER, value))


def _related(path: Path, other: Path) -> bool:
    return path[: len(other)] == other or other[: len(path)] == path


def _is_known(path: Path) -> bool:
    section = section_at(path[:-1])
    return field_at(path) is not None and (section is None or path[-1] in section.model_fields)


def _meant(path: Path, refused: Path, value: object) -> Path:
    """Where the key at ``path`` belongs, when it or the table ``refused`` that it is in has another name or home."""
    if refused != path[: len(refused)] or refused == path:
        return _other_name(path) if _other_name(path) != path else _home(path, value)
    moved = _other_name(refused)
    moved = moved if moved != refused else _home(refused, {path[len(refused)]: value})
    return (*moved, *path[len(refused) :]) if moved != refused else _other_name(path)


def _home(path: Path, value: object) -> Path:
    home = "" if section_at(path) else other_home(path[-1], value)
    return tuple(home.split(".")) if home else path


def _other_name(path: Path) -> Path:
    renamed = RENAMED.get(".".join(path))
    if renamed and not renamed.value:
        return tuple(renamed.key.split("."))
    section = section_at(path[:-1])
    if section is None or path[-1] in section.model_fields:
        return path
    close = nearest(path[-1], tuple(section.model_fields))
    return (*path[:-1], close) if close else path


def untouched(findings: Sequence[Diagnostic], doubtful: Doubtful) -> Iterator[Diagnostic]:
    """The errors among ``findings`` that neither point at a doubtful value nor speak of its key."""
    for finding in findings:
        if finding.severity == "error" and finding.primary and not _concerns(finding, doubtful):
            yield finding


def _concerns(finding: Diagnostic, doubtful: Doubtful) -> bool:
    said = "\n".join((finding.message, *finding.notes, *finding.helps))
    return any(_marks(finding, leaf.origin) or _names(said, path) for path, leaf in doubtful.items())


def _marks(finding: Diagnostic, origin: Origin) -> bool:
    """Whether a label is on the entry of ``origin``."""
    start = origin.key_span or origin.span
    end = origin.span or start
    spans = (label.span for label in (finding.primary, *finding.secondary) if label)
    return any(
        start and end and span.source is start.source and span.start < end.end and start.start < span.end
        for span in spans
    )


def _names(said: str, path: Path) -> bool:
    """Whether ``said`` names ``path``: in full, or in backticks by its last parts, ``name`` or ``name = …``.

    A place behind the backticks, "under `[section]`", must be the key's own.
    """
    if re.search(rf"(?<![\w.]){re.escape(dotted(path))}(?![\w.])", said):
        return True
    return any(
        path[-key.count(".") - 1 :] == tuple(key.split(".")) and section in ("", dotted(path[:-1]))
        for key, section in _QUOTED_KEY.findall(said)
    )


_QUOTED_KEY = re.compile(r"`([\w.-]+)(?: = [^`]*)?`(?: under `\[([^\]`]*)\]`)?")
