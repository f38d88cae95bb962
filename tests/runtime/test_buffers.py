"""Buffers of a model are one on all ranks when they are saved or evaluated with."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn

from cfgc_runtime.collective import Ranks
from cfgc_runtime.engine import Engine


def buffers_of(rank: int) -> list[torch.Tensor]:
    """A whole number, truth values, one that is not contiguous and an empty one among them."""
    return [
        torch.full((2, 3), 1.5 + rank),
        torch.tensor(3 + rank),
        torch.tensor([rank == 0, True]),
        torch.full((2, 3), rank + 1.0, dtype=torch.bfloat16).t(),
        torch.zeros(0),
    ]


def share(rank: int, directory: str) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{directory}/meeting", rank=rank, world_size=2)
    model = torch.nn.Module()
    for place, buffer in enumerate(buffers_of(rank)):
        model.register_buffer(f"buffer_{place}", buffer)
    engine = Engine.__new__(Engine)  # without DeepSpeed: sharing needs only the module
    engine.raw = SimpleNamespace(module=model)
    engine.share_buffers(Ranks(rank, 2, torch.device("cpu")))
    torch.save(list(model.buffers()), Path(directory) / f"rank-{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
def test_every_rank_takes_the_buffers_of_rank_0_whatever_their_type(tmp_path: Path) -> None:
    spawn(share, (str(tmp_path),), nprocs=2)
    for rank in (0, 1):
        found = torch.load(tmp_path / f"rank-{rank}.pt")
        assert len(found) == 5
        for one, expected in zip(found, buffers_of(0), strict=True):
            assert one.dtype == expected.dtype
            assert torch.equal(one, expected)
