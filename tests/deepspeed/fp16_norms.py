"""One rank takes a step of fp16 with each ds_config of a JSON file, on a CPU that DeepSpeed is told has fp16.

Written is the norm of the gradients that torch's optimizer is given; the model and its sample are the same for all.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import deepspeed
import torch
from deepspeed.accelerator import get_accelerator

# No operator of DeepSpeed's is compiled: shared-memory collectives would take half a minute.
deepspeed.ops.__compatible_ops__ = {}


def norm(config: dict[str, Any]) -> float:
    """The norm of what torch's optimizer is given in the first step."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Linear(8, 8))
    engine = deepspeed.initialize(model=model, model_parameters=model.parameters(), config=config)[0]
    given: list[torch.Tensor] = []

    def look(optimizer: torch.optim.Optimizer, *_arguments: object) -> None:
        given.extend(one.grad.flatten() for group in optimizer.param_groups for one in group["params"])

    engine.basic_optimizer.register_step_pre_hook(look)
    engine.backward(engine(torch.ones(2, 8, dtype=torch.half)).float().square().mean())
    engine.step()
    return float(torch.cat(given).norm())


if __name__ == "__main__":
    cpu: Any = type(get_accelerator())
    cpu.is_fp16_supported = lambda _: True
    cpu.supported_dtypes = lambda _: [torch.float, torch.bfloat16, torch.half]
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    configs, written = Path(sys.argv[1]), Path(sys.argv[2])
    written.write_text(json.dumps({name: norm(config) for name, config in json.loads(configs.read_text()).items()}))
