"""``cfgc.toml``: what holds for every spec of a project."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cfgc.diagnostics import Diagnostic
from cfgc.load import project_errors as errors
from cfgc.load.directives import values_at
from cfgc.load.document import Document
from cfgc.load.files import not_logical, read_document
from cfgc.load.graph import Input, LayerPatch
from cfgc.load.library import DEFAULT_SEARCH
from cfgc.load.raw import PROJECT_FILE
from cfgc.load.reader import Reader
from cfgc.load.spans import Location
from cfgc.origin import Layer, Value
from cfgc.patch import Patch

KEYS = ("search", "out", "target")
DEFAULT_OUT = "out"


@dataclass(frozen=True)
class Project:
    """What the project's file says.

    ``search`` are the directories in which bases and overlays are looked for, ``out`` is where bundles go, both
    relative to the root. ``targets`` are values of ``[target]`` for specs that give none. ``input`` is the file when a
    bundle depends on it.
    """

    search: tuple[str, ...] = DEFAULT_SEARCH
    out: str = DEFAULT_OUT
    targets: Patch = field(default_factory=Patch)
    input: Input | None = None
    problems: tuple[Diagnostic, ...] = ()

    def layers(self) -> Sequence[LayerPatch]:
        """The layer above the schema's defaults; none when no default of the schema is changed."""
        return [LayerPatch(Layer("project", PROJECT_FILE), self.targets)] if self.targets.sets else []

    def inputs(self) -> Sequence[Input]:
        """The file, when a bundle depends on it."""
        return [self.input] if self.input else []


def read_project(reader: Reader) -> Project:
    """The project's file; an empty one when there is none. Raises ``Rejected`` when it can't be read or parsed."""
    found = read_document(reader, PROJECT_FILE)
    if found is None:
        return Project()
    read, document = found
    problems = [errors.unknown_key(key, KEYS, document.key_span((key,))) for key in document.tree if key not in KEYS]
    search, bad_search = _search(document, reader)
    out, bad_out = _out(document)
    targets, bad_target = _targets(document)
    return Project(
        search=search,
        out=out,
        targets=targets,
        input=read if "search" in document.tree or targets.sets else None,
        problems=(*problems, *bad_search, *bad_out, *bad_target),
    )


def _search(document: Document, reader: Reader) -> tuple[tuple[str, ...], list[Diagnostic]]:
    value = document.tree.get("search", list(DEFAULT_SEARCH))
    if not isinstance(value, list):
        return DEFAULT_SEARCH, [errors.not_a_list_of_directories(value, document.span(("search",)))]
    found: list[str] = []
    problems: list[Diagnostic] = []
    for position, entry in enumerate(value if "search" in document.tree else ()):
        refused = list(_refused(document, ("search", position), entry))
        folder = posixpath.normpath(entry) if isinstance(entry, str) else ""
        if not refused and reader.entries("" if folder == "." else folder) is None:
            refused = [errors.no_such_directory(folder, document.span(("search", position)))]
        problems += refused
        found += [] if refused else [folder]
    return (tuple(dict.fromkeys(found)) if "search" in document.tree else DEFAULT_SEARCH), problems


def _out(document: Document) -> tuple[str, list[Diagnostic]]:
    value = document.tree.get("out", DEFAULT_OUT)
    refused = list(_refused(document, ("out",), value))
    return (DEFAULT_OUT if refused or not isinstance(value, str) else posixpath.normpath(value)), refused


def _refused(document: Document, location: Location, value: Value) -> Iterator[Diagnostic]:
    """Why ``value`` is no directory that is the same one wherever the project is checked out."""
    if not isinstance(value, str) or not value:
        yield errors.not_a_directory_name(str(location[0]), document.span(location))
        return
    why = not_logical(value)
    if why:
        yield errors.not_a_logical_directory(value, why, document.span(location))


def _targets(document: Document) -> tuple[Patch, list[Diagnostic]]:
    if "target" not in document.tree:
        return Patch(), []
    if not isinstance(document.tree["target"], dict):
        return Patch(), [errors.target_not_a_table(document.tree["target"], document.span(("target",)))]
    return values_at(document, Layer("project", PROJECT_FILE), ("target",), ("target",)), []
