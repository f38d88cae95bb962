"""PLAN.md: the numbers a reviewer checks, and text that stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgc.emit import markdown
from cfgc.emit.plan_md import plan_md
from cfgc.emit.rates import learning_rate
from cfgc.lower.plan import EarlyStopping, Mixing, Plan, Schedule, Streaming
from tests.unit.emit.samples import cluster_plan, cpu_plan, hostile_plan

TEXT = plan_md(cluster_plan(), "sha256:" + "0" * 64)


@pytest.mark.parametrize(
    "line",
    [
        "# 16xh100-zero3 · 2 nodes × 8 × H100-80GB · ZeRO-3 · bf16",
        "| samples per step | 512 | micro 8 × accumulation 4 × data-parallel 16 |",
        "| tokens per step / in all | 1,048,576 / 41.9 B | × sequence 2,048 / × 40,000 steps |",
        "| checkpoints | every 1,000 steps, 40 × 1.7 GB, last 3 kept | 5.1 GB on disk, one more while saving |",
        "| wall-time limit | 24 h = 384 GPU-hours | each attempt; asked to save 5 min before it, on Slurm |",
        "| compute per step / in all | 7.9e+14 / 3.1e+19 FLOP | 7.5e+08 a token |",
        "| attempts | at most 5 = 1,920 GPU-hours | queued again by itself after a save; any other failure stays one |",
        "- override: `training.learning_rate=1e-3`",
        ("- waived: `CFG431` (the rows of a micro batch are no multiple of 8), because: the cluster has spare memory"),
        "- raw DeepSpeed keys: `zero_optimization.round_robin_gradients`, because: measured 4 % faster",
        "| 2,000 | 0.0003 | 2.1 B | peak |",
        "| 40,000 | 3e-05 | 41.9 B | last |",
        "| run directory | `$SCRATCH/runs/16xh100-zero3` | written: checkpoints, metrics, logs |",
        "| data books | `/data/books` | read as text: `*.txt` |",
        "| `WANDB_API_KEY` | must be set where the run starts |  |",
        "node 1  [ 8] [ 9] [10] [11] [12] [13] [14] [15]",
        "| `cfgc:bases/tiny.toml` | `abababababab` |",
    ],
)
def test_it_says(line: str) -> None:
    assert line in TEXT.splitlines()


def rows_of(plan: Plan) -> dict[str, tuple[str, str]]:
    """The rows of the table at the top: what → (value, how)."""
    cells = [line.strip("| ").split(" | ") for line in plan_md(plan, "sha256:" + "0" * 64).splitlines()]
    return {row[0]: (row[1], row[2]) for row in cells if len(row) == 3}


@pytest.mark.parametrize(
    ("batches", "most", "said"),
    [
        (0, 0, "all of the 1 % held out"),
        (0, 1000, "at most 1,000 samples over all ranks of the 1 % held out"),
        (5, 1000, "at most 640 samples over all ranks (5 × 8 on each rank) of the 1 % held out"),
        (50, 1000, "at most 1,000 samples over all ranks of the 1 % held out"),
    ],
)
def test_an_evaluation_reads_what_its_limits_allow(batches: int, most: int, said: str) -> None:
    plan = cluster_plan()
    evaluation = replace(plan.evaluation, max_batches=batches, micro_batch_size=8, every_steps=100)
    data = replace(plan.data, max_eval_samples=most, eval_fraction=0.01)
    plan = replace(plan, evaluation=evaluation, data=data, early_stopping=EarlyStopping(3, 0.01))
    early = "; stops after 3 evaluations without improvement of at least 0.01"
    assert rows_of(plan)["evaluation"][1] == said + early


def test_a_short_run_has_no_intervals_and_its_minutes() -> None:
    plan = cluster_plan()
    plan = replace(
        plan,
        schedule=replace(plan.schedule, max_steps=100, warmup_steps=10, total_tokens=100 * plan.batch.tokens_per_step),
        evaluation=replace(plan.evaluation, every_steps=500, at_end=True),
        checkpoint=replace(plan.checkpoint, every_steps=500),
        tracking=replace(plan.tracking, peak_flops=1e12 * plan.topology.world_size),
        estimate=replace(plan.estimate, peak_tflops=1.0, gpu_hours=1.0),
    )
    rows = rows_of(plan)
    assert rows["evaluation"][0] == "at the end"
    assert rows["checkpoints"][0].startswith("at the end")
    assert re.search(
        r"; (about \d+ min|less than a minute|about [1-9][\d,.]* h) ", rows["compute per step / in all"][1]
    )
    assert rows["wall-time limit"][0].endswith(" = 1 GPU-hour")


def test_the_passes_over_known_samples_are_counted() -> None:
    plan = cluster_plan()
    data = replace(plan.data, max_train_samples=5 * plan.batch.global_batch_size + 7)
    schedule = replace(plan.schedule, max_steps=15, warmup_steps=1)
    rows = rows_of(replace(plan, data=data, schedule=schedule))
    assert rows["tokens per step / in all"][1].endswith("15 steps, 3 passes over 2,567 samples")


def test_many_nodes_are_drawn_in_short() -> None:
    plan = cluster_plan()
    topology = replace(plan.topology, nodes=12, world_size=96)
    lines = plan_md(replace(plan, topology=topology), "sha256:0").splitlines()
    drawing = lines[lines.index("```") + 1 :]
    assert [line.split("[")[0].strip() for line in drawing[:5]] == ["node 0", "node 1", "node 2", "⋮", "node 11"]


def test_hostile_text_makes_no_markup() -> None:
    plan = hostile_plan()
    review = replace(plan.review, overrides=("a=`b` | c", "d=\n# title"), waivers=(("CFG431", "<b> | x"),))
    text = plan_md(replace(plan, review=review), "sha256:0")
    assert "- override: ``a=`b` | c``" in text
    assert "- override: `d=\N{REPLACEMENT CHARACTER}# title`" in text
    assert "because: \\<b\\> | x" in text
    rows = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} <= {3, 4, 5}
    assert "\u202e" not in text


schedules = st.builds(
    lambda kind, warmup, more, peak, decay: Schedule(
        kind, warmup + more, warmup, peak, peak / 10, 0, decay, -(-more // 3), 1.5, 0.5, 0, (warmup + 1, warmup + 9)
    ),
    st.sampled_from(["constant", "linear", "cosine", "step", "wsd", "polynomial"]),
    st.integers(0, 50),
    st.integers(1, 100),
    st.floats(1e-6, 1.0),
    st.sampled_from(["linear", "cosine", "sqrt"]),
)


@given(schedules, st.integers(1, 200))
def test_the_rates_are_those_of_the_runtime(schedule: Schedule, step: int) -> None:
    from cfgc_runtime import schedule as runtime

    loaded: Any = schedule  # as config.py has it, whose shape the runtime declares with fields that are not frozen
    assert learning_rate(schedule, step) == runtime.learning_rate(loaded, step)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (markdown.memory(0), "0 B"),
        (markdown.memory(590_000_000), "562.7 MiB"),
        (markdown.memory(6_000_000_000), "5.59 GiB"),
        (markdown.disk(1_700_000_000), "1.7 GB"),
        (markdown.count(9_999_999), "9,999,999"),
        (markdown.count(41_943_040_000), "41.9 B"),
        (markdown.duration(5430), "1 h 30 min 30 s"),
        (markdown.duration(0), "0 s"),
        (markdown.number(3e-05), "3e-05"),
        (markdown.counted(1, "node"), "1 node"),
        (markdown.code(""), "(empty)"),
        (markdown.code("a``b"), "```a``b```"),
    ],
)
def test_numbers_and_code(shown: str, expected: str) -> None:
    assert shown == expected


def test_a_cpu_plan_names_no_gpu_hours() -> None:
    text = plan_md(cpu_plan(), "sha256:0")
    assert "GPU" not in text
    assert "| compute |" not in text


def test_data_that_is_mixed_padded_or_streamed_says_so() -> None:
    plan = cpu_plan()
    assert "samples" not in rows_of(plan)
    [source] = plan.data.sources
    chat, own = replace(source, name="chat", format="chat"), replace(source, name="own", split="eval")
    data = replace(
        plan.data,
        sources=(source, chat, own),
        packing=False,
        padding_side="left",
        mixing=Mixing("shares", (0.8, 0.2), 1.0),
        streaming=Streaming(True, 5000),
    )
    rows = rows_of(replace(plan, data=data))
    padded = "a document each, padded on the left to the longest of a micro batch"
    assert rows["samples"] == (
        f"{padded}; in order, through a buffer of 5,000 samples",
        "mixed: stdlib 80 %, chat 20 %",
    )
    assert rows["evaluation"][1].endswith(" of the data own")
    assert rows["data chat"][1].endswith(", conversations")
    assert rows["data own"][1].endswith(", for evaluations only")
    sizes = replace(plan.data, mixing=Mixing("sizes", (), 0.5), max_eval_samples=7)
    said = rows_of(replace(plan, data=sizes))["samples"]
    assert said == ("packed", "mixed by the sizes of stdlib to the power of 0.5, counted at the start")
    streamed = replace(plan.data, streaming=Streaming(True, 1), max_eval_samples=7)
    assert rows_of(replace(plan, data=streamed))["evaluation"][1].endswith(" of the first 7 samples of the stream")
