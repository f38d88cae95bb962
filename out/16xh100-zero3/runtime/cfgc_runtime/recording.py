"""What rank 0 adds to run.json once all ranks have met: hosts, devices and versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from cfgc_runtime.attempt import newest_attempt
from cfgc_runtime.environment import describe_rank, describe_ranks, describe_versions, processor
from cfgc_runtime.errors import describe_os_error
from cfgc_runtime.identity import record_attempt
from cfgc_runtime.trackers.opening import libraries_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cfgc_runtime.collective import Ranks
    from cfgc_runtime.config import Config
    from cfgc_runtime.rundir import RunDirectory


def record_world(
    config: Config, run: RunDirectory, ranks: Ranks, code: Mapping[str, Any], say: Callable[[str], None]
) -> None:
    """Write where this attempt runs, and with which ``code`` of the user. Not being able to is no reason to stop."""
    everyone = ranks.gather(describe_rank(_device(ranks.device)))
    if ranks.rank != 0:
        return
    facts: dict[str, Any] = {
        "versions": describe_versions(libraries_of(config.TRACKING)),
        "hosts": describe_ranks(everyone),
    }
    if code:
        facts["code"] = code
    try:
        record_attempt(run, int(newest_attempt(run).path.name), facts)
    except OSError as error:
        say(f"run.json does not say where this attempt runs: {describe_os_error(error, run.identity)}")


def _device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
