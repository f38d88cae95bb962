"""Loading from memory, with a schema of no defaults unless a test brings its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load.graph import SpecGraph
from cfgc.load.loader import load_spec
from cfgc.load.reader import MemoryReader
from cfgc.origin import Layer, Origin, Value
from cfgc.patch import Patch
from cfgc.resolve.resolved import Resolved
from cfgc.resolve.resolver import resolve_graph


def load(files: Mapping[str, str | bytes], *overrides: str, defaults: Mapping[str, Value] | None = None) -> SpecGraph:
    patch = Patch(
        sets={tuple(key.split(".")): Origin(Layer("default"), value) for key, value in (defaults or {}).items()}
    )
    return load_spec(MemoryReader(files), "spec.toml", overrides, lambda: patch)


def resolve(files: Mapping[str, str | bytes], *overrides: str, defaults: Mapping[str, Value] | None = None) -> Resolved:
    return resolve_graph(load(files, *overrides, defaults=defaults))


def values(
    files: Mapping[str, str | bytes], *overrides: str, defaults: Mapping[str, Value] | None = None
) -> dict[str, Value]:
    return {".".join(path): leaf.value for path, leaf in resolve(files, *overrides, defaults=defaults).leaves.items()}


def refused(files: Mapping[str, str | bytes], *overrides: str) -> Sequence[Diagnostic]:
    try:
        found = resolve(files, *overrides)
    except Rejected as rejected:
        return rejected.diagnostics
    if found.findings or found.graph.findings:
        return (*found.graph.findings, *found.findings)
    raise AssertionError(f"accepted: {found.tree()}")


def codes(files: Mapping[str, str | bytes], *overrides: str) -> list[str]:
    return [diagnostic.code for diagnostic in refused(files, *overrides)]
