"""Who this process is among the ranks: the one place that reads what the launcher set. Standard library only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfgc_runtime.errors import WRONG_WORLD, Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cfgc_runtime.config import Topology


@dataclass(frozen=True)
class World:
    """This rank's place. ``node_rank`` counts nodes."""

    rank: int
    size: int
    local_rank: int
    local_size: int
    node_rank: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> World:
        """Read torchrun's variables. Raises ``Failure`` when they are missing."""
        try:
            return cls(
                rank=int(environment["RANK"]),
                size=int(environment["WORLD_SIZE"]),
                local_rank=int(environment["LOCAL_RANK"]),
                local_size=int(environment["LOCAL_WORLD_SIZE"]),
                node_rank=int(environment.get("GROUP_RANK", "0")),
            )
        except (KeyError, ValueError) as error:
            raise Failure(WRONG_WORLD, f"this rank was not started by torchrun: {error}") from None

    def check(self, topology: Topology) -> None:
        """Raise ``Failure`` unless the ranks that are here are the ones that the plan was computed for."""
        self._compare("ranks", self.size, topology.world_size)
        self._compare("ranks on this node", self.local_size, topology.ranks_per_node)

    def _compare(self, what: str, found: int, planned: int) -> None:
        if found != planned:
            raise Failure(
                WRONG_WORLD,
                f"{what}: {found} started, {planned} planned; batch and accumulation were computed for the plan: start "
                "it as planned, or change [launch] in the spec and rebuild",
            )
