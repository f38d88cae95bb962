"""What a run trains on: token files, packed by rank 0 where the sources are something else."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfgc_runtime.data.token_file import TokenFile
    from cfgc_runtime.data.tokenizers import Vocabulary


@dataclass(frozen=True)
class Fingerprint:
    """What was read. ``sha256`` covers the tokenizer and every file's source, path and content, in order."""

    files: int
    bytes: int
    sha256: str

    def as_json(self) -> dict[str, int | str]:
        """For a checkpoint and for comparing between ranks."""
        return asdict(self)


@dataclass(frozen=True)
class Prepared:
    """``sources`` holds the token files of each source, in the order of the spec; none of them when streaming."""

    sources: tuple[tuple[TokenFile, ...], ...]
    fingerprint: Fingerprint
    vocabulary: Vocabulary
