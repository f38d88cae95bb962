"""What a node does once for its ranks, and what each of them finds."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from tests.runtime.bundles import WAIT_S, clean_environment

SPEC = """
[overlays]
hardware = "cpu"

[experiment]
name = "bound"

[task]
script = "look.py"
uses_deepspeed = true

[launch]
gpus_per_node = 2
cpu_binding = "cores"
build_ops = ["cpu_adam"]
ops_cache = { env = "SCRATCH", path = "built" }
"""

LOOK = """
import json, os
from pathlib import Path
ops = Path(os.environ["TORCH_EXTENSIONS_DIR"])
found = {
    "cpus": sorted(os.sched_getaffinity(0)),
    "ops": sorted(path.name for path in ops.glob("*/*.so")),
    "place": str(ops),
    "triton": os.environ["TRITON_CACHE_DIR"],
    "faults": os.environ["PYTHONFAULTHANDLER"],
}
Path(f"rank-{os.environ['RANK']}.json").write_text(json.dumps(found))
"""

# In place of DeepSpeed's own, which needs minutes of a compiler.
BUILDERS = """
import os
from pathlib import Path

class Builder:
    def load(self, verbose):
        place = Path(os.environ["TORCH_EXTENSIONS_DIR"], "cpu_adam")
        place.mkdir()
        (place / "cpu_adam.so").touch()
        with open("builds", "a") as builds:
            builds.write("built ")

class get_accelerator:
    def create_op_builder(self, name):
        assert name == "CPUAdamBuilder"
        return Builder()
"""


@pytest.mark.slow
@pytest.mark.covers("launch.cpu_binding", "launch.build_ops", "launch.ops_cache")
def test_ranks_find_cpus_of_their_own_and_what_their_node_built(tmp_path: Path) -> None:
    (tmp_path / "look.py").write_text(LOOK)
    (tmp_path / "stub" / "deepspeed").mkdir(parents=True)
    (tmp_path / "stub" / "deepspeed" / "__init__.py").write_text("")
    (tmp_path / "stub" / "deepspeed" / "accelerator.py").write_text(BUILDERS)
    reader = MemoryReader({"spec.toml": SPEC}, DiskReader(tmp_path, shipped_dir("specs")))
    write_bundle(compile_spec(reader, "spec.toml"), tmp_path / "bundle")
    environment = clean_environment(tmp_path) | {"SCRATCH": str(tmp_path / "local")}
    environment["PYTHONPATH"] += f":{tmp_path / 'stub'}"
    for start in ("first", "second"):
        done = subprocess.run(
            [tmp_path / "bundle" / "launch.sh", "--run-dir", tmp_path / start],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=WAIT_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        ranks = [json.loads((tmp_path / f"rank-{rank}.json").read_text()) for rank in range(2)]
        assert [rank["ops"] for rank in ranks] == [["cpu_adam.so"]] * 2
        assert ranks[0]["place"] == ranks[1]["place"]
        assert all(Path(rank["triton"]).is_relative_to(tmp_path / "local" / "built") for rank in ranks)
        assert not set(ranks[0]["cpus"]) & set(ranks[1]["cpus"])
        assert ("building DeepSpeed's cpu_adam for this node" in done.stderr) == (start == "first")
        assert ranks[0]["faults"] == "1"
    assert (tmp_path / "builds").read_text() == "built "


@pytest.mark.slow
def test_the_stacks_of_a_crash_are_in_the_log(tmp_path: Path) -> None:
    """A function of the user's own that crashes in C."""
    (tmp_path / "crash.py").write_text("import ctypes\n\ndef main():\n    ctypes.string_at(0)\n")
    spec = '[overlays]\nhardware = "cpu"\n[experiment]\nname = "crash"\n[task]\ntarget = "crash:main"\n'
    reader = MemoryReader({"spec.toml": spec}, DiskReader(tmp_path, shipped_dir("specs")))
    write_bundle(compile_spec(reader, "spec.toml"), tmp_path / "bundle")
    done = subprocess.run(
        [tmp_path / "bundle" / "launch.sh", "--run-dir", tmp_path / "run"],
        cwd=tmp_path, env=clean_environment(tmp_path), capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 139, done.stderr
    log = (tmp_path / "run" / "attempts" / "001" / "logs" / "rank-0.log").read_text()
    assert "Fatal Python error: Segmentation fault" in log
    assert f'{tmp_path / "crash.py"}", line 4 in main' in log
