"""Rules never raise, and what passes them has a plan whose numbers agree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfgc.arithmetic.of_spec import cpus_per_task_of
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.diagnostics.text import render_text
from cfgc.lower.launch import environment
from cfgc.lower.lowering import lower_spec
from cfgc.lower.plan import Model, Plan
from cfgc.resolve.resolved import Resolved
from cfgc.schema.spec import Spec
from cfgc.validate.checker import check_resolved
from cfgc.validate.rules import RULES, SHARED_RULES
from cfgc.validate.rules.environment import OWNED
from cfgc.validate.schema_check import check_schema
from tests.unit.rules.building import SMALL, merged, resolved_of

SMALL_INT = st.integers(1, 64)
POSITIVE = st.one_of(SMALL_INT, st.integers(1, 2**63 - 1))
ANY_INT = st.just(0) | POSITIVE
TWO_OR_MORE = st.one_of(st.integers(2, 64), st.integers(2, 2**63 - 1))
RATE = st.floats(0, 10, allow_nan=False)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value, or None for an absent key (the small spec's own is then removed)."""
    return st.none() | strategy


TREES = st.fixed_dictionaries(
    {
        "model": st.fixed_dictionaries(
            {"hidden_size": POSITIVE, "num_layers": POSITIVE, "num_heads": POSITIVE},
            optional={
                "num_kv_heads": SMALL_INT,
                "intermediate_size": POSITIVE,
                "vocab_size": TWO_OR_MORE,
                "max_sequence_length": POSITIVE,
                "activation": st.sampled_from(["swiglu", "gelu", "relu"]),
                "attention": st.sampled_from(["sdpa", "eager", "flash_attention_2"]),
                "moe": st.fixed_dictionaries({}, optional={"num_experts": ANY_INT, "num_experts_per_token": SMALL_INT}),
            },
        ),
        "training": st.fixed_dictionaries(
            {
                "max_steps": maybe(st.integers(1, 10**9)),
                "global_batch_size": maybe(POSITIVE),
                "micro_batch_size": maybe(POSITIVE),
            },
            optional={
                "gradient_accumulation_steps": POSITIVE,
                "max_epochs": POSITIVE,
                "precision": st.sampled_from(["fp32", "bf16", "fp16", "fp8"]),
                "learning_rate": st.floats(1e-9, 10),
                "warmup_steps": ANY_INT,
                "gradient_clipping": st.floats(0, 1e6),
                "scheduler": st.one_of(
                    st.fixed_dictionaries(
                        {"type": st.sampled_from(["cosine", "constant"]), "final_learning_rate": RATE}
                    ),
                    st.fixed_dictionaries({"type": st.just("wsd"), "decay_steps": POSITIVE}),
                    st.fixed_dictionaries({"type": st.just("polynomial"), "power": st.floats(0.1, 10)}),
                    st.fixed_dictionaries(
                        {"type": st.just("step")},
                        optional={"step_size": POSITIVE, "milestones": st.lists(st.integers(-5, 10**9), max_size=3)},
                    ),
                ),
                "optimizer": st.fixed_dictionaries(
                    {
                        "type": st.sampled_from(["adamw", "sgd", "lion", "muon", "lamb", "adagrad", "fused_adam"]),
                        "betas": st.tuples(RATE, RATE).map(list),
                    },
                    optional={
                        "momentum": st.floats(0, 0.99),
                        "groups": st.lists(
                            st.sampled_from(["*", "*norm.weight", "[", "blocks.0.*"]).map(lambda one: {"pattern": one}),
                            max_size=3,
                        ),
                    },
                ),
                "gradient_health": st.fixed_dictionaries(
                    {"enabled": st.booleans(), "warmup_steps": ANY_INT, "explosion_threshold": st.floats(1e-3, 10)}
                ),
                "penalties": st.fixed_dictionaries({"eos": RATE, "min_sequence_length": ANY_INT}),
                "early_stopping": st.fixed_dictionaries({"patience": ANY_INT, "threshold": RATE}),
            },
        ),
        "data": st.fixed_dictionaries(
            {"sequence_length": TWO_OR_MORE, "max_train_samples": ANY_INT, "eval_fraction": st.floats(0, 0.99)}
        ),
        "deepspeed": st.fixed_dictionaries(
            {
                "zero": st.fixed_dictionaries(
                    {"stage": st.integers(0, 3)},
                    optional={
                        "overlap_comm": st.booleans(),
                        "reduce_scatter": st.booleans(),
                        "contiguous_gradients": st.booleans(),
                        "reduce_bucket_size": POSITIVE,
                        "sub_group_size": POSITIVE,
                    },
                ),
                "offload": st.fixed_dictionaries(
                    {
                        "optimizer": st.sampled_from(["none", "cpu", "nvme"]),
                        "parameters": st.sampled_from(["none", "cpu"]),
                        "ratio": st.floats(0, 1),
                        "pin_memory": st.booleans(),
                    }
                ),
                "fp16": st.fixed_dictionaries({}, optional={"min_loss_scale": st.floats(0.001, 2**31)}),
                "raw": st.dictionaries(st.sampled_from(["reason", "aio", "x", "amp"]), st.text() | st.integers()),
            }
        ),
        "parallel": st.fixed_dictionaries(
            {}, optional={f"{kind}_parallel": SMALL_INT for kind in ("tensor", "pipeline", "sequence", "expert")}
        ),
        "hardware": st.fixed_dictionaries(
            {"device": st.sampled_from(["cpu", "cuda"]), "memory": ANY_INT, "gpus_per_node_max": ANY_INT},
            optional={"architecture": st.sampled_from(["unknown", "cpu", "volta", "ampere", "hopper"])},
        ),
        "launch": st.fixed_dictionaries(
            {"nodes": st.integers(1, 10_000), "gpus_per_node": SMALL_INT},
            optional={
                "time_limit": POSITIVE,
                "signal_lead": POSITIVE,
                "timeout": POSITIVE,
                "run_dir": st.sampled_from(["out/small", ".", "./out/small/x", "runs", "/abs"]),
                "max_attempts": SMALL_INT,
            },
        ),
        "cluster": st.fixed_dictionaries(
            {},
            optional={
                "gres": st.sampled_from(["", "gpu", "gpu:a100", "gpu:8", ":", "8"]),
                "cpus_per_task": POSITIVE,
                "memory_per_node": ANY_INT,
                "requeue": st.booleans(),
                "mail_type": st.lists(st.sampled_from(["END", "what"])),
            },
        ),
        "evaluation": st.fixed_dictionaries({"every_steps": ANY_INT}),
        "checkpoint": st.fixed_dictionaries({"every_steps": ANY_INT}),
        "tracking": st.fixed_dictionaries({"log_every_steps": POSITIVE}),
        "env": st.fixed_dictionaries(
            {
                "variables": st.dictionaries(st.sampled_from(["RANK", "SLURM_X", "A"]), st.just("1")),
                "required": st.lists(st.sampled_from(["A", "B"])),
            }
        ),
    }
)


