"""Tiny bundles, compiled for real, and ways to start them."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cfgc.load.disk import DiskReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle

HERE = Path(__file__).resolve().parent
WAIT_S = 240


def compile_tiny(directory: Path, *overrides: str, project: Path = HERE) -> Path:
    """The bundle of ``tiny.toml``, the one beside this file unless ``project`` is given, in ``directory``."""
    bundle = compile_spec(DiskReader(project, shipped_dir("specs")), "tiny.toml", overrides)
    write_bundle(bundle, directory)
    return directory


def write_corpus(directory: Path, sentences: int = 400) -> None:
    """Text that a tiny model can learn from; every part of it is different."""
    directory.mkdir()
    words = ("rank", "step", "gradient", "shard", "epoch", "micro", "loss", "batch")
    for number in range(3):
        lines = [
            f"{words[(n * n + number) % 8]} {n * 37 % 101} follows {words[(n * 3 + number) % 8]}.\n"
            for n in range(sentences)
        ]
        (directory / f"part-{number}.txt").write_text("".join(lines))


@dataclass(frozen=True)
class Run:
    """A bundle that is started in ``cwd``, which holds the corpus as ``text``."""

    bundle: Path
    cwd: Path

    @property
    def directory(self) -> Path:
        return self.cwd / "run"

    def start(self, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.bundle / "launch.sh"), "--run-dir", str(self.directory)],
            cwd=self.cwd,
            env=clean_environment(self.cwd) | environment,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def to_end(self, **environment: str) -> Outcome:
        process = self.start(**environment)
        out, err = process.communicate(timeout=WAIT_S)
        return Outcome(process.returncode, out, err)

    def metrics(self) -> list[dict[str, Any]]:
        """Lines of training steps, without what a clock decides."""
        lines = [json.loads(line) for line in (self.directory / "metrics.jsonl").read_text().splitlines()]
        return [
            {key: line[key] for key in line if key not in ("time", "tokens_per_s", "samples_per_s")} for line in lines
        ]

    def steps(self) -> list[int]:
        return [line["step"] for line in self.metrics() if "loss" in line]

    def wait_for_step(self, step: int, process: subprocess.Popen[str]) -> None:
        """Until the metrics have a line of ``step`` or a later one."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise AssertionError(f"ended early with {process.returncode}: {process.communicate()}")
            if (self.directory / "metrics.jsonl").exists() and max(self.steps(), default=0) >= step:
                return
            time.sleep(0.005)
        raise AssertionError(f"step {step} was not reached")

    def pids(self, attempt: int = 1) -> dict[int, int]:
        """Process id of each rank's training process."""
        files = (self.directory / "attempts" / f"{attempt:03d}" / "pids").glob("rank-*")
        return {int(file.name.removeprefix("rank-")): int(file.read_text().split()[1]) for file in files}

    def logs(self) -> str:
        return "".join(path.read_text() for path in sorted(self.directory.glob("attempts/*/logs/*")))


@dataclass(frozen=True)
class Outcome:
    """How a start ended."""

    code: int
    out: str
    err: str


def new_run(directory: Path, *overrides: str) -> Run:
    """A fresh run of a tiny bundle in ``directory``, with its own port and corpus."""
    directory.mkdir(parents=True, exist_ok=True)
    bundle = compile_tiny(directory / "bundle", f"launch.master_port={free_port()}", *overrides)
    write_corpus(directory / "text")
    return Run(bundle, directory)


def clean_environment(home: Path) -> dict[str, str]:
    """Neither the compiler nor anything else of this process; see ``site/sitecustomize.py``."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHON": sys.executable,
        "PYTHONPATH": str(HERE / "site"),
    }


def free_port() -> int:
    """A port that was free a moment ago, and is none of those that Linux gives to connections of other runs."""
    while True:
        port = random.SystemRandom().randrange(20_000, 30_000)
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def copy_bundle(bundle: Path, target: Path) -> Path:
    return Path(shutil.copytree(bundle, target))
