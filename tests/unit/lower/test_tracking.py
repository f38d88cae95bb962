"""Trackers from the spec into the plan: as switches, as tables, and over several layers."""

from __future__ import annotations

import pytest

from cfgc.load.reader import MemoryReader
from cfgc.load.switches import SWITCH, SWITCHES
from cfgc.lower.plan import Plan, Tracking
from cfgc.pipeline import plan_spec
from cfgc.schema.catalogue import schema_fields

SPEC = """
extends = "base.toml"

[experiment]
name = "gpt"

[hardware]
device = "cuda"
architecture = "hopper"
memory = "80GiB"
peak_tflops_bf16 = 989.0

[launch]
gpus_per_node = 8

[training]
max_steps = 1000
global_batch_size = 64
micro_batch_size = 8
learning_rate = 1e-4

[[data.sources]]
name = "text"
path = "text"

[env]
required = ["WANDB_API_KEY"]
"""
MODEL = """
[model]
vocab_size = 512
hidden_size = 256
num_layers = 2
num_heads = 4
intermediate_size = 512
max_sequence_length = 256

[data]
sequence_length = 256
"""


def planned(text: str = "", base: str = "", *overrides: str) -> Tracking:
    files = {"spec.toml": SPEC + text, "base.toml": MODEL + base}
    plan = plan_spec(MemoryReader(files), "spec.toml", overrides)
    assert isinstance(plan, Plan)
    return plan.tracking


def test_nothing_is_reported_unless_asked_for() -> None:
    said = planned()
    assert (said.csv, said.tensorboard, said.wandb.enabled, said.mlflow.enabled) == (False, False, False, False)


@pytest.mark.covers("tracking.wandb.enabled")
@pytest.mark.parametrize(
    "text",
    ["[tracking]\nwandb = true", "[tracking.wandb]\nenabled = true", '[tracking.wandb]\nmode = "online"'],
)
def test_a_switch_and_a_table_say_the_same(text: str) -> None:
    said = planned(text).wandb
    assert (said.enabled, said.mode, said.project, said.entity, said.name) == (True, "online", "gpt", "", "")


def test_a_layer_can_switch_what_another_describes() -> None:
    base = '[tracking.wandb]\nproject = "lab"\nmode = "offline"'
    assert planned("", base).wandb.enabled
    off = planned("", base, "tracking.wandb=false").wandb
    assert (off.enabled, off.project) == (False, "lab")
    again = planned("[tracking]\nwandb = true", "[tracking]\nwandb = false", "tracking.wandb.group=a").wandb
    assert (again.enabled, again.group) == (True, "a")
    assert planned("", "[tracking]\nmlflow = true", "~tracking.mlflow").mlflow.enabled is False


@pytest.mark.covers("hardware.peak_tflops_bf16")
def test_the_peak_is_that_of_all_devices_and_of_half_precision() -> None:
    assert planned().peak_flops == pytest.approx(8 * 989e12)
    assert planned().flops_per_token > 0
    assert planned("", "", "training.precision=fp32").peak_flops == 0.0


def test_every_switch_is_a_table_of_the_schema() -> None:
    assert all((*path, SWITCH) in schema_fields() for path in SWITCHES)
