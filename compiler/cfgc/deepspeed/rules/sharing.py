"""Ranks that share both layers and sequences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.divisors import nearest_divisor
from cfgc.deepspeed.case import At, Case
from cfgc.deepspeed.rules.batch_sizes import SEQUENCE, whole
from cfgc.deepspeed.rules.parallel import TENSOR
from cfgc.deepspeed.rules.remedy import drop, put, told
from cfgc.deepspeed.wording import unsplit

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic


def ranks_are_shared_once(case: Case) -> Iterator[Diagnostic]:
    """CFG404: each size divides the ranks, and so does their product; AutoEP refuses both at once (CFG595)."""
    world, tensor, sequence = case.world_size or 1, whole(case, TENSOR) or 1, whole(case, SEQUENCE) or 1
    if 1 in (world, tensor, sequence) or world % tensor or world % sequence or case.flag("expert_parallel.enabled"):
        return
    if world % (tensor * sequence) == 0:
        return
    near = nearest_divisor(world // tensor, sequence) or 1
    remedies = [drop(case, SEQUENCE), drop(case, TENSOR)]
    yield case.error(
        "CFG404",
        unsplit(world, f"{tensor} × {sequence}"),
        [At(SEQUENCE, f"{sequence} ranks share a sequence"), At(TENSOR, f"{tensor} ranks share every layer")],
        (
            f"{world} ÷ {tensor * sequence} leaves {world % (tensor * sequence)}",
            "DeepSpeed looks at each size alone, and starts; the same ranks would then share twice",
        ),
        *told([put(case, SEQUENCE, near), *remedies] if near > 1 else remedies),
    )


RULES = (ranks_are_shared_once,)
