"""A run that died goes on as if nothing had happened: bit for bit, at every ZeRO stage."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from cfgc_runtime.checkpoints.complete import newest_first, step_of
from cfgc_runtime.checkpoints.shelf import best_first
from cfgc_runtime.finish import describe_run
from cfgc_runtime.rundir import RunDirectory
from tests.runtime.bundles import Run, compile_tiny, free_port, new_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow

LAST = "step-00000012"


def checkpoint_files(run: Run, name: str = LAST) -> dict[str, str]:
    """sha256 of every file of a checkpoint: weights, optimizer state and each rank's random number state."""
    complete = json.loads((run.directory / "checkpoints" / name / "complete.json").read_text())
    return {file: entry["sha256"] for file, entry in complete["files"].items()}


VARIANTS = {
    "zero-0": ["zero=0"],
    "zero-1": ["zero=1"],
    "zero-2": [],
    "zero-3": ["zero=3"],
    "bf16-zero-3-offload": [
        "zero=3-offload",
        "training.precision=bf16",
        "model.activation_checkpointing=true",
        "model.tie_embeddings=false",
        "data.num_workers=2",
    ],
    "bf16-zero-1-sgd": [
        "zero=1",
        "training.precision=bf16",
        "training.optimizer.type=sgd",
        "training.optimizer.momentum=0.9",
        "model.attention=eager",
        "model.attention_dropout=0.1",
        "model.activation=gelu",
    ],
}


@pytest.mark.covers("checkpoint.every_steps", "deepspeed.zero.stage", "deepspeed.offload.parameters")
@pytest.mark.parametrize("variant", VARIANTS)
def test_killed_inside_an_accumulation_and_resumed_is_bit_for_bit_the_same(
    variant: str, tmp_path: Path, finished: Callable[..., Run]
) -> None:
    whole = finished(*VARIANTS[variant])
    run = new_run(tmp_path, *VARIANTS[variant])

    killed = run.to_end(TEST_KILL="1:11")  # the first of step 6's two micro steps; step 4 was saved
    assert killed.code == 137, (killed, run.logs())
    assert "rank 1 failed with exit code 137" in killed.err
    assert run.steps() == [1, 2, 3, 4, 5]

    resumed = run.to_end()
    assert resumed.code == 0, (resumed, run.logs())
    assert "resumed from step 4" in resumed.out
    assert run.metrics() == whole.metrics()
    assert checkpoint_files(run) == checkpoint_files(whole)


def test_the_checkpoint_holds_weights_optimizer_and_random_state_of_each_rank(
    finished: Callable[..., Run],
) -> None:
    assert set(checkpoint_files(finished())) == {
        "mp_rank_00_model_states.pt",
        "zero_pp_rank_0_mp_rank_00_optim_states.pt",
        "zero_pp_rank_1_mp_rank_00_optim_states.pt",
        "rng-rank-0.pt",
        "rng-rank-1.pt",
    }


@pytest.mark.covers("evaluation.every_steps", "checkpoint.keep_best")
def test_each_checkpoint_knows_its_held_out_loss_and_the_best_one_is_named(finished: Callable[..., Run]) -> None:
    run = finished()
    evaluated = sorted((line["eval_loss"], line["step"]) for line in run.metrics() if "eval_loss" in line)
    found = best_first(newest_first(run.directory / "checkpoints"))
    assert [(loss, step_of(name)) for name, loss in found] == evaluated
    best = run.directory / "checkpoints" / found[0][0]
    assert f"best        {best} (held-out loss {evaluated[0][0]:.3f})" in describe_run(RunDirectory(run.directory))


def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(tmp_path: Path, finished: Callable[..., Run]) -> None:
    whole = finished()
    shutil.copytree(whole.cwd, tmp_path / "copy")
    run = Run(tmp_path / "copy" / "bundle", tmp_path / "copy")
    (run.directory / "finished.json").unlink()
    shard = run.directory / "checkpoints" / LAST / "zero_pp_rank_1_mp_rank_00_optim_states.pt"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)

    outcome = run.to_end()
    assert outcome.code == 0, (outcome, run.logs())
    assert f"{LAST} is damaged ({shard.name})" in outcome.out
    assert "resumed from step 8" in outcome.out
    assert run.metrics() == whole.metrics()
    assert checkpoint_files(run) == checkpoint_files(whole)


@pytest.mark.covers("checkpoint.on_changed_numerics")
def test_data_that_changed_is_refused_unless_the_spec_says_otherwise(
    tmp_path: Path, finished: Callable[..., Run]
) -> None:
    shutil.copytree(finished().cwd, tmp_path / "copy")
    run = Run(tmp_path / "copy" / "bundle", tmp_path / "copy")
    (run.directory / "finished.json").unlink()
    (run.cwd / "text" / "part-9.txt").write_text("one more file\n")

    outcome = run.to_end()
    assert outcome.code == 66
    assert "the data changed since step 12 was saved: 3 files" in outcome.err

    changed = ("training.max_steps=14", "checkpoint.on_changed_numerics=continue")
    longer = compile_tiny(tmp_path / "longer", f"launch.master_port={free_port()}", *changed)
    outcome = Run(longer, run.cwd).to_end()
    assert outcome.code == 0, (outcome, run.logs())
    assert "training.max_steps: 12 → 14" in outcome.out
    assert "the data changed since step 12 was saved: 3 files" in outcome.out
    assert "resumed from step 12" in outcome.out
    assert run.steps() == list(range(1, 15))
