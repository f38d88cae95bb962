"""Started on each rank: the same weights judged by engines with an optimizer and without.

Arguments: a directory with ``text``, and the names of bundles there, of which each name ``NAME-evaluate`` has a
``NAME-train``; rank 0 writes what was seen to ``seen.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cfgc_runtime.config import load_config
from cfgc_runtime.data.feed import make_feed
from cfgc_runtime.data.prepare import prepare_sources
from cfgc_runtime.engine import Engine, connect
from cfgc_runtime.evaluate import evaluate
from cfgc_runtime.models.building import model_of
from cfgc_runtime.models.losses import cross_entropy
from cfgc_runtime.seeding import make_deterministic
from cfgc_runtime.wiring import NO_CODE
from cfgc_runtime.world import World


def main(directory: Path, *names: str) -> None:
    world = World.from_environment()
    make_deterministic()
    first = load_config(directory / names[0] / "config.py")
    feed = make_feed(first, world, prepare_sources(first.DATA, directory / f"data-{world.rank}", lambda *_: False))
    ranks = connect(first.TOPOLOGY, world)
    seen: dict[str, dict[str, Any]] = {}
    for name in names:
        config = load_config(directory / name / "config.py")
        engine = Engine(config, directory / name / "ds_config.json", model_of(config, NO_CODE), cross_entropy)
        seen[name] = {
            "losses": evaluate(engine, feed.evaluation(), ranks),
            "optimizer": type(engine.raw.optimizer).__name__,
            "kept": sum(parameter.numel() for parameter in engine.raw.module.parameters()),
        }
    if world.rank == 0:
        (directory / "seen.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
