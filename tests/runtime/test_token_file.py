"""Token files: what is written comes back, damage is noticed, and a kill changes nothing."""

from __future__ import annotations

import hashlib
import json
import pickle
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc_runtime.data.files import list_files, read_contents
from cfgc_runtime.data.packing import Order, pack
from cfgc_runtime.data.records import BadRecords, Position
from cfgc_runtime.data.token_file import PREAMBLE, TokenFile, open_token_file
from cfgc_runtime.data.token_writer import TokenWriter
from cfgc_runtime.data.tokenizers import load_tokenizer
from cfgc_runtime.errors import NO_INPUT, PREEMPTED, Failure
from tests.runtime.data_files import TEXTS, never, source, tokenizer, write_lines, write_tokenizer

WANTED = {"sources": {"sha256": "…"}, "encoding": {}, "tokenizer": ""}


def write(
    path: Path, documents: list[list[int]], masked: bool, dtype: str = "<u2", stops: tuple[int, ...] = ()
) -> None:
    """``documents`` one by one, starting over from the last commit at each of ``stops``."""
    done, left = 0, list(stops)
    while True:
        writer = TokenWriter(path, dtype, masked, WANTED)
        done = writer.progress.position.number
        for number, document in enumerate(documents[done:], done):
            array = np.array(document, dtype=np.uint32)
            writer.add([array], [array % 2 == 0] if masked else None)
            writer.move_to(Position(0, number + 1), 0)
            if number % 3 == 0:
                writer.commit()
            if left and number >= left[0]:
                break
        else:
            writer.finish({"kind": "bytes", "digest": "", "size": 257, "end": 256, "pad": 256})
            return
        left.pop(0)
        writer.close()  # what was buffered may be in the file, which a kill leaves behind too


@settings(max_examples=12, deadline=None)
@given(
    documents=st.lists(st.lists(st.integers(0, 65535), max_size=20), min_size=1, max_size=12),
    masked=st.booleans(),
    wide=st.booleans(),
    stops=st.lists(st.integers(0, 11), max_size=4),
)
def test_documents_come_back_and_interruptions_leave_no_trace(
    tmp_path_factory: pytest.TempPathFactory, documents: list[list[int]], masked: bool, wide: bool, stops: list[int]
) -> None:
    path = tmp_path_factory.mktemp("tokens")
    dtype = "<u4" if wide else "<u2"
    write(path / "whole.tokens", documents, masked, dtype)
    write(path / "broken.tokens", documents, masked, dtype, tuple(sorted(stops)))
    assert (path / "whole.tokens").read_bytes() == (path / "broken.tokens").read_bytes()
    file = open_token_file(path / "whole.tokens")
    file.verify()
    starts = file.starts.tolist()
    assert [file.tokens[a:b].tolist() for a, b in pairwise(starts)] == documents
    flat = [token for document in documents for token in document]
    for start in range(0, len(flat), 5):
        expected = [token % 2 == 0 if masked else True for token in flat[start:]]
        assert file.mask(start, len(flat)).tolist() == expected
    assert (file.trained is not None) == masked


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write(tmp_path / "a.tokens", [[1, 2, 3], [4]], True)
    return tmp_path / "a.tokens"


def test_the_layout_is_the_documented_one(small: Path) -> None:
    raw = small.read_bytes()
    magic, begins, length = PREAMBLE.unpack(raw[: PREAMBLE.size])
    assert (magic, begins + length, PREAMBLE.size) == (b"cfgctok\x01", len(raw), 64)
    assert np.frombuffer(raw, "<u2", 4, 64).tolist() == [1, 2, 3, 4]
    assert np.frombuffer(raw, "<u8", 3, 72).tolist() == [0, 3, 4]
    assert raw[96] == 0b1010
    header = json.loads(raw[begins:])
    assert begins == 97
    assert header["sha256"] == hashlib.sha256(raw[64:begins]).hexdigest()


def test_another_process_maps_the_file_itself(small: Path) -> None:
    file = open_token_file(small)
    again: TokenFile = pickle.loads(pickle.dumps(file))
    assert len(pickle.dumps(file)) < 1000
    assert again.tokens.tolist() == file.tokens.tolist()


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda raw: raw[:-1], "is damaged: .* bytes instead of"),
        (lambda raw: raw[:70], "is damaged: 70 bytes instead of"),
        (lambda raw: raw[:20], "is no token file"),
        (lambda raw: b"{}" + raw[2:], "is no token file"),
        (lambda raw: raw[:7] + b"\x02" + raw[8:], "version 2, this runtime reads 1"),
        (lambda raw: raw[:8] + bytes(16) + raw[24:], "it was not finished"),
        (lambda raw: raw.replace(b'"tokens"', b'"tokenz"'), "its header cannot be read"),
        (lambda raw: raw.replace(b'"documents": 2', b'"documents": 9'), "its header does not fit its size"),
    ],
)
def test_damage_is_named(small: Path, damage: Any, sentence: str) -> None:
    small.write_bytes(damage(small.read_bytes()))
    with pytest.raises(Failure, match=sentence) as caught:
        open_token_file(small)
    assert caught.value.code == NO_INPUT


def test_a_changed_token_is_found_by_reading_all_of_it(small: Path) -> None:
    raw = bytearray(small.read_bytes())
    raw[66] ^= 1
    small.write_bytes(raw)
    file = open_token_file(small)
    with pytest.raises(Failure, match="is damaged: its content is not what was written"):
        file.verify()


