"""The releases of DeepSpeed that a bundle can be compiled for, and what some of them cannot do.

The table knows older ones, for ``cfgc check ds_config.json``; a bundle needs more than a config that they can read.
What is said here was measured by running bundles (docs/targets.md), and read in the releases' sources.
"""

from __future__ import annotations

from cfgc.deepspeed.releases import known_releases

OLDEST = "0.16.0"
"""Older ones load checkpoints with ``torch.load``'s default, which refuses DeepSpeed's own files since torch 2.6, the
oldest for the runtime (``runtime/checkpoint_engine/torch_checkpoint_engine.py``)."""

BF16_WITHOUT_ZERO = "0.18.6"
"""Before 0.17.6 DeepSpeed refuses bf16 at stage 0 unless gradients are summed in fp32; until 0.18.6 it scales the loss
as if it were fp16's, and fails to save or cannot go on from what it saved (``runtime/fp16/unfused_optimizer.py``)."""

ZERO_3_ON_A_CPU = "0.19.8"
"""Before it a step waits for the last of several gathers only, which a GPU's stream keeps in order: on a CPU the
forward pass may read weights that have not arrived (``_allgather_params``,
``runtime/zero/partition_parameters.py``)."""

ZEROS_ALONE = "0.18.3"
"""The first release whose engine scales the loss itself, for ZeRO's optimizers; the others scaled it in their
``backward``, which is no longer called (``runtime/engine.py``, ``runtime/fp16``)."""

FORGETS_GRADIENTS = ("0.17.6", "0.18.3")
"""From the first to before the second, ZeRO-2 keeps the gradients of the last micro step only, unless the optimizer is
offloaded (``independent_gradient_partition_epilogue`` of ``runtime/zero/stage_1_and_2.py``)."""


def target_releases() -> tuple[str, ...]:
    """What ``target.deepspeed`` can be, oldest first."""
    known = known_releases()
    return known[known.index(OLDEST) :]


def is_older(version: str, than: str) -> bool:
    """Whether a known release came before another one."""
    known = known_releases()
    return known.index(version) < known.index(than)
