"""A spec on disk, and what the pipeline takes of it: a reader, a logical name, overrides."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic, Label
from cfgc.diagnostics.model import Fix
from cfgc.load.disk import DiskReader, find_project
from cfgc.load.overrides import COMMAND_LINE
from cfgc.load.project import read_project
from cfgc.load.raw import PROJECT_FILE, SHIPPED
from cfgc.load.reader import Reader
from cfgc.resources import shipped_dir
from cfgc.source import SourceFile

if TYPE_CHECKING:
    from cfgc.audit.bundle_on_disk import BundleOnDisk


@dataclass(frozen=True)
class Session:
    """One spec on disk: its reader, logical name, project root and the overrides that apply."""

    reader: Reader
    logical: str
    root: Path
    overrides: tuple[str, ...]

    def shown(self, logical: str) -> str:
        """A file of the project as it can be opened from here; a shipped spec and the command line as they are."""
        if logical.startswith(SHIPPED) or logical == COMMAND_LINE:
            return logical
        path = os.path.relpath(self.root / logical)
        return str(self.root / logical) if path.startswith("../../..") else path

    def from_here(self, findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
        """``findings`` with the files named as ``shown`` names them. Bundles keep the logical names."""
        sources: dict[int, SourceFile] = {}

        def named(source: SourceFile) -> SourceFile:
            return sources.setdefault(id(source), SourceFile(self.shown(source.logical), source.text))

        def moved(label: Label) -> Label:
            return Label(replace(label.span, source=named(label.span.source)), label.text)

        def of_fix(fix: Fix) -> Fix:
            return replace(fix, edits=tuple(replace(edit, source=named(edit.source)) for edit in fix.edits))

        return tuple(
            replace(
                finding,
                message=finding.message.replace(f"`{self.logical}`", f"`{self.shown(self.logical)}`"),
                primary=moved(finding.primary) if finding.primary else None,
                secondary=tuple(moved(label) for label in finding.secondary),
                fixes=tuple(map(of_fix, finding.fixes)),
            )
            for finding in findings
        )


def open_spec(spec: str, overrides: Iterable[str] = ()) -> Session:
    """The session of a spec path, or of a shipped spec (``cfgc:examples/quickstart.toml``)."""
    root, logical = find_project(Path("spec.toml" if spec.startswith(SHIPPED) else spec))
    logical = spec if spec.startswith(SHIPPED) else logical
    return Session(DiskReader(root, shipped_dir("specs")), logical, root, tuple(overrides))


def open_bundle(directory: Path, bundle: BundleOnDisk) -> Session:
    """The session that would build ``bundle`` again, in the project around ``directory``."""
    root, _ = find_project(directory)
    overrides = tuple(map(str, bundle.manifest["overrides"]))
    return Session(DiskReader(root, shipped_dir("specs")), str(bundle.manifest["root"]), root, overrides)


def is_override(argument: str) -> bool:
    """True for ``a.b=1``, ``zero=3``, ``~a.b``; a spec's path has no ``=`` and ends in .toml."""
    return argument.startswith("~") or ("=" in argument and not argument.endswith(".toml"))


def default_out(session: Session, name: str) -> Path:
    """Where the project's cfgc.toml puts bundles, else ``out`` of the current directory; as seen from here."""
    base = session.root if (session.root / PROJECT_FILE).is_file() else Path.cwd()
    return Path(os.path.relpath(base / read_project(session.reader).out / name))