def outcome(resolved: Resolved) -> Plan | tuple[Diagnostic, ...]:
    """The plan, or why there is none."""
    try:
        plan = lower_spec(check_resolved(resolved))
    except Rejected as rejected:
        return rejected.diagnostics
    assert isinstance(plan, Plan)
    return plan


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(TREES)
def test_any_tree_is_refused_or_has_a_plan_that_holds(tree: dict[str, Any]) -> None:
    resolved = resolved_of(merged(SMALL, tree))
    assert isinstance(check_schema(resolved), Spec)
    plan = outcome(resolved)
    if not isinstance(plan, Plan):
        assert render_text(plan)
        return
    batch, topology, model = plan.batch, plan.topology, plan.model
    assert (
        batch.global_batch_size == batch.micro_batch_size * batch.gradient_accumulation_steps * topology.data_parallel
    )
    assert topology.world_size == topology.nodes * topology.ranks_per_node
    assert isinstance(model, Model)
    assert model.head_dim * model.num_heads == model.hidden_size
    assert 0 <= plan.schedule.warmup_steps < plan.schedule.max_steps


PLAUSIBLE = st.fixed_dictionaries(
    {
        "model": st.fixed_dictionaries(
            {"hidden_size": st.sampled_from([64, 128, 96]), "num_heads": st.sampled_from([1, 2, 4, 8])}
        ),
        "training": st.fixed_dictionaries(
            {
                "max_steps": st.integers(1, 5000),
                "global_batch_size": maybe(st.sampled_from([16, 32, 48])),
                "micro_batch_size": maybe(st.sampled_from([1, 2, 8])),
                "gradient_accumulation_steps": maybe(st.sampled_from([1, 2, 3])),
                "precision": st.sampled_from(["fp32", "bf16"]),
                "warmup_steps": st.integers(0, 20),
                "optimizer": st.fixed_dictionaries({"type": st.sampled_from(["adamw", "adam", "sgd"])}),
            }
        ),
        "deepspeed": st.fixed_dictionaries({"zero": st.fixed_dictionaries({"stage": st.integers(0, 3)})}),
        "launch": st.fixed_dictionaries({"nodes": st.integers(1, 3), "gpus_per_node": st.sampled_from([1, 2, 4])}),
    }
)


