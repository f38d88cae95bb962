"""Token files: a tokenised source, written once and mapped into memory.

Layout, little-endian throughout:

    0    8 bytes   ``cfgctok`` and the version of the format, 1
    8    uint64    where the header begins; 0 while the file is being written
    16   uint64    length of the header in bytes
    24   40 bytes  zeros
    64   tokens    ``tokens`` × uint16 or uint32, all documents one after the other
         starts    (``documents`` + 1) × uint64, from the next multiple of 8: where each document starts, and the end
         trained   only when the header says so: a bit a token, the lowest bit of a byte first, 1 when it is trained on
         header    JSON, UTF-8, to the end of the file
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cfgc_runtime.errors import NO_INPUT, Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MAGIC: Final = b"cfgctok\x01"
PREAMBLE: Final = struct.Struct("<8sQQ40x")
SUFFIX: Final = ".tokens"
_BLOCK: Final = 1 << 24


@dataclass(frozen=True)
class Header:
    """``sources`` says what was read: files, bytes, sha256. ``sha256`` is of tokens, starts and trained, in a row."""

    dtype: str
    tokens: int
    documents: int
    trained: bool
    tokenizer: dict[str, Any]
    sources: dict[str, Any]
    encoding: dict[str, Any]
    bad_records: int
    sha256: str

    @property
    def width(self) -> int:
        """Bytes of a token."""
        return np.dtype(self.dtype).itemsize

    @property
    def starts_at(self) -> int:
        """Where the starts begin."""
        return (PREAMBLE.size + self.tokens * self.width + 7) // 8 * 8

    @property
    def trained_at(self) -> int:
        """Where the trained bits begin, or would."""
        return self.starts_at + (self.documents + 1) * 8

    @property
    def ends_at(self) -> int:
        """Where the header begins."""
        return self.trained_at + ((self.tokens + 7) // 8 if self.trained else 0)


@dataclass(frozen=True)
class TokenFile:
    """A token file, mapped: nothing is read before it is used.

    ``tokens`` [tokens] uint16 or uint32; ``starts`` [documents + 1] uint64; ``trained`` [ceil(tokens / 8)] uint8 bits,
    None when every token is trained on.
    """

    path: Path
    header: Header
    tokens: NDArray[Any]
    starts: NDArray[np.uint64]
    trained: NDArray[np.uint8] | None

    def __reduce__(self) -> tuple[Callable[[Path], TokenFile], tuple[Path]]:
        """Another process maps the file itself, rather than being sent the tokens."""
        return open_token_file, (self.path,)

    def mask(self, start: int, stop: int) -> NDArray[np.bool_]:
        """Whether each of the tokens from ``start`` to ``stop`` is trained on."""
        if self.trained is None:
            return np.ones(stop - start, dtype=np.bool_)
        bits = np.unpackbits(self.trained[start // 8 : (stop + 7) // 8], bitorder="little")
        return bits[start % 8 : start % 8 + stop - start].astype(np.bool_)

    def verify(self) -> None:
        """Read everything and compare the checksum. Raises ``Failure`` when the file is damaged."""
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            file.seek(PREAMBLE.size)
            left = self.header.ends_at - PREAMBLE.size
            while left and (block := file.read(min(_BLOCK, left))):
                digest.update(block)
                left -= len(block)
        if digest.hexdigest() != self.header.sha256:
            raise _damaged(self.path, "its content is not what was written (sha256 differs)")


def open_token_file(path: Path) -> TokenFile:
    """Map the token file at ``path``. Raises ``Failure`` when it is none, or was cut off or not finished."""
    try:
        header = read_header(path)
        return TokenFile(
            path,
            header,
            _map(path, header.dtype, PREAMBLE.size, header.tokens),
            _map(path, "<u8", header.starts_at, header.documents + 1),
            _map(path, "u1", header.trained_at, (header.tokens + 7) // 8) if header.trained else None,
        )
    except OSError as error:
        raise Failure(NO_INPUT, f"{path} cannot be read: {error.strerror}") from None


def read_header(path: Path) -> Header:
    """The header alone, checked against the file's size. Raises ``Failure`` as above, and OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(PREAMBLE.size)
        if len(start) < PREAMBLE.size or start[:7] != MAGIC[:7]:
            raise Failure(NO_INPUT, f"{path} is no token file; `cfgc data pack` makes them")
        magic, begins, length = PREAMBLE.unpack(start)
        if magic != MAGIC:
            raise Failure(NO_INPUT, f"{path} is a token file of version {magic[7]}, this runtime reads {MAGIC[7]}")
        if not begins or begins + length != size:
            raise _damaged(path, f"{size:,} bytes instead of {begins + length:,}" if begins else "it was not finished")
        file.seek(begins)
        text = file.read(length)
    try:
        said = json.loads(text)
        header = Header(**{name: said[name] for name in Header.__annotations__})
        ends_at = header.ends_at
    except (ValueError, KeyError, TypeError):
        raise _damaged(path, "its header cannot be read") from None
    if ends_at != begins:
        raise _damaged(path, "its header does not fit its size")
    return header


def _map(path: Path, dtype: str, offset: int, count: int) -> NDArray[Any]:
    if count == 0:  # an empty part cannot be mapped
        return np.empty(0, dtype=dtype)
    return np.asarray(np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=(count,)))


def _damaged(path: Path, why: str) -> Failure:
    return Failure(NO_INPUT, f"the token file {path} is damaged: {why}; pack it again with `cfgc data pack`")
