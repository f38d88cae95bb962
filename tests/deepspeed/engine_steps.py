"""Two ranks build the engine from each ds_config of a JSON file, train, save, go on, load and go on again.

Rank 0 writes the losses: ``start``, then the same steps ``unbroken`` and ``resumed``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import deepspeed
import torch

from cfgc_runtime.engine import forget_empty_step

# No operator of DeepSpeed's is compiled: shared-memory collectives would take half a minute.
deepspeed.ops.__compatible_ops__ = {}


def build(config: dict[str, Any]) -> Any:
    """An engine over a small regression, with two parameter groups as the runtime has."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
    groups = [
        {"params": [p for p in model.parameters() if p.dim() > 1]},
        {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0},
    ]
    engine = deepspeed.initialize(model=model, model_parameters=groups, config=config)[0]
    forget_empty_step(engine)
    return engine


def train(engine: Any, steps: int, seed: int) -> list[float]:
    """The loss of every micro step: the same batch again and again, another one on each rank."""
    generator = torch.Generator().manual_seed(seed * 2 + engine.global_rank)
    dtype = next(engine.module.parameters()).dtype
    inputs = torch.randn(8, 16, generator=generator).to(dtype)
    losses = []
    for _ in range(steps * engine.gradient_accumulation_steps()):
        loss = (engine(inputs).float() - 1).square().mean()
        engine.backward(loss)
        engine.step()
        losses.append(loss.item())
    return losses


def outcome(config: dict[str, Any], folder: Path) -> dict[str, list[float]]:
    """Losses before a checkpoint, and twice after it."""
    engine = build(config)
    start = train(engine, 4, seed=1)
    engine.save_checkpoint(str(folder), tag="saved", save_latest=False)
    unbroken = train(engine, 2, seed=2)
    engine.destroy()
    engine = build(config)
    engine.load_checkpoint(str(folder), tag="saved")
    resumed = train(engine, 2, seed=2)
    engine.destroy()
    return {"start": start, "unbroken": unbroken, "resumed": resumed}


if __name__ == "__main__":
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    configs, written = Path(sys.argv[1]), Path(sys.argv[2])
    found = {name: outcome(config, written.parent / name) for name, config in json.loads(configs.read_text()).items()}
    if os.environ["RANK"] == "0":
        written.write_text(json.dumps(found))
