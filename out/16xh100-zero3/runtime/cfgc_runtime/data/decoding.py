"""Token files as text, for people."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from cfgc_runtime.data.tokenizers import byte_tokenizer, load_tokenizer
from cfgc_runtime.errors import NO_INPUT, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cfgc_runtime.data.token_file import Header


def decoder_of(header: Header, files: Path | None) -> Callable[[Sequence[int]], str]:
    """How to show tokens of a file with ``header``: as text where its tokenizer is known, else as numbers.

    ``files`` is the tokenizer that it was packed with. Raises ``Failure`` when it is another one.
    """
    said = header.tokenizer
    if said["kind"] == "bytes":
        return byte_tokenizer(said["digest"]).decode
    if files is None:
        return lambda tokens: " ".join(map(str, tokens)) + " "
    place = SimpleNamespace(base="absolute", name="", path=str(files.absolute()))
    asked: Any = SimpleNamespace(
        kind=said["kind"], path=place, end_token=said["end_token"], pad_token=said["pad_token"]
    )
    tokenizer = load_tokenizer(asked)
    if tokenizer.vocabulary.digest != said["digest"]:
        raise Failure(NO_INPUT, f"{files} is not the tokenizer that the file was packed with (sha256 differs)")
    return tokenizer.decode
