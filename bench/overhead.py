"""The runtime's loop against the shortest hand-written loops: same model, same rows of data, taking turns.

All train in the same processes. The hand-written loops take their turns while the runtime waits for its next batch, so
that what slows the machine slows all. The first turns warm up and are not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
WORKER = Path(__file__).with_name("overhead_rank.py")


def build(work: Path, options: argparse.Namespace) -> None:
    """The bundle of the example, on ``options.ranks`` ranks, staged into a run directory."""
    from cfgc.load.disk import DiskReader
    from cfgc.pipeline import compile_spec
    from cfgc.resources import shipped_dir
    from cfgc.write.writer import write_bundle

    steps = options.turns * options.steps
    overrides = (
        f"training.max_steps={steps}",
        "training.warmup_steps=1",
        "training.global_batch_size=16",
        f"launch.gpus_per_node={options.ranks}",
        "evaluation.every_steps=0",
        "evaluation.at_end=false",
        "checkpoint.every_steps=0",
        *options.overrides,
    )
    reader = DiskReader(REPOSITORY, shipped_dir("specs"))
    write_bundle(compile_spec(reader, options.spec, overrides), work / "bundle")
    runtime = [sys.executable, "-B", str(work / "bundle" / "runtime")]
    stage = [*runtime, "stage", "--bundle", str(work / "bundle"), "--run-dir", str(work / "run")]
    subprocess.run(stage, check=True, stdout=subprocess.DEVNULL)


def measure(work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """What rank 0 measured."""
    on_cpu = not options.gpu
    environment = os.environ | {"OMP_NUM_THREADS": str(options.threads), "PYTHONHASHSEED": "0"}
    environment |= {"DS_ACCELERATOR": "cpu"} if on_cpu else {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={options.ranks}"]
    command = [
        *launcher,
        str(WORKER),
        str(work / "run"),
        str(options.steps),
        "plain-torch" if options.plain_torch else "",
    ]
    done = subprocess.run(command, cwd=work, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    measured: dict[str, Any] = json.loads((work / "measured.json").read_text())
    return measured


def show(found: dict[str, Any], options: argparse.Namespace) -> None:
    """Ratios, the median and the range; and where the start-up time goes."""
    tokens, ours = found["tokens"] * options.steps, found["ours"]
    print(f"{len(ours)} turns of {options.steps} steps each, {options.ranks} ranks, {found['about']}")
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load} (of 1, 5 and 15 minutes, at the end)")
    for name, spent in (("the runtime's loop", ours), *found["theirs"].items()):
        seconds = [clock for clock, _ in spent]
        print(f"  {name:26} {tokens / statistics.median(seconds):10,.0f} tokens/s{utilization(found, seconds, tokens)}")
    for name, theirs in found["theirs"].items():
        for index, measure_of in enumerate(("by the clock", "of rank 0's own work")):
            ratios = sorted(other[index] / own[index] for own, other in zip(ours, theirs, strict=True))
            middle = statistics.median(ratios)
            print(f"  ratio to {name:26} {middle:6.3f}   from {ratios[0]:.3f} to {ratios[-1]:.3f}, {measure_of}")
    print("start-up of rank 0, up to the first step, without torch's and DeepSpeed's import")
    for name, (clock, work) in (*found["phases"].items(), ("in all", found["startup"])):
        print(f"  {name:40} {clock:6.2f} s by the clock, {work:6.2f} s of work")


def utilization(found: dict[str, Any], seconds: list[float], tokens: int) -> str:
    """Model FLOP/s as a share of the devices' peak, where the hardware's peak is known."""
    if not found["peak_flops"]:
        return ""
    share = tokens * found["flops_per_token"] / statistics.median(seconds) / found["peak_flops"]
    return f"   MFU {share:.1%}"


def main() -> None:
    """Build, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", default="specs/examples/quickstart.toml")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="of each rank")
    parser.add_argument("--turns", type=int, default=14)
    parser.add_argument("--steps", type=int, default=8, help="of each turn")
    parser.add_argument("--gpu", action="store_true", help="leave the choice of the device to DeepSpeed")
    parser.add_argument("--plain-torch", action="store_true", help="a third loop, without DeepSpeed")
    parser.add_argument("overrides", nargs="*", help="more for the spec, such as deepspeed.zero.stage=3")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        build(work, options)
        show(measure(work, options), options)


if __name__ == "__main__":
    main()
