"""One rank reads each ds_config of a JSON file, builds an engine with it, and takes three optimizer steps on a CPU.

Writes for each name ``refused``, ``stops`` or ``trains``, and the error that said so.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import deepspeed
import torch
from deepspeed.runtime.config import DeepSpeedConfig

deepspeed.ops.__compatible_ops__ = {}


def fate(config: dict[str, Any]) -> tuple[str, str]:
    """How far the config comes, and why no further."""
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            DeepSpeedConfig(json.loads(json.dumps(config)))
        except Exception as error:  # whatever DeepSpeed raises is what is asked for
            return "refused", f"{type(error).__name__}: {error}"
        try:
            train(config)
        except Exception as error:
            return "stops", f"{type(error).__name__}: {error}"
    return "trains", ""


def train(config: dict[str, Any]) -> None:
    """Three optimizer steps over a small regression."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
    engine = deepspeed.initialize(model=model, model_parameters=list(model.parameters()), config=config)[0]
    try:
        dtype = next(engine.module.parameters()).dtype
        inputs = torch.ones(engine.train_micro_batch_size_per_gpu(), 8, dtype=dtype)
        for _ in range(3 * engine.gradient_accumulation_steps()):
            loss = engine(inputs).float().square().mean()
            engine.backward(loss)
            engine.step()
    finally:
        with contextlib.suppress(Exception):
            engine.destroy()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    configs, written = Path(sys.argv[1]), Path(sys.argv[2])
    found = {name: fate(config) for name, config in json.loads(configs.read_text()).items()}
    written.write_text(json.dumps(found, indent=1))
