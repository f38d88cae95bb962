"""What a run trains on: token files, packed by rank 0 where the sources are something else, and mapped by all ranks.

Of streams there are none: their files are only listed.

Packed files stay in the run directory. A later attempt uses them when the sources, the tokenizer and the way of
encoding are still the same; files that have not changed since are not even read again.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cfgc_runtime.attempt import newest_attempt
from cfgc_runtime.checkpoints.complete import newest_first
from cfgc_runtime.data import files
from cfgc_runtime.data.files import (
    Contents,
    Fingerprint,
    changed,
    changed_since,
    fingerprint_of,
    list_contents,
    list_files,
)
from cfgc_runtime.data.notice import Notice
from cfgc_runtime.data.packing import Order, pack_all, packed, vocabulary_of
from cfgc_runtime.data.token_file import SUFFIX, TokenFile, open_token_file
from cfgc_runtime.data.token_writer import PARTIAL
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

    from cfgc_runtime.config import Config
    from cfgc_runtime.data.config import Data, Source
    from cfgc_runtime.data.packing import Watcher
    from cfgc_runtime.rundir import RunDirectory
    from cfgc_runtime.world import World

__all__ = ["Fingerprint", "Prepared", "prepare", "prepare_sources"]

_NOTICE = "data.json"
_SEEN = "seen.json"
_FIRST_LINE_S, _LINE_S = 3.0, 15.0
_WAIT_S = 300.0
"""How long rank 0 may be silent. It speaks every second, but a network file system may show that late."""


@dataclass(frozen=True)
class Prepared:
    """``sources`` holds the token files of each source, in the order of the spec; none of them when streaming."""

    sources: tuple[tuple[TokenFile, ...], ...]
    fingerprint: Fingerprint
    vocabulary: Vocabulary


def prepare(
    config: Config, run: RunDirectory, world: World, stop: Callable[[], bool], say: Callable[[str], None]
) -> Prepared:
    """The data of this run, on every rank; rank 0 packs what is not packed yet, the others wait for it.

    Raises ``Failure``: data that is missing, unreadable, bad or changed, a vocabulary that the model lacks, or 75 when
    asked to stop.
    """
    directory = run.root / "data"
    notice = Notice(newest_attempt(run).path / _NOTICE, _WAIT_S)
    if world.rank == 0:
        refuses = config.CHECKPOINT.on_changed_numerics == "refuse"
        found = _lead(config.DATA, directory, _Watch(notice, stop, say), run.checkpoints if refuses else None)
    else:
        found = notice.wait(stop)
    prepared = _open(config.DATA, directory, found)
    check_vocabulary(prepared.vocabulary, config.MODEL.vocab_size)
    return prepared


def prepare_sources(data: Data, directory: Path, watch: Watcher) -> Prepared:
    """The same for a single process that is no run, with packed files in ``directory``."""
    return _open(data, directory, _prepare(data, directory, watch, None))


def _lead(data: Data, directory: Path, watch: _Watch, checkpoints: Path | None) -> Mapping[str, Any]:
    try:
        with watch.notice.beating():
            found = _prepare(data, directory, watch, checkpoints)
    except BaseException as error:
        watch.notice.give_up(error)
        raise
    watch.finish(found["bad_records"], directory)
    watch.notice.publish(found)
    return found


def _prepare(data: Data, directory: Path, watch: Watcher, checkpoints: Path | None) -> Mapping[str, Any]:
    """Pack; returns what another process needs to map the files."""
    digest = tokenizer_digest(data.tokenizer)
    if data.streaming.enabled:
        vocabulary = load_tokenizer(data.tokenizer).vocabulary
        return {"vocabulary": asdict(vocabulary), "packed": {}, "contents": {}, "bad_records": 0}
    directory.mkdir(parents=True, exist_ok=True)
    orders = _survey(data, directory, digest)
    if any(packed(order) is None for order in orders):
        if checkpoints is not None:
            _check_unchanged(data, orders, digest, checkpoints)
        pack_all(orders, load_tokenizer(data.tokenizer), data.max_bad_records, watch)
    _prune(directory, orders)
    opened = [open_token_file(order.target) for order in orders]
    return {
        "vocabulary": vocabulary_of(opened[0].header) if opened else {},
        "packed": {order.source.name: order.target.name for order in orders},
        "contents": {order.source.name: order.contents.as_json() for order in orders},
        "bad_records": sum(file.header.bad_records for file in opened),
    }


def _survey(data: Data, directory: Path, digest: str) -> list[Order]:
    """What there is to pack."""
    known = _read_seen(directory / _SEEN)
    orders: list[Order] = []
    seen: dict[str, Any] = {}
    for number, source in enumerate(data.sources):
        if source.kind == "tokens":
            continue
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


def _check_unchanged(data: Data, orders: Sequence[Order], digest: str, checkpoints: Path) -> None:
    """Before packing again: raise ``Failure`` when the newest checkpoint was trained on other data."""
    kept = newest_first(checkpoints) if checkpoints.is_dir() else []
    saved = next((found for _, found in kept if found is not None), None)
    if saved is None:
        return
    surveyed = {order.source.name: order.contents for order in orders}
    contents = [surveyed.get(source.name) or _contents_of(_files_of(source)) for source in data.sources]
    now = fingerprint_of([source.name for source in data.sources], contents, digest).as_json()
    if saved.state.get("data") != now:
        raise changed(changed_since(saved.step, saved.state["data"], now))


def _prune(directory: Path, orders: Sequence[Order]) -> None:
    """What was packed of sources that are no longer the spec's is only in the way, and so is half of what is whole."""
    wanted = {order.target.name for order in orders}
    for path in directory.glob(f"*{SUFFIX}"):
        if path.name not in wanted:
            path.unlink()
    for path in directory.glob(f"*{PARTIAL}"):
        shutil.rmtree(path)


