"""What a cluster profile gives the job: container, variables, limits, and where its log goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc.lower import plan
from cfgc.lower.sections import node_path

if TYPE_CHECKING:
    from cfgc.schema.cluster import Cluster
    from cfgc.schema.site import Container, Limits

UNLIMITED = -1
"""How ``resource`` of the standard library says it."""

_START = plan.NodePath("cwd", "", ".")


def container(said: Container) -> plan.Container:
    """The container with its mounts."""
    mounts = tuple(plan.Mount(node_path(one.source), one.target, one.read_only) for one in said.mounts)
    return plan.Container(said.kind, said.image, mounts, said.mount_home)


def exports(cluster: Cluster) -> tuple[tuple[str, plan.NodePath], ...]:
    """Variables that hold a path of the node. Slurm would put /tmp in the place of a TMPDIR that is not there yet."""
    return () if cluster.scratch is None else (("CFGC_TMPDIR", node_path(cluster.scratch)),)


def log_dir(cluster: Cluster) -> plan.NodePath:
    """Where the job's own log goes: beside where it was submitted unless given."""
    return _START if cluster.log_dir is None else node_path(cluster.log_dir)


def limits(said: Limits) -> tuple[tuple[str, int], ...]:
    """What ranks may have: ``RLIMIT_`` names in small letters, and values in the units of ``setrlimit``."""
    wanted = (
        ("nofile", said.nofile, 0),
        ("memlock", UNLIMITED if said.memlock == "unlimited" else 0, 0),
        ("stack", UNLIMITED if said.stack == "unlimited" else 0, 0),
    )
    return (
        *((name, value) for name, value, unset in wanted if value != unset),
        *((("core", 0),) if said.core == "none" else ()),
    )


def environment(cluster: Cluster) -> dict[str, str]:
    """Variables of every rank on this cluster."""
    return {**_network(cluster), **_offline(cluster), **cluster.environment}


def _network(cluster: Cluster) -> dict[str, str]:
    """NCCL takes prefixes of names, and ``=`` before a whole one; gloo takes whole names."""
    name = cluster.network_interface
    return {"NCCL_SOCKET_IFNAME": f"={name}", "GLOO_SOCKET_IFNAME": name} if name else {}


def _offline(cluster: Cluster) -> dict[str, str]:
    """What huggingface_hub, datasets and transformers read; with these they do not wait for a network."""
    names = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")
    return dict.fromkeys(names, "1") if cluster.offline else {}
