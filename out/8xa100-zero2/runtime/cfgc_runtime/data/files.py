"""Which files a source has, and what was in them: the part of the data that needs nothing but the standard library."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cfgc_runtime.errors import NO_INPUT, Failure
from cfgc_runtime.rundir import expand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cfgc_runtime.data.config import Source

_THREADS = 4
_Place: TypeAlias = tuple[int, int]
"""Device and inode of a directory."""
_SETTLED_NS = 2_000_000_000
"""A file that was changed less than this before it was read could change again without another time stamp."""


@dataclass(frozen=True)
class Fingerprint:
    """What there is to read. ``sha256`` covers the tokenizer and every file's source, path and content, in order.

    Of streams, which are never read as a whole, it covers sizes in place of contents.
    """

    files: int
    bytes: int
    sha256: str

    def as_json(self) -> dict[str, int | str]:
        """For a checkpoint, and for a message that names the amount."""
        return asdict(self)


@dataclass(frozen=True)
class Found:
    """A file: its posix path below the source's, where it is, and what the file system says of it."""

    name: str
    path: Path
    size: int
    stamp: str


def list_files(source: Source) -> tuple[Found, ...]:
    """The source's files, sorted by path. Raises ``Failure`` when there are none, or one is not there."""
    root = expand(source.path)
    below = root.parent if root.is_file() else root
    return tuple(_found(name, below / name) for name in sorted(_names(root, source)))


def check_files(source: Source) -> None:
    """Raise ``Failure`` as ``list_files`` would, having looked no further than the first file."""
    next(_names(expand(source.path), source))


def _names(root: Path, source: Source) -> Iterator[str]:
    if root.is_file():
        found = iter([root.name] if _is_wanted(root.name, source) else [])
    elif root.is_dir():
        found = _walk(str(root), "", source)
    else:
        raise Failure(NO_INPUT, f"data source `{source.name}`: {root} is not a directory on this machine")
    first = next(found, None)
    if first is None:
        patterns = ", ".join(source.include)
        where = f"{root} does not match" if root.is_file() else f"no file below {root} matches"
        but = f" without {', '.join(source.exclude)}" if source.exclude else ""
        raise Failure(NO_INPUT, f"data source `{source.name}`: {where} {patterns}{but}")
    yield first
    yield from found


def _found(name: str, path: Path) -> Found:
    try:
        seen = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from None
    return Found(name, path, seen.st_size, f"{seen.st_mtime_ns}:{seen.st_ctime_ns}:{seen.st_ino}")


def _walk(directory: str, above: str, source: Source, within: frozenset[_Place] = frozenset()) -> Iterator[str]:
    """Names of the files below, links followed; a directory that it is ``within`` already is a loop, and left out."""
    try:
        seen = Path(directory).stat()
        if (here := (seen.st_dev, seen.st_ino)) in within:
            return
        entries = list(os.scandir(directory))
    except OSError as error:
        raise Failure(NO_INPUT, f"{directory} cannot be listed: {error.strerror}") from None
    for entry in entries:
        name = above + entry.name
        if _is_directory(entry):
            if not _is_excluded_whole(name, source):
                yield from _walk(entry.path, f"{name}/", source, within | {here})
        elif _is_wanted(name, source) and entry.is_file():
            yield name


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or to where nobody may look
        return False


def _is_wanted(name: str, source: Source) -> bool:
    if source.kind == "huggingface" and name.rpartition("/")[2].startswith(("cache-", ".")):
        return False  # what the library leaves behind in a dataset is no part of it
    return _matches(name, source.include) and not _matches(name, source.exclude)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_excluded_whole(name: str, source: Source) -> bool:
    """A pattern that ends in ``*`` and matches ``dir/`` matches everything below it, so it need not be listed."""
    return any(fnmatchcase(name + "/", pattern) for pattern in source.exclude if pattern.endswith("*"))


@dataclass(frozen=True)
class Contents:
    """What the files of a source hold: ``seen`` remembers each by its stamp, so that it need not be read again."""

    files: int
    bytes: int
    sha256: str
    seen: Mapping[str, Any]

    def as_json(self) -> dict[str, int | str]:
        """For the header of a token file."""
        return {"files": self.files, "bytes": self.bytes, "sha256": self.sha256}


