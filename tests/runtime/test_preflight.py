"""What is looked at before anything trains: a sentence for each thing, and all of them at once."""

from __future__ import annotations

import importlib.util
import os
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from cfgc_runtime.config import load_config
from cfgc_runtime.errors import CANNOT_WRITE, NO_INPUT, USAGE, WRONG_WORLD, Failure
from cfgc_runtime.preflight import extras, limits, node, space, surroundings
from cfgc_runtime.preflight.devices import compare_device
from cfgc_runtime.preflight.finding import error, settle, warning
from cfgc_runtime.preflight.meeting import Arrival, _late, _of_devices, _skewed
from cfgc_runtime.preflight.node import check_node, show_checks
from cfgc_runtime.preflight.sizes import readable
from cfgc_runtime.rundir import RUN_DIR_VARIABLE, RunDirectory
from tests.runtime.bundles import clean_environment, compile_tiny, write_corpus

if TYPE_CHECKING:
    from cfgc_runtime.preflight.finding import Finding

GPUS: Any = SimpleNamespace(device="cuda", nodes=2, ranks_per_node=4)
CPUS: Any = SimpleNamespace(device="cpu", nodes=1, ranks_per_node=2)
SWAPPING: Any = {"zero_optimization": {"offload_param": {"device": "nvme", "nvme_path": "/dev/null/swap"}}}


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle with its data; the current directory is where it starts."""
    write_corpus(tmp_path / "text")
    monkeypatch.chdir(tmp_path)
    return compile_tiny(tmp_path / "bundle", "launch.watchdog=1min")


def found(bundle: Path, run: Path) -> list[Finding]:
    return check_node(bundle, load_config(bundle / "config.py"), RunDirectory(run))


def only(findings: Any) -> Finding:
    [one] = findings
    return one  # type: ignore[no-any-return]


def test_a_node_that_has_everything(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not [one for one in found(bundle, tmp_path / "run") if one.level == "error"]
    assert not (tmp_path / "run").exists()
    assert show_checks(bundle, None) == 0
    out = capsys.readouterr().out
    assert f"tiny: this node has what the plan needs; the run would be in {tmp_path}/runs/tiny" in out


def test_everything_is_said_at_once_and_nothing_is_written(bundle: Path, tmp_path: Path) -> None:
    for file in (tmp_path / "text").iterdir():
        file.rename(file.with_suffix(".md"))
    (tmp_path / "file").write_text("")
    command = [sys.executable, "-B", str(bundle / "runtime")]
    environment = clean_environment(tmp_path)
    for arguments in (["stage", "--run-dir", "file/run"], ["check", "--run-dir", "file/run"]):
        done = subprocess.run(
            [*command, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == CANNOT_WRITE, done
        said = done.stdout + done.stderr
        assert f"data source `text`: no file below {tmp_path}/text matches *.txt" in said
        assert f"the run directory {tmp_path}/file/run cannot be written (Not a directory: {tmp_path}/file)" in said
        assert "Traceback" not in said
    assert not [path for path in tmp_path.iterdir() if path.name == "run"]


def test_a_node_that_cannot_train_ends_the_others_with_its_code(tmp_path: Path) -> None:
    write_corpus(tmp_path / "text")
    bundle = compile_tiny(tmp_path / "bundle", "launch.nodes=2", "launch.gpus_per_node=1")
    command = [sys.executable, "-B", str(bundle / "runtime")]
    where: Any = {
        "env": clean_environment(tmp_path),
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }
    subprocess.run([*command, "stage", "--run-dir", "run"], cwd=tmp_path, check=True, **where)
    node = [*command, "node", "--run-dir", str(tmp_path / "run"), "--node-rank"]
    (tmp_path / "elsewhere").mkdir()
    waiting = subprocess.Popen([*node, "0", "--", "sleep", "60"], cwd=tmp_path, **where)  # as torchrun would
    second = subprocess.run([*node, "1", "--", "sleep", "60"], cwd=tmp_path / "elsewhere", check=False, **where)
    assert second.returncode == NO_INPUT, second
    _, said = waiting.communicate(timeout=40)
    assert waiting.returncode == NO_INPUT
    assert "error: rank 1 failed with exit code 66" in said
    assert f"data source `text`: {tmp_path}/elsewhere/text is not a directory" in said


def test_errors_are_numbered_and_the_first_gives_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Failure) as caught:
        settle([warning("slow"), error(WRONG_WORLD, "no GPU"), error(NO_INPUT, "no data")])
    assert caught.value.code == WRONG_WORLD
    assert str(caught.value) == "2 things must be put right before this can train:\n  1. no GPU\n  2. no data"
    assert capsys.readouterr().err == "warning: slow\n"
    with pytest.raises(Failure, match=r"\Ano data\Z"):
        settle([error(NO_INPUT, "no data")])
    settle([warning("slow")])


def test_variables_that_the_user_must_set(monkeypatch: pytest.MonkeyPatch) -> None:
    launch: Any = SimpleNamespace(required=("THERE", "NOT_THERE"))
    monkeypatch.setenv("THERE", "secret")
    one = only(surroundings.variables(launch))
    assert (one.code, one.sentence.endswith(": NOT_THERE")) == (USAGE, True)
    assert "secret" not in one.sentence


@pytest.mark.parametrize(("visible", "enough"), [("0,1,2", False), ("0,1,2,3", True), ("", False), ("0,-1,2,3", False)])
def test_gpus_are_counted(monkeypatch: pytest.MonkeyPatch, visible: str, enough: bool) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    findings = list(surroundings.gpus(GPUS))
    assert (not findings) is enough
    assert all(one.code == WRONG_WORLD and "the plan starts 4 ranks" in one.sentence for one in findings)
    assert list(surroundings.gpus(CPUS)) == []


def test_a_compiler_is_asked_for_only_where_something_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "there-is-no-such-compiler")
    assert list(surroundings.compiler({}, compiles=False)) == []
    assert only(surroundings.compiler({}, compiles=True)).sentence.startswith("torch.compile builds C++ on this node")
    assert only(surroundings.compiler(SWAPPING, compiles=False)).sentence.startswith("offloading to NVMe builds C++")


def test_libraries_and_files_of_some_plans(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here: Any = SimpleNamespace(base="cwd", name="", path="there.json")
    plan: Any = SimpleNamespace(
        WORK="evaluate",
        WEIGHTS=here,
        MODEL=SimpleNamespace(kind="huggingface", config="", path=here),
        DATA=SimpleNamespace(
            sources=[SimpleNamespace(name="web", kind="parquet")],
            tokenizer=SimpleNamespace(kind="tokenizers", path=here),
        ),
        TRACKING=SimpleNamespace(
            tensorboard=False, wandb=SimpleNamespace(enabled=False), mlflow=SimpleNamespace(enabled=True)
        ),
    )
    assert list(extras.libraries(load_config(bundle / "config.py"))) == []
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    said = [one.sentence for one in extras.libraries(plan)]
    assert [sentence.partition(" has no ")[2].partition(",")[0] for sentence in said] == [
        "mlflow",
        "pyarrow",
        "tokenizers",
        "transformers",
    ]
    assert said[0].endswith(f"which tracking.mlflow needs: {sys.executable} -m pip install mlflow-skinny")
    assert [one.sentence for one in extras.files(plan)] == [
        f"data.tokenizer.path: {tmp_path}/there.json is not on this machine",
        f"model.path: {tmp_path}/there.json is not on this machine",
        f"task.checkpoint: {tmp_path}/there.json is not on this machine",
    ]
    (tmp_path / "there.json").touch()
    assert list(extras.files(plan)) == []


def test_what_a_task_reads_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUN_DIR_VARIABLE, str(tmp_path / "report"))
    place: Any = SimpleNamespace(base="checkpoint", name="train", path=".")
    export: Any = SimpleNamespace(kind="export", checkpoint=place, paths=())
    script: Any = SimpleNamespace(kind="script", paths=(("WEIGHTS", place),))
    for task in (export, script):
        (found,) = extras.paths(task)
        assert found.code == NO_INPUT
        assert found.sentence.startswith("the stage train has no whole checkpoint")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert "has no safetensors, which an export needs" in list(extras.paths(export))[1].sentence


def test_room_for_the_first_two_checkpoints(tmp_path: Path) -> None:
    schedule: Any = SimpleNamespace(max_steps=100)
    disk = os.statvfs(tmp_path)
    free = disk.f_bavail * disk.f_frsize
    checkpoint: Any = SimpleNamespace(bytes_each=free * 2 // 3, every_steps=10)
    run = RunDirectory(tmp_path / "not" / "yet")
    one = only(space.room_for_checkpoints(run.root, run.checkpoints, checkpoint, schedule))
    assert one.code == CANNOT_WRITE
    assert f"and the first two checkpoints take 2 × {readable(checkpoint.bytes_each)}" in one.sentence
    (run.checkpoints / "step-00000010").mkdir(parents=True)
    assert list(space.room_for_checkpoints(run.root, run.checkpoints, checkpoint, schedule)) == []
    checkpoint.bytes_each = 0
    assert only(space.room_for_checkpoints(run.root, run.checkpoints, checkpoint, schedule)).level == "note"


def test_where_offloading_swaps_to_must_be_writable() -> None:
    one = only(space.swap_directory_is_writable(SWAPPING))
    assert one.code == CANNOT_WRITE
    assert one.sentence.startswith("offloading swaps to /dev/null/swap, which cannot be written")


def test_shared_memory_for_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    batch: Any = SimpleNamespace(micro_batch_size=8)
    data: Any = SimpleNamespace(num_workers=4, prefetch_factor=2, sequence_length=4096)
    monkeypatch.setattr(space, "_free", lambda _path: 1 << 20)
    one = only(space.room_for_workers(CPUS, batch, data))
    assert one.code == WRONG_WORLD
    assert "has 1.0 MiB free, and the 2 ranks on this node take about 8.0 MiB of it" in one.sentence
    data.num_workers = 0
    assert list(space.room_for_workers(CPUS, batch, data)) == []
    assert only(space.room_for_workers(GPUS, batch, data)).level == "warning"


def test_ranks_that_are_bound_have_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0})
    launch: Any = SimpleNamespace(cpu_binding="cores")
    one: Any = SimpleNamespace(ranks_per_node=1)
    two: Any = SimpleNamespace(ranks_per_node=2)
    assert only(limits.cores_to_bind_to(launch, two)).sentence.startswith("2 ranks share 1 CPU cores")
    assert list(limits.cores_to_bind_to(launch, one)) == []
    launch.cpu_binding = "none"
    assert list(limits.cores_to_bind_to(launch, two)) == []


def test_limits_of_a_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    few = {resource.RLIMIT_NOFILE: (256, 512), resource.RLIMIT_MEMLOCK: (65536, 65536), resource.RLIMIT_CORE: (-1, -1)}
    monkeypatch.setattr(resource, "getrlimit", few.__getitem__)
    pattern = tmp_path / "core_pattern"
    pattern.write_text("core\n")
    monkeypatch.setattr(limits, "_CORE_PATTERN", pattern)
    data: Any = SimpleNamespace(num_workers=2)
    assert "ulimit -n 4608 (this user may have 512: ask an admin)" in only(limits.open_files(data)).sentence
    assert "NCCL over InfiniBand needs it unlimited" in only(limits.locked_memory(GPUS, {})).sentence
    assert list(limits.locked_memory(CPUS, {})) == []
    free: Any = SimpleNamespace(limits=(("nofile", 9),))
    limited: Any = SimpleNamespace(limits=(("core", 0),))
    assert only(limits.core_files(free)).sentence.endswith("ulimit -c 0")
    assert list(limits.core_files(limited)) == [], "the supervisor sees to it"
    pattern.write_text("|/usr/share/apport\n")
    assert list(limits.core_files(free)) == []


@pytest.mark.parametrize(
    ("device", "bytes_each", "first", "said"),
    [("cuda", 0, True, 1), ("cuda", 0, False, 0), ("cpu", 1 << 20, True, 0), ("cpu", 1 << 31, True, 1)],
)
def test_core_files_are_said_once_and_where_they_are_large(
    device: str, bytes_each: int, first: bool, said: int, monkeypatch: pytest.MonkeyPatch, bundle: Path, tmp_path: Path
) -> None:
    large = warning("core files")
    monkeypatch.setattr(limits, "core_files", lambda _launch: iter([large]))
    monkeypatch.setattr(surroundings, "gpus", lambda _topology: iter(()))
    config: Any = load_config(bundle / "config.py")
    config.TOPOLOGY = SimpleNamespace(**{**vars(config.TOPOLOGY), "device": device})
    config.CHECKPOINT = SimpleNamespace(**{**vars(config.CHECKPOINT), "bytes_each": bytes_each})
    assert check_node(bundle, config, RunDirectory(tmp_path / "run"), first=first).count(large) == said


@pytest.mark.parametrize(("work", "said"), [("train", 1), ("evaluate", 0)])
def test_an_evaluation_needs_no_room_for_an_optimizer(
    work: str, said: int, monkeypatch: pytest.MonkeyPatch, bundle: Path, tmp_path: Path
) -> None:
    swap = {"device": "nvme", "nvme_path": "/dev/null/swap"}
    settings = {"zero_optimization": {"stage": 3, "offload_optimizer": swap}}
    monkeypatch.setattr(node, "read_ds_config", lambda _bundle: settings)
    monkeypatch.setattr(surroundings, "compiler", lambda *_: iter(()))
    config: Any = load_config(bundle / "config.py")
    config.WORK = work
    sentences = [one.sentence for one in check_node(bundle, config, RunDirectory(tmp_path / "run"))]
    assert sum(one.startswith("offloading swaps to /dev/null/swap") for one in sentences) == said


def test_who_came_late_and_whose_clock_is_wrong() -> None:
    ranks = [
        Arrival("a", 1000.0, 40.0),
        Arrival("a", 1000.1, 41.0),
        Arrival("b", 991.0, 2.0),
        Arrival("b", 991.0, 40.0),
    ]
    assert list(_late(ranks)) == ["rank 2 on b came 38 s after most others: its start, its disk or its device is slow"]
    [said] = _skewed([*ranks[:2], ranks[0], ranks[2], ranks[3]])
    assert said.startswith("the clock of b is 9 s behind the others")
    assert list(_late(ranks[:2])) == list(_skewed(ranks[:2])) == []


@pytest.mark.covers("hardware.architecture", "hardware.memory")
def test_a_device_that_is_not_the_planned_one_is_said(tmp_path: Path) -> None:
    overrides = ["hardware.device=cuda", "hardware.architecture=hopper", "hardware.memory=80GiB", "hardware=h100-80gb"]
    topology = load_config(compile_tiny(tmp_path / "bundle", *overrides) / "config.py").TOPOLOGY
    assert list(compare_device(topology, "H100", (9, 0), 79 << 30)) == []
    old = list(compare_device(topology, "A100", (8, 0), 40 << 30))
    assert old == [
        "A100 is of the generation ampere, and the plan is for hopper: it may be slower",
        "A100 has 40.0 GiB, and the plan counts on 80.0 GiB: it may run out of memory",
    ]
    nodes = [Arrival("a", 0, 0), *(Arrival("b", 0, 0, tuple(old[:1])) for _ in range(2))]
    assert list(_of_devices(nodes)) == [f"rank 1 on b: {old[0]}"]
