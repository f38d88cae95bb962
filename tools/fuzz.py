"""Fuzz cfgc by hand: ``python tools/fuzz.py --cases 100000 [--seed N] [--kinds spec,config] [--jobs 2]``.

Each case is drawn from its kind, the seed and its number alone, so that a failure is run again by
``python tools/fuzz.py --again KIND:SEED:NUMBER``.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing import Pool
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "compiler"), str(ROOT / "runtime")]

from tests.fuzz.cases import draw_config, draw_spec, judge_config, judge_spec  # noqa: E402

KINDS: dict[str, tuple[Callable[[Random], Any], Callable[[Any], str]]] = {
    "spec": (draw_spec, judge_spec),
    "config": (draw_config, judge_config),
}
SLICE = 250
"""Cases between two lines of progress."""
LIMIT_S = 20
"""Seconds that one case may take, on a machine with other work."""


def main() -> int:
    """Run the cases that the command line asks for; 1 when one fails."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--cases", type=int, default=10_000, help="of each kind")
    asked.add_argument("--first", type=int, default=0, help="number of the first case")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--kinds", default=",".join(KINDS))
    asked.add_argument("--jobs", type=int, default=1)
    asked.add_argument("--again", metavar="KIND:SEED:NUMBER", help="run one case and show it")
    given = asked.parse_args()
    if given.again:
        return show_again(given.again)
    began = time.monotonic()
    failures = 0
    done: Counter[str] = Counter()
    slices = [(kind, given.seed, start) for kind in given.kinds.split(",") for start in _starts(given)]
    with Pool(given.jobs) as pool:
        for counted, failed in pool.imap_unordered(run_slice, slices):
            done += counted
            failures += len(failed)
            for text in failed:
                print(text, flush=True)
            rate = done.total() / (time.monotonic() - began)
            line = ", ".join(f"{number} {what}" for what, number in sorted(done.items()))
            print(f"{done.total()} cases, {failures} failed, {rate:.0f}/s ({line})", flush=True)
    print(f"{done.total()} cases in {time.monotonic() - began:.0f} s, {failures} failed")
    return 1 if failures else 0


def _starts(given: argparse.Namespace) -> Iterator[range]:
    for start in range(given.first, given.first + given.cases, SLICE):
        yield range(start, min(start + SLICE, given.first + given.cases))


def run_slice(what: tuple[str, int, range]) -> tuple[Counter[str], list[str]]:
    """The outcomes of some cases, and a text for each that failed."""
    kind, seed, numbers = what
    signal.signal(signal.SIGALRM, _too_long)
    outcomes: Counter[str] = Counter()
    failed: list[str] = []
    for number in numbers:
        signal.alarm(LIMIT_S)
        try:
            outcomes[f"{kind} {run_one(kind, seed, number)}"] += 1
        except Exception:
            outcomes[f"{kind} failed"] += 1
            failed.append(f"FAILED --again {kind}:{seed}:{number}\n{traceback.format_exc(limit=-4)}")
        finally:
            signal.alarm(0)
    return outcomes, failed


def run_one(kind: str, seed: int, number: int) -> str:
    """The outcome of one case."""
    draw, judge = KINDS[kind]
    return judge(draw(Random(f"{kind}:{seed}:{number}")))


def show_again(name: str) -> int:
    """Print one case, then run it."""
    kind, seed, number = name.split(":")
    draw, judge = KINDS[kind]
    case = draw(Random(f"{kind}:{seed}:{number}"))
    print(case)
    print(judge(case))
    return 0


def _too_long(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise TimeoutError(f"a case takes more than {LIMIT_S} s")


if __name__ == "__main__":
    sys.exit(main())
