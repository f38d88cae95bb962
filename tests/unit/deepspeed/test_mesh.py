"""A mesh of data-parallel and sequence-parallel ranks, which DeepSpeed makes of two keys."""

from __future__ import annotations

import json

import pytest

from cfgc.deepspeed.checking import check_ds_config
from cfgc.deepspeed.releases import release
from cfgc.fixing.apply import apply_edits


def codes(text: str, version: str, world: int | None) -> list[str]:
    return [d.code for d in check_ds_config("a.json", text.encode(), release(version), world) if d.severity == "error"]


@pytest.mark.parametrize(
    ("data", "sequence", "version", "world", "code"),
    [
        (4, 2, "0.19.8", 8, ""),
        (4, 2, "0.15.0", 8, ""),
        (None, 2, "0.17.0", 8, ""),
        (4, 2, "0.19.8", None, ""),
        (4, 2, "0.19.8", 16, "CFG404"),
        (4, None, "0.19.8", 4, "CFG530"),
        (None, 2, "0.16.9", 8, "CFG530"),
        (4, 2, "0.14.5", 8, "CFG553"),
    ],
)
def test_a_mesh_needs_both_and_all_ranks(
    data: int | None, sequence: int | None, version: str, world: int | None, code: str
) -> None:
    sizes = {"data_parallel_size": data, "sequence_parallel_size": sequence}
    tree = {"train_micro_batch_size_per_gpu": 1, **{key: size for key, size in sizes.items() if size}}
    text = json.dumps(tree)
    assert set(codes(text, version, world)) == ({code} if code else set())
    while code and (found := check_ds_config("a.json", text.encode(), release(version), world)):
        wrong = next((each for each in found if each.severity == "error"), None)
        if wrong is None:
            break
        text = apply_edits(text, wrong.fixes[0].edits, "json")
    assert codes(text, version, world) == []


def test_no_bound_is_no_number() -> None:
    assert codes('{"train_batch_size": 1, "gradient_clipping": null}', "0.19.8", None) == ["CFG550"]
