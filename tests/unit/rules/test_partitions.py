"""A job against what a profile says of its partition: the most that fits, and one more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rules.test_limits import GPU, codes

GIB = 1024**3

FITS: dict[str, Any] = {
    "name": "gpu",
    "time_limit": 3600,
    "max_nodes": 4,
    "gpus_per_node": 2,
    "cpus_per_node": 8,
    "memory_per_node": 64 * GIB,
    "qos": ["normal"],
    "accounts": ["ml"],
    "preemptible": True,
}
FULL: dict[str, Any] = {
    "cluster": {
        "name": "Alpine",
        "partition": "gpu",
        "account": "ml",
        "qos": "normal",
        "memory_per_node": 64 * GIB,
        "cpus_per_task": 8,
        "partitions": [FITS],
    },
    "launch": {"nodes": 4, "gpus_per_node": 2, "time_limit": 3600},
    "training": {"global_batch_size": 64},
}
PARTITIONS = {"CFG627", "CFG628", "CFG629", "CFG630", "CFG631", "CFG632", "CFG633", "CFG636", "CFG638", "CFG642"}

MORE: dict[str, dict[str, Any]] = {
    "CFG627": {"cluster": {"partition": "gpu,debug"}},
    "CFG628": {"launch": {"time_limit": 3660}},
    "CFG629": {"launch": {"nodes": 5}},
    "CFG630": {"launch": {"gpus_per_node": 3}},
    "CFG631": {"cluster": {"memory_per_node": 64 * GIB + 1}},
    "CFG632": {"cluster": {"cpus_per_task": 9}},
    "CFG633": {"cluster": {"account": "physics"}},
    "CFG636": {"cluster": {"requeue": False}, "launch": {"max_attempts": 1}},
    "CFG638": {"cluster": {"partitions": [FITS, FITS]}},
    "CFG642": {"cluster": {"memory_per_node": 0}, "launch": {"gpus_per_node": 1}},
}


@pytest.mark.covers(
    "cluster.partitions",
    "cluster.partitions.name",
    "cluster.partitions.time_limit",
    "cluster.partitions.max_nodes",
    "cluster.partitions.gpus_per_node",
    "cluster.partitions.cpus_per_node",
    "cluster.partitions.memory_per_node",
    "cluster.partitions.qos",
    "cluster.partitions.accounts",
    "cluster.partitions.preemptible",
)
@pytest.mark.parametrize("code", sorted(PARTITIONS))
def test_one_more_than_the_partition_has_is_refused(code: str) -> None:
    assert codes(GPU, FULL) & PARTITIONS == set()
    assert codes(GPU, FULL, MORE[code]) & PARTITIONS == {code}


@pytest.mark.parametrize("code", sorted(PARTITIONS - {"CFG638", "CFG636"}))
def test_nothing_is_refused_where_nothing_is_known(code: str) -> None:
    unknown: dict[str, Any] = {"cluster": {"partitions": []}}
    assert codes(GPU, FULL, MORE[code], unknown) & PARTITIONS == set()


def test_a_quality_of_service_that_the_partition_does_not_take_is_refused() -> None:
    assert "CFG633" in codes(GPU, FULL, {"cluster": {"qos": "high"}})


def test_a_partition_without_gpus_is_no_obstacle_to_ranks_on_cpus() -> None:
    assert "CFG630" not in codes(FULL, {"cluster": {"partitions": [{**FITS, "gpus_per_node": 0}]}})
