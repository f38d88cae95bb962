"""What a run trains on: token files, packed by rank 0 where the sources are something else, and mapped by all ranks.

Packed files stay in the run directory. A later attempt uses them when the sources, the tokenizer and the way of
encoding are still the same; files that have not changed since are not even read again.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cfgc_runtime.attempt import newest_attempt
from cfgc_runtime.data import files
from cfgc_runtime.data.files import Contents, Fingerprint, fingerprint_of, list_contents, list_files
from cfgc_runtime.data.notice import Notice
from cfgc_runtime.data.packing import Order, pack_all, packed, vocabulary_of
from cfgc_runtime.data.token_file import SUFFIX, TokenFile, open_token_file
from cfgc_runtime.data.tokenizers import (
    Vocabulary,
    check_vocabulary,
    load_tokenizer,
    tokenizer_digest,
)
from cfgc_runtime.errors import NO_INPUT, Failure
from cfgc_runtime.rundir import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from cfgc_runtime.config import Config, Data, Source
    from cfgc_runtime.data.packing import Watcher
    from cfgc_runtime.rundir import RunDirectory
    from cfgc_runtime.world import World

__all__ = ["Fingerprint", "Prepared", "prepare", "prepare_sources"]

_NOTICE = "data.json"
_SEEN = "seen.json"
_WAIT_S = 900.0
"""How long rank 0 may be silent: it speaks between files and batches, so a single one has to be read in that time."""


@dataclass(frozen=True)
class Prepared:
    """``sources`` holds the token files of each source, in the order of the spec; none of them when streaming.

    ``bad_records`` is how many records were left out.
    """

    sources: tuple[tuple[TokenFile, ...], ...]
    fingerprint: Fingerprint
    vocabulary: Vocabulary
    bad_records: int = 0


def prepare(
    config: Config, run: RunDirectory, world: World, stop: Callable[[], bool], say: Callable[[str], None]
) -> Prepared:
    """The data of this run, on every rank; rank 0 packs what is not packed yet, the others wait for it.

    Raises ``Failure``: data that is missing, unreadable or bad, a vocabulary that the model lacks, or 75 when stopped.
    """
    data, directory = config.DATA, run.root / "data"
    notice = Notice(newest_attempt(run).path / _NOTICE, _WAIT_S)
    if world.rank == 0:
        try:
            found = _lead(data, directory, notice, stop, say)
        except Failure as failure:
            notice.give_up(failure)
            raise
        notice.publish(found)
    else:
        found = notice.wait(stop)
    prepared = _open(data, directory, found)
    where = (
        "the token files' tokenizer" if _is_packed(data) else f"the tokenizer of data.tokenizer ({data.tokenizer.kind})"
    )
    check_vocabulary(prepared.vocabulary, config.MODEL.vocab_size, where)
    return prepared


def prepare_sources(data: Data, directory: Path, watch: Watcher) -> Prepared:
    """The same for one process, with packed files in ``directory``."""
    return _open(data, directory, _prepare(data, directory, watch))


def _lead(
    data: Data, directory: Path, notice: Notice, stop: Callable[[], bool], say: Callable[[str], None]
) -> Mapping[str, Any]:
    notice.beat()
    started, lines = time.monotonic(), _Lines(say)

    def watch(source: str, done: int, total: int, tokens: int) -> bool:
        notice.beat()
        lines.show(source, done, total, tokens)
        return stop() or notice.is_stop_asked()

    found = _prepare(data, directory, watch)
    if lines.shown:
        say(f"packed the data in {time.monotonic() - started:.0f} s; later starts of this run map it")
    return found


def _prepare(data: Data, directory: Path, watch: Watcher) -> Mapping[str, Any]:
    """Pack; returns what another process needs to map the files."""
    digest = tokenizer_digest(data.tokenizer)
    if data.streaming.enabled:
        vocabulary = load_tokenizer(data.tokenizer).vocabulary
        return {"vocabulary": vars(vocabulary), "packed": {}, "contents": {}, "bad_records": 0}
    own = [source for source in data.sources if source.kind != "tokens"]
    directory.mkdir(parents=True, exist_ok=True)
    orders = _survey(data, own, directory, digest)
    missing = [order for order in orders if packed(order) is None]
    if missing:
        pack_all(orders, load_tokenizer(data.tokenizer), data.max_bad_records, watch)
    _prune(directory, orders)
    opened = [open_token_file(order.target) for order in orders]
    vocabulary = vocabulary_of(opened[0].header) if opened else None
    return {
        "vocabulary": vocabulary and vars(Vocabulary(**vocabulary)),
        "packed": {order.source.name: order.target.name for order in orders},
        "contents": {order.source.name: order.contents.as_json() for order in orders},
        "bad_records": sum(file.header.bad_records for file in opened),
    }


def _survey(data: Data, sources: Sequence[Source], directory: Path, digest: str) -> list[Order]:
    known = _read_seen(directory / _SEEN)
    orders: list[Order] = []
    seen: dict[str, Any] = {}
    for number, source in enumerate(sources):
        found = list_files(source)
        contents = files.read_contents(found, known, time.time_ns())
        seen |= contents.seen
        target = directory / f"{number:03d}-{slug(source.name)}{SUFFIX}"
        orders.append(Order(source, found, contents, target, digest, data.chat_template))
    if orders and seen != known:
        write_json(directory / _SEEN, seen)
    return orders


def slug(name: str) -> str:
    """``name`` as part of a file name."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:40].strip("-") or "source"


