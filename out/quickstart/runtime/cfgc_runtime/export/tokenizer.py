"""The run's tokenizer beside exported weights, in the files that transformers reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cfgc_runtime.data.tokenizers import load_tokenizer
from cfgc_runtime.errors import Failure
from cfgc_runtime.rundir import write_json

if TYPE_CHECKING:
    from pathlib import Path

    from cfgc_runtime.config import Config


@dataclass(frozen=True)
class Exported:
    """``end`` is the token that ends a document, None when nobody knows; ``note`` says why there are no files."""

    end: int | None
    note: str


def write_tokenizer(directory: Path, config: Config) -> Exported:
    """Write the tokenizer's files. One that is not on this machine is a note, since weights are of use without it."""
    said = config.DATA.tokenizer
    try:
        tokenizer: Any = load_tokenizer(said)
    except Failure as failure:
        return Exported(None, f"without tokenizer files ({failure})")
    if said.kind == "bytes":
        return Exported(tokenizer.end, "tokens are bytes, which have no tokenizer files")
    if said.kind == "transformers":
        tokenizer.raw.save_pretrained(directory)
        return Exported(tokenizer.end, "")
    tokenizer.raw.save(str(directory / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": tokenizer.raw.id_to_token(tokenizer.end),
        "pad_token": tokenizer.raw.id_to_token(tokenizer.vocabulary.pad),
    }
    template = {"chat_template": tokenizer.chat_template} if tokenizer.chat_template else {}
    write_json(directory / "tokenizer_config.json", {**settings, **template})
    return Exported(tokenizer.end, "")
