"""Tokenizers of the packages tokenizers and transformers, from local files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cfgc_runtime.data.tokenizers import Vocabulary, check_unicode, no_library
from cfgc_runtime.errors import NO_INPUT, Failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cfgc_runtime.data import config

_ENDS = (
    "</s>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<eos>",
    "<|eos|>",
    "[EOS]",
    "<end_of_text>",
    "<｜end▁of▁sentence｜>",
)
_PADS = ("<pad>", "[PAD]", "<|pad|>", "<|padding|>", "<|finetune_right_pad_id|>")
"""What a tokenizer.json may call them: it does not say itself."""


@dataclass(frozen=True)
class _OfALibrary:
    """What both libraries' tokenizers have: ``raw`` is theirs."""

    raw: Any
    vocabulary: Vocabulary
    chat_template: str
    special_tokens: Mapping[str, str]

    @property
    def end(self) -> int:
        """Ends a document."""
        return self.vocabulary.end

    def check(self, text: str) -> None:
        """Raise ``BadRecordError`` when ``text`` is no Unicode."""
        check_unicode(text)


@dataclass(frozen=True)
class JsonTokenizer(_OfALibrary):
    """A tokenizer.json. ``raw`` is a tokenizers.Tokenizer."""

    def encode(self, text: str) -> list[int]:
        """Ids without special tokens around them."""
        self.check(text)
        return list(self.raw.encode(text, add_special_tokens=False).ids)

    def encode_batch(self, texts: Sequence[str]) -> list[NDArray[Any]]:
        """In the library's threads."""
        found = self.raw.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(one.ids, dtype=np.uint32) for one in found]

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """As the library says."""
        self.check(text)
        found = self.raw.encode(text, add_special_tokens=False)
        return list(found.ids), list(found.offsets)

    def decode(self, tokens: Sequence[int]) -> str:
        """With special tokens."""
        return str(self.raw.decode(list(tokens), skip_special_tokens=False))


@dataclass(frozen=True)
class PretrainedTokenizer(_OfALibrary):
    """Whatever AutoTokenizer loads; ``raw`` is that."""

    def encode(self, text: str) -> list[int]:
        """Ids without special tokens around them."""
        self.check(text)
        return list(self._call([text])["input_ids"][0])

    def encode_batch(self, texts: Sequence[str]) -> list[NDArray[Any]]:
        """In the library's threads, where it has them."""
        return [np.array(ids, dtype=np.uint32) for ids in self._call(list(texts))["input_ids"]]

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Raises ``Failure`` for a tokenizer that does not know them."""
        if not self.raw.is_fast:
            raise Failure(
                NO_INPUT,
                f"the tokenizer {type(self.raw).__name__} does not say which characters a token stands for, which chat "
                "data needs; convert it to a tokenizer.json",
            )
        self.check(text)
        found = self._call([text], return_offsets_mapping=True)
        return list(found["input_ids"][0]), [tuple(place) for place in found["offset_mapping"][0]]

    def decode(self, tokens: Sequence[int]) -> str:
        """With special tokens."""
        return str(self.raw.decode(list(tokens), skip_special_tokens=False))

    def _call(self, texts: list[str], **options: bool) -> Any:  # transformers.BatchEncoding
        plain = {"add_special_tokens": False, "return_attention_mask": False, "verbose": False}
        return self.raw(texts, **plain, **options)


def load_json(root: Path, said: config.Tokenizer, digest: str) -> JsonTokenizer:
    """Read tokenizer.json. Raises ``Failure``."""
    try:
        import tokenizers
    except ImportError as error:
        raise no_library("tokenizers", error) from None
    path = root / "tokenizer.json" if root.is_dir() else root
    try:
        raw: Any = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise Failure(NO_INPUT, f"{path} is no tokenizer.json: {error}") from None
    raw.no_truncation()
    raw.no_padding()
    known = raw.get_vocab(with_added_tokens=True)
    end = _chosen(said.end_token, "end_token", known, _ENDS, path)
    pad = _chosen(said.pad_token, "pad_token", known, (*_PADS, end), path)
    size = max(known.values()) + 1
    names = {"eos_token": end, "pad_token": pad}
    vocabulary = Vocabulary(said.kind, digest, size, known[end], known[pad], said.end_token, said.pad_token)
    return JsonTokenizer(raw, vocabulary, "", names)


def load_pretrained(root: Path, said: config.Tokenizer, digest: str) -> PretrainedTokenizer:
    """Read a directory with AutoTokenizer. Raises ``Failure``."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise no_library("transformers", error) from None
    try:
        raw: Any = AutoTokenizer.from_pretrained(str(root), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # whatever the tokenizer's own class raises
        raise Failure(NO_INPUT, f"transformers cannot load the tokenizer in {root}: {error}") from None
    known = raw.get_vocab()
    end = _chosen(said.end_token, "end_token", known, _named(raw.eos_token), root)
    pad = _chosen(said.pad_token, "pad_token", known, (*_named(raw.pad_token), end), root)
    size = max(known.values()) + 1
    vocabulary = Vocabulary(said.kind, digest, size, known[end], known[pad], said.end_token, said.pad_token)
    names = {name: text for name, text in raw.special_tokens_map.items() if isinstance(text, str)}
    template = raw.chat_template if isinstance(raw.chat_template, str) else ""
    return PretrainedTokenizer(raw, vocabulary, template, {**names, "eos_token": end, "pad_token": pad})


def _named(token: str | None) -> tuple[str, ...]:
    return (token,) if token else ()


def _chosen(said: str, key: str, known: Mapping[str, int], usual: Sequence[str], where: Path) -> str:
    """The token that the spec names, else the first of ``usual`` that there is. Raises ``Failure``."""
    if said:
        if said not in known:
            raise Failure(NO_INPUT, f"data.tokenizer.{key}: {where} has no token `{said}`")
        return said
    found = next((token for token in usual if token in known), None)
    if found is None:
        raise Failure(
            NO_INPUT,
            f'{where} does not say which token ends a document; name it: `{key} = "…"` under [data.tokenizer]',
        )
    return found
