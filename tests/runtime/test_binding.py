"""Which CPUs a rank gets, on machines of several shapes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cfgc_runtime.binding import bind, cores, cpus_of
from cfgc_runtime.world import World


def machine(root: Path, memories: list[str], threads: dict[int, str] | None = None) -> Path:
    """What Linux says below /sys/devices/system: the CPUs near each memory, and those of one core."""
    for number, cpus in enumerate(memories):
        (root / f"node/node{number}").mkdir(parents=True)
        (root / f"node/node{number}/cpulist").write_text(f"{cpus}\n")
    for cpu, siblings in (threads or {}).items():
        (root / f"cpu/cpu{cpu}/topology").mkdir(parents=True)
        (root / f"cpu/cpu{cpu}/topology/thread_siblings_list").write_text(f"{siblings}\n")
    return root


def test_cores_are_shared_out_whole(tmp_path: Path) -> None:
    two_threads = {cpu: f"{cpu % 4},{cpu % 4 + 4}" for cpu in range(8)}
    system = machine(tmp_path, ["0-7"], two_threads)
    shares = [cpus_of("cores", rank, 2, set(range(8)), system) for rank in range(2)]
    assert shares == [{0, 4, 1, 5}, {2, 6, 3, 7}]


def test_neighbours_in_memory_stay_together(tmp_path: Path) -> None:
    system = machine(tmp_path, ["0,2,4,6", "1,3,5,7"])
    shares = [cpus_of("cores", rank, 4, set(range(8)), system) for rank in range(4)]
    assert shares == [{0, 2}, {4, 6}, {1, 3}, {5, 7}]


def test_only_what_the_node_allows_is_shared_out(tmp_path: Path) -> None:
    system = machine(tmp_path, ["0-3", "4-7"])
    assert [cpus_of("cores", rank, 2, {2, 3, 6}, system) for rank in range(2)] == [{2}, {3, 6}]


@pytest.mark.parametrize(
    ("ranks", "shares"), [(1, [{0, 1, 2, 3}]), (2, [{0, 1}, {2, 3}]), (4, [{0, 1}] * 2 + [{2, 3}] * 2)]
)
def test_ranks_are_near_one_memory(ranks: int, shares: list[set[int]], tmp_path: Path) -> None:
    system = machine(tmp_path, ["0-1", "2-3"])
    assert [cpus_of("numa", rank, ranks, {0, 1, 2, 3}, system) for rank in range(ranks)] == shares


def test_a_machine_that_says_nothing_has_one_memory_and_a_core_for_each_cpu(tmp_path: Path) -> None:
    assert cores({3, 1, 2}, tmp_path) == [{1}, {2}, {3}]
    assert cpus_of("numa", 1, 2, {1, 2, 3}, tmp_path) == {1, 2, 3}


def test_a_rank_with_a_gpu_is_near_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for bus, memory in (("0000:0A:00.0", 1), ("0000:8B:00.0", 0)):
        (tmp_path / "gpus" / bus).mkdir(parents=True)
        (tmp_path / "pci" / bus.lower()).mkdir(parents=True)
        (tmp_path / "pci" / bus.lower() / "numa_node").write_text(f"{memory}\n")
    monkeypatch.setattr("cfgc_runtime.binding._DRIVER", tmp_path / "gpus")
    monkeypatch.setattr("cfgc_runtime.binding._PCI", tmp_path / "pci")
    system = machine(tmp_path, ["0-1", "2-3"])
    shares = [cpus_of("numa", rank, 2, {0, 1, 2, 3}, system) for rank in range(2)]
    assert shares == [{2, 3}, {0, 1}]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert cpus_of("numa", 0, 1, {0, 1, 2, 3}, system) == {0, 1}


def test_a_process_keeps_to_its_share() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        bind("none", World(0, 2, 0, 2, 0))
        assert os.sched_getaffinity(0) == allowed
        bind("cores", World(1, 2, 1, 2, 0))
        assert os.sched_getaffinity(0) < allowed or len(allowed) == 1
    finally:
        os.sched_setaffinity(0, allowed)
