"""A bundle as data, wherever it lies: in a directory, in a revision of git, or in memory.

All that can be wrong with what is read raises ``Rejected``, when it is asked for.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from cfgc.audit import bundle_errors as errors
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.emit.bundle import Bundle
from cfgc.emit.canonical import digest_of
from cfgc.emit.manifest import FORMAT
from cfgc.stages.layer import FOLDER
from cfgc.write.existing import files_below
from cfgc_runtime.errors import Failure
from cfgc_runtime.manifest import OWN_DIGEST
from cfgc_runtime.point import LIST, Point, parse_point, point_of
from cfgc_runtime.values import NAME as VALUES
from cfgc_runtime.values import Values, parse_values

MANIFEST: Final = PurePosixPath("manifest.json")
ORIGINS: Final = PurePosixPath("origins.json")

Files: TypeAlias = Mapping[PurePosixPath, bytes]
Step: TypeAlias = Mapping[str, Any]
"""One layer's word on a value, as ``emit/origins_json.py`` has it."""

_NEEDED: Final[Mapping[str, type]] = {
    "format": int, "cfgc_version": str, "experiment": str, "root": str, "plan_digest": str, "bundle_digest": str,
    "inputs": list, "overrides": list, "outputs": dict,
}  # fmt: skip


class DirectoryFiles(Files):
    """Everything below ``root`` that is no directory, read when it is asked for; Python's caches do not count.

    Raises ``Rejected`` for what the system does not give.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def __getitem__(self, path: PurePosixPath) -> bytes:
        place = self._root / path
        try:
            if not stat.S_ISREG(place.stat().st_mode):
                raise KeyError(path)
            return place.read_bytes()
        except PermissionError as error:
            raise Rejected([errors.closed(error, place)]) from None
        except (OSError, ValueError):
            raise KeyError(path) from None

    @cached_property
    def _names(self) -> tuple[str, ...]:
        try:
            return tuple(sorted(files_below(self._root)))
        except PermissionError as error:
            raise Rejected([errors.closed(error, self._root)]) from None

    def __iter__(self) -> Iterator[PurePosixPath]:
        return map(PurePosixPath, self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True)
class BundleOnDisk:
    """A bundle that says of itself what it is; ``name`` is what it is called in messages.

    ``point`` is set where it is read through the run directory of one point of a sweep.
    """

    name: str
    files: Files
    manifest: Mapping[str, Any]
    point: Point | None = None

    @cached_property
    def plan_digest(self) -> str:
        """What it means: the point's, where there is one."""
        return self.point.plan_digest if self.point else str(self.manifest["plan_digest"])

    @cached_property
    def inputs(self) -> Mapping[str, str]:
        """The sha256 of every file that it was compiled from, by logical path, in the order of the layers."""
        try:
            return {str(entry["path"]): str(entry["sha256"]) for entry in self.manifest["inputs"]}
        except (KeyError, TypeError) as error:
            raise self._damaged(MANIFEST, "its inputs are not as cfgc writes them") from error

    @cached_property
    def outputs(self) -> Mapping[str, Mapping[str, Any]]:
        """What the manifest says of every other file, by path: ``sha256``, ``size``, ``executable``."""
        outputs: Mapping[str, Any] = self.manifest["outputs"]
        if not all(isinstance(entry, dict) and isinstance(entry.get("sha256"), str) for entry in outputs.values()):
            raise self._damaged(MANIFEST, "its outputs are not as cfgc writes them")
        return outputs

    @cached_property
    def values(self) -> Values:
        """Every value by class and dotted key; of a sweep, those of point 0; of a pipeline, none."""
        if self.is_pipeline:
            return {}
        try:
            return parse_values(self._text(PurePosixPath(VALUES)), self.point)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._damaged(PurePosixPath(VALUES), _reason(error)) from None

    @cached_property
    def origins(self) -> Mapping[str, tuple[Step, ...]]:
        """How each value came about, newest first; nothing in the bundle of a cfgc that did not say so."""
        if ORIGINS not in self.files:
            return {}
        found = self._json(ORIGINS)
        if not isinstance(found, dict) or not all(map(_are_steps, found.values())):
            raise self._damaged(ORIGINS, "it is not as cfgc writes it")
        return {key: tuple(steps) for key, steps in found.items()}

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """The points of a sweep; none of a single run, or where ``point`` is one of them."""
        path = PurePosixPath(LIST)
        if self.point or path not in self.files:
            return ()
        try:
            lines = self._text(path).removesuffix("\n").split("\n")
            points = tuple(parse_point(line, Path(self.name, LIST)) for line in lines)
        except Failure as failure:
            raise self._damaged(path, str(failure)) from None
        if not all(isinstance(changed, dict) for point in points for changed in point.values.values()):
            raise self._damaged(path, "it is not as cfgc writes it")
        return points

    @cached_property
    def is_pipeline(self) -> bool:
        """Whether it is made of stages."""
        return "stages" in self.manifest

    @cached_property
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """The stages in order, and what each needs; none of a run."""
        try:
            return {str(stage["name"]): tuple(map(str, stage["needs"])) for stage in self.manifest.get("stages", ())}
        except (KeyError, TypeError) as error:
            raise self._damaged(MANIFEST, "its stages are not as cfgc writes them") from error

    @cached_property
    def stages(self) -> Mapping[str, BundleOnDisk]:
        """The bundle of each stage of a pipeline, in order."""
        return {stage: read_bundle(self._below(FOLDER, stage), f"{self.name}/{FOLDER}/{stage}") for stage in self.needs}

    def edited(self) -> list[str]:
        """Files that are not as the manifest says, or missing, and the manifest itself. Added files do not count."""
        manifest = {key: value for key, value in self.manifest.items() if key != OWN_DIGEST}
        digests = {"bundle_digest": digest_of(self.outputs), OWN_DIGEST: digest_of(manifest)}
        whole = all(self.manifest.get(key, digest) == digest for key, digest in digests.items())
        found = [] if whole else [MANIFEST.as_posix()]
        return found + [name for name, entry in self.outputs.items() if self._digest(name) != entry["sha256"]]

    def _digest(self, name: str) -> str | None:
        data = self.files.get(PurePosixPath(name))
        return None if data is None else sha256(data).hexdigest()

    def _below(self, *parts: str) -> Files:
        names = [path for path in self.files if path.parts[: len(parts)] == parts]
        return MappingProxyType({PurePosixPath(*path.parts[len(parts) :]): self.files[path] for path in names})

    def _text(self, path: PurePosixPath) -> str:
        data = self.files.get(path)
        if data is None:
            raise self._damaged(path, "there is no such file")
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise self._damaged(path, _reason(error)) from None

    def _json(self, path: PurePosixPath) -> Any:
        try:
            return parse_json(self._text(path))
        except (ValueError, RecursionError) as error:
            raise self._damaged(path, _reason(error)) from None

    def _damaged(self, path: PurePosixPath, why: str) -> Rejected:
        return Rejected([errors.unreadable_file(self.name, path.as_posix(), why)])


