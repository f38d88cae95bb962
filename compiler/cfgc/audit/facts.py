"""What differs between two bundles and is no value of a spec: code, the compiler, inputs, stages, layers."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from cfgc.audit.bundle_on_disk import BundleOnDisk, Step
from cfgc.diagnostics.masking import masked_text
from cfgc.emit.markdown import counted
from cfgc_runtime.values import KINDS, Kind

RUNTIME: Final = "runtime"
COMPILER: Final = "compiler"
INPUTS: Final = "inputs"

_COMPILED: Final = frozenset({"config.py", "wiring.py", "points.jsonl"})
_SCRIPTS: Final = frozenset({"launch.sh", "job.sbatch", "submit.sh"})
_TOLD: Final = frozenset({
    *_COMPILED, *_SCRIPTS, "PLAN.md", "resolved.toml", "values.json", "origins.json", "ds_config.json",
    ".gitattributes", "manifest.json", "package.tar", "package.patch",
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


def facts_of(old: BundleOnDisk, new: BundleOnDisk, explained: bool) -> Iterator[Fact]:
    """All of them, of a run. What the compiler writes from values, points and code says nothing where those changed."""
    files = changed_files(old, new)
    code = [*_scripts(old, new, files), *_package(old, new)]
    yield from _runtime(old, new, files)
    yield from _compiler(old, new, files, explained or bool(code))
    yield from code
    yield from _origins(old, new)
    yield from inputs(old, new)


def changed_files(old: BundleOnDisk, new: BundleOnDisk) -> list[str]:
    """Files that one side has not, or not with these bytes or this mode."""
    names = {*old.outputs, *new.outputs}
    return sorted(name for name in names if old.outputs.get(name) != new.outputs.get(name))


def inputs(old: BundleOnDisk, new: BundleOnDisk) -> Iterator[Fact]:
    """The files that it was compiled from, overlays and overrides."""
    before, after = old.inputs, new.inputs
    if details := _marked(before, after):
        text = f"{len(details)} of {counted(len({*before, *after}), 'input')} differ"
        yield Fact(INPUTS, None, text, tuple(details))
    if list(before) != list(after) and set(before) == set(after):
        yield Fact(INPUTS, None, "the inputs are the same, in another order", tuple(after))
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
    found = [name for name in files if _is_of_runtime(name)]
    if found:
        of = len({name for side in (old, new) for name in side.outputs if _is_of_runtime(name)})
        text = f"{len(found)} of {counted(of, 'file')} differ: other code trains"
        yield Fact(RUNTIME, "numerics", text, tuple(found))


def _is_of_runtime(name: str) -> bool:
    return name.startswith(f"{RUNTIME}/")


def _compiler(old: BundleOnDisk, new: BundleOnDisk, files: Sequence[str], explained: bool) -> Iterator[Fact]:
    before, after = old.manifest["cfgc_version"], new.manifest["cfgc_version"]
    found = [name for name in files if name in _COMPILED | _SCRIPTS]
    if before == after and (explained or not found):
        return
    kind: Kind = "numerics" if _COMPILED & set(found) else "resources" if found else "logistics"
    text = f"cfgc {before} → {after}" + (", which may compile otherwise" if found else "")
    if before == after:
        text = "equal values became other files: another state of cfgc, or of the code that wiring.py calls"
    yield Fact(COMPILER, kind, text, tuple(found))


def _scripts(old: BundleOnDisk, new: BundleOnDisk, files: Sequence[str]) -> Iterator[Fact]:
    for name in files:
        if name not in _TOLD and not _is_of_runtime(name):
            before, after = (_lines(side, name) for side in (old, new))
            said = "it differs" if before and after else "it is new" if after else "it is gone"
            lines = list(difflib.unified_diff(before, after, lineterm="", n=2))[2:]
            more = [f"… {counted(len(lines) - _MOST, 'line')} more"] if len(lines) > _MOST else []
            yield Fact(f"script {name}", "numerics", said, (*lines[:_MOST], *more))


def _lines(side: BundleOnDisk, name: str) -> list[str]:
    return side.files.get(PurePosixPath(name), b"").decode(errors="replace").splitlines()


def _package(old: BundleOnDisk, new: BundleOnDisk) -> Iterator[Fact]:
    """The code that a run takes along."""
    before, after = (_table(side.manifest.get("package")) for side in (old, new))
    if before == after:
        return
    names = ("kind", "repository", "commit", "subdirectory", "besides")
    said = [f"{name} {before.get(name)} → {after.get(name)}" for name in names if before.get(name) != after.get(name)]
    details = _marked(_table(before.get("files")), _table(after.get("files")))
    same = before.get("sha256") == after.get("sha256")
    verb = "differs" if len(details) == 1 else "differ"
    text = "the same files, recorded otherwise" if same else f"{counted(len(details), 'file')} of the code {verb}"
    yield Fact("package", "logistics" if same else "numerics", text, (*said, *details))


def _origins(old: BundleOnDisk, new: BundleOnDisk) -> Iterator[Fact]:
    """Values that are the same, and come from another layer."""
    moved = []
    for key, steps in new.origins.items():
        before = old.origins.get(key)
        if before and before[0].get("value") == steps[0].get("value"):
            where = [_where(side, side.origins[key][0]) for side in (old, new)]
            moved += [f"{key}: {where[0]} → {where[1]}"] if where[0] != where[1] else []
    if moved:
        yield Fact("origins", None, f"{counted(len(moved), 'value')} of another origin, and the same", tuple(moved))


def _where(side: BundleOnDisk, step: Step) -> str:
    """A step's layer; that of a spec's own body is the same one in a spec of another name."""
    layer = step.get("layer")
    return "spec" if layer == f"spec {side.manifest['root']}" else str(layer or f"derived from {step.get('derived')}")


def _marked(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Names that are gone, new, or stand for other bytes."""
    gone, come = ([name for name in side if name not in other] for side, other in ((old, new), (new, old)))
    changed = [name for name in new if name in old and old[name] != new[name]]
    return [f"{mark} {name}" for mark, names in (("-", gone), ("+", come), ("~", changed)) for name in names]


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> str:
    if isinstance(value, Mapping):
        value = [f"{group}={option}" for group, option in value.items()]
    return masked_text(", ".join(map(str, value))) if value and isinstance(value, list | tuple) else "none"
