"""Files of every kind become records, and each record knows its place."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from cfgc_runtime.data.reading import read_records
from cfgc_runtime.data.records import BadRecordError, BadRecords, Position, Record, text_of
from cfgc_runtime.errors import NO_INPUT, Failure
from tests.runtime.data_files import TEXTS, source, write_lines

ROWS = [{"text": text, "id": number} for number, text in enumerate(TEXTS)]


def write_text(path: Path) -> None:
    for number, text in enumerate(TEXTS):
        (path / f"{number}.txt").write_text(text)


def write_jsonl(path: Path) -> None:
    write_lines(path / "a.jsonl", *ROWS[:2])
    with gzip.open(path / "b.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in ROWS[2:])


def write_parquet(path: Path) -> None:
    pa.parquet.write_table(pa.Table.from_pylist(ROWS[:4]), path / "a.parquet", row_group_size=2)
    pa.parquet.write_table(pa.Table.from_pylist(ROWS[4:]), path / "b.parquet")


def write_arrow(path: Path) -> None:
    table = pa.Table.from_pylist(ROWS)
    with pa.OSFile(str(path / "a.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table[:3], max_chunksize=2)
    with pa.OSFile(str(path / "b.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table[3:])


def write_dataset(path: Path) -> None:
    from datasets import Dataset, DatasetDict

    DatasetDict(train=Dataset.from_list(ROWS), test=Dataset.from_list(ROWS[:1])).save_to_disk(str(path / "saved"))


WRITERS = {"text": write_text, "jsonl": write_jsonl, "parquet": write_parquet, "arrow": write_arrow}
WRITERS["huggingface"] = write_dataset


@pytest.fixture(params=sorted(WRITERS))
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    WRITERS[request.param](tmp_path)
    return source(tmp_path / "saved" if request.param == "huggingface" else tmp_path, request.param)


@pytest.mark.covers("data.sources.kind", "data.sources.field", "data.sources.path")
def test_every_kind_gives_the_same_texts_in_order(written: Any) -> None:
    found = list(read_records(written))
    assert [text_of(record, "text") for record in found] == list(TEXTS)
    assert len({record.place for record in found}) == len(TEXTS)
    assert all(record.place.startswith(written.path.path) for record in found)


def test_reading_goes_on_behind_any_record(written: Any) -> None:
    whole = list(read_records(written))
    for number, record in enumerate(whole):
        assert list(read_records(written, record.after)) == whole[number + 1 :]


@pytest.mark.covers("data.sources.dataset_split")
def test_a_split_of_a_dataset_is_chosen_and_a_wrong_one_named(tmp_path: Path) -> None:
    write_dataset(tmp_path)
    assert len(list(read_records(source(tmp_path / "saved", "huggingface", dataset_split="test")))) == 1
    with pytest.raises(Failure, match="no split `dev`, but `train`, `test`"):
        list(read_records(source(tmp_path / "saved", "huggingface", dataset_split="dev")))


def test_a_directory_of_plain_files_is_a_dataset_too(tmp_path: Path) -> None:
    write_lines(tmp_path / "train.jsonl", *ROWS)
    found = list(read_records(source(tmp_path, "huggingface")))
    assert [record.fields["text"] for record in found] == list(TEXTS)
    assert list(read_records(source(tmp_path, "huggingface"), found[2].after)) == found[3:]


def test_only_the_columns_that_are_encoded_are_read(tmp_path: Path) -> None:
    write_parquet(tmp_path)
    write_arrow(tmp_path)
    write_dataset(tmp_path)
    for kind, path in (("parquet", tmp_path), ("arrow", tmp_path), ("huggingface", tmp_path / "saved")):
        assert {tuple(record.fields) for record in read_records(source(path, kind))} == {("text",)}
        assert {tuple(record.fields) for record in read_records(source(path, kind, field="x"))} == {("text", "id")}


def test_a_path_may_be_one_file(tmp_path: Path) -> None:
    write_lines(tmp_path / "odd.name", *ROWS)
    write_lines(tmp_path / "a.jsonl", *ROWS)
    assert len(list(read_records(source(tmp_path / "a.jsonl", "jsonl")))) == len(ROWS)
    with pytest.raises(Failure, match=r"odd\.name does not match \*\.jsonl"):
        list(read_records(source(tmp_path / "odd.name", "jsonl")))
    assert len(list(read_records(source(tmp_path / "odd.name", "jsonl", include=("*",))))) == len(ROWS)


def usable(said: Any, bad: BadRecords) -> list[Record]:
    """The records that can be read; ``bad`` counts the others."""
    found = []
    for record in read_records(said):
        if record.problem:
            bad.add(record.place, record.problem)
        else:
            found.append(record)
    return found


@pytest.mark.covers("data.max_bad_records")
def test_bad_lines_are_counted_and_named(tmp_path: Path) -> None:
    lines = write_lines(
        tmp_path / "a.jsonl", ROWS[0], b'{"text": "cut', b"", ["no object"], b'{"text": "\xff"}', {"other": 1}, ROWS[1]
    )
    log = tmp_path / "bad.jsonl"
    bad = BadRecords(3, log)
    records = usable(source(tmp_path, "jsonl"), bad)
    assert [record.fields for record in records] == [ROWS[0], {"other": 1}, ROWS[1]]
    named = [json.loads(line) for line in log.read_text().splitlines()]
    assert [entry["place"] for entry in named] == [f"{lines}:{number}" for number in (2, 4, 5)]
    assert [entry["reason"].partition(":")[0] for entry in named] == [
        "it is no JSON",
        "it is no JSON object",
        "it is not UTF-8 at byte 10",
    ]
    with pytest.raises(
        Failure, match=r"a\.jsonl:5: it is not UTF-8 .*record number 3, and `data.max_bad_records` is 2"
    ):
        usable(source(tmp_path, "jsonl"), BadRecords(2))
    with pytest.raises(Failure, match=r"a\.jsonl:2: it is no JSON.*mend it, or leave some out") as caught:
        usable(source(tmp_path, "jsonl"), BadRecords(0))
    assert caught.value.code == NO_INPUT


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"b": "", "a": ""}, r"no field `text` \(there are: `a`, `b`\)"),
        ({"text": ""}, "`text` is empty"),
        ({"text": None}, "`text` is no text but null"),
        ({"text": 3}, "`text` is no text but a number"),
        ({"text": {}}, "`text` is no text but a table"),
    ],
)
def test_a_field_that_holds_no_text_says_what_it_holds(fields: Any, reason: str) -> None:
    with pytest.raises(BadRecordError, match=reason):
        text_of(Record(fields, "a:1", Position(0, 1)), "text")


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        ("parquet", "a.parquet", b"PAR1 and then nothing"),
        ("arrow", "a.arrow", b"ARROW1 and then nothing"),
        ("arrow", "a.arrow", b"plain words"),
        ("jsonl", "a.jsonl.gz", b"not compressed"),
        ("jsonl", "a.jsonl.gz", gzip.compress(b'{"text": "x"}\n' * 1000, mtime=0)[:-20]),
        ("huggingface", "a.parquet", b"plain words"),
    ],
)
def test_a_file_of_another_format_is_named(tmp_path: Path, kind: str, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Failure, match=str(tmp_path)) as caught:
        list(read_records(source(tmp_path, kind)))
    assert caught.value.code == NO_INPUT


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", *ROWS)
    records = read_records(source(tmp_path, "jsonl"))
    next(records)
    with path.open("a") as file:
        file.write("{}\n")
    with pytest.raises(Failure, match=r"a\.jsonl changed while it was read"):
        list(records)
