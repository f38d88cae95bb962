"""Text to token ids and back. A tokenizer's library is imported only when a run uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

BYTES_END = 256
BYTES_VOCABULARY = 257


@dataclass(frozen=True)
class Vocabulary:
    """What is known of a tokenizer without its library: ``size`` ids, the one that ends a document, and padding.

    ``kind`` and ``digest`` (sha256 of its files) tell tokenizers apart.
    """

    kind: str
    digest: str
    size: int
    end: int
    pad: int


class Tokenizer(Protocol):
    """Text to token ids. ``chat_template`` is the tokenizer's own Jinja template, empty when it has none."""

    vocabulary: Vocabulary
    chat_template: str

    @property
    def vocab_size(self) -> int:
        """Ids are below this."""

    @property
    def end(self) -> int:
        """Ends a document."""

    @property
    def pad(self) -> int:
        """Fills up a sample; the end token where the tokenizer has none of its own."""

    def encode(self, text: str) -> list[int]:
        """Ids of ``text``, without anything in front or behind."""

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """The same for many texts, in parallel where the library can."""

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of ``tokens``."""
