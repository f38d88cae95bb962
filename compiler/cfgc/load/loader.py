"""The load phase: from a logical name to every layer, in order."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load.bases import Bases
from cfgc.load.directives import Named, patch_of
from cfgc.load.files import SpecFile, read_root
from cfgc.load.graph import LayerPatch, SpecGraph
from cfgc.load.library import Library
from cfgc.load.overlays import Choice, choices_inside, keys_of_group, named_choices, read_overlay, settle
from cfgc.load.override_layers import changed_paths, override_layers
from cfgc.load.overrides import meant_paths, parse_overrides
from cfgc.load.project import read_project
from cfgc.load.project_errors import project_is_no_spec
from cfgc.load.raw import PROJECT_FILE
from cfgc.load.reader import Reader
from cfgc.load.shadow import shadows
from cfgc.load.text_order import in_text_order
from cfgc.origin import Layer, LayerKind, Path
from cfgc.patch import Patch


def shipped_defaults() -> Patch:
    """The schema's defaults, imported only when a spec is loaded."""
    from cfgc.schema.defaults import default_patch

    return default_patch()


def load_spec(
    reader: Reader,
    logical: str,
    overrides: Sequence[str] = (),
    defaults: Callable[[], Patch] = shipped_defaults,
    chosen: Sequence[Choice] = (),
) -> SpecGraph:
    """Read the spec ``logical`` with all its bases and overlays. Raises ``Rejected`` with every error found.

    ``chosen`` are overlays that a point of a sweep chooses, over those of the files and of the command line.
    """
    project = read_project(reader)
    if posixpath.basename(logical) == PROJECT_FILE:
        raise Rejected([*project.problems, project_is_no_spec(logical)])
    library = Library(reader, project.search)
    root = read_root(library, logical)
    bases = Bases(library)
    *lower, _ = bases.ordered(root)
    parsed, problems = parse_overrides(overrides)
    choices, unsettled = settle([*lower, root], [*parsed.choices, *chosen])
    keys = [*defaults().sets, *patch_of(root.document, root.directives, Layer("spec")).sets]
    unread = Unread()
    overlays = [(choice, _overlay_files(bases, root, choice, keys, unread)) for choice in choices]
    shadowed = shadows(root, overlays, set(changed_paths(parsed.edits)))
    found = [*project.problems, *bases.carried, *unsettled, *unread.problems, *shadowed, *problems]
    fatal = [*root.directives.problems, *bases.problems]
    if fatal:
        raise Rejected(in_text_order([*fatal, *found]))
    layers = [
        LayerPatch(Layer("default"), defaults()),
        *project.layers(),
        *(_layer(spec, "base") for spec in lower),
        *(_layer(spec, "overlay", choice) for choice, files in overlays for spec in files),
        _layer(root, "spec"),
    ]
    above = override_layers(parsed.edits, layers)
    read = [*lower, *(spec for _, files in overlays for spec in files), root]
    return SpecGraph(
        root=root.document.source,
        layers=(*layers, *above.layers),
        overlays=MappingProxyType(dict(named_choices(choices))),
        chosen=MappingProxyType({choice.group: choice.span for choice in choices}),
        overrides=tuple(overrides),
        inputs=(*project.inputs(), *(spec.input for spec in read)),
        findings=tuple(in_text_order([*found, *above.problems])),
        doubtful=tuple(dict.fromkeys((*bases.doubtful, *unread.paths, *above.unchanged, *meant_paths(overrides)))),
    )


@dataclass
class Unread:
    """Why overlays can't be read, and the keys that they may set."""

    problems: list[Diagnostic] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)


def _overlay_files(
    bases: Bases, root: SpecFile, choice: Choice, keys: Sequence[Path], unread: Unread
) -> list[SpecFile]:
    """The overlay's bases that are not read yet, then the overlay."""
    try:
        overlay = read_overlay(bases.library, choice, keys)
    except Rejected as rejected:
        unread.problems += rejected.diagnostics
        unread.paths += keys_of_group(bases.library, choice)
        return []
    files = bases.ordered(overlay, [(root, Named(str(choice), choice.span, choice.group_span))])
    bases.problems += overlay.directives.problems
    for spec in files:
        bases.problems += choices_inside(spec)
    return files


def _layer(spec: SpecFile, kind: LayerKind, choice: Choice | None = None) -> LayerPatch:
    layer = Layer(kind, spec.logical, str(choice) if choice else "")
    return LayerPatch(layer, patch_of(spec.document, spec.directives, layer))
