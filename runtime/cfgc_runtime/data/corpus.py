"""Text files as one stream of byte tokens: 0–255 are the bytes, 256 ends each file."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from cfgc_runtime.errors import NO_INPUT, Failure
from cfgc_runtime.rundir import expand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cfgc_runtime.config import Data, Source

END_OF_TEXT = 256
VOCABULARY = 257


@dataclass(frozen=True)
class Fingerprint:
    """What was read. ``sha256`` covers every file's source, path and content, in order."""

    files: int
    bytes: int
    sha256: str

    def as_json(self) -> dict[str, int | str]:
        """For a checkpoint and for comparing between ranks."""
        return asdict(self)


@dataclass(frozen=True)
class Corpus:
    """``tokens`` is one-dimensional int16, all files one after the other."""

    tokens: torch.Tensor
    fingerprint: Fingerprint


def load_corpus(data: Data) -> Corpus:
    """Read all sources, in the order of the spec, files sorted by path. Raises ``Failure`` that names the file."""
    digest = hashlib.sha256()
    pieces: list[torch.Tensor] = []
    size = 0
    end = torch.tensor([END_OF_TEXT], dtype=torch.int16)
    for source in data.sources:
        for name, path in _files(source):
            content = _read(path)
            digest.update(f"{source.name}\0{name}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
            digest.update(content)
            size += len(content)
            if content:
                pieces.append(torch.frombuffer(bytearray(content), dtype=torch.uint8).to(torch.int16))
            pieces.append(end)
    files = sum(piece is end for piece in pieces)
    return Corpus(torch.cat(pieces), Fingerprint(files, size, digest.hexdigest()))


def _files(source: Source) -> list[tuple[str, Path]]:
    """The source's files as (posix path below it, path), sorted. Raises ``Failure`` when there are none."""
    root = expand(source.path)
    if not root.is_dir():
        raise Failure(NO_INPUT, f"data source `{source.name}`: {root} is not a directory on this machine")
    found = sorted(_walk(root, root, source))
    if not found:
        patterns = ", ".join(source.include)
        raise Failure(NO_INPUT, f"data source `{source.name}`: no file below {root} matches {patterns}")
    return found


def _walk(root: Path, directory: Path, source: Source) -> Iterator[tuple[str, Path]]:
    try:
        entries = list(os.scandir(directory))
    except OSError as error:
        raise Failure(NO_INPUT, f"{directory} cannot be listed: {error.strerror}") from None
    for entry in entries:
        path = Path(entry.path)
        name = path.relative_to(root).as_posix()
        if entry.is_dir(follow_symlinks=False):
            if not _is_excluded_whole(name, source):
                yield from _walk(root, path, source)
        elif _matches(name, source.include) and not _matches(name, source.exclude) and entry.is_file():
            yield name, path


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_excluded_whole(name: str, source: Source) -> bool:
    """A pattern that ends in ``*`` and matches ``dir/`` matches everything below it, so it need not be listed."""
    return any(fnmatchcase(name + "/", pattern) for pattern in source.exclude if pattern.endswith("*"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure(NO_INPUT, f"{path} cannot be read: {error.strerror}") from None
