"""The outcome of the load phase: every layer, in order, as a patch with places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cfgc.diagnostics import Diagnostic
from cfgc.origin import Layer, Path
from cfgc.patch import Patch, Tree, empty_map, leaves_of
from cfgc.source import SourceFile, Span


@dataclass(frozen=True)
class LayerPatch:
    """What one layer changes."""

    layer: Layer
    patch: Patch


def defaults_of(layers: Iterable[LayerPatch]) -> Tree:
    """The leaves of the schema's defaults among ``layers``; an unset key falls back to them."""
    default = next((layer.patch for layer in layers if layer.layer.kind == "default"), Patch())
    return leaves_of(default)


@dataclass(frozen=True)
class Input:
    """A file that the bundle was made from: its logical name and the sha256 of its bytes."""

    logical: str
    sha256: str


@dataclass(frozen=True)
class SpecGraph:
    """All layers of one spec, lowest first; schema defaults are the first.

    ``overlays`` is the settled choice per group; ``overrides`` are the command-line texts as given. ``findings`` are
    errors that leave a spec to be judged, such as an overlay that there is none of; ``doubtful`` are the keys that what
    is missing may set. The validate phase reports them together with its own. ``chosen`` is where each group's option
    is written.
    """

    root: SourceFile
    layers: tuple[LayerPatch, ...]
    overlays: Mapping[str, str]
    overrides: tuple[str, ...]
    inputs: tuple[Input, ...]
    findings: tuple[Diagnostic, ...] = ()
    doubtful: tuple[Path, ...] = ()
    chosen: Mapping[str, Span] = field(default_factory=empty_map)
