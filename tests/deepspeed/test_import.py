"""What DeepSpeed reads of a ds_config, and of the bundle that is built from its import, is the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfgc.deepspeed.checking import check_ds_config
from cfgc.deepspeed.releases import release
from cfgc.importing.ds.keys import SAME
from cfgc.importing.importer import Request, import_file
from cfgc.importing.items import Raw, Setting
from cfgc.importing.refused import without_refused
from cfgc.importing.tree import DiskTree
from cfgc.lower.plan import Model
from tests.deepspeed.import_pins import PINS
from tests.deepspeed.proving import RELEASE, Proof, errors_of, prove
from tests.deepspeed.same_config import differences, read
from tests.unit.importing.memory_tree import MemoryTree

HERE = Path(__file__).parent / "imported"
FILES = sorted(path.name for path in HERE.iterdir())


def prove_file(name: str, world_size: int | None = None) -> Proof:
    return prove(DiskTree(HERE), name, json.loads(json.dumps(hjson.loads((HERE / name).read_text()))), world_size)


@pytest.mark.parametrize("name", FILES)
def test_deepspeed_reads_the_same_but_for_what_is_listed_or_marked(name: str) -> None:
    assert prove_file(name).unexplained() == []


@pytest.mark.parametrize(
    ("name", "world_size"),
    [
        *((name, ranks) for name in ("plain_zero1.json", "zero3_offloaded.json") for ranks in (2, 16)),
        *(("cosine_of_deepspeed.json", 12), ("measured.json", 8), ("old_spellings.json", 4)),
    ],
)
def test_the_same_in_a_larger_world(name: str, world_size: int) -> None:
    proof = prove_file(name, world_size)
    assert proof.plan.topology.world_size == world_size
    assert proof.unpinned == []


@pytest.mark.parametrize(
    "name",
    [
        *("plain_zero1.json", "fp16_zero2_scaled.json", "zero3_offloaded.json", "zero3_short_names.json"),
        *("warmup_linear.json", "cosine_of_torch.json", "cosine_of_deepspeed.json", "comments.hjson"),
        *("old_spellings.json", "measured.json", "divided_gradients.json"),
    ],
)
def test_whole_configs_differ_in_nothing_but_the_pins(name: str) -> None:
    assert prove_file(name).unpinned == []


def test_a_value_that_an_import_lost_would_be_seen() -> None:
    """The comparison itself: each typed key of a bundle, changed, is a difference that nothing explains."""
    proof = prove_file("zero3_offloaded.json")
    world_size = proof.plan.topology.data_parallel
    before = read(proof.plan.ds_config, world_size)
    zero = proof.plan.ds_config["zero_optimization"]
    assert isinstance(zero, dict)
    changed = {
        "gradient_clipping": 0.25,
        "prescale_gradients": True,
        "zero_optimization": {**zero, "sub_group_size": 7, "overlap_comm": False},
        "bf16": {"enabled": False},
        "train_batch_size": 32,
    }
    for key, value in changed.items():
        other = {**proof.plan.ds_config, key: value}
        if key == "train_batch_size":
            other["gradient_accumulation_steps"] = 32
        after = read(other, world_size)
        found = differences(before, after)
        assert [one for one in found if not any(pin.covers(one, before, after) for pin in PINS)], key


def test_every_pin_is_explained_in_the_documentation(repository: Path) -> None:
    page = (repository / "docs" / "import.md").read_text()
    assert [pin.reason for pin in PINS if pin.reason not in page] == []


SIZES = st.integers(1, 10**12)
TYPED: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(SAME, st.booleans()),
    **{key: SIZES for key in SAME if key.endswith(("_size", "_threshold", "_parameters", "_distance"))},
    "zero_optimization.stage": st.integers(0, 3),
    "zero_optimization.sub_group_size": st.integers(0, 10**12),
    "fp16.loss_scale": st.sampled_from([0, 1, 128, 65536.0]),
    "fp16.initial_scale_power": st.integers(0, 32),
    "fp16.loss_scale_window": st.integers(1, 5000),
    "fp16.hysteresis": st.integers(1, 8),
    "fp16.min_loss_scale": st.integers(1, 1024),
    "communication_data_type": st.sampled_from(["fp32", "bf16", "fp16"]),
    "prescale_gradients": st.just(False),
    "gradient_predivide_factor": st.just(1.0),
    "gradient_clipping": st.floats(0, 100, allow_subnormal=False),
    "steps_per_print": st.integers(1, 1000),
}
ADAM = {
    "lr": st.floats(1e-7, 1),
    "betas": st.lists(st.floats(0, 0.9999), min_size=2, max_size=2),
    "eps": st.floats(1e-12, 0.1),
    "weight_decay": st.floats(0, 1),
}
OFFLOADS = st.fixed_dictionaries({"device": st.sampled_from(["cpu", "none"])}, optional={"pin_memory": st.booleans()})


@st.composite
def ds_configs(draw: st.DrawFn) -> dict[str, Any]:
    """A config of keys that the spec has, as DeepSpeed takes them."""
    config: dict[str, Any] = {"train_micro_batch_size_per_gpu": draw(st.integers(1, 64))}
    for dotted in draw(st.lists(st.sampled_from(sorted(TYPED)), unique=True)):
        *above, key = dotted.split(".")
        table = config.setdefault(above[0], {}) if above else config
        table[key] = draw(TYPED[dotted])
    config[draw(st.sampled_from(["bf16", "fp16"]))] = {**config.get("fp16", {}), "enabled": True}
    config["bf16"] = {"enabled": True} if "enabled" not in config.get("fp16", {}) else {"enabled": False}
    params = draw(st.fixed_dictionaries({"lr": ADAM["lr"]}, optional={k: v for k, v in ADAM.items() if k != "lr"}))
    config["optimizer"] = {"type": draw(st.sampled_from(["Adam", "AdamW", "adamw"])), "params": params}
    if draw(st.booleans()):
        config["gradient_accumulation_steps"] = draw(st.integers(1, 64))
    for section in draw(st.lists(st.sampled_from(["offload_optimizer", "offload_param"]), unique=True)):
        config.setdefault("zero_optimization", {})[section] = draw(OFFLOADS)
    return config


@given(config=ds_configs(), world_size=st.integers(1, 64))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_config_of_keys_that_a_spec_has_keeps_its_meaning(config: dict[str, Any], world_size: int) -> None:
    """Only what `cfgc check` refuses in the file itself may keep its spec from being built."""
    text = json.dumps(config)
    tree = MemoryTree({"x.json": text})
    imported = import_file(tree, Request("x.json", world_size=world_size, deepspeed=RELEASE))
    _, findings = without_refused(imported, errors_of)
    if refused := {one.code for one in findings if one.severity == "error"}:
        found = check_ds_config("x.json", text.encode(), release(RELEASE), world_size)
        # A file may be for a release that scales the loss of fp16 without ZeRO; a bundle is for many.
        assert refused - {"CFG528"} <= {one.code for one in found if one.severity == "error"}
        return
    assert prove(tree, "x.json", config, world_size).unexplained() == []


def test_what_a_spec_has_no_key_for_stays_raw() -> None:
    raw = {".".join(item.path) for item in prove_file("measured.json").outcome.items if isinstance(item, Raw)}
    assert raw == {
        "checkpoint.tag_validation",
        "data_types.grad_accum_dtype",
        *(f"comms_logger.{key}" for key in ("enabled", "verbose", "prof_all")),
        *(f"flops_profiler.{key}" for key in ("enabled", "profile_step", "module_depth", "top_modules", "detailed")),
        "memory_breakdown",
        "optimizer.params.amsgrad",
        "zero_optimization.zero_hpz_partition_size",
        "zero_optimization.zero_quantized_weights",
    }


def test_values_left_to_the_trainer_are_what_transformers_makes_of_them() -> None:
    proof = prove_file("left_to_the_trainer.json")
    zero, model = proof.plan.ds_config["zero_optimization"], proof.plan.model
    assert isinstance(zero, dict)
    assert isinstance(model, Model)
    width = model.hidden_size
    assert zero["reduce_bucket_size"] == width * width
    assert zero["stage3_prefetch_bucket_size"] == int(0.9 * width * width)
    assert zero["stage3_param_persistence_threshold"] == 10 * width


@pytest.mark.parametrize(("version", "clipping"), [("0.16.9", 0.0), ("0.19.8", 1.0)])
def test_a_default_is_that_of_the_release_asked_for(version: str, clipping: float) -> None:
    assert release(version).key(("gradient_clipping",)) is not None
    outcome = import_file(MemoryTree({"x.json": '{"train_batch_size": 8}'}), Request("x.json", deepspeed=version))
    found = [
        item.value for item in outcome.items if isinstance(item, Setting) and item.key == "training.gradient_clipping"
    ]
    assert found == [clipping]
