"""Kill runs at random moments and compare them, bit for bit, with runs that nothing disturbed; a table in Markdown.

    PYTHONPATH=compiler:runtime:. python bench/kills.py --kills 20 --seed 1

Each variant is trained once without disturbance, and once with kills in steps, accumulations, saves and starts. What is
compared: every line of metrics (loss, learning rate, gradient norm, digests of the samples of each rank) and every file
of the last checkpoint (weights, optimizer state, random numbers).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.runtime import bundles
from tests.runtime.bundles import Run, new_run
from tests.runtime.kills import Struck, differences, draw, endure

ACCUMULATION, EVERY = 2, 4
MIXED = (
    'data.sources=[{name="a",path="text",include=["part-0.txt"],weight=3.0},'
    '{name="b",path="text",include=["part-1.txt","part-2.txt"],weight=1.0}]'
)
MIXING, WORKERS, STREAMING = "data.mixing.enabled=true", "data.num_workers=2", "data.streaming.enabled=true"
VARIANTS = {
    "ZeRO-0": ["zero=0"],
    "ZeRO-1, mixed data": ["zero=1", MIXED, MIXING],
    "ZeRO-2, streaming, mixed data, 2 workers": ["zero=2", MIXED, MIXING, WORKERS, STREAMING],
    "ZeRO-3, mixed data, 2 workers": ["zero=3", MIXED, MIXING, WORKERS],
}


def options(name: str, kills: int) -> list[str]:
    """Overrides of a variant: long enough for its kills, an attempt of which gets a save further on average."""
    streams = "streaming" in name
    held_out = ["data.eval_fraction=0", "evaluation.every_steps=0", "evaluation.at_end=false"] if streams else []
    length = [f"training.max_steps={EVERY * max(3, kills)}", f"checkpoint.every_steps={EVERY}"]
    return [*VARIANTS[name], *length, *held_out]


def measure(name: str, kills: int, seed: int, work: Path) -> str:
    """One row of the table."""
    started = time.monotonic()
    whole = _undisturbed(work / "whole", options(name, kills))
    broken = new_run(work / "broken", *options(name, kills))
    struck = []
    for one in endure(broken, draw(seed, kills, ACCUMULATION, EVERY)):
        struck.append(one)
        print(f"  {name}: {one.kill}: exit code {one.code}, saved step {one.step}", file=sys.stderr, flush=True)
    found = differences(broken, whole)
    for line in found:
        print(f"  {name}: {line}", file=sys.stderr)
    same = "identical" if not found else f"**{len(found)} differences**"
    minutes = (time.monotonic() - started) / 60
    return f"| {name} | {seed} | {_hits(struck)} | {len(broken.metrics())} | {same} | {minutes:.1f} |"


def _undisturbed(directory: Path, overrides: list[str]) -> Run:
    run = new_run(directory, *overrides)
    outcome = run.to_end()
    assert outcome.code == 0, (outcome, run.logs())
    return run


def _hits(struck: list[Struck]) -> str:
    hits = Counter(one.kill.kind for one in struck if one.code != 0)
    places = ", ".join(f"{count} in {kind}s" for kind, count in sorted(hits.items()))
    return f"{hits.total()} ({places})"


def main() -> None:
    """Run the variants one after the other, since two at once would slow each other down, and print the table."""
    parser = argparse.ArgumentParser(description="Kill runs at random moments and compare what becomes of them.")
    parser.add_argument("--kills", type=int, default=20, help="kills of each variant")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    parser.add_argument("--variant", action="append", choices=VARIANTS, help="default: all")
    options_given = parser.parse_args()
    bundles.WAIT_S = 1800  # a longer run than those of the tests, on whatever machine
    rows = []
    for number, name in enumerate(options_given.variant or VARIANTS):
        with tempfile.TemporaryDirectory() as directory:
            rows.append(measure(name, options_given.kills, options_given.seed + number, Path(directory)))
    print("| variant | seed | kills that struck | lines of metrics | against the unbroken run | minutes |")
    print("| --- | --- | --- | --- | --- | --- |")
    print("\n".join(rows))
    sys.exit(any("differences" in row for row in rows))


if __name__ == "__main__":
    main()
