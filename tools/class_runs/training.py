"""``python -m tools.class_runs.training DIR``: train each bundle below DIR, each rank a fork of this process.

torch and DeepSpeed are imported once. The losses of each run go to ``losses.json`` in its directory.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

import deepspeed.runtime.zero.muon.muon_optimizer  # noqa: F401  what is imported here, no fork imports again
import torch
import torch._inductor.compile_fx

import cfgc_runtime.models.decoder  # noqa: F401  the same
from cfgc_runtime.config import load_config
from cfgc_runtime.pulse import Pulse
from cfgc_runtime.rundir import RunDirectory
from cfgc_runtime.signals import StopRequest
from cfgc_runtime.train import train
from cfgc_runtime.world import World
from tests.runtime.bundles import free_port
from tools.class_runs.probing import losses_of

LOSSES = "losses.json"


def run(place: Path) -> None:
    """Train the bundle of ``place``. Raises ``RuntimeError`` when a rank fails."""
    config = load_config(place / "bundle" / "config.py")
    size, port = config.TOPOLOGY.world_size, free_port()
    children = [_fork(place, rank, size, port) for rank in range(size)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    if any(codes):
        raise RuntimeError(f"{place}: {codes}\n{(place / 'log').read_text(errors='replace')[-5000:]}")
    found = losses_of((place / "run" / "metrics.jsonl").read_text().splitlines())
    (place / LOSSES).write_text(json.dumps(found))


def _fork(place: Path, rank: int, size: int, port: int) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = _rank(place, rank, size, port)
        except BaseException:  # a fork never returns into its parent's code
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return child


def _rank(place: Path, rank: int, size: int, port: int) -> int:
    log = os.open(place / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    (place / "run" / "attempts" / "001").mkdir(parents=True, exist_ok=True)
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "CFGC_RUN_DIR": str(place / "run")}
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size)}
    os.chdir(place.parent)
    torch.set_num_threads(int((place / "threads").read_text()))
    run, world = RunDirectory(place / "run"), World.from_environment()
    with Path(os.devnull).open("w", encoding="utf-8") as screen:
        return train(place / "bundle", run, world, StopRequest(), screen, Pulse(place / f"beat-{rank}"))


def main(directory: Path) -> None:
    """Each bundle below ``directory`` that has not been trained."""
    for bundle in sorted(directory.glob("*/bundle")):
        if not (bundle.parent / LOSSES).exists():
            run(bundle.parent)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