def order(path: Path, target: Path, said: Any, **more: Any) -> Order:
    one = source(path, "jsonl", **more)
    found = list_files(one)
    digest = load_tokenizer(said).vocabulary.digest
    return Order(one, found, read_contents(found, {}, 0), target, digest, "")


def stopped(one: Order, said: Any) -> bool:
    """Whether packing ended at the first request to stop, and not because all was packed."""
    try:
        pack(one, load_tokenizer(said), BadRecords(4, one.log), lambda *_: True)
    except Failure as failure:
        return failure.code == PREEMPTED
    return False


def test_a_stop_is_heard_between_batches_and_kept(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", *({"text": "x"} for _ in range(3000)))
    one = order(tmp_path, tmp_path / "a.tokens", tokenizer())
    with pytest.raises(Failure, match="stopped while packing `a` as asked; start again to go on") as caught:
        pack(one, load_tokenizer(tokenizer()), BadRecords(0), lambda *_: True)
    assert caught.value.code == PREEMPTED
    kept = json.loads((tmp_path / "a.tokens.partial" / "progress.json").read_text())
    assert kept["progress"]["documents"] == 1024


@pytest.mark.parametrize("form", ["text", "prompt"])
def test_stopped_anywhere_packing_goes_on_to_the_same_bytes(tmp_path: Path, form: str) -> None:
    records = [{"text": f"{n} {TEXTS[n % 5]}", "prompt": "ask", "completion": f"{n}"} for n in range(3000)]
    lines: list[Any] = [*records[:700], b"{", *records[700:2000], {"other": 1}, *records[2000:], b"["]
    write_lines(tmp_path / "a.jsonl", *lines)
    write_lines(tmp_path / "b.jsonl", *records[:50], {"text": 3, "prompt": "", "completion": ""})
    said = tokenizer("tokenizers", write_tokenizer(tmp_path / "tokenizer.json", "</s>"))
    whole = order(tmp_path, tmp_path / "whole.tokens", said, format=form)
    pack(whole, load_tokenizer(said), BadRecords(4, whole.log), never)
    broken = order(tmp_path, tmp_path / "broken.tokens", said, format=form)
    stops = 0
    while stopped(broken, said):
        stops += 1
    assert stops >= 3
    assert whole.target.read_bytes() == broken.target.read_bytes()
    assert whole.log.read_bytes() == broken.log.read_bytes()
    assert len(whole.log.read_text().splitlines()) == open_token_file(whole.target).header.bad_records == 4


KILLED = """
import sys
from itertools import pairwise
from pathlib import Path
from tests.runtime import test_token_file as this
from cfgc_runtime.data import packing
packing._COMMIT_S = 0.0
said = this.tokenizer()
one = this.order(Path(sys.argv[1]), Path(sys.argv[2]), said)
def watch(*_):
    print(".", flush=True)
    sys.stdin.readline()
    return False
packing.pack(one, this.load_tokenizer(said), this.BadRecords(0), watch)
"""


def test_a_killed_process_leaves_what_the_next_one_goes_on_with(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", *({"text": f"{n} {TEXTS[n % 5]}"} for n in range(5000)))
    target = tmp_path / "killed.tokens"
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(target)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    for _ in range(3):
        assert process.stdout.readline() == ".\n"
        process.stdin.write("\n")
        process.stdin.flush()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = json.loads((tmp_path / "killed.tokens.partial" / "progress.json").read_text())
    assert kept["progress"]["documents"] >= 2048
    said = tokenizer()
    one, other = order(tmp_path, target, said), order(tmp_path, tmp_path / "whole.tokens", said)
    reread: list[int] = []

    def note(source: str, done: int, total: int, tokens: int) -> bool:
        reread.append(tokens)
        return False

    pack(one, load_tokenizer(said), BadRecords(0), note)
    pack(other, load_tokenizer(said), BadRecords(0), never)
    assert target.read_bytes() == other.target.read_bytes()
    assert reread[0] > kept["progress"]["tokens"]
    assert not list(tmp_path.glob("*.partial"))


def test_one_process_packs_a_file_at_a_time(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", {"text": "x"})
    one = order(tmp_path, tmp_path / "a.tokens", tokenizer())
    writer = TokenWriter(one.target, "<u2", False, one.wanted)
    with pytest.raises(Failure, match=r"a\.tokens is being packed by another process"):
        pack(one, load_tokenizer(tokenizer()), BadRecords(0), never)
    writer.close()
    pack(one, load_tokenizer(tokenizer()), BadRecords(0), never)


def test_a_source_that_changes_while_it_is_packed_is_refused(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", *({"text": "x"} for _ in range(3000)))
    one = order(tmp_path, tmp_path / "a.tokens", tokenizer())
    write_lines(path, *({"text": "y"} for _ in range(3000)))
    with pytest.raises(Failure, match="data source `a` changed while it was read"):
        pack(one, load_tokenizer(tokenizer()), BadRecords(0), never)


def test_a_source_without_a_usable_record_is_refused(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", {"text": ""})
    one = order(tmp_path, tmp_path / "a.tokens", tokenizer())
    with pytest.raises(Failure, match="holds no record that can be used"):
        pack(one, load_tokenizer(tokenizer()), BadRecords(1), never)