@settings(max_examples=200, deadline=None)
@given(PLAUSIBLE)
def test_a_plausible_tree_is_refused_only_for_its_numbers(tree: dict[str, Any]) -> None:
    plan = outcome(resolved_of(merged(SMALL, tree)))
    if not isinstance(plan, Plan):
        assert {d.code for d in plan if d.severity == "error"} <= {"CFG401", "CFG402", "CFG403", "CFG420"}
        return
    said = plan.ds_config
    assert said["train_batch_size"] == plan.batch.global_batch_size
    assert isinstance(said["train_micro_batch_size_per_gpu"], int)


def test_a_small_spec_has_no_finding() -> None:
    assert check_resolved(resolved_of(SMALL)).warnings == ()


def test_each_rule_says_its_codes_and_each_code_is_of_a_rule(repository: Path) -> None:
    compiler = repository / "compiler" / "cfgc"
    somewhere = _codes_in(compiler)
    said: set[str] = set()
    for rule in (*SHARED_RULES, *RULES):
        codes = re.match(r"((?:CFG\d{3}(?:, )?)+): \S", rule.__doc__ or "")
        assert codes, f"{rule.__name__} says no code"
        own = set(codes[1].split(", "))
        assert own <= somewhere, f"{rule.__name__} says {own - somewhere}, which nothing gives"
        said |= own
    assert _codes_in(compiler / "validate" / "rules") - said == set()


def _codes_in(folder: Path) -> set[str]:
    return {code for path in folder.rglob("*.py") for code in re.findall(r'"(CFG\d{3})"', path.read_text())}


OPEN = {"TORCH_NCCL_DUMP_ON_TIMEOUT", "TORCH_NCCL_TRACE_BUFFER_SIZE", "TORCH_FR_BUFFER_SIZE"}
"""Of NCCL's records anybody may want more, or none."""


def test_variables_that_lowering_sets_cannot_be_set() -> None:
    for device, architecture in (("cpu", "cpu"), ("cuda", "ampere")):
        tree = merged(SMALL, {"hardware": {"device": device, "architecture": architecture}})
        spec = check_resolved(resolved_of(tree)).spec
        assert isinstance(spec, Spec)
        assert set(environment(spec)) - OPEN <= OWNED
        assert cpus_per_task_of(spec) == 2
