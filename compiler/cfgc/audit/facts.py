"""What differs between two bundles and is no value of a spec: code, the compiler, inputs, stages, layers."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from cfgc.audit.bundle_on_disk import BundleOnDisk
from cfgc.emit.markdown import counted
from cfgc_runtime.values import KINDS, Kind

RUNTIME: Final = "runtime"
COMPILER: Final = "compiler"

_COMPILED: Final = frozenset({"config.py", "wiring.py"})
_SCRIPTS: Final = frozenset({"launch.sh", "job.sbatch", "submit.sh"})
_TOLD: Final = frozenset({
    *_COMPILED, *_SCRIPTS, "PLAN.md", "resolved.toml", "values.json", "origins.json", "ds_config.json", "points.jsonl",
    ".gitattributes", "manifest.json", "package.tar",
})  # fmt: skip
"""Files that the compiler writes from the values; any other but the runtime's is the user's own."""
_MOST: Final = 60
"""Lines of a script's difference that are kept."""


@dataclass(frozen=True)
class Fact:
    """Something that differs, in one line; ``details`` are names, or lines of a unified diff.

    ``kind`` is the class that a change of it has, None where nothing that runs is another.
    """

    subject: str
    kind: Kind | None
    text: str
    details: tuple[str, ...] = ()


def facts_of(old: BundleOnDisk, new: BundleOnDisk, values_changed: bool) -> Iterator[Fact]:
    """All of them, of a run. What the compiler writes from values says nothing where they changed."""
    files = changed_files(old, new)
    yield from _runtime(old, new, files)
    yield from _compiler(old, new, files, values_changed)
    yield from _scripts(old, new, files)
    yield from _recorded(old, new)
    yield from _origins(old, new)
    yield from inputs(old, new)


def changed_files(old: BundleOnDisk, new: BundleOnDisk) -> list[str]:
    """Files that one side has not, or not with these bytes or this mode."""
    names = {*old.outputs, *new.outputs}
    return sorted(name for name in names if old.outputs.get(name) != new.outputs.get(name))


def inputs(old: BundleOnDisk, new: BundleOnDisk) -> Iterator[Fact]:
    """The files that it was compiled from, overlays and overrides."""
    before, after = old.inputs, new.inputs
    changed = [name for name in after if name in before and before[name] != after[name]]
    details = [
        *(f"- {name}" for name in before if name not in after),
        *(f"+ {name}" for name in after if name not in before),
        *(f"~ {name}" for name in changed),
    ]
    if details:
        yield Fact(
            "inputs", None, f"{counted(len(details), 'input')} of {len({*before, *after})} differ", tuple(details)
        )
    if list(before) != list(after) and set(before) == set(after):
        yield Fact("inputs", None, "the inputs are the same, in another order", tuple(after))
    for subject in ("overlays", "overrides"):
        said = [_listed(side.manifest.get(subject)) for side in (old, new)]
        if said[0] != said[1]:
            yield Fact(subject, None, f"{said[0]} → {said[1]}")


def stages(old: Mapping[str, Sequence[str]], new: Mapping[str, Sequence[str]]) -> Iterator[Fact]:
    """Stages that came or went, by what each needs, and in which order they run."""
    yield from (Fact(f"stage {name}", KINDS[0], "it is gone") for name in old if name not in new)
    yield from (Fact(f"stage {name}", KINDS[0], "it is new") for name in new if name not in old)
    for name, needs in new.items():
        if name in old and list(old[name]) != list(needs):
            yield Fact(f"stage {name}", "logistics", f"it needs {_listed(needs)}, and needed {_listed(old[name])}")
    both = [name for name in new if name in old]
    if both != [name for name in old if name in new]:
        yield Fact("stages", "logistics", f"they run in the order {', '.join(new)}")


def _runtime(old: BundleOnDisk, new: BundleOnDisk, files: Sequence[str]) -> Iterator[Fact]:
    found = [name for name in files if PurePosixPath(name).parts[0] == RUNTIME]
    if found:
        of = len({name for side in (old, new) for name in side.outputs if PurePosixPath(name).parts[0] == RUNTIME})
        yield Fact(
            RUNTIME, "numerics", f"{len(found)} of {counted(of, 'file')} differ: other code trains", tuple(found)
        )


def _compiler(old: BundleOnDisk, new: BundleOnDisk, files: Sequence[str], values_changed: bool) -> Iterator[Fact]:
    before, after = old.manifest["cfgc_version"], new.manifest["cfgc_version"]
    if before == after and values_changed:
        return
    found = [name for name in files if name in _COMPILED | _SCRIPTS]
    if before == after and not found:
        return
    kind: Kind = "numerics" if _COMPILED & set(found) else "resources" if found else "logistics"
    versions = f"cfgc {before} → {after}" if before != after else f"cfgc {after} on both sides, of different states"
    yield Fact(COMPILER, kind, versions + (", and it compiles otherwise" if found else ""), tuple(found))


def _scripts(old: BundleOnDisk, new: BundleOnDisk, files: Sequence[str]) -> Iterator[Fact]:
    for name in files:
        if name not in _TOLD and PurePosixPath(name).parts[0] != RUNTIME:
            before, after = (_lines(side, name) for side in (old, new))
            said = "it differs" if before and after else "it is new" if after else "it is gone"
            lines = list(difflib.unified_diff(before, after, lineterm="", n=2))[2:]
            more = [f"… {counted(len(lines) - _MOST, 'line')} more"] if len(lines) > _MOST else []
            yield Fact(f"script {name}", "numerics", said, (*lines[:_MOST], *more))


def _lines(side: BundleOnDisk, name: str) -> list[str]:
    return side.files.get(PurePosixPath(name), b"").decode(errors="replace").splitlines()


def _recorded(old: BundleOnDisk, new: BundleOnDisk) -> Iterator[Fact]:
    """The code that ran, and the container that it ran in."""
    for subject in ("package", "container"):
        before, after = (_flat(side.manifest.get(subject), subject) for side in (old, new))
        names = [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]
        if names:
            details = (f"{name}: {before.get(name, '—')} → {after.get(name, '—')}" for name in names)
            yield Fact(
                subject, "numerics", "other code runs" if subject == "package" else "it is another", tuple(details)
            )


def _origins(old: BundleOnDisk, new: BundleOnDisk) -> Iterator[Fact]:
    """Values that are the same, and come from another layer."""
    moved = []
    for key, steps in new.origins.items():
        before = old.origins.get(key)
        if before and before[0].get("value") == steps[0].get("value"):
            where = [str(one[0].get("layer") or f"derived from {one[0].get('derived')}") for one in (before, steps)]
            moved += [f"{key}: {where[0]} → {where[1]}"] if where[0] != where[1] else []
    if moved:
        yield Fact("origins", None, f"{counted(len(moved), 'value')} of another origin, and the same", tuple(moved))


def _flat(value: Any, name: str) -> dict[str, str]:
    if isinstance(value, dict):
        return {key: text for part, inner in value.items() for key, text in _flat(inner, f"{name}.{part}").items()}
    return {} if value is None else {name: str(value)}


def _listed(value: Any) -> str:
    if isinstance(value, Mapping):
        value = [f"{group}={option}" for group, option in value.items()]
    return ", ".join(map(str, value or ())) or "none"
