"""What a program does with cfgc: the command line's verbs as functions that take paths and return values.

Its names are those of ``cfgc`` itself: ``import cfgc; cfgc.compile_spec("spec.toml")``. Nothing here prints, and only
``write_bundle`` writes.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from cfgc.audit.bundle_on_disk import BundleOnDisk, bundle_at, bundle_in_memory
from cfgc.audit.comparing import Comparison, compare_bundles, unedited
from cfgc.audit.drift import Drift, drift_of
from cfgc.audit.verify import Verdict, verify
from cfgc.deepspeed import checking, releases
from cfgc.diagnostics import Diagnostic, Label, Rejected
from cfgc.diagnostics.text import render_text
from cfgc.emit.bundle import Bundle
from cfgc.load.reader import MemoryReader, Reader
from cfgc.pipeline import check, emit, lower
from cfgc.session import Session, open_spec
from cfgc.write import writer
from cfgc.write.errors import not_readable
from cfgc.write.writer import Outcome

__all__ = [
    "Bundle", "BundleOnDisk", "Comparison", "Diagnostic", "Drift", "Label", "Outcome", "Rejected", "Verdict",
    "check_build", "check_ds_config", "check_spec", "compare", "compile_spec", "read_bundle", "render_text",
    "verify_bundle", "write_bundle",
]  # fmt: skip

Place: TypeAlias = str | os.PathLike[str]
"""A path; of a spec, also that of a shipped one: ``cfgc:examples/quickstart.toml``."""
Side: TypeAlias = Bundle | BundleOnDisk | Place
"""A bundle: compiled, read, or the directory of one."""


def compile_spec(spec: Place, overrides: Sequence[str] = (), files: Mapping[str, str] | None = None) -> Bundle:
    """The bundle of ``spec``, in memory: a run's, a sweep's, or a pipeline's.

    ``overrides`` are written as on the command line. ``files`` are texts that stand in for files of the project, or
    beside them, by their path below its root, or a whole one; the spec may be one. Raises ``Rejected`` with everything
    that is wrong, and ValueError for ``overrides`` that are one string, or for a file that is given twice.
    """
    session, reader = _opened(spec, overrides, files)
    with _named_from_here(session):
        return emit(lower(check(reader, session.logical, session.overrides)))


def check_spec(
    spec: Place, overrides: Sequence[str] = (), files: Mapping[str, str] | None = None
) -> tuple[Diagnostic, ...]:
    """The warnings of a spec that holds. Raises ``Rejected`` of one that does not; all else as ``compile_spec``."""
    session, reader = _opened(spec, overrides, files)
    with _named_from_here(session):
        checked = check(reader, session.logical, session.overrides)
        lower(checked)
    return session.from_here(checked.warnings)


def check_ds_config(
    text: str | bytes, deepspeed: str | None = None, world_size: int | None = None, device: str = ""
) -> tuple[Diagnostic, ...]:
    """Errors and warnings of anybody's ds_config, for a release of DeepSpeed; for the newest that is known by default.

    ``world_size`` is how many ranks will train, ``device`` ``cpu`` or ``cuda``; None and empty when nobody knows.
    Raises ValueError for a release that is not known.
    """
    version = deepspeed or releases.newest_release()
    if version not in releases.known_releases():
        raise ValueError(f"DeepSpeed {version} is not known; the newest that is: {releases.newest_release()}")
    data = text.encode() if isinstance(text, str) else text
    return checking.check_ds_config("ds_config.json", data, releases.release(version), world_size, device)


def write_bundle(bundle: Bundle, directory: Place) -> Outcome:
    """Make ``directory`` hold exactly ``bundle``: whole or not at all, and equal bytes touch nothing.

    Raises ``Rejected``.
    """
    return writer.write_bundle(bundle, Path(directory))


def read_bundle(directory: Place) -> BundleOnDisk:
    """The bundle at ``directory``: its manifest, values and origins. Raises ``Rejected`` when there is none."""
    return bundle_at(Path(directory))


def compare(old: Side, new: Side) -> Comparison:
    """What differs between two bundles, in memory or on disk, each value with its class.

    Raises ``Rejected``, also of a bundle that was edited: its values are not what it runs.
    """
    return compare_bundles(unedited(_side(old)), unedited(_side(new)))


def check_build(bundle: Bundle, directory: Place) -> Drift | None:
    """What ``write_bundle`` would change at ``directory``; None when it would change nothing. Raises ``Rejected``."""
    root = str(_side(bundle).manifest["root"])
    try:
        return drift_of(bundle, Path(directory), root)
    except OSError as error:
        raise Rejected([not_readable(Path(directory), error)]) from error


def verify_bundle(directory: Place, signers: Place | None = None) -> Verdict:
    """Whether every file is as the manifest says, and whether one of the allowed ``signers`` signed it, where given."""
    return verify(Path(directory), Path(signers) if signers is not None else None)


def _opened(spec: Place, overrides: Sequence[str], files: Mapping[str, str] | None) -> tuple[Session, Reader]:
    if isinstance(overrides, str):
        raise ValueError(f"overrides are a list: [{overrides!r}]")
    session = open_spec(os.fspath(spec), overrides)
    return session, MemoryReader(_logical(files, session.root), session.reader) if files else session.reader


def _logical(files: Mapping[str, str], root: Path) -> dict[str, str]:
    """``files`` by the names that specs are read by."""
    named: dict[str, str] = {}
    for name, text in files.items():
        path = os.path.relpath(name, root) if os.path.isabs(name) else name  # noqa: PTH117
        logical = posixpath.normpath(Path(path).as_posix())
        if logical in named:
            raise ValueError(f"files has {logical} twice")
        named[logical] = text
    return named


@contextmanager
def _named_from_here(session: Session) -> Iterator[None]:
    """Findings name files as they can be opened from the current directory."""
    try:
        yield
    except Rejected as rejected:
        raise Rejected(session.from_here(rejected.diagnostics)) from None


def _side(side: Side) -> BundleOnDisk:
    if isinstance(side, BundleOnDisk):
        return side
    return bundle_in_memory(side, side.name) if isinstance(side, Bundle) else bundle_at(Path(side))
