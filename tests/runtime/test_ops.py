"""Ops are built once on a node, kept, and no start waits for one that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cfgc_runtime.attempt import Attempt, create_attempt
from cfgc_runtime.errors import CANNOT_WRITE, WRONG_WORLD, Failure
from cfgc_runtime.ops.cache import OpsCache, open_cache
from cfgc_runtime.ops.prebuild import built_ops, find_ops
from cfgc_runtime.rundir import RunDirectory
from cfgc_runtime.signals import StopRequest
from tests.runtime.bundles import WAIT_S

BUILDER = """
import os, sys, time
from pathlib import Path
root = Path(os.environ["TORCH_EXTENSIONS_DIR"])
print("compiling", sys.argv[2:], flush=True)
for op in sys.argv[2:]:
    (root / op).mkdir(exist_ok=True)
    (root / op / "lock").touch()
    with open("builds", "a") as builds:
        builds.write(op + "\\n")
    {body}
    (root / op / (op + ".so")).write_text(str(os.getpid()))
    (root / op / "lock").unlink()
"""


class Node:
    """A node with a builder that takes no compiler; ``body`` is what it does in the middle of a build."""

    def __init__(self, folder: Path, body: str = "pass", ops: tuple[str, ...] = ("cpu_adam",)) -> None:
        self.folder = folder
        (folder / "bundle" / "runtime").mkdir(parents=True)
        (folder / "bundle" / "runtime" / "__main__.py").write_text(BUILDER.replace("{body}", body))
        path = SimpleNamespace(base="absolute", name="", path=str(folder))
        self.launch: Any = SimpleNamespace(ops=ops, ops_cache=path)
        self.stop = StopRequest()

    def attempt(self, run: str) -> tuple[RunDirectory, Attempt]:
        directory = RunDirectory(self.folder / run)
        return directory, create_attempt(directory)

    def built(self, run: str, node_rank: int = 0) -> Any:
        return built_ops(self.folder / "bundle", self.launch, *self.attempt(run), node_rank, self.stop)

    def builds(self) -> list[str]:
        found = self.folder / "builds"
        return found.read_text().split() if found.exists() else []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_start_builds_and_later_ones_find_it(folder: Path) -> None:
    node = Node(folder)
    for run in ("a", "b"):
        with node.built(run) as (variables, place):
            assert variables["TORCH_EXTENSIONS_DIR"] == str(place)
            assert (place / "cpu_adam" / "cpu_adam.so").exists()
        assert not place.exists()
    assert node.builds() == ["cpu_adam"]


def test_no_two_attempts_share_the_directory_that_torch_locks(folder: Path) -> None:
    node = Node(folder)
    with node.built("a") as (one, first), node.built("b") as (other, second):
        assert first != second
        assert one["TRITON_CACHE_DIR"] == other["TRITON_CACHE_DIR"]
        (first / "cpu_adam" / "lock").touch()
        assert not (second / "cpu_adam" / "lock").exists()
    with node.built("c") as (_, third):
        assert not (third / "cpu_adam" / "lock").exists()


def test_a_start_waits_for_the_one_that_builds_the_same(folder: Path) -> None:
    node = Node(folder, "time.sleep(2)")
    seen: list[str] = []

    def start(run: str) -> None:
        with node.built(run) as (_, place):
            seen.append((place / "cpu_adam" / "cpu_adam.so").read_text())

    threads = [threading.Thread(target=start, args=(run,)) for run in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert node.builds() == ["cpu_adam"]
    assert len(seen) == 2
    assert seen[0] == seen[1]


def test_a_start_that_was_killed_holds_up_nobody(folder: Path) -> None:
    node = Node(folder, "time.sleep(float(os.environ.get('TEST_BUILD', '0')))")
    pid = os.fork()
    if pid == 0:
        os.environ["TEST_BUILD"] = "600"
        with node.built("a"):
            os._exit(0)
    deadline = time.monotonic() + WAIT_S
    while not node.builds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with node.built("b") as (_, place):
        assert (place / "cpu_adam" / "cpu_adam.so").exists()
        assert [path.name for path in place.parent.iterdir()] == [place.name]  # what the killed one left is gone
    assert node.builds() == ["cpu_adam", "cpu_adam"]


def test_what_came_with_deepspeed_is_not_asked_for_again(folder: Path) -> None:
    node = Node(folder, "(root / op / 'lock').unlink(); (root / op).rmdir(); continue")
    for run in ("a", "b"):
        with node.built(run):
            pass
    assert node.builds() == ["cpu_adam"]


def test_a_build_that_fails_says_why(folder: Path) -> None:
    node = Node(folder, "sys.exit('no compiler here')")
    with pytest.raises(Failure, match="DeepSpeed's cpu_adam cannot be built on this node") as caught, node.built("a"):
        pass
    assert caught.value.code == WRONG_WORLD
    assert "no compiler here" in str(caught.value)
    assert "ops-0.log" in str(caught.value)


def test_a_request_to_stop_ends_a_build(folder: Path) -> None:
    node = Node(folder, "time.sleep(600)")
    threading.Timer(1.0, lambda: setattr(node.stop, "requested", True)).start()
    with node.built("a") as (_, place):
        assert not list(place.glob("*/*.so"))


def test_the_other_ranks_of_a_node_find_the_same_place(folder: Path) -> None:
    node = Node(folder, ops=())
    directory, attempt = node.attempt("a")
    with built_ops(folder / "bundle", node.launch, directory, attempt, 3, node.stop) as leader:
        assert find_ops(node.launch, directory, attempt, 3) == leader
    assert node.builds() == []


def test_what_a_rank_built_itself_is_kept(folder: Path) -> None:
    node = Node(folder, ops=())
    for run in ("a", "b"):
        with node.built(run) as (_, place):
            if run == "a":
                (place / "mine").mkdir()
                (place / "mine" / "mine.so").write_text("1")
                (place / "half").mkdir()
                (place / "half" / "half.o").write_text("1")
            else:
                assert [path.name for path in place.glob("[!.]*")] == ["mine"]


def test_code_of_somebody_else_is_not_loaded(folder: Path) -> None:
    own = folder / f"cfgc-ops-{os.getuid()}"
    own.mkdir()
    own.chmod(0o777)
    with pytest.raises(Failure, match=r"could put code there.*launch.ops_cache") as caught:
        open_cache(folder)
    assert caught.value.code == CANNOT_WRITE
    (folder / "file").touch()
    with pytest.raises(Failure, match="Not a directory"):
        open_cache(folder / "file")


@pytest.mark.slow
def test_torch_builds_nothing_again_in_a_copy(folder: Path) -> None:
    """The one thing about torch and ninja that the cache stands on: a build that was copied is up to date."""
    (folder / "cache").mkdir()
    (folder / "tiny.cpp").write_text('extern "C" int answer() { return 42; }\n')
    load = textwrap.dedent("""
        from torch.utils.cpp_extension import load
        load(name="tiny", sources=["tiny.cpp"], is_python_module=False)
    """)
    times = []
    for name in ("first", "second"):
        cache = OpsCache(folder / "cache")
        with cache.copy(name) as place:
            subprocess.run([sys.executable, "-c", load], env=os.environ | cache.environment(place), check=True)
            times.append((place / "tiny" / "tiny.so").stat().st_mtime_ns)
    assert times[0] == times[1]
