"""What bench/overhead.py compares the runtime's loop with: the shortest loops that somebody would write by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Protocol

import deepspeed
import torch
from torch.nn import functional as F  # noqa: N812 - the usual name
from torch.utils.data import DataLoader, TensorDataset

from cfgc_runtime.models.decoder import build_model
from cfgc_runtime.optimizers.groups import parameter_groups

Batches = Iterator[list[torch.Tensor]]
"""Inputs and labels, each [micro batch, length], on the host."""


class Peer(Protocol):
    """A loop that trains a model of its own."""

    def train(self, batches: Batches) -> None:
        """Whole optimizer steps on all of ``batches``."""


def batches_of(rows: list[Any], size: int) -> Batches:
    """The runtime's own rows, through a loader as a hand-written loop has one."""
    together = [torch.cat([row.batch[name] for row in rows]) for name in ("input_ids", "labels")]
    return iter(DataLoader(TensorDataset(*together), batch_size=size))


class HandWritten:
    """What somebody writes who has read DeepSpeed's first page."""

    def __init__(self, config: Any, bundle: Path) -> None:
        model = build_model(config.MODEL, config.EXPERIMENT.seed)
        settings = json.loads((bundle / "ds_config.json").read_text())
        groups: Any = parameter_groups(model, config.OPTIMIZER)
        self.engine: Any = deepspeed.initialize(model=model, model_parameters=groups, config=settings)[0]

    def train(self, batches: Batches) -> None:
        """DeepSpeed counts the micro steps."""
        engine = self.engine
        for inputs, labels in batches:
            logits = engine(inputs.to(engine.device))
            loss = F.cross_entropy(logits.flatten(0, 1).float(), labels.to(engine.device).flatten())
            engine.backward(loss)
            with torch.no_grad():
                engine.step()


class PlainTorch:
    """The same without DeepSpeed: DDP where there are several ranks, autocast where the plan is of 16 bits."""

    def __init__(self, config: Any, bundle: Path) -> None:
        settings = json.loads((bundle / "ds_config.json").read_text())
        said = settings["optimizer"]["params"]
        cuda = config.TOPOLOGY.device == "cuda"
        self.device = torch.device("cuda", torch.cuda.current_device()) if cuda else torch.device("cpu")
        self.model: Any = build_model(config.MODEL, config.EXPERIMENT.seed).to(self.device)
        groups: Any = parameter_groups(self.model, config.OPTIMIZER)
        self.optimizer = torch.optim.AdamW(groups, said["lr"], said["betas"], said["eps"], fused=cuda)
        if config.TOPOLOGY.world_size > 1:
            self.model = torch.nn.parallel.DistributedDataParallel(self.model)
        self.bound = settings["gradient_clipping"]
        self.accumulation = config.BATCH.gradient_accumulation_steps
        self.half = {"bf16": torch.bfloat16}.get(config.PRECISION)
        assert self.half or config.PRECISION == "fp32", "the plain loop scales no loss"

    def train(self, batches: Batches) -> None:
        """Gradients are summed over ranks in the last micro step alone."""
        for number, (inputs, labels) in enumerate(batches, 1):
            last = number % self.accumulation == 0
            with nullcontext() if last or not hasattr(self.model, "no_sync") else self.model.no_sync():
                with torch.autocast(self.device.type, self.half) if self.half else nullcontext():
                    logits = self.model(inputs.to(self.device))
                loss = F.cross_entropy(logits.flatten(0, 1).float(), labels.to(self.device).flatten())
                (loss / self.accumulation).backward()
            if last:
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.bound)
                self.optimizer.step()
                self.optimizer.zero_grad()