def _read_seen(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _prune(directory: Path, orders: Sequence[Order]) -> None:
    """What was packed of sources that are no longer the spec's is only in the way."""
    wanted = {order.target.name for order in orders}
    for path in directory.glob(f"*{SUFFIX}"):
        if path.name not in wanted:
            path.unlink()


def _open(data: Data, directory: Path, found: Mapping[str, Any]) -> Prepared:
    """Map what is packed, and describe all of it, the same on every rank."""
    digest = tokenizer_digest(data.tokenizer)
    opened = [() if data.streaming.enabled else _files_of(source, directory, found) for source in data.sources]
    contents = [_contents_of(data, source, found, mapped) for source, mapped in zip(data.sources, opened, strict=True)]
    headers = [file.header.tokenizer for mapped in opened for file in mapped]
    for source, mapped in zip(data.sources, opened, strict=True):
        for file in mapped:
            if file.header.tokenizer["digest"] != digest:
                raise _other_tokenizer(data, source, file)
    vocabulary = found["vocabulary"] or (vocabulary_of(opened[0][0].header) if headers else {})
    fingerprint = fingerprint_of([source.name for source in data.sources], contents, digest)
    return Prepared(tuple(opened), fingerprint, Vocabulary(**vocabulary), found["bad_records"])


def _files_of(source: Source, directory: Path, found: Mapping[str, Any]) -> tuple[TokenFile, ...]:
    if source.kind == "tokens":
        return tuple(open_token_file(file.path) for file in list_files(source))
    return (open_token_file(directory / found["packed"][source.name]),)


def _contents_of(data: Data, source: Source, found: Mapping[str, Any], mapped: Sequence[TokenFile]) -> Contents:
    if data.streaming.enabled:
        return list_contents(list_files(source))
    if source.kind != "tokens":
        return Contents(**found["contents"][source.name], seen={})
    return files.headers_contents([(file.path.name, file.header.sha256, file.path.stat().st_size) for file in mapped])


def _other_tokenizer(data: Data, source: Source, file: TokenFile) -> Failure:
    said, here = file.header.tokenizer, data.tokenizer
    return Failure(
        NO_INPUT,
        f"data source `{source.name}`: {file.path} was packed with another tokenizer ({said['kind']}, {said['size']:,} "
        f"tokens) than data.tokenizer ({here.kind}{', other files' if said['kind'] == here.kind else ''}); write the "
        "one that it was packed with, or pack it again",
    )


def _is_packed(data: Data) -> bool:
    return all(source.kind == "tokens" for source in data.sources)


@dataclass
class _Lines:
    """A line on the screen every ten seconds."""

    say: Callable[[str], None]
    shown: int = 0

    def __post_init__(self) -> None:
        self._started = self._last = time.monotonic()

    def show(self, source: str, done: int, total: int, tokens: int) -> None:
        now = time.monotonic()
        if now - self._last < (2 if not self.shown else 10):
            return
        self._last, self.shown = now, self.shown + 1
        part = f"{done / total:.0%} of {total / 1e6:,.0f} MB" if total else ""
        self.say(f"packing data source `{source}`: {part}, {tokens:,} tokens, {now - self._started:.0f} s")
