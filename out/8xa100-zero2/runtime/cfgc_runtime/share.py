"""Which ranks one supervisor looks after: all of a node, which torchrun starts, or a single one.

Standard library only.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cfgc_runtime.attempt import Attempt
    from cfgc_runtime.config import Topology

_POLL_S = 0.1


@dataclass(frozen=True)
class Share:
    """``local_rank`` is that of the single rank; None stands for all of the node.

    ``attempt`` is the attempt's name when a job's script started this, which says itself how the whole run ended;
    empty for the newest attempt.
    """

    node_rank: int
    local_rank: int | None = None
    attempt: str = ""

    @property
    def name(self) -> str:
        """What its lock and its log are called after."""
        return str(self.node_rank) if self.local_rank is None else f"{self.node_rank}.{self.local_rank}"

    @property
    def leads_node(self) -> bool:
        """Whether it does what is done once on a node."""
        return not self.local_rank

    @property
    def leads(self) -> bool:
        """Whether it does what is done once in a run."""
        return self.node_rank == 0 and self.leads_node

    def ranks(self, topology: Topology) -> range:
        """The ranks that it looks after."""
        here = ranks_of_node(self.node_rank, topology)
        return here if self.local_rank is None else here[self.local_rank : self.local_rank + 1]

    def variables(self, topology: Topology) -> Mapping[str, str]:
        """What torchrun would tell the single rank; torchrun tells the ranks of a node itself."""
        if self.local_rank is None:
            return {}
        told = {
            "RANK": self.ranks(topology).start,
            "WORLD_SIZE": topology.world_size,
            "LOCAL_RANK": self.local_rank,
            "LOCAL_WORLD_SIZE": topology.ranks_per_node,
            "GROUP_RANK": self.node_rank,
            "GROUP_WORLD_SIZE": topology.nodes,
        }
        return {name: str(value) for name, value in told.items()}


def ranks_of_node(node_rank: int, topology: Topology) -> range:
    """All ranks on a node."""
    return range(node_rank * topology.ranks_per_node, (node_rank + 1) * topology.ranks_per_node)


def await_word(attempt: Attempt, node_rank: int) -> bool:
    """Wait until the supervisor that leads this node has seen to it; False when a rank failed meanwhile."""
    while not attempt.ready(node_rank).exists():
        if attempt.has_failed:
            return False
        time.sleep(_POLL_S)
    return True
