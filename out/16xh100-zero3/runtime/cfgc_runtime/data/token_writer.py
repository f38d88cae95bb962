"""Writes a token file. Killed at any moment, it goes on from its last commit, and the file comes out the same."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from cfgc_runtime.data.records import Position
from cfgc_runtime.data.token_file import MAGIC, PREAMBLE, Header
from cfgc_runtime.errors import NO_INPUT, Failure
from cfgc_runtime.rundir import sync_directory, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

PARTIAL = ".partial"
_BLOCK = 1 << 24


@dataclass(frozen=True)
class Progress:
    """What is safely on the disk: records up to ``position``, and what they came to."""

    position: Position = field(default_factory=Position)
    tokens: int = 0
    documents: int = 0
    bad_records: int = 0


class TokenWriter:
    """Appends documents to ``path``.partial, and makes ``path`` of it in the end.

    ``wanted`` says what the tokens are made of and how; what an earlier writer left behind is used if it wanted the
    same. ``progress`` is where to go on.
    """

    def __init__(self, path: Path, dtype: str, masked: bool, wanted: Mapping[str, Any]) -> None:
        self.path, self._dtype, self._masked = path, np.dtype(dtype), masked
        self._wanted = {**wanted, "dtype": dtype, "trained": masked, "version": MAGIC[-1]}
        self._partial = path.with_name(path.name + PARTIAL)
        self._partial.mkdir(parents=True, exist_ok=True)
        self._lock = self._take()
        self.progress = self._recover()
        self._tokens = self._open("tokens", PREAMBLE.size + self.progress.tokens * self._dtype.itemsize)
        self._starts = self._open("starts", self.progress.documents * 8)
        self._trained = self._open("trained", self.progress.tokens if masked else 0)
        self._written = self.progress.tokens

    def add(self, documents: Sequence[NDArray[Any]], trained: Sequence[NDArray[np.bool_]] | None = None) -> None:
        """Append documents; ``trained`` has a mask for each, and is there if and only if the file is masked."""
        if not documents:
            return
        lengths = np.array([len(document) for document in documents], dtype=np.uint64)
        starts = np.cumsum(lengths) - lengths + np.uint64(self._written)
        self._starts.write(starts.astype("<u8").tobytes())
        joined = documents[0] if len(documents) == 1 else np.concatenate(documents)
        self._tokens.write(joined.astype(self._dtype, copy=False).data)
        if trained is not None:
            self._trained.write(np.concatenate(trained).astype(np.uint8).tobytes())
        self._written += int(lengths.sum())
        self.progress = Progress(
            self.progress.position, self._written, self.progress.documents + len(documents), self.progress.bad_records
        )

    def move_to(self, position: Position, bad_records: int) -> None:
        """Say how far the records have been read."""
        self.progress = Progress(position, self._written, self.progress.documents, bad_records)

    def commit(self) -> None:
        """Make what was added survive a kill."""
        for file in (self._tokens, self._starts, self._trained):
            file.flush()
            os.fsync(file.fileno())
        write_json(self._partial / "progress.json", {"wanted": self._wanted, "progress": asdict(self.progress)})

    def finish(self, tokenizer: Mapping[str, Any]) -> Header:
        """Put the parts together and the file in its place. ``tokenizer`` goes into the header."""
        self.commit()
        self._append_parts()
        self._tokens.flush()
        header = Header(
            dtype=self._wanted["dtype"],
            tokens=self.progress.tokens,
            documents=self.progress.documents,
            trained=self._masked,
            tokenizer=dict(tokenizer),
            sources=self._wanted["sources"],
            encoding=self._wanted["encoding"],
            bad_records=self.progress.bad_records,
            sha256=_digest(self._partial / "tokens"),
        )
        text = json.dumps(asdict(header), sort_keys=True, ensure_ascii=False).encode()
        self._tokens.write(text)
        self._tokens.seek(0)
        self._tokens.write(PREAMBLE.pack(MAGIC, header.ends_at, len(text)))
        self._tokens.flush()
        os.fsync(self._tokens.fileno())
        self.close()
        (self._partial / "tokens").replace(self.path)
        sync_directory(self.path.parent)
        shutil.rmtree(self._partial)
        return header

    def close(self) -> None:
        """Let go of the files; what was committed stays."""
        for file in (self._tokens, self._starts, self._trained, self._lock):
            file.close()

    def _take(self) -> BinaryIO:
        """Be the only writer, where the file system can tell. Raises ``Failure`` when there is another one."""
        lock = (self._partial / "lock").open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise Failure(
                NO_INPUT, f"{self.path} is being packed by another process; wait until it has ended"
            ) from None
        except OSError:  # no locks there
            pass
        return lock

    def _recover(self) -> Progress:
        try:
            found = json.loads((self._partial / "progress.json").read_bytes())
            if found["wanted"] == self._wanted:
                said = found["progress"]
                return Progress(**{**said, "position": Position(**said["position"])})
        except (OSError, ValueError, KeyError, TypeError):
            pass
        for name in ("progress.json", "tokens", "starts", "trained"):
            (self._partial / name).unlink(missing_ok=True)
        return Progress()

    def _open(self, name: str, size: int) -> BinaryIO:
        """The part ``name``, cut or filled to ``size`` bytes, at its end."""
        file = (self._partial / name).open("r+b" if (self._partial / name).exists() else "w+b")
        file.truncate(size)
        file.seek(size)
        return file

    def _append_parts(self) -> None:
        """Behind the tokens: the starts with the end, and the mask, eight tokens a byte."""
        self._tokens.write(bytes(-self._tokens.tell() % 8))
        self._starts.seek(0)
        shutil.copyfileobj(self._starts, self._tokens, _BLOCK)
        self._tokens.write(np.array([self.progress.tokens], dtype="<u8").tobytes())
        self._trained.seek(0)
        while block := self._trained.read(_BLOCK):  # a multiple of 8, but for the last one
            self._tokens.write(np.packbits(np.frombuffer(block, dtype=np.uint8), bitorder="little").tobytes())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(PREAMBLE.size)
        return hashlib.file_digest(file, "sha256").hexdigest()