def read_bundle(files: Files, name: str, point: Point | None = None) -> BundleOnDisk:
    """The bundle that ``files`` are. Raises ``Rejected`` when their manifest is none that this cfgc reads."""
    data = files.get(MANIFEST)
    if data is None and all(files.get(PurePosixPath(path)) is not None for path in ("launch.sh", "PLAN.md")):
        raise Rejected([errors.unreadable_manifest(name, "there is no such file")])
    if data is None:
        raise Rejected([errors.not_a_bundle(name, f"it has no {MANIFEST}")])
    try:
        manifest = parse_json(data.decode())
    except (ValueError, RecursionError) as error:
        raise Rejected([errors.unreadable_manifest(name, _reason(error))]) from None
    if isinstance(manifest, dict) and type(theirs := manifest.get("format")) is int and theirs != FORMAT:
        raise Rejected([errors.another_format(name, theirs, FORMAT)])
    if not isinstance(manifest, dict) or not all(type(manifest.get(key)) is is_a for key, is_a in _NEEDED.items()):
        raise Rejected([errors.unreadable_manifest(name, "it is not as cfgc writes it")])
    return BundleOnDisk(name, files, MappingProxyType(manifest), point)


def bundle_at(directory: Path, name: str = "") -> BundleOnDisk:
    """The bundle in ``directory``; with the point's own values, where that is the run directory's of a point."""
    if refused := unreadable(directory):
        raise Rejected([refused])
    try:
        point = point_of(directory)
    except Failure as failure:
        raise Rejected([errors.not_a_bundle(name or str(directory), str(failure))]) from None
    return read_bundle(DirectoryFiles(directory), name or str(directory), point)


def bundle_in_memory(bundle: Bundle, name: str) -> BundleOnDisk:
    """A bundle that was compiled and not written."""
    return read_bundle(bundle.files, name)


def parse_json(text: str) -> Any:
    """What ``text`` holds. Raises ValueError, also for half a surrogate pair, which could not be printed."""
    found = json.loads(text)
    if "\\u" in text:
        json.dumps(found, ensure_ascii=False).encode()
    return found


def unreadable(directory: Path) -> Diagnostic | None:
    """What to say of a directory that the system does not open; None for any other, and for what is none."""
    try:
        os.scandir(directory).close()
    except PermissionError as error:
        return errors.closed(error, directory)
    except OSError:
        return None
    return None


def _are_steps(steps: object) -> bool:
    return isinstance(steps, list) and bool(steps) and all(isinstance(step, dict) for step in steps)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is no UTF-8 text"
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON ({error})"
    return "it is nested too deeply" if isinstance(error, RecursionError) else "it is not as cfgc writes it"
