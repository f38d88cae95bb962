"""Sources, tokenizers and the records that tests of reading data are about."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

TEXTS = (
    "The rank waits for its peers.",
    "Gradients flow, é and ü too.",
    "a b c",
    "Loss falls. " * 40,
    "日本語のテキスト",
)


def place(path: Path) -> Any:
    return SimpleNamespace(base="absolute", name="", path=str(path))


def source(path: Path, kind: str = "text", **said: Any) -> Any:
    """A source of the plan; what is not said is the schema's default."""
    include = {"text": ("*.txt",), "huggingface": ("*",), "jsonl": ("*.jsonl", "*.jsonl.gz")}.get(kind, (f"*.{kind}",))
    defaults = {"name": "a", "include": include, "exclude": (), "field": "text", "dataset_split": "train"}
    formats = {"format": "text", "prompt_field": "prompt", "completion_field": "completion"}
    rest = {"messages_field": "messages", "split": "train"}
    return SimpleNamespace(path=place(path), kind=kind, **defaults | formats | rest | said)


def tokenizer(kind: str = "bytes", path: Path | None = None, end_token: str = "", pad_token: str = "") -> Any:
    return SimpleNamespace(kind=kind, path=place(path or Path()), end_token=end_token, pad_token=pad_token)


def data(*sources: Any, said: Any = None, max_bad_records: int = 0, streaming: bool = False) -> Any:
    return SimpleNamespace(
        sources=sources,
        tokenizer=said or tokenizer(),
        max_bad_records=max_bad_records,
        chat_template="",
        streaming=SimpleNamespace(enabled=streaming),
    )


def write_lines(path: Path, *records: object) -> Path:
    """JSON Lines; what is bytes is written as it is."""
    lines = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def write_tokenizer(path: Path, *special: str) -> Path:
    """A small BPE tokenizer.json."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=list(special), initial_alphabet=alphabet)
    made.train_from_iterator(TEXTS, trainer)
    made.save(str(path))
    return path


def never(*_: object, **__: object) -> bool:
    return False
