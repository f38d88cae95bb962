"""Pairs of runs that differ in one key, trained, and what their losses say."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cfgc.emit.bundle import Bundle
from cfgc.write.writer import write_bundle
from tools.class_runs.probing import ALLOWED, HERE, Probe, Verdict, compiled, has_same_input, verdict

REPOSITORY = HERE.parents[1]


@dataclass(frozen=True)
class Shown:
    """What a pair of runs showed."""

    probe: Probe
    verdict: Verdict

    @property
    def holds(self) -> bool:
        """Whether it is what the class of the key says."""
        return self.verdict in ALLOWED[self.probe.key.field_class]


def show(probes: Sequence[Probe], directory: Path) -> list[Shown]:
    """Train what must be trained, in ``directory``, and judge it."""
    corpus(directory / "text")
    bundles: dict[tuple[str, ...], Bundle] = {}
    for probe in probes:
        for overrides in probe.runs:
            if overrides not in bundles:
                bundles[overrides] = compiled(overrides)
    same = {probe.key.dotted: has_same_input(*(bundles[one] for one in probe.runs)) for probe in probes}
    for overrides in dict.fromkeys(_needed(probes, same)):
        place = _place(directory, overrides)
        place.mkdir(exist_ok=True)
        write_bundle(bundles[overrides], place / "bundle")
        threads = next((one.split("=")[1] for one in overrides if one.startswith("launch.threads_per_rank=")), "1")
        (place / "threads").write_text(threads)
    _train(directory)
    return [_judged(probe, directory, same[probe.key.dotted]) for probe in probes]


def corpus(directory: Path) -> None:
    """Records that a tiny model can learn from, of many lengths; every one is different."""
    directory.mkdir(exist_ok=True)
    words = ("rank", "step", "gradient", "shard", "epoch", "micro", "loss", "batch")
    for number in range(2):
        with (directory / f"part-{number}.jsonl").open("w", encoding="utf-8") as file:
            for n in range(150):
                text = " ".join(words[(n * place + number) % 8] for place in range(3 + n % 13)) + f" {n * 37 % 101}"
                file.write(json.dumps({"text": text, "title": text[::-1]}) + "\n")


def _needed(probes: Sequence[Probe], same: dict[str, bool]) -> Iterator[tuple[str, ...]]:
    for probe in probes:
        if not same[probe.key.dotted] or probe.key.dotted == "launch.threads_per_rank":
            yield from probe.runs


def _judged(probe: Probe, directory: Path, is_same: bool) -> Shown:
    if is_same and probe.key.dotted != "launch.threads_per_rank":
        return Shown(probe, "same input")
    old, new = (json.loads((_place(directory, one) / "losses.json").read_text()) for one in probe.runs)
    return Shown(probe, verdict(old, new, probe.key.dotted))


def _place(directory: Path, overrides: tuple[str, ...]) -> Path:
    return directory / hashlib.sha256("\0".join(overrides).encode()).hexdigest()[:16]


def _train(directory: Path) -> None:
    environment = {**os.environ, "DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = f"{REPOSITORY}:{REPOSITORY / 'runtime'}:{REPOSITORY / 'compiler'}"
    command = [sys.executable, "-m", "tools.class_runs.training", str(directory)]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout[-3000:] + done.stderr[-6000:])
