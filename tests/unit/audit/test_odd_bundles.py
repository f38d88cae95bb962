"""Bundles whose data is JSON, and of another shape than cfgc writes: compared, or refused by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from random import Random
from typing import Any

from cfgc.audit.bundle_on_disk import BundleOnDisk, bundle_in_memory, read_bundle
from cfgc.audit.comparing import compare_bundles
from cfgc.audit.comparison_json import comparison_json
from cfgc.audit.comparison_md import comparison_md
from cfgc.audit.comparison_text import comparison_text
from cfgc.diagnostics import Rejected
from cfgc.load.disk import DiskReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir

GOLDEN = Path(__file__).parents[2] / "golden"
DATA = ("manifest.json", "values.json", "origins.json", "points.jsonl")
ODD: list[Any] = [None, True, 3, -1.5, "", "x", [], {}, [3], {"a": 1}, [{}], [[]], {"layer": 3}, "\x1b", "\u202e", "—"]


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        yield from places(item, (*above, name))


def with_odd(random: Random, text: str) -> str:
    whole = json.loads(text)
    *above, last = random.choice([place for place in places(whole) if place and place[0] != "outputs"])
    table = whole
    for name in above:
        table = table[name]
    table[last] = random.choice(ODD)
    return json.dumps(whole)


def damaged(random: Random, bundle: BundleOnDisk) -> dict[PurePosixPath, bytes]:
    path = random.choice([path for path in bundle.files if path.name in DATA])
    lines = [bundle.files[path].decode()]
    if path.suffix == ".jsonl":
        lines = lines[0].splitlines()
    number = random.randrange(len(lines))
    lines[number] = with_odd(random, lines[number])
    return {**bundle.files, path: "\n".join(lines).encode()}


def test_whatever_the_data_is_the_outcome_is_a_comparison_or_findings() -> None:
    random, outcomes = Random(3), set()
    for case in ("sweep", "pipeline", "cpu-zero2", "task-script"):
        bundle = bundle_in_memory(compile_spec(DiskReader(GOLDEN / case, shipped_dir("specs")), "spec.toml"), case)
        for _ in range(15):
            try:
                found = compare_bundles(bundle, read_bundle(damaged(random, bundle), "odd"))
            except Rejected as rejected:
                outcomes |= {finding.code for finding in rejected.diagnostics}
                continue
            outcomes.add("compared")
            shown = comparison_text(found) + comparison_md(found)
            assert all(line.isprintable() for line in shown.split("\n"))
            assert json.loads(comparison_json(found))["old"]["name"] == case
    assert outcomes == {"compared", "CFG741"}
