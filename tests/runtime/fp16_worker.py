"""Started alone: trains in fp16 on a CPU, which DeepSpeed is told to take it on, and prints what came of it as JSON.

Arguments: a directory with bundles ``fp32``, ``1``, ``2`` and ``3`` (fp16 by stage). A first scale of 2^40 overflows.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import torch
from deepspeed.accelerator import get_accelerator

from cfgc_runtime.config import load_config
from cfgc_runtime.engine import connect
from cfgc_runtime.state import State
from cfgc_runtime.stepping import take_step
from cfgc_runtime.world import World
from tests.runtime.optimizer_worker import batches_of, build, run, weights


def main(directory: Path) -> None:
    cpu: Any = type(get_accelerator())
    cpu.is_fp16_supported = lambda _: True
    cpu.supported_dtypes = lambda _: [torch.float, torch.bfloat16, torch.half]
    connect(load_config(directory / "fp32" / "config.py").TOPOLOGY, World.from_environment())
    found: dict[str, Any] = {}
    for name in ("fp32", "1", "2", "3"):
        config: Any = load_config(directory / name / "config.py")
        config.PRECISION = "fp32" if name == "fp32" else "fp16"
        _, seen = run(config, build(directory / name, config), 0, State({}), 4)
        found[name] = [(loss, norm) for loss, norm, _ in seen]
    found["overflow"] = overflow(directory / "2")
    print(json.dumps(found), flush=True)


def overflow(bundle: Path) -> dict[str, Any]:
    """What a first scale of 2^40 does to the first step."""
    settings = json.loads((bundle / "ds_config.json").read_text())
    settings["fp16"]["initial_scale_power"] = 40
    (bundle / "ds_config.json").write_text(json.dumps(settings))
    config: Any = load_config(bundle / "config.py")
    config.PRECISION = "fp16"
    engine = build(bundle, config)
    before = weights(config, engine)
    outcome = take_step(engine, config, State({}), batches_of(config, 0, range(1)))
    after = weights(config, engine)
    return {
        "skipped": outcome.skipped,
        "norm": outcome.grad_norm,
        "diverged": outcome.diverged(),
        "unchanged": all(torch.equal(before[name], one) for name, one in after.items()),
    }


if __name__ == "__main__":
    os.environ.update(RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", LOCAL_WORLD_SIZE="1", MASTER_ADDR="127.0.0.1")
    main(Path(sys.argv[1]))