def read_contents(found: Sequence[Found], known: Mapping[str, Any], now_ns: int) -> Contents:
    """Digest the files, but for those that are as ``known``, which is what an earlier call had ``seen``."""
    fresh = [file for file in found if _remembered(file, known) is None]
    with ThreadPoolExecutor(_THREADS) as threads:
        digests = dict(zip(fresh, threads.map(_digest, fresh), strict=True))
    whole = hashlib.sha256()
    seen: dict[str, Any] = {}
    for file in found:
        digest = digests.get(file) or _remembered(file, known) or ""
        whole.update(f"{file.name}\0{file.size}\0{digest}\n".encode("utf-8", "surrogateescape"))
        if _changed_at(file) < now_ns - _SETTLED_NS:
            seen[str(file.path)] = [file.size, file.stamp, digest]
    return Contents(len(found), sum(file.size for file in found), whole.hexdigest(), seen)


def list_contents(found: Sequence[Found]) -> Contents:
    """The same by paths and sizes alone, for data that is never read as a whole."""
    whole = hashlib.sha256()
    for file in found:
        whole.update(f"{file.name}\0{file.size}\n".encode("utf-8", "surrogateescape"))
    return Contents(len(found), sum(file.size for file in found), whole.hexdigest(), {})


def headers_contents(files: Sequence[tuple[str, str, int]]) -> Contents:
    """The same of token files, given by name, sha256 of their header, and size: they say themselves what they hold."""
    whole = hashlib.sha256()
    for name, digest, size in files:
        whole.update(f"{name}\0{size}\0{digest}\n".encode("utf-8", "surrogateescape"))
    return Contents(len(files), sum(size for _, _, size in files), whole.hexdigest(), {})


def fingerprint_of(names: Iterable[str], contents: Sequence[Contents], tokenizer: str) -> Fingerprint:
    """Of all sources together, and the digest of their tokenizer."""
    whole = hashlib.sha256(f"{tokenizer}\n".encode())
    for name, content in zip(names, contents, strict=True):
        whole.update(f"{name}\0{content.sha256}\n".encode("utf-8", "surrogateescape"))
    return Fingerprint(sum(c.files for c in contents), sum(c.bytes for c in contents), whole.hexdigest())


def amount_of(fingerprint: Mapping[str, Any]) -> str:
    """How much data that is, of a fingerprint as JSON: of files, or of the user's own samples."""
    if "files" in fingerprint:
        return f"{fingerprint['files']:,} files of {fingerprint['bytes']:,} bytes"
    return f"{fingerprint['samples']:,} samples and {fingerprint['held_out']:,} held out"


def changed_since(step: int, then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What to say when the data is not what the checkpoint of ``step`` was trained on (fingerprints as JSON)."""
    before, after = amount_of(then), amount_of(now)
    other = ", with other content" if before == after else ""
    return f"the data changed since step {step:,} was saved: {before} then, {after} now{other}"


def changed(what: str) -> Failure:
    """The end of a run whose data changed, ``what`` being ``changed_since``."""
    return Failure(NO_INPUT, f"{what}; restore it, or start over in a new run directory")


def digest_of(path: Path) -> str:
    """sha256 of a file. Raises ``Failure`` when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from None


def check_unchanged(file: Found) -> None:
    """Raise ``Failure`` when the file is no longer what it was when it was found."""
    if _found(file.name, file.path) != file:
        raise Failure(NO_INPUT, f"{file.path} changed while it was read; start again once nothing writes to it")


def _digest(file: Found) -> str:
    return digest_of(file.path)


def _remembered(file: Found, known: Mapping[str, Any]) -> str | None:
    size, stamp, digest = known.get(str(file.path), (None, None, None))
    return digest if (size, stamp) == (file.size, file.stamp) else None


def _changed_at(file: Found) -> int:
    return max(int(part) for part in file.stamp.split(":")[:2])


def _unreadable(path: Path, error: OSError) -> Failure:
    return Failure(NO_INPUT, f"{path} cannot be read: {error.strerror}")
