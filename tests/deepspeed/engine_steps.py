"""Two ranks build the engine from each ds_config of a JSON file and train a few steps; rank 0 writes the losses."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import deepspeed
import torch

# No operator of DeepSpeed's is compiled: shared-memory collectives would take half a minute.
deepspeed.ops.__compatible_ops__ = {}


def train(config: dict[str, Any], steps: int = 4) -> list[float]:
    """Losses of a small regression, the same data on both ranks."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
    groups = [
        {"params": [p for p in model.parameters() if p.dim() > 1]},
        {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0},
    ]
    engine, *_ = deepspeed.initialize(model=model, model_parameters=groups, config=config)
    dtype = next(engine.module.parameters()).dtype
    inputs = torch.randn(8, 16).to(dtype)
    losses = []
    for _ in range(steps * config["gradient_accumulation_steps"]):
        loss = engine(inputs).float().square().mean()
        engine.backward(loss)
        engine.step()
        losses.append(loss.item())
    engine.destroy()
    return losses


if __name__ == "__main__":
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    outcome = {name: train(config) for name, config in json.loads(Path(sys.argv[1]).read_text()).items()}
    if os.environ["RANK"] == "0":
        Path(sys.argv[2]).write_text(json.dumps(outcome))
