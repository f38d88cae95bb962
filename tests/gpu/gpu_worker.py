"""Started on each rank: trains the bundles that it is told of, and writes down what this rank saw.

Arguments: a directory, and names of bundles in it. Samples are the same whatever the number of ranks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

from cfgc_runtime.config import Config, load_config
from cfgc_runtime.engine import Engine, connect
from cfgc_runtime.seeding import make_deterministic, restore_rng_state, rng_state, seed_rank
from cfgc_runtime.state import State
from cfgc_runtime.stepping import take_step
from cfgc_runtime.world import World
from tests.runtime.optimizer_worker import batches_of, build, run, weights

STEPS, SAVED = 4, 2
TOO_LARGE = 40
"""Power of two of a first fp16 scale that overflows."""


def train(bundle: Path, rank: int) -> dict[str, Any]:
    config = load_config(bundle / "config.py")
    engine = build(bundle, config)
    _, seen = run(config, engine, rank, State({}), STEPS)
    return {
        "losses": [loss for loss, _, _ in seen],
        "norms": [norm for _, norm, _ in seen],
        "device": engine.raw.device.type,
        "compiled": engine.raw.is_compiled,
    }


def resume(bundle: Path, rank: int) -> dict[str, Any]:
    """Dropout is on: what follows a checkpoint depends on the random state of the device."""
    config = load_config(bundle / "config.py")
    saves = str(bundle.with_name("saves"))
    engine = build(bundle, config)
    seed_rank(config.EXPERIMENT.seed, rank)
    state, _ = run(config, engine, rank, State({}), SAVED)
    engine.raw.save_checkpoint(saves, tag="middle", save_latest=False)
    stored, random = state.as_json(), rng_state()
    _, after = run(config, engine, rank, state, STEPS)
    again = build(bundle, config)
    again.raw.load_checkpoint(saves, tag="middle")
    _, other = run(config, again, rank, State.from_json(SAVED, stored), STEPS)
    again.raw.load_checkpoint(saves, tag="middle")
    restore_rng_state(random)
    _, resumed = run(config, again, rank, State.from_json(SAVED, stored), STEPS)
    return {
        "same": resumed == after and _equal(config, engine, again),
        "random_state_matters": other != after,
        "holds": sorted(random),
    }


def _equal(config: Config, one: Engine, other: Engine) -> bool:
    theirs = weights(config, other)
    return all(torch.equal(mine, theirs[name]) for name, mine in weights(config, one).items())


def overflow(bundle: Path, rank: int) -> dict[str, Any]:
    """What a first scale of 2^40 does to the first step."""
    settings = json.loads((bundle / "ds_config.json").read_text())
    settings["fp16"]["initial_scale_power"] = TOO_LARGE
    (bundle / "ds_config.json").write_text(json.dumps(settings))
    config = load_config(bundle / "config.py")
    engine = build(bundle, config)
    before = weights(config, engine)
    outcome = take_step(engine, config, State({}), batches_of(config, rank, range(1)))
    after = weights(config, engine)
    unchanged = all(torch.equal(before[name], one) for name, one in after.items())
    return {"skipped": outcome.skipped, "norm": outcome.grad_norm, "unchanged": unchanged}


def main(directory: Path, names: list[str]) -> None:
    world = World.from_environment()
    make_deterministic()
    connect(load_config(directory / names[0] / "config.py").TOPOLOGY, world)
    ways = {"resumed": resume, "overflow": overflow}
    seen = {name: ways.get(name.partition("-")[0], train)(directory / name, world.rank) for name in names}
    (directory / f"rank-{world.rank}.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
