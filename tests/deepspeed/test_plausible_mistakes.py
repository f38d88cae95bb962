"""Mistakes that people make, most of which DeepSpeed takes in silence: cfgc says where each is, and mends it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from deepspeed.runtime.config import DeepSpeedConfig

from cfgc.deepspeed.case import path_of
from cfgc.deepspeed.checking import check_ds_config
from cfgc.deepspeed.reading import read_config
from cfgc.deepspeed.releases import release
from cfgc.diagnostics import Diagnostic
from cfgc.fixing.apply import apply_edits
from tests.deepspeed.mistakes import GOOD, MISTAKES
from tests.deepspeed.starting import with_torchrun

HERE = Path(__file__).parent
RELEASE = "0.19.8"

NEEDS_TWO_RANKS = {"tensor parallelism of inference, mended"}
"""What the file asks for once it is read: one rank cannot give it."""


def text_of(config: dict[str, Any]) -> str:
    """The config as somebody would write it."""
    return json.dumps(config, indent=2) + "\n"


def errors_of(text: str) -> list[Diagnostic]:
    """What cfgc says of the text, for one rank on a CPU."""
    found = check_ds_config("ds_config.json", text.encode(), release(RELEASE), world_size=1, device="cpu")
    return [finding for finding in found if finding.severity == "error"]


def refusal_of(config: dict[str, Any]) -> str:
    """What DeepSpeed's own reading of the file raises; empty when it takes the file."""
    try:
        DeepSpeedConfig(copy.deepcopy(config))
    except Exception as error:  # whatever DeepSpeed raises is what is asked for
        return f"{type(error).__name__}: {error}"
    return ""


def test_good_config_has_no_error() -> None:
    assert errors_of(text_of(GOOD)) == []
    assert refusal_of(GOOD) == ""


def test_most_mistakes_are_taken_in_silence() -> None:
    silent = [name for name, mistake in MISTAKES.items() if mistake.fate != "refused"]
    assert len(MISTAKES) >= 60
    assert len(silent) >= 45


@pytest.mark.parametrize("name", MISTAKES)
def test_deepspeed_reads_it_as_the_table_says(name: str) -> None:
    refusal = refusal_of(MISTAKES[name].config())
    assert bool(refusal) == (MISTAKES[name].fate == "refused"), refusal


@pytest.mark.parametrize("name", MISTAKES)
def test_cfgc_points_at_the_key(name: str) -> None:
    text = text_of(MISTAKES[name].config())
    entry = read_config("ds_config.json", text.encode()).get(path_of(MISTAKES[name].at))
    assert entry is not None
    assert entry.key is not None
    found = errors_of(text)
    assert [error.primary.span.line for error in found if error.primary] == [entry.key.line], found


@pytest.mark.parametrize("name", MISTAKES)
def test_first_fix_mends_it(name: str) -> None:
    text = text_of(MISTAKES[name].config())
    mended = apply_edits(text, errors_of(text)[0].fixes[0].edits, "json")
    assert errors_of(mended) == []
    assert refusal_of(json.loads(mended)) == ""


@pytest.mark.slow
def test_engine_fares_as_the_table_says(tmp_path: Path) -> None:
    mended = {name: _mended(name) for name in MISTAKES}
    wrong = {name: mistake.config() for name, mistake in MISTAKES.items()}
    configs = {"good": GOOD, **wrong, **{f"{name}, mended": each for name, each in mended.items()}}
    fates = with_torchrun(1, "engine_mistakes.py", configs, tmp_path)
    expected = {name: mistake.fate for name, mistake in MISTAKES.items()}
    assert {name: fates[name][0] for name in MISTAKES} == expected
    mended_fates = {name: fate for name, fate in fates.items() if name not in {*MISTAKES, *NEEDS_TWO_RANKS}}
    assert {name: fate for name, fate in mended_fates.items() if fate[0] != "trains"} == {}


def _mended(name: str) -> object:
    text = text_of(MISTAKES[name].config())
    return json.loads(apply_edits(text, errors_of(text)[0].fixes[0].edits, "json"))
