"""What a help says to write mends the finding, and breaks nothing else."""

from __future__ import annotations

import re

import pytest

from cfgc.diagnostics import Diagnostic
from cfgc.schema.catalogue import catalogue
from tests.unit.schema.samples import found
from tests.unit.validate.test_beyond import GOOD

WRITE = re.compile(r"`'?(?P<key>[\w.]+) ?= ?(?P<value>[^`]+?)'?`(?P<others>(?:(?:, or | or |, )`[^`=]+`)*)")
KEYS = [field.dotted for field in catalogue()]
PLACE = re.compile(r"under `\[([\w.]+)\]`")


def overrides_of(text: str) -> list[list[str]]:
    """Each way that a help offers, as overrides; what `and` joins is one way."""
    ways: list[list[str]] = []
    for match in WRITE.finditer(text):
        place = PLACE.search(text, match.end())
        shown = next((name for name in KEYS if name.endswith(f".{match['key']}")), match["key"])
        key = f"{place[1]}.{match['key']}" if place and "." not in match["key"] else shown
        values = [match["value"], *re.findall(r"`([^`]+)`", match["others"])]
        joined = ways and re.search(r" and (add |set )?$", text[: match.start()])
        if joined:
            ways[-1].append(f"{key}={values[0]}")
        else:
            ways += [[f"{key}={value}"] for value in values]
    return ways


def without(overrides: list[str], way: list[str]) -> list[str]:
    """``overrides`` with those of ``way`` in place of others for the same keys."""
    keys = {each.partition("=")[0] for each in way}
    return [*(each for each in overrides if each.partition("=")[0] not in keys), *way]


def severe(findings: tuple[Diagnostic, ...]) -> set[str]:
    return {finding.code for finding in findings}


@pytest.mark.parametrize(
    ("code", "ways", "overrides"),
    [
        ("CFG410", 1, ["model.hidden_size=513"]),
        ("CFG410", 2, ["model.num_heads=7"]),
        ("CFG410", 2, ["model.num_heads=7", "model.num_kv_heads=1"]),
        ("CFG412", 2, ["model.num_heads=512"]),
        ("CFG411", 1, ["model.num_kv_heads=3"]),
        ("CFG414", 1, ["model.vocab_size=100"]),
        ("CFG415", 1, ["model.vocab_size=1000"]),
        ("CFG305", 1, ["training.optimizer.betas=0.8"]),
        ("CFG310", 1, ["training.optimizer.betas=[0.9]"]),
        ("CFG305", 1, ["data.sources=books"]),
        ("CFG306", 1, ["launch.gpus_per_node=100"]),
        ("CFG601", 1, ["launch.gpus_per_node=16"]),
        ("CFG602", 2, ["launch.time_limit=5min"]),
        ("CFG602", 2, ["launch.time_limit=2min"]),
        ("CFG602", 1, ["launch.time_limit=1min"]),
        ("CFG603", 1, ["launch.signal_lead=2min"]),
        ("CFG603", 1, ["launch.signal_lead=2min", "launch.time_limit=5min"]),
        ("CFG401", 1, ["training.gradient_accumulation_steps=3"]),
        ("CFG403", 4, ["training.micro_batch_size=3"]),
        ("CFG403", 2, ["launch.gpus_per_node=3"]),
        ("CFG402", 1, ["~training.micro_batch_size"]),
        ("CFG402", 1, ["~training.micro_batch_size", "launch.gpus_per_node=3"]),
        ("CFG431", 2, ["training.micro_batch_size=4", "data.sequence_length=101"]),
        ("CFG423", 2, ["training.max_epochs=5", "data.max_train_samples=12800"]),
        ("CFG425", 1, ["data.max_train_samples=100"]),
        ("CFG419", 1, ["data.shuffle=false", "data.shuffle_seed=1"]),
        ("CFG434", 2, ["evaluation.every_steps=5000"]),
        ("CFG606", 1, ["launch.run_dir=/"]),
        ("CFG314", 1, ["launch.run_dir=~/runs"]),
        ("CFG314", 1, ["launch.run_dir=$SCRATCH/my runs"]),
        ("CFG618", 2, ["cluster.memory_per_node=16"]),
        ("CFG617", 1, ["training.max_steps=10_000_000", "launch.time_limit=10min"]),
    ],
)
def test_each_way_out_works(code: str, ways: int, overrides: list[str]) -> None:
    findings = found(GOOD, *overrides)
    assert severe(findings) == {code}
    offered = [way for text in findings[0].helps for way in overrides_of(text)]
    assert len(offered) >= ways
    for way in offered:
        assert severe(found(GOOD, *without(overrides, way))) == set(), way


def test_taking_one_of_three_sizes_back_works() -> None:
    three = GOOD.replace("micro_batch_size = 8", "micro_batch_size = 8\ngradient_accumulation_steps = 4")
    (finding,) = found(three, "launch.gpus_per_node=2")
    assert "`'~training.gradient_accumulation_steps'`" in finding.helps[1]
    assert found(three, "launch.gpus_per_node=2", "~training.gradient_accumulation_steps") == ()
    of_base = GOOD.replace("global_batch_size = 128\n", "gradient_accumulation_steps = 3\n")
    (finding,) = found(of_base)
    assert '`unset = ["training.global_batch_size"]` at the top of the spec' in finding.helps[1]
    assert found('unset = ["training.global_batch_size"]\n' + of_base) == ()
