"""What ranks tell each other. Every function must be called by all ranks, in the same order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import distributed

T = TypeVar("T")


@dataclass(frozen=True)
class Ranks:
    """All ranks of the run, talking over tensors on ``device``."""

    rank: int
    size: int
    device: torch.device

    def any_of(self, *flags: bool) -> list[bool]:
        """For each flag, whether it is set on any rank."""
        found = torch.tensor([float(flag) for flag in flags], device=self.device)
        distributed.all_reduce(found, distributed.ReduceOp.MAX)
        return [value > 0 for value in found.tolist()]

    def sums(self, *values: torch.Tensor) -> list[float]:
        """For each scalar tensor, its sum over the ranks, taken in fp64."""
        total = torch.stack([value.detach().to(self.device, torch.float64) for value in values])
        distributed.all_reduce(total)
        return [float(value) for value in total.tolist()]

    def gather(self, value: T) -> list[T]:
        """Every rank's ``value`` (anything that pickles), in rank order."""
        gathered: list[T | None] = [None] * self.size
        distributed.all_gather_object(gathered, value)
        return gathered  # type: ignore[return-value]

    def first(self, value: T) -> T:
        """Rank 0's ``value``."""
        box = [value]
        distributed.broadcast_object_list(box, src=0, device=self.device)
        return box[0]

    def share(self, tensor: torch.Tensor) -> None:
        """Give ``tensor``, of any type and wherever it lies, rank 0's values."""
        flat = tensor.detach().to(self.device, copy=True).reshape(-1)
        distributed.broadcast(flat.view(torch.uint8), src=0)  # bytes: not every backend has every type
        tensor.detach().copy_(flat.view(tensor.shape))

    def wait(self) -> None:
        """Until every rank is here."""
        distributed.barrier()
