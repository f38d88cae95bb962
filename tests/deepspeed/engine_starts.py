"""One rank reads each ds_config of a JSON file, builds the engine and trains two steps; how far each came is written.

``ok``, or ``parse``, ``build`` or ``step`` with the error.
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import deepspeed
import torch
from deepspeed.runtime import torch_autocast
from deepspeed.runtime.config import DeepSpeedConfig

# No operator of DeepSpeed's is compiled: shared-memory collectives would take half a minute.
deepspeed.ops.__compatible_ops__ = {}


def outcome(config: dict[str, Any]) -> list[str]:
    """How far DeepSpeed comes with the config: the phase, and what it says."""
    _forget()
    phase = "parse"
    try:
        DeepSpeedConfig(copy.deepcopy(config))
        phase = "build"
        model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Linear(8, 8))
        engine = deepspeed.initialize(model=model, model_parameters=model.parameters(), config=copy.deepcopy(config))[0]
        phase = "step"
        _train(engine)
    except Exception as error:
        return [phase, f"{type(error).__name__}: {error}"]
    return ["ok", ""]


def _train(engine: Any) -> None:
    dtype = torch.bfloat16 if engine.bfloat16_enabled() else torch.float32
    for _ in range(2):
        loss = engine(torch.ones(2, 8, dtype=dtype)).float().square().mean()
        engine.backward(loss)
        engine.step()


def _forget() -> None:
    """What DeepSpeed keeps of an engine outside of it."""
    deepspeed.utils.groups._ZERO_PARAM_INTRA_PARALLEL_GROUP = None
    torch_autocast.TORCH_AUTOCAST_INITIALIZED = False
    torch_autocast.TORCH_AUTOCAST_DTYPE = None


if __name__ == "__main__":
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    configs, written = Path(sys.argv[1]), Path(sys.argv[2])
    written.write_text(json.dumps({name: outcome(config) for name, config in json.loads(configs.read_text()).items()}))
