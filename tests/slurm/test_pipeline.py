"""A chain of stages on a real cluster: its order, a failure in the middle, and a second submit."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.slurm.cluster import Cluster

CHAIN = """
[overlays]
hardware = "cpu"

[experiment]
name = "chain"

[task]
inline = '''
#!/bin/bash
echo "$WHO $CFGC_ATTEMPT" >>"$PLACE/order"
[[ $WHO != one || $CFGC_ATTEMPT != 001 ]] || exit 75 # it saved, and wants to go on
[[ ! -e $PLACE/fail-$WHO ]] || exit 42
[[ ! -v BEFORE ]] || cp "$BEFORE/said" "$CFGC_RUN_DIR/said"
echo "$WHO" >>"$CFGC_RUN_DIR/said"
'''
paths = { PLACE = "." }

[cluster]
memory_per_node = "500MiB"

[[stages]]
name = "one"
set = { "task.env.WHO" = "one" }

[[stages]]
name = "two"
needs = ["one"]
set = { task = { env.WHO = "two", paths.BEFORE = "${stages.one.run_dir}" } }

[[stages]]
name = "three"
needs = ["two"]
set = { task = { env.WHO = "three", paths.BEFORE = "${stages.two.run_dir}" } }

[[stages]]
name = "four"
needs = ["one", "three"]
set = { task = { env.WHO = "four", paths.BEFORE = "${stages.three.run_dir}" } }
"""


def test_a_chain_goes_on_after_a_failure_in_its_middle(slurm: Cluster, tmp_path: Path) -> None:
    overrides = (f'launch.python="{sys.executable}"', f'launch.run_dir="{tmp_path}/run"')
    reader = MemoryReader({"spec.toml": CHAIN}, DiskReader(tmp_path, shipped_dir("specs")))
    write_bundle(compile_spec(reader, "spec.toml", overrides), tmp_path / "bundle")
    (tmp_path / "fail-two").touch()

    first = submitted(slurm, tmp_path)
    assert list(first) == ["one", "two", "three", "four"]
    ends = {name: slurm.wait(job) for name, job in first.items()}
    states = {name: (end.state, end.code) for name, end in ends.items()}
    assert states["one"] == ("COMPLETED", 0), said(tmp_path)
    assert states["two"] == ("FAILED", 42), said(tmp_path)
    assert [states[name][0] for name in ("three", "four")] == ["CANCELLED", "CANCELLED"]
    assert ends["one"].restarts == 1
    assert order(tmp_path) == ["one 001", "one 002", "two 001"]

    (tmp_path / "fail-two").unlink()
    second = submitted(slurm, tmp_path)
    assert list(second) == ["two", "three", "four"]
    assert not set(second.values()) & set(first.values())
    assert submitted(slurm, tmp_path) == second, "what is queued or runs is not submitted again"
    assert [slurm.wait(job).state for job in second.values()] == ["COMPLETED"] * 3, said(tmp_path)
    assert order(tmp_path) == ["one 001", "one 002", "two 001", "two 002", "three 001", "four 001"]
    assert (tmp_path / "run" / "stages" / "four" / "said").read_text().split() == ["one", "two", "three", "four"]
    assert submitted(slurm, tmp_path) == {}, "all have finished"


def submitted(slurm: Cluster, directory: Path) -> dict[str, str]:
    """The job of each stage, as submit.sh prints them."""
    done = slurm.run(directory / "bundle" / "submit.sh", cwd=directory)
    return dict(line.split() for line in done.stdout.splitlines())


def order(directory: Path) -> list[str]:
    return (directory / "order").read_text().splitlines()


def said(directory: Path) -> str:
    return "".join(path.read_text() for path in sorted(directory.glob("slurm-*.out")))
