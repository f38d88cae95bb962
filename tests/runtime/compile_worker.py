"""Started on one rank: trains as it is, compiled at ZeRO-2, and compiled from a checkpoint in the middle.

Arguments: a directory with the bundles ``plain-0`` and ``compiled-2`` and ``text``; what was seen goes to
``seen.json`` there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from cfgc_runtime.config import Config, load_config
from cfgc_runtime.data.feed import Feed, make_feed
from cfgc_runtime.data.prepare import prepare_sources
from cfgc_runtime.engine import Engine, connect
from cfgc_runtime.evaluate import evaluate
from cfgc_runtime.models.building import model_of
from cfgc_runtime.models.losses import cross_entropy
from cfgc_runtime.seeding import make_deterministic, restore_rng_state, rng_state, seed_rank
from cfgc_runtime.wiring import NO_CODE
from cfgc_runtime.world import World

STEPS, MIDDLE = 4, 2
NAMES = ("plain-0", "compiled-2")


def start(directory: Path, config: Config, name: str) -> Engine:
    engine = Engine(config, directory / name / "ds_config.json", model_of(config, NO_CODE), cross_entropy)
    seed_rank(config.EXPERIMENT.seed, 0)
    engine.set_learning_rate(config.SCHEDULE.learning_rate)
    return engine


def train(engine: Engine, config: Config, feed: Feed, steps: range) -> list[float]:
    """Losses of every micro step, as exact as they are."""
    losses = []
    for number, micro in enumerate(feed.train(steps), 1):
        losses.append(float(engine.accumulate(micro.batch)))
        engine.finish_micro_step(is_last=number % config.BATCH.gradient_accumulation_steps == 0)
    return losses


def main(directory: Path) -> None:
    world = World.from_environment()
    configs = {name: load_config(directory / name / "config.py") for name in NAMES}
    first = configs["plain-0"]
    make_deterministic()
    feed = make_feed(first, world, prepare_sources(first.DATA, directory / "data", lambda *_: False))
    ranks = connect(first.TOPOLOGY, world)
    seen: dict[str, dict[str, object]] = {}
    for name, config in configs.items():
        engine = start(directory, config, name)
        before = train(engine, config, feed, range(MIDDLE))
        engine.raw.save_checkpoint(str(directory / "saved" / name), tag="middle")
        state = rng_state()
        # Batches of another shape, which a kernel for all shapes would be made of.
        held_out = evaluate(engine, feed.evaluation(), ranks)
        restore_rng_state(state)
        after = train(engine, config, feed, range(MIDDLE, STEPS))
        seen[name] = {"losses": before + after, "held_out": held_out, "compiled": engine.raw.is_compiled}

    torch._dynamo.reset()
    again = start(directory, configs["compiled-2"], "compiled-2")
    again.raw.load_checkpoint(str(directory / "saved" / "compiled-2"), tag="middle")
    again.set_learning_rate(first.SCHEDULE.learning_rate)
    restore_rng_state(state)
    seen["resumed"] = {"losses": train(again, first, feed, range(MIDDLE, STEPS))}
    (directory / "seen.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
