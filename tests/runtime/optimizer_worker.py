"""Started by torchrun: trains each bundle of a directory, saves, goes on, loads again and goes on from there.

Arguments: a directory with bundles in ``bundles/NAME``; what each rank saw goes to ``rank-N.pt`` there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from deepspeed.utils import safe_get_full_fp32_param

from cfgc_runtime.config import Config, load_config
from cfgc_runtime.data.samples import MicroBatch
from cfgc_runtime.engine import Engine, connect
from cfgc_runtime.models.decoder import build_model
from cfgc_runtime.models.losses import cross_entropy
from cfgc_runtime.state import State
from cfgc_runtime.stepping import take_step
from cfgc_runtime.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS, SAVED = 4, 3


def build(directory: Path, config: Config) -> Engine:
    assert config.MODEL.kind == "decoder"
    torch.manual_seed(0)
    return Engine(
        config, directory / "ds_config.json", build_model(config.MODEL, config.EXPERIMENT.seed), cross_entropy
    )


def tokens_of(sample: int, config: Config) -> torch.Tensor:
    """Sample ``sample``: one more token than the model reads at once, the same wherever it is asked for."""
    generator = torch.Generator().manual_seed(sample)
    drawn: list[int] = torch.randint(0, 200, (2,), generator=generator).tolist()
    start, steps = drawn
    return (start + (steps % 5 + 1) * torch.arange(config.DATA.sequence_length + 1)) % 256


def batches_of(config: Config, rank: int, steps: range) -> Iterator[MicroBatch]:
    """Other samples in every micro step and on every rank."""
    micros = config.BATCH.gradient_accumulation_steps
    size = config.BATCH.micro_batch_size
    for micro in range(steps.start * micros, steps.stop * micros):
        samples = [(micro * config.TOPOLOGY.world_size + rank) * size + row for row in range(size)]
        rows = torch.stack([tokens_of(sample, config) for sample in samples])
        batch = {"input_ids": rows[:, :-1], "labels": rows[:, 1:]}
        yield MicroBatch(samples, batch, torch.ones(size))


def run(config: Config, engine: Engine, rank: int, state: State, until: int) -> tuple[State, list[Any]]:
    """State after step ``until``, and loss, norm and rate of each step."""
    batches = batches_of(config, rank, range(state.step, until))
    seen = []
    while state.step < until:
        outcome = take_step(engine, config, state, batches)
        health = state.health.after(outcome.grad_norm, config.GRADIENT_HEALTH)
        state = State({}, state.step + 1, health=health)
        seen.append((float(outcome.loss), outcome.grad_norm, outcome.rate))
    return state, seen


def weights(config: Config, engine: Engine) -> dict[str, torch.Tensor]:
    read = safe_get_full_fp32_param if config.ZERO_STAGE else lambda one: one.data
    return {name: read(one).detach().clone().float() for name, one in engine.raw.module.named_parameters()}


def outcome(directory: Path, rank: int, saves: Path) -> dict[str, Any]:
    config = load_config(directory / "config.py")
    engine = build(directory, config)
    state, seen = run(config, engine, rank, State({}), SAVED)
    engine.raw.save_checkpoint(str(saves), tag="saved", save_latest=False)
    stored = state.as_json()
    _, more = run(config, engine, rank, state, STEPS)
    after = weights(config, engine)
    engine.raw.destroy()
    again = build(directory, config)
    again.raw.load_checkpoint(str(saves), tag="saved")
    _, resumed = run(config, again, rank, State.from_json(SAVED, stored), STEPS)
    same = all(torch.equal(after[name], one) for name, one in weights(config, again).items())
    again.raw.destroy()
    return {"seen": seen + more, "weights": after, "resumed": resumed == more and same}


def main(directory: Path) -> None:
    world = World.from_environment()
    bundles = sorted((directory / "bundles").iterdir())
    first = load_config(bundles[0] / "config.py")
    connect(first.TOPOLOGY, world)
    results = {one.name: outcome(one, world.rank, directory / "saves" / one.name) for one in bundles}
    torch.save(results, directory / f"rank-{world.rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
