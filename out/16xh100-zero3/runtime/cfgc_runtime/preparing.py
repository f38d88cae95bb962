"""What is done once on a node before its ranks start, and what they are told of it. Standard library only."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cfgc_runtime.flight import recorder_variables
from cfgc_runtime.ops.prebuild import built_ops, find_ops
from cfgc_runtime.package import search_path, unpack
from cfgc_runtime.preflight.finding import settle
from cfgc_runtime.preflight.node import check_node
from cfgc_runtime.share import Share, ranks_of_node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cfgc_runtime.attempt import Attempt
    from cfgc_runtime.config import Config
    from cfgc_runtime.rundir import RunDirectory
    from cfgc_runtime.signals import StopRequest


@contextmanager
def prepared(
    bundle: Path, config: Config, run: RunDirectory, attempt: Attempt, share: Share, stop: StopRequest
) -> Iterator[Mapping[str, str]]:
    """Variables for the ranks of one supervisor. The one that leads the node sees to it, the others find what it did.

    Raises ``Failure`` when this node cannot run its ranks.
    """
    node, launch, topology = share.node_rank, config.LAUNCH, config.TOPOLOGY
    code = search_path(config.PACKAGE, run)
    if not share.leads_node:
        cache, place = find_ops(launch, run, attempt, node)
        yield {**code, **cache, **recorder_variables(topology, attempt, place)}
        return
    for rank in ranks_of_node(node, topology):
        attempt.reserve(rank)
    if node > 0:  # `stage` has looked at the first node
        settle(check_node(bundle, config, run, first=False))
    unpack(bundle, config.PACKAGE, run)
    with built_ops(bundle, launch, run, attempt, node, stop) as (cache, place):
        attempt.ready(node).touch()
        yield {**code, **cache, **recorder_variables(topology, attempt, place)}
