"""Started by torchrun: trains with DeepSpeed at every ZeRO stage and writes down what each rank saw.

Arguments: a directory with ``text`` and a bundle for each of ``VARIANTS`` and ``LLAMAS``; results go to ``rank-N.pt``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from deepspeed.utils import safe_get_full_fp32_param, safe_get_full_grad

from cfgc_runtime.collective import Ranks
from cfgc_runtime.config import Config, load_config
from cfgc_runtime.data.feed import Feed, make_feed
from cfgc_runtime.data.prepare import prepare_sources
from cfgc_runtime.engine import Engine, connect
from cfgc_runtime.models.building import model_of
from cfgc_runtime.models.losses import cross_entropy
from cfgc_runtime.schedule import learning_rate
from cfgc_runtime.wiring import NO_CODE
from cfgc_runtime.world import World

STEPS = 3
VARIANTS = ("0", "1", "2", "3", "2-offload", "3-offload")
"""The overlays of the group ``zero``: stages, and offloading of the optimizer and of parameters."""
LLAMAS = ("llama-0", "llama-3")
"""The same with a model of transformers, by ZeRO stage."""


def train(config: Config, ds_config: Path, feed: Feed, ranks: Ranks) -> dict[str, Any]:
    engine = Engine(config, ds_config, model_of(config, NO_CODE), cross_entropy)
    batches = feed.train(range(STEPS))
    seen: dict[str, Any] = {"losses": [], "norms": [], "samples": [], "gradients": []}
    for step in range(1, STEPS + 1):
        engine.set_learning_rate(learning_rate(config.SCHEDULE, step))
        losses, samples = [], []
        for micro in range(config.BATCH.gradient_accumulation_steps):
            batch = next(batches)
            samples += batch.samples
            losses.append(engine.accumulate(batch.batch))
            if micro == config.BATCH.gradient_accumulation_steps - 1:
                seen["gradients"].append(named(engine, safe_get_full_grad))
            norm = engine.finish_micro_step(is_last=micro == config.BATCH.gradient_accumulation_steps - 1)
        [total] = ranks.sums(torch.stack(losses).mean())
        seen["losses"].append(total / ranks.size)
        seen["norms"].append(norm)
        seen["samples"].append(samples)
    seen["weights"] = named(engine, safe_get_full_fp32_param if config.ZERO_STAGE else plain)
    return seen


def named(engine: Engine, read: Any) -> dict[str, torch.Tensor]:
    return {name: read(one).detach().clone() for name, one in engine.raw.module.named_parameters()}


def plain(parameter: torch.Tensor) -> torch.Tensor:
    return parameter.data


def main(directory: Path) -> None:
    world = World.from_environment()
    configs = {variant: load_config(directory / variant / "config.py") for variant in (*VARIANTS, *LLAMAS)}
    prepared = prepare_sources(configs["0"].DATA, directory / f"data-{world.rank}", lambda *_: False)
    feed = make_feed(configs["0"], world, prepared)
    ranks = connect(configs["0"].TOPOLOGY, world)
    results = {
        variant: train(config, directory / variant / "ds_config.json", feed, ranks)
        for variant, config in configs.items()
    }
    torch.save(results, directory / f"rank-{world.rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
