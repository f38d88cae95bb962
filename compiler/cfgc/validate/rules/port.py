"""The port that ranks meet on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.validate.rules.finding import At, count, warning

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec

PORT = "launch.master_port"
FREE = range(1024, 32768)
"""Below are ports that only root may use; above those that Linux gives to outgoing connections by itself."""


def port_is_left_alone(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG640: nobody else is given the port that ranks meet on."""
    port = spec.launch.master_port
    if port == 0 or port in FREE:
        return
    low = port < FREE.start
    yield warning(
        "CFG640",
        f"port {port} may be refused to the first rank" if low else f"port {port} may be taken when the ranks start",
        resolved,
        [At(PORT, "only root may listen there" if low else "the system gives it to outgoing connections")],
        (f"ports from {FREE.start:,} to {FREE.stop - 1:,} are left to programs; Linux takes 32768 to 60999 by itself",),
        ("drop `master_port`: one is chosen when the run starts", "or set `master_port = 29500`"),
    )


def jobs_have_their_own_port(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG641: two jobs that share a node do not meet on one port."""
    launch = spec.launch
    if launch.master_port == 0 or launch.nodes == 1 or spec.cluster.exclusive:
        return
    yield warning(
        "CFG641",
        "two jobs of this bundle on one node would meet on the same port",
        resolved,
        [
            At(PORT, f"always {launch.master_port}"),
            At("launch.nodes", f"{count(launch.nodes, 'node')}: a Slurm job"),
            At("cluster.exclusive", "other jobs may share the nodes"),
        ],
        ("without it, job.sbatch takes a port from the job's id, and a free one",),
        ("drop `master_port`", "or set `cluster.exclusive = true`"),
    )
