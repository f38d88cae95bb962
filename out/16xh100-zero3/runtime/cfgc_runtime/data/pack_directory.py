"""Packs the sources of a spec to token files of their own, for many runs to use. Needs no torch."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfgc_runtime.data.files import list_files, read_contents
from cfgc_runtime.data.packing import Order, pack, packed
from cfgc_runtime.data.prepare import slug
from cfgc_runtime.data.records import BadRecords
from cfgc_runtime.data.token_file import SUFFIX
from cfgc_runtime.data.tokenizers import load_tokenizer, tokenizer_digest
from cfgc_runtime.errors import NO_INPUT, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cfgc_runtime.data.config import Data
    from cfgc_runtime.data.packing import Watcher
    from cfgc_runtime.data.token_file import Header
    from cfgc_runtime.data.tokenizers import Tokenizer


@dataclass(frozen=True)
class PackedSource:
    """One source as a token file; ``seconds`` 0 when it was there already. ``log`` names its bad records."""

    name: str
    path: Path
    log: Path
    header: Header
    seconds: float


def pack_directory(data: Data, directory: Path, watch: Watcher) -> Iterator[PackedSource]:
    """Pack each source of ``data`` that is no token file yet into ``directory``, on from where it was stopped.

    Raises ``Failure`` when data cannot be used, or a file is in the way that was packed from something else.
    """
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer(data.tokenizer)
    before = 0
    for order in _orders(data, directory, tokenizer_digest(data.tokenizer), watch):
        found = _pack(order, tokenizer, BadRecords(data.max_bad_records, order.log, before), watch)
        before += found.header.bad_records
        yield found


def _orders(data: Data, directory: Path, digest: str, watch: Watcher) -> Iterator[Order]:
    names: set[str] = set()
    for source in data.sources:
        name, again = slug(source.name), 1
        while name in names:
            again += 1
            name = f"{slug(source.name)}-{again}"
        names.add(name)
        if source.kind == "tokens":
            continue
        found = list_files(source)
        watch(source.name, 0, sum(file.size for file in found), 0)
        contents = read_contents(found, {}, 0)
        yield Order(source, found, contents, directory / f"{name}{SUFFIX}", digest, data.chat_template)


def _pack(order: Order, tokenizer: Tokenizer, bad: BadRecords, watch: Watcher) -> PackedSource:
    name, started = order.source.name, time.monotonic()
    if file := packed(order):
        return PackedSource(name, order.target, order.log, file.header, 0.0)
    if order.target.exists():
        raise Failure(
            NO_INPUT,
            f"{order.target} is there already, and was packed from other files, with another tokenizer or in another "
            "way; delete it, or choose another directory",
        )
    header = pack(order, tokenizer, bad, watch)
    return PackedSource(name, order.target, order.log, header, time.monotonic() - started)
