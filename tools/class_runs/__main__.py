"""``python -m tools.class_runs -o docs/classes.md``: train all pairs, and write what they showed. Takes minutes."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tools.class_runs.page import render
from tools.class_runs.probing import probes
from tools.class_runs.running import show


def main() -> int:
    """1 when a pair contradicts the class of its key: nothing is written then."""
    parser = argparse.ArgumentParser(prog="python -m tools.class_runs")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the page to write")
    output: Path = parser.parse_args().output
    with tempfile.TemporaryDirectory() as directory:
        shown = show(list(probes()), Path(directory))
    wrong = [one for one in shown if not one.holds]
    for one in wrong:
        print(f"{one.probe.key.dotted} is {one.probe.key.field_class}, and a pair shows: {one.verdict}")
    if not wrong:
        output.write_text(render(shown), encoding="utf-8")
        print(f"{output.name}: {len(shown)} pairs")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
