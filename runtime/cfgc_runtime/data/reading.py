"""Files of each kind become records. What only a library can read is read by that library, from local files."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cfgc_runtime.data.files import check_unchanged, list_files
from cfgc_runtime.data.records import Position, Record
from cfgc_runtime.data.tokenizers import no_library
from cfgc_runtime.errors import NO_INPUT, Failure
from cfgc_runtime.rundir import expand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from cfgc_runtime.data.config import Source
    from cfgc_runtime.data.files import Found

_ROWS = 1024
_START = Position()


def read_records(source: Source, start: Position = _START) -> Iterator[Record]:
    """The records of ``source`` behind ``start``, files sorted by path, those that cannot be read among them.

    Raises ``Failure`` when a file is missing, cannot be read at all, or changes while it is read.
    """
    if source.kind == "huggingface":
        yield from _dataset(source, start.number)
        return
    for index, file in enumerate(list_files(source)[start.file :], start.file):
        first = start.number if index == start.file else 0
        with _readable(file):
            yield from _READERS[source.kind](source, file, index, first)
        check_unchanged(file)


def _text(source: Source, file: Found, index: int, first: int) -> Iterator[Record]:
    """A file is one record; bytes that are no UTF-8 are carried along for the tokenizer to judge."""
    if first == 0:
        text = file.path.read_bytes().decode("utf-8", "surrogateescape")
        yield Record({source.field: text}, str(file.path), Position(index, 1), file.size)


def _json_lines(_source: Source, file: Found, index: int, first: int) -> Iterator[Record]:
    """A line is one record; blank lines are none, but count as lines."""
    read = 0
    with gzip.open(file.path, "rb") if file.name.endswith(".gz") else file.path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            read = min(read + len(line), file.size)
            if number > first and line.strip():
                fields, problem = _fields_of(line, number)
                yield Record(fields, f"{file.path}:{number}", Position(index, number), read, problem)


def _fields_of(line: bytes, number: int) -> tuple[Mapping[str, Any], str]:
    """The object on a line, or what is wrong with it."""
    try:
        fields = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return {}, f"it is not UTF-8 at byte {error.start}"
    except (ValueError, RecursionError) as error:
        return {}, f"it is no JSON: {error}"
    return (fields, "") if isinstance(fields, dict) else ({}, "it is no JSON object")


def _parquet(source: Source, file: Found, index: int, first: int) -> Iterator[Record]:
    parquet = _library("pyarrow.parquet")
    opened = parquet.ParquetFile(file.path, memory_map=True)
    group, before = _group_of(opened.metadata, first)
    groups = list(range(group, opened.metadata.num_row_groups))
    wanted = _columns(source, opened.schema_arrow.names)
    batches = opened.iter_batches(_ROWS, groups, columns=wanted, use_threads=False) if groups else ()
    yield from _rows(batches, file, index, before, first, opened.metadata.num_rows)


def _columns(source: Source, names: Sequence[str]) -> list[str] | None:
    """Those that encoding asks for; None, for all, where one is missing, so that a message can say what there is."""
    fields = {"prompt": (source.prompt_field, source.completion_field), "chat": (source.messages_field,)}
    wanted = fields.get(source.format, (source.field,))
    return list(wanted) if all(name in names for name in wanted) else None


def _group_of(metadata: Any, row: int) -> tuple[int, int]:
    """The row group that holds ``row``, and the rows before it."""
    before = 0
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if row < before + rows:
            return group, before
        before += rows
    return metadata.num_row_groups, before


def _arrow(source: Source, file: Found, index: int, first: int) -> Iterator[Record]:
    """An IPC file, or an IPC stream, whose batches follow one another."""
    arrow = _library("pyarrow")
    with arrow.memory_map(str(file.path)) as mapped:
        is_file = mapped.read(6) == b"ARROW1"
        mapped.seek(0)
        if is_file:
            opened = arrow.ipc.open_file(mapped)
            batches = (opened.get_batch(number) for number in range(opened.num_record_batches))
        else:
            opened = arrow.ipc.open_stream(mapped)
            batches = iter(opened)
        wanted = _columns(source, opened.schema.names)
        chosen = (batch.select(wanted) if wanted else batch for batch in batches)
        yield from _rows(chosen, file, index, 0, first, 0)


def _rows(batches: Any, file: Found, index: int, before: int, first: int, total: int) -> Iterator[Record]:
    """Rows of record batches as records, counted from 1, without the ``first`` rows of the file."""
    for batch in batches:
        for at in range(max(0, first - before), batch.num_rows, _ROWS):
            for row, fields in enumerate(batch.slice(at, _ROWS).to_pylist(), before + at + 1):
                read = file.size * row // total if total else 0
                yield Record(fields, f"{file.path}:{row}", Position(index, row), read)
        before += batch.num_rows


def _dataset(source: Source, first: int) -> Iterator[Record]:
    """Rows of a dataset directory: one that was saved to disk, or files that the library knows."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
    datasets = _library("datasets")
    root = expand(source.path)
    list_files(source)
    try:
        found = _load_dataset(datasets, source, root)
        wanted = _columns(source, found.column_names or ())
        found = found.select_columns(wanted) if wanted else found
        known = len(found) if hasattr(found, "__len__") else None
        if known is not None and first >= known:
            return
        for number, fields in enumerate(found.skip(first) if first else found, first + 1):
            yield Record(fields, f"{root}:{number}", Position(0, number))
    except Failure:
        raise
    except Exception as error:  # whatever a builder of the library raises
        raise Failure(NO_INPUT, f"data source `{source.name}`: datasets cannot read {root}: {error}") from None


def _load_dataset(datasets: Any, source: Source, root: Path) -> Any:
    several, one = (root / "dataset_dict.json").exists(), (root / "state.json").exists()
    if not (several or one):
        return datasets.load_dataset(str(root), split=source.dataset_split, streaming=True)
    found = datasets.load_from_disk(str(root))
    if not several:
        return found
    if source.dataset_split not in found:
        raise Failure(
            NO_INPUT,
            f"data source `{source.name}`: the dataset in {root} has no split `{source.dataset_split}`, but "
            f"{', '.join(f'`{name}`' for name in found)}; name one as `dataset_split`",
        )
    return found[source.dataset_split]


def _library(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise no_library(name.partition(".")[0], error) from None


@contextmanager
def _readable(file: Found) -> Iterator[None]:
    """Whatever says that a file is not what its kind promises, said with its name."""
    try:
        yield
    except OSError as error:
        raise Failure(NO_INPUT, f"{file.path} cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error) as error:
        raise Failure(NO_INPUT, f"{file.path} is cut off or damaged: {error}") from None
    except ValueError as error:  # pyarrow's ArrowInvalid is one
        raise Failure(NO_INPUT, f"{file.path} cannot be read: {error}") from None


_READERS: Mapping[str, Callable[[Source, Found, int, int], Iterator[Record]]] = {
    "text": _text,
    "jsonl": _json_lines,
    "parquet": _parquet,
    "arrow": _arrow,
}
