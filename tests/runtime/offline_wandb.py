"""Reads the file of an offline W&B run, as ``wandb sync`` does: blocks of 32 KiB with records in pieces."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK, _HEADER = 32768, 7
_WHOLE, _LAST = 1, 4


def rows_of(file: Path) -> list[dict[str, Any]]:
    """Every row of the run's history."""
    return [
        {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
        for record in records_of(file)
        if record.WhichOneof("record_type") == "history"
    ]


def records_of(file: Path) -> Iterator[Any]:
    """Every record, parsed."""
    from wandb.proto.wandb_internal_pb2 import Record

    for raw in _pieces(file.read_bytes()):
        record = Record()
        record.ParseFromString(raw)
        yield record


def _pieces(data: bytes) -> Iterator[bytes]:
    place, whole = _HEADER, b""
    while place + _HEADER <= len(data):
        if _BLOCK - place % _BLOCK < _HEADER:
            place += _BLOCK - place % _BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + _HEADER])
        whole += data[place + _HEADER : place + _HEADER + length]
        place += _HEADER + length
        if kind in (_WHOLE, _LAST):
            yield whole
            whole = b""
