"""Sources become token files: each record is encoded once, whoever trains on it how often."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from cfgc_runtime.data.encode import encode
from cfgc_runtime.data.files import list_files
from cfgc_runtime.data.reading import read_records
from cfgc_runtime.data.records import BadRecordError, BadRecords, text_of
from cfgc_runtime.data.token_file import open_token_file
from cfgc_runtime.data.token_writer import TokenWriter
from cfgc_runtime.data.tokenizers import Vocabulary
from cfgc_runtime.errors import NO_INPUT, PREEMPTED, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cfgc_runtime.data.config import Source
    from cfgc_runtime.data.files import Contents, Found
    from cfgc_runtime.data.records import Record
    from cfgc_runtime.data.token_file import Header, TokenFile
    from cfgc_runtime.data.tokenizers import Tokenizer

_RECORDS, _CHARACTERS = 1024, 1 << 22
"""What is encoded at once, at most: records, and about as many characters."""

_COMMIT_S = 5.0


class Watcher(Protocol):
    """Who is told of the progress, and may ask to stop."""

    def __call__(self, source: str, done: int, total: int, tokens: int) -> bool:
        """``done`` of ``total`` bytes are read, about; True to stop after a commit."""
        ...


@dataclass(frozen=True)
class Order:
    """One source to pack: its files as they were found, what is in them, and where the tokens go."""

    source: Source
    found: tuple[Found, ...]
    contents: Contents
    target: Path
    tokenizer: str
    chat_template: str

    @property
    def wanted(self) -> dict[str, Any]:
        """What the token file depends on; two orders that want the same give the same bytes."""
        return {"sources": self._sources, "encoding": self._encoding, "tokenizer": self.tokenizer}

    @property
    def log(self) -> Path:
        """Where bad records are named."""
        return self.target.with_name(self.target.name.removesuffix(".tokens") + ".bad-records.log")

    @property
    def _sources(self) -> dict[str, Any]:
        return {"name": self.source.name, "kind": self.source.kind, **self.contents.as_json()}

    @property
    def _encoding(self) -> dict[str, str]:
        source = self.source
        fields = {
            "text": {"field": source.field},
            "prompt": {"prompt_field": source.prompt_field, "completion_field": source.completion_field},
            "chat": {"messages_field": source.messages_field, "chat_template": self.chat_template},
        }
        split = {"dataset_split": source.dataset_split} if source.kind == "huggingface" else {}
        return {"format": source.format, **fields[source.format], **split}


def packed(order: Order) -> TokenFile | None:
    """The token file of ``order``, when it is there and was made of the same in the same way."""
    if not order.target.exists():
        return None
    try:
        file = open_token_file(order.target)
    except Failure:  # damaged: it is packed again
        return None
    said = file.header
    found = {"sources": said.sources, "encoding": said.encoding, "tokenizer": said.tokenizer["digest"]}
    return file if found == order.wanted else None


def pack(order: Order, tokenizer: Tokenizer, bad: BadRecords, watch: Watcher) -> Header:
    """Encode the source of ``order``, on from where an earlier attempt was stopped.

    Raises ``Failure`` for data that cannot be used, and 75 when ``watch`` asked to stop.
    """
    writer = TokenWriter(order.target, _dtype(tokenizer.vocabulary.size), order.source.format != "text", order.wanted)
    try:
        bad.rewind(writer.progress.bad_records)
        _write_all(order, tokenizer, bad, watch, writer)
        if list_files(order.source) != order.found:
            raise Failure(NO_INPUT, f"data source `{order.source.name}` changed while it was read; start again")
        if writer.progress.documents == 0:
            raise Failure(NO_INPUT, f"data source `{order.source.name}` holds no record that can be used")
        return writer.finish({**asdict(tokenizer.vocabulary), "special_tokens": dict(tokenizer.special_tokens)})
    finally:
        writer.close()


def _write_all(order: Order, tokenizer: Tokenizer, bad: BadRecords, watch: Watcher, writer: TokenWriter) -> None:
    records = read_records(order.source, writer.progress.position)
    committed = time.monotonic()
    before = list(accumulate((file.size for file in order.found), initial=0))
    for batch in _batches(records, order.source):
        documents, trained = _encode(batch, order, tokenizer, bad)
        writer.add(documents, trained)
        last = batch[-1]
        writer.move_to(last.after, bad.count)
        stop = watch(order.source.name, before[last.after.file] + last.read, before[-1], writer.progress.tokens)
        if stop or time.monotonic() - committed > _COMMIT_S:
            writer.commit()
            committed = time.monotonic()
        if stop:
            raise Failure(PREEMPTED, f"stopped while packing `{order.source.name}` as asked; start again to go on")


def _batches(records: Iterator[Record], source: Source) -> Iterator[list[Record]]:
    """Records in batches that end at the same ones, wherever reading began."""
    while batch := list(islice(records, 1)):
        size = _size(batch[0], source)
        while len(batch) < _RECORDS and size < _CHARACTERS and (more := list(islice(records, 1))):
            batch += more
            size += _size(more[0], source)
        yield batch


def _size(record: Record, source: Source) -> int:
    text = record.fields.get(source.field)
    return len(text) if isinstance(text, str) else 1024


def _encode(
    batch: Sequence[Record], order: Order, tokenizer: Tokenizer, bad: BadRecords
) -> tuple[list[NDArray[Any]], list[NDArray[np.bool_]] | None]:
    if order.source.format == "text":
        return _encode_texts(batch, order.source, tokenizer, bad), None
    documents: list[NDArray[Any]] = []
    trained: list[NDArray[np.bool_]] = []
    for record in batch:
        try:
            found = encode(record, order.source, tokenizer, order.chat_template)
        except BadRecordError as error:
            bad.add(record.place, str(error))
        else:
            documents.append(np.array(found.tokens, dtype=np.uint32))
            trained.append(np.array(found.trained, dtype=np.bool_))
    return documents, trained


def _encode_texts(batch: Sequence[Record], source: Source, tokenizer: Tokenizer, bad: BadRecords) -> list[NDArray[Any]]:
    """The same documents as ``encode`` makes one by one, all at once."""
    texts: list[str] = []
    for record in batch:
        try:
            text = text_of(record, source.field, may_be_empty=source.kind == "text")
            tokenizer.check(text)
        except BadRecordError as error:
            bad.add(record.place, str(error))
        else:
            texts.append(text)
    end = np.array([tokenizer.end], dtype=np.uint32)
    dtype = _dtype(tokenizer.vocabulary.size)
    return [np.concatenate((found, end), dtype=dtype, casting="unsafe") for found in tokenizer.encode_batch(texts)]


def _dtype(vocabulary: int) -> str:
    return "<u2" if vocabulary <= 1 << 16 else "<u4"


def pack_all(orders: Sequence[Order], tokenizer: Tokenizer, max_bad_records: int, watch: Watcher) -> None:
    """Pack whatever is not there yet, one source after the other."""
    before = 0
    for order in orders:
        found = packed(order)
        bad = BadRecords(max_bad_records, order.log, before)
        before += found.header.bad_records if found else pack(order, tokenizer, bad, watch).bad_records


def vocabulary_of(header: Header) -> Mapping[str, Any]:
    """The tokenizer that a token file was packed with, by the names of ``Vocabulary``."""
    return {name: header.tokenizer[name] for name in Vocabulary.__annotations__}
