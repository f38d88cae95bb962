"""Weights alone, of a checkpoint that any number of ranks wrote, into a model that no engine holds yet."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import torch

from cfgc_runtime.errors import BAD_CHECKPOINT, Failure
from cfgc_runtime.export.source import choose, read_weights
from cfgc_runtime.rundir import expand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from cfgc_runtime.collective import Ranks
    from cfgc_runtime.config import Config
    from cfgc_runtime.export.source import Source
    from cfgc_runtime.rundir import RunDirectory

_NAMED = 4


def first_weights(config: Config, run: RunDirectory, model: nn.Module, ranks: Ranks) -> Source | None:
    """Give ``model`` the weights that the plan names; where they are from, None when it keeps its own.

    A run that has a checkpoint goes on from that. Raises ``Failure`` when there are none such, or of another model.
    """
    if not config.WEIGHTS.path or any(run.checkpoints.glob("step-*")):
        return None
    source = choose(expand(config.WEIGHTS))
    if ranks.rank == 0:
        source.verify()
    stage = source.found.values["resources"].get("deepspeed.zero.stage", config.ZERO_STAGE)
    _fill(model, read_weights(source, stage), source)
    return source


def _fill(model: nn.Module, weights: Mapping[str, torch.Tensor], source: Source) -> None:
    own = model.state_dict()
    lost = [name for name in own if name not in weights] or [name for name in weights if name not in own]
    other = [name for name in own if name in weights and tuple(own[name].shape) != tuple(weights[name].shape)]
    if lost or other:
        what = "has not the same weights" if lost else "has weights of other shapes"
        names = ", ".join(islice(lost or other, _NAMED))
        raise Failure(BAD_CHECKPOINT, f"{source.path} is of another model: it {what} ({names})")
    with torch.no_grad():
        for name, weight in own.items():  # one after the other: a stand-in is read when it is asked for
            weight.copy_(weights[name].contiguous())
