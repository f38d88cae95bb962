"""What DeepSpeed reads of a directory of real ds_configs, and of the bundles that are built from their imports.

``python -m tools.corpus_import DIR``: DIR holds ``index.tsv``, whose columns ``file``, ``accepted`` and ``world_size``
say what DeepSpeed makes of each file. Every accepted file has to build, and to differ in nothing but the listed pins
and what its spec marks; the exit code is 1 otherwise. ``compiler`` and ``runtime`` have to be on PYTHONPATH.
"""

from __future__ import annotations

import csv
import json
import logging
import sys
from collections import Counter
from pathlib import Path

import hjson

from cfgc.diagnostics import Rejected
from cfgc.importing.tree import DiskTree
from tests.deepspeed.import_pins import key_of
from tests.deepspeed.proving import Proof, prove


def verdict(proof: Proof) -> str:
    """The class of a file."""
    if proof.unexplained():
        return "differs without a mark"
    if proof.changed():
        return "changed where the spec says `check`"
    return "filled in for the trainer, and marked" if proof.unpinned else "identical but for the pins"


def main(directory: Path) -> int:
    """Prove every file and print the counts."""
    logging.disable(logging.CRITICAL)
    counts: Counter[str] = Counter()
    keys: Counter[str] = Counter()
    with (directory / "index.tsv").open(encoding="utf-8") as index:
        rows = [row for row in csv.DictReader(index, delimiter="\t") if (directory / row["file"]).is_file()]
    for row in rows:
        accepted = row["accepted"] == "True"
        config = json.loads(json.dumps(hjson.loads((directory / row["file"]).read_text(encoding="utf-8"))))
        try:
            proof = prove(DiskTree(directory), row["file"], config, int(row["world_size"] or 0) or None)
        except Rejected as rejected:
            outcome = f"does not build: {rejected}"
        except Exception as error:  # DeepSpeed raises whatever it likes
            outcome = "refused by DeepSpeed as it is" if not accepted else f"fails: {error}"
        else:
            outcome = verdict(proof) if accepted else "refused by DeepSpeed as it is"
            keys.update({key_of(difference.path) for difference in proof.changed()})
        counts[outcome] += 1
        if outcome.startswith(("differs", "does not", "fails")):
            print(f"{row['file']}: {outcome}")
    for outcome, number in counts.most_common():
        print(f"{number:4}  {outcome}")
    print("keys that are changed: " + ", ".join(f"{key} ({number})" for key, number in keys.most_common()))
    return int(any(outcome.startswith(("differs", "does not", "fails")) for outcome in counts))


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
