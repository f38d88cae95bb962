"""Text to token ids and back. A tokenizer's library is imported only when a run uses it.

Only files of this machine are read, never a hub.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from cfgc_runtime.data.files import digest_of
from cfgc_runtime.data.records import BadRecordError
from cfgc_runtime.errors import NO_INPUT, WRONG_WORLD, Failure
from cfgc_runtime.rundir import expand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cfgc_runtime.data import config

BYTES_END = 256
BYTES_VOCABULARY = 257

_PARTS = (
    *("tokenizer*", "vocab*", "merges.txt", "*.model", "*.tiktoken", "special_tokens_map.json", "added_tokens.json"),
    *("chat_template*", "config.json"),
)
"""Files of a directory that make up its tokenizer; weights may lie beside them."""


@dataclass(frozen=True)
class Vocabulary:
    """What is known of a tokenizer without its library: ``size`` ids, the one that ends a document, and padding.

    ``kind`` and ``digest`` (sha256 of its files and of the tokens that the spec names) tell tokenizers apart;
    ``end_token`` and ``pad_token`` are those that the spec names.
    """

    kind: str
    digest: str
    size: int
    end: int
    pad: int
    end_token: str = ""
    pad_token: str = ""


class Tokenizer(Protocol):
    """Text to token ids. ``chat_template`` is the tokenizer's own Jinja template, empty when it has none."""

    @property
    def vocabulary(self) -> Vocabulary:
        """What it is, and which ids it has."""
        ...

    @property
    def chat_template(self) -> str:
        """Jinja, as the tokenizer's authors wrote it."""
        ...

    @property
    def special_tokens(self) -> Mapping[str, str]:
        """``bos_token`` and the like, for chat templates."""
        ...

    @property
    def end(self) -> int:
        """Ends a document."""
        ...

    def check(self, text: str) -> None:
        """Raise ``BadRecordError`` when ``text`` is not one that can be encoded."""
        ...

    def encode(self, text: str) -> list[int]:
        """Ids of ``text``, without anything in front or behind. Raises ``BadRecordError``."""
        ...

    def encode_batch(self, texts: Sequence[str]) -> list[NDArray[Any]]:
        """The same for many texts that were checked, in parallel where the library can."""
        ...

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids, and the (start, stop) characters of each."""
        ...

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of ``tokens``."""
        ...


@dataclass(frozen=True)
class ByteTokenizer:
    """UTF-8 bytes, and 256 for the end of a text. Bytes of files that are no UTF-8 stay what they are."""

    vocabulary: Vocabulary
    chat_template: str = ""
    special_tokens: Mapping[str, str] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """256."""
        return BYTES_END

    def check(self, text: str) -> None:
        """Raise ``BadRecordError`` for half a character, which no bytes stand for."""
        _bytes_of(text)

    def encode(self, text: str) -> list[int]:
        """The bytes."""
        return list(_bytes_of(text))

    def encode_batch(self, texts: Sequence[str]) -> list[NDArray[Any]]:
        """The bytes, without a step of Python for each."""
        return [np.frombuffer(_bytes_of(text), dtype=np.uint8) for text in texts]

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """The bytes of each character have its place."""
        places = [(at, at + 1) for at, character in enumerate(text) for _ in self.encode(character)]
        return self.encode(text), places

    def decode(self, tokens: Sequence[int]) -> str:
        """The text; the end of one is shown as ``<end>``."""
        pieces = bytes(min(token, 255) for token in tokens if token != BYTES_END)
        return pieces.decode("utf-8", "replace") + "<end>" * sum(token == BYTES_END for token in tokens)


def tokenizer_digest(said: config.Tokenizer) -> str:
    """sha256 of the tokenizer's files and of the tokens named. Raises ``Failure`` when a file is missing."""
    digest = hashlib.sha256(f"{said.kind}\0{said.end_token}\0{said.pad_token}\n".encode())
    if said.kind != "bytes":
        for path in _files(said):
            digest.update(f"{path.name}\0{digest_of(path)}\n".encode())
    return digest.hexdigest()


def load_tokenizer(said: config.Tokenizer) -> Tokenizer:
    """The tokenizer of the plan. Raises ``Failure`` when files, its library or its end token are missing."""
    if said.kind == "bytes":
        return byte_tokenizer(tokenizer_digest(said))
    from cfgc_runtime.data.library_tokenizers import load_json, load_pretrained

    load = load_json if said.kind == "tokenizers" else load_pretrained
    return load(tokenizer_root(said), said, tokenizer_digest(said))


def byte_tokenizer(digest: str) -> ByteTokenizer:
    """The tokenizer without files."""
    return ByteTokenizer(Vocabulary("bytes", digest, BYTES_VOCABULARY, BYTES_END, BYTES_END))


def check_vocabulary(vocabulary: Vocabulary, vocab_size: int) -> None:
    """Raise ``Failure`` when the model has fewer ids than the tokens (0: it is not known)."""
    if 0 < vocab_size < vocabulary.size:
        raise Failure(
            NO_INPUT,
            f"the tokenizer has {vocabulary.size:,} tokens and the model {vocab_size:,}: write `vocab_size = "
            f"{(vocabulary.size + 63) // 64 * 64}` under [model] (the next multiple of 64), and build again",
        )


def no_library(name: str, error: ImportError) -> Failure:
    """What to install."""
    install = f"{sys.executable} -m pip install {name}"
    return Failure(WRONG_WORLD, f"this run needs the package {name} on the node ({error}); install it: {install}")


def tokenizer_root(said: config.Tokenizer) -> Path:
    """Where the tokenizer is on this machine."""
    return expand(said.path)


def _files(said: config.Tokenizer) -> list[Path]:
    root = tokenizer_root(said)
    if said.kind == "tokenizers":
        path = root / "tokenizer.json" if root.is_dir() else root
        if not path.is_file():
            raise Failure(NO_INPUT, f"data.tokenizer: there is no {path} on this machine")
        return [path]
    if not root.is_dir():
        raise Failure(NO_INPUT, f"data.tokenizer: {root} is not a directory on this machine")
    found = sorted(
        path for path in root.iterdir() if path.is_file() and any(fnmatchcase(path.name, part) for part in _PARTS)
    )
    if not any(path.name != "config.json" for path in found):
        raise Failure(NO_INPUT, f"data.tokenizer: {root} holds no tokenizer (tokenizer.json, tokenizer.model, …)")
    return found


def _bytes_of(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise _not_unicode(error) from None


def _not_unicode(error: UnicodeEncodeError) -> BadRecordError:
    return BadRecordError(f"it is not Unicode at character {error.start}")


def check_unicode(text: str) -> None:
    """Raise ``BadRecordError`` when ``text`` has bytes that were not UTF-8, or half a character."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise _not_unicode(error) from None
