"""Bundles for the cluster: tasks that start in a moment, and the tiny training run where a loss is the point."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from tests.runtime.bundles import HERE as TINY

RANKS_PATH: Final = str(TINY / "site")
"""PYTHONPATH of a training: no compiler, and none of what would only cost time (``site/sitecustomize.py``)."""

_SPEC = """
[overlays]
hardware = "cpu"

[cluster]
memory_per_node = "500MiB" # all of a node's memory, the default, would let no other job beside it
"""


def task_bundle(directory: Path, script: str, *overrides: str, nodes: int = 1, ranks: int = 1) -> Path:
    """The bundle of a task that runs ``script`` (bash) in every rank, as ``directory``/bundle.

    Its run directory is ``directory``/run, and it is named after ``directory``.
    """
    task = {
        "task.kind": "script",
        "task.inline": script if script.startswith("#!") else f"#!/bin/bash\n{script}",
        "experiment.name": directory.name[:64].rstrip("."),
        **_common(directory, nodes, ranks),
    }
    reader = MemoryReader({"spec.toml": _SPEC}, DiskReader(directory, shipped_dir("specs")))
    return _write(directory, reader, "spec.toml", task, overrides)


def training_bundle(directory: Path, *overrides: str, nodes: int = 1, ranks: int = 2) -> Path:
    """The bundle of the tiny run, as ``directory``/bundle; it wants the corpus in ``directory``/text."""
    common = _common(directory, nodes, ranks) | {"cluster.memory_per_node": "4GiB"}
    return _write(directory, DiskReader(TINY, shipped_dir("specs")), "tiny.toml", common, overrides)


def _common(directory: Path, nodes: int, ranks: int) -> dict[str, str | int]:
    return {
        "launch.nodes": nodes,
        "launch.gpus_per_node": ranks,
        "launch.run_dir": str(directory / "run"),
        "launch.python": sys.executable,
    }


def _write(
    directory: Path, reader: DiskReader | MemoryReader, spec: str, values: dict[str, str | int], more: tuple[str, ...]
) -> Path:
    overrides = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    bundle = directory / "bundle"
    write_bundle(compile_spec(reader, spec, (*overrides, *more)), bundle)
    return bundle


def rank_logs(run: Path, attempt: int = 1) -> dict[str, str]:
    """What each rank and node of an attempt said, by the name of its log."""
    logs = run / "attempts" / f"{attempt:03d}" / "logs"
    return {path.stem: path.read_text() for path in sorted(logs.iterdir())}
