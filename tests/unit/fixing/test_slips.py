"""Slips in a spec: one finding each, and the spec that was meant after its fix."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.fixing.mend import Texts, mend
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.lower.lowering import lower_spec
from cfgc.pipeline import check_spec
from cfgc.resources import shipped_dir

GOOD = """\
extends = "cfgc:bases/tiny.toml"

[overlays]
hardware = "cpu"
zero = "2"

[experiment]
name = "run"
description = "for the test"

[model]
activation_checkpointing = true

[data]
sequence_length = 64

[[data.sources]]
name = "text"
path = "text"

[training]
global_batch_size = 16
micro_batch_size = 4
warmup_steps = "${training.micro_batch_size}"

[training.scheduler]
type = "linear"

[launch]
run_dir = "runs/run"
gpus_per_node = 2

[cluster]
partition = "cpu"
account = "lab"
"""


def findings(texts: Texts) -> Sequence[Diagnostic]:
    try:
        checked = check_spec(
            MemoryReader(dict(texts), DiskReader(Path(__file__).parent, shipped_dir("specs"))), "spec.toml"
        )
        lower_spec(checked)
    except Rejected as rejected:
        return rejected.diagnostics
    return ()


def mended(text: str) -> Any:
    done = mend(lambda texts: findings({"spec.toml": text, **texts}), {}, lambda name: name == "spec.toml", unsafe=True)
    assert done.findings == ()
    return tomllib.loads(done.texts["spec.toml"])


@pytest.mark.parametrize(
    ("good", "wrong"),
    [
        ("[experiment]", "[experiments]"),
        ("[experiment]", "[exp]"),
        ("[model]", "[network]"),
        ("[data]", "[Data]"),
        ("[[data.sources]]", "[[daata.sources]]"),
        ("[training.scheduler]", "[scheduler]"),
        ("[training.scheduler]", "[trainnig.scheduler]"),
        ("[launch]", "[distributed]"),
        ("[cluster]", "[slurm]"),
        ("[cluster]", "[[cluster]]"),
        ("[training]\n", "[[training]]\n"),
        ('run_dir = "runs/run"', 'settings.run_dir = "runs/run"'),
        ("gpus_per_node = 2", "launch.gpus_per_node = 2"),
        ("global_batch_size = 16", "global_batch_size = -16"),
        ("activation_checkpointing = true", 'activation_checkpointing = "yes"'),
        ('zero = "2"', 'zero = "zero2"'),
        ('zero = "2"', 'zero = "stage-2"'),
    ],
)
def test_one_slip_is_one_finding_and_its_fix_is_what_was_meant(good: str, wrong: str) -> None:
    assert findings({"spec.toml": GOOD}) == ()
    text = GOOD.replace(good, wrong, 1)
    assert len(findings({"spec.toml": text})) == 1
    assert mended(text) == tomllib.loads(GOOD)


@pytest.mark.parametrize("written", ['"2"', '" 2 "'])
def test_a_stage_in_quotes_is_that_stage_for_certain(written: str) -> None:
    found = findings({"spec.toml": f"{GOOD}\n[deepspeed.zero]\nstage = {written}\n"})
    assert [(finding.code, finding.helps[0][:19]) for finding in found] == [("CFG307", "write `stage = 2` u")]
    assert found[0].fixes[0].certain


@pytest.mark.parametrize("written", ["", "# none", "[1, 2", "{ a = 1"])
def test_a_value_that_is_missing_or_open_is_told_what_to_do(written: str) -> None:
    found = findings({"spec.toml": GOOD.replace('"for the test"', written)})
    assert [finding.code for finding in found] == ["CFG104"]
    assert found[0].helps
