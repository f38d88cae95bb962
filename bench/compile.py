"""Whole-process time of cfgc's commands, as ratios to a bare interpreter and to what Hydra takes to compose as much."""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
SPEC = REPOSITORY / "specs" / "examples" / "quickstart.toml"
RUN = "from cfgc.cli import main; main()"
HYDRA = """
import sys
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
with initialize_config_dir(sys.argv[1], version_base=None):
    OmegaConf.to_yaml(compose("config", overrides=["training.learning_rate=1e-4"]), resolve=True)
"""
OMEGACONF = """
import sys
from omegaconf import OmegaConf
config = OmegaConf.load(sys.argv[1] + "/config.yaml")
merged = OmegaConf.merge(config, OmegaConf.from_dotlist(["training.learning_rate=1e-4"]))
OmegaConf.to_yaml(merged, resolve=True)
"""


def commands(work: Path) -> dict[str, list[str]]:
    """What is timed, by name; the first is the yardstick."""
    python = [sys.executable, "-c"]
    cfgc = [*python, RUN]
    found = {
        "python -c pass": [*python, "pass"],
        "cfgc --help": [*cfgc, "--help"],
        "cfgc check": [*cfgc, "check", str(SPEC)],
        "cfgc build": ["env", "CFGC_CACHE_DIR=", *cfgc, "build", str(SPEC), "-o", str(work / "bundle")],
        "cfgc build, nothing to do": [*cfgc, "build", str(SPEC), "-o", str(work / "bundle")],
    }
    if importlib.util.find_spec("omegaconf"):
        found["OmegaConf load, merge, dump"] = [*python, OMEGACONF, str(work)]
    if importlib.util.find_spec("hydra"):
        found["Hydra compose, dump"] = [*python, HYDRA, str(work)]
    return found


def prepare(work: Path) -> None:
    """A bundle to rebuild, and the same values as one YAML file for the peers."""
    for arguments in (["build", str(SPEC), "-o", str(work / "bundle")], ["show", str(SPEC), "--format", "yaml"]):
        done = subprocess.run([sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, check=True)
    (work / "config.yaml").write_text(done.stdout)


def main() -> None:
    """Time everything in rounds, so that a slow moment hits all alike, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        os.environ["CFGC_CACHE_DIR"] = str(work / "cache")
        prepare(work)
        timed = commands(work)
        seconds: dict[str, list[float]] = {name: [] for name in timed}
        for _ in range(rounds):
            for name, command in timed.items():
                started = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                seconds[name].append(time.perf_counter() - started)
    yardstick = statistics.median(seconds["python -c pass"])
    print(f"{'command':32}  {'ms':>6}  {'× bare python':>13}")
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{name:32}  {median * 1000:6.0f}  {median / yardstick:13.1f}")


if __name__ == "__main__":
    main()