def _open(data: Data, directory: Path, found: Mapping[str, Any]) -> Prepared:
    """Map what is packed, and describe all of it, the same on every rank."""
    digest = tokenizer_digest(data.tokenizer)
    opened: list[tuple[TokenFile, ...]] = []
    contents: list[Contents] = []
    for source in data.sources:
        mapped: tuple[TokenFile, ...] = ()
        if data.streaming.enabled:
            contents.append(list_contents(list_files(source)))
        elif source.kind == "tokens":
            mapped = _files_of(source)
            contents.append(_contents_of(mapped))
        else:
            mapped = (open_token_file(directory / found["packed"][source.name]),)
            contents.append(Contents(**found["contents"][source.name], seen={}))
        for file in mapped:
            if file.header.tokenizer["digest"] != digest:
                raise _other_tokenizer(data, source, file)
        opened.append(mapped)
    vocabulary = found["vocabulary"] or vocabulary_of(opened[0][0].header)
    fingerprint = fingerprint_of([source.name for source in data.sources], contents, digest)
    return Prepared(tuple(opened), fingerprint, Vocabulary(**vocabulary))


def _files_of(source: Source) -> tuple[TokenFile, ...]:
    return tuple(open_token_file(file.path) for file in list_files(source))


def _contents_of(mapped: Sequence[TokenFile]) -> Contents:
    return files.headers_contents([(file.path.name, file.header.sha256, file.path.stat().st_size) for file in mapped])


def _other_tokenizer(data: Data, source: Source, file: TokenFile) -> Failure:
    said, here = file.header.tokenizer, data.tokenizer
    return Failure(
        NO_INPUT,
        f"data source `{source.name}`: {file.path} was packed with another tokenizer ({said['kind']}, {said['size']:,} "
        f"tokens) than data.tokenizer ({here.kind}{', other files' if said['kind'] == here.kind else ''}); write the "
        "one that it was packed with, or pack it again",
    )


@dataclass
class _Watch:
    """Tells a person how far it is, and hears whether any rank was asked to stop."""

    notice: Notice
    stop: Callable[[], bool]
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self._started = self._last = time.monotonic()
        self._lines = 0

    def __call__(self, source: str, done: int, total: int, tokens: int) -> bool:
        now = time.monotonic()
        if now - self._last >= (_LINE_S if self._lines else _FIRST_LINE_S):
            self._last, self._lines = now, self._lines + 1
            part = f"{done / total:.0%} of {total / 1e6:,.0f} MB, " if done else ""
            self.say(f"packing data source `{source}`: {part}{tokens:,} tokens, {now - self._started:.0f} s")
        return self.stop() or self.notice.is_stop_asked()

    def finish(self, bad_records: int, directory: Path) -> None:
        """What it came to, where that is worth a line."""
        if self._lines:
            self.say(f"packed in {time.monotonic() - self._started:.0f} s; later starts of this run only map the files")
        if bad_records:
            self.say(
                f"left out {bad_records:,} bad record{'s' * (bad_records > 1)}, named in {directory}/*.bad-records.log"
            )
