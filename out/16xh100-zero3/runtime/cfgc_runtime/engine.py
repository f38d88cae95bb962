"""DeepSpeed's engine: started from ds_config.json, for training as it is, without compiling any C++ on the way."""

from __future__ import annotations

import logging
import math
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from cfgc_runtime.collective import Ranks
from cfgc_runtime.forward_only import PARTITIONS_WEIGHTS, forward_only
from cfgc_runtime.models.compiling import compile_model
from cfgc_runtime.optimizers import make_optimizer
from cfgc_runtime.optimizers.groups import parameter_groups
from cfgc_runtime.own_code import own_metrics, own_optimizer
from cfgc_runtime.point import read_ds_config
from cfgc_runtime.wiring import NO_CODE

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from cfgc_runtime.config import Config, Topology
    from cfgc_runtime.wiring import Wiring
    from cfgc_runtime.world import World

Loss: TypeAlias = "Callable[[Any, Mapping[str, Tensor]], Tensor]"
"""What the model returned and the batch, to the loss of each sample, fp32 [micro batch]."""


def connect(topology: Topology, world: World) -> Ranks:
    """Join the other ranks."""
    import deepspeed.ops
    from deepspeed.utils import logger

    logger.setLevel(logging.WARNING)
    # DeepSpeed's own calls: nothing that the reader of a failed run's log could change.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch\.distributed")
    if topology.device == "cpu":
        # A table without operators keeps init_distributed from compiling its own (half a minute, needs g++).
        deepspeed.ops.__dict__["__compatible_ops__"] = defaultdict(bool)
        device = torch.device("cpu")
    else:
        device = torch.device("cuda", world.local_rank)
        torch.cuda.set_device(device)
    deepspeed.init_distributed(
        dist_backend=topology.backend,
        auto_mpi_discovery=False,
        verbose=False,
        timeout=timedelta(seconds=topology.timeout_s),
    )
    return Ranks(world.rank, world.size, device)


def forget_empty_step(engine: Any) -> None:  # DeepSpeedEngine
    """Undo what DeepSpeed does when it builds its 16-bit optimizer without ZeRO, in every release that bundles are for.

    ``FP16_UnfusedOptimizer`` takes one optimizer step with gradients of 0 to make the states exist: Adam's step count
    starts at 1, the fp32 weights are decayed once, and the curve is another one than at every ZeRO stage.
    """
    if not hasattr(engine.optimizer, "fp32_groups"):
        return
    engine.optimizer.optimizer.state.clear()
    for wide, narrow in zip(engine.optimizer.fp32_groups, engine.optimizer.fp16_groups, strict=True):
        for copy, weight in zip(wide, narrow, strict=True):
            copy.data.copy_(weight.data)


def _optimizer(model: nn.Module, config: Config, wiring: Wiring) -> dict[str, Any]:
    """The update rule and what it is over, or only that, for DeepSpeed to make the rule."""
    groups: Any = parameter_groups(model, config.OPTIMIZER)  # DeepSpeed annotates less than it accepts
    own = (
        own_optimizer(wiring.build_optimizer, groups)
        if wiring.build_optimizer
        else make_optimizer(config.OPTIMIZER, groups)
    )
    return {"optimizer": own} if own else {"model_parameters": groups}


def _initialized(model: nn.Module, settings: dict[str, Any], **optimizer: Any) -> Any:  # DeepSpeedEngine
    import deepspeed

    started: tuple[Any, ...] = deepspeed.initialize(model=model, config=settings, **optimizer)
    return started[0]


class Engine:
    """The few things that training needs of DeepSpeed's engine."""

    def __init__(
        self,
        config: Config,
        ds_config: Path,
        model: nn.Module,
        loss: Loss,
        wiring: Wiring = NO_CODE,
        objective: Loss | None = None,
    ) -> None:
        """``objective`` is what training lowers, ``loss`` itself unless given; evaluations take ``loss``.

        An evaluation by itself has no optimizer, which needs several times the weights' memory.
        """
        settings = read_ds_config(ds_config.parent)
        if config.WORK == "evaluate":
            self.raw: Any = _initialized(model, forward_only(settings))
            if config.ZERO_STAGE < PARTITIONS_WEIGHTS:
                self.raw.optimizer = None  # of bf16 an empty one, of which older releases cannot let go
        else:
            self.raw = _initialized(model, settings, **_optimizer(model, config, wiring))
        self._loss, self._objective = loss, objective or loss
        self._metrics = own_metrics(wiring.metrics) if wiring.metrics else None
        forget_empty_step(self.raw)
        if config.COMPILE:
            compile_model(self.raw)
        self._plain = config.ZERO_STAGE == 0 and config.PRECISION == "fp32"
        self._scaled = config.PRECISION == "fp16"

    def judge(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Loss and the user's metrics per sample, by name, each fp32 [micro batch]."""
        outputs, here = self._forward(batch)
        return {"loss": self._loss(outputs, here), **(self._metrics(outputs, here) if self._metrics else {})}

    def _forward(self, batch: Mapping[str, Tensor]) -> tuple[Any, Mapping[str, Tensor]]:
        """What the model returns, and the batch on its device."""
        here = {name: value.to(self.raw.device, non_blocking=True) for name, value in batch.items()}
        return self.raw(**{name: value for name, value in here.items() if name != "labels"}), here

    def accumulate(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Forward and backward of one micro batch; its mean loss. Call ``finish_micro_step`` next."""
        loss = self._objective(*self._forward(batch)).mean()
        self.raw.backward(loss)
        return loss.detach()

    def set_learning_rate(self, rate: float) -> None:
        """Use ``rate`` in the next optimizer step."""
        for group in self.raw.optimizer.param_groups:
            group["lr"] = rate * group.get("learning_rate_scale", 1.0)

    def set_clipping(self, bound: float) -> None:
        """Let DeepSpeed clip the norm of the next gradient to ``bound``: its optimizer, or the engine in plain fp32."""
        if hasattr(self.raw.optimizer, "clip_grad"):
            self.raw.optimizer.clip_grad = bound
        else:
            self.raw._config.gradient_clipping = bound  # read in each step, and there is no setter

    def finish_micro_step(self, is_last: bool) -> float | None:
        """Let DeepSpeed count the micro step; after the last one it steps the optimizer.

        Returns the norm of the whole gradient before clipping; None before the last micro step, or when unknown.
        """
        norm = self._plain_norm() if is_last and self._plain else None
        with torch.no_grad():  # until 0.19.4 ZeRO gathers weights into views, which autograd of a newer torch refuses
            self.raw.step()
        if not is_last:
            return None
        return self._norm() if norm is None else norm

    def _norm(self) -> float | None:
        """DeepSpeed's norm; infinite for gradients that are no numbers, which older releases say in other ways."""
        norm = self.raw.get_global_grad_norm()
        if not self._scaled and getattr(self.raw.optimizer, "overflow", False):
            return math.inf
        return None if norm is None else math.inf if norm < 0 else float(norm)

    def _plain_norm(self) -> float:
        """Without ZeRO and in fp32 the gradients lie open, and DeepSpeed tells no norm."""
        gradients = [one.grad for one in self.raw.module.parameters() if one.grad is not None]
        return float(torch.nn.utils.get_total_norm(gradients))

    def skipped_last_step(self) -> bool:
        """Whether fp16 gradients overflowed, so that the loss scale was lowered instead of stepping."""
        return self._scaled and bool(self.raw.optimizer.overflow)

    def share_buffers(self, ranks: Ranks) -> None:
        """Let every rank take rank 0's buffers (such as BatchNorm's statistics), the only ones that are saved."""
        for buffer in self.raw.module.buffers():
            if buffer.numel():
                ranks.share(buffer)

    def train_mode(self, on: bool) -> None:
        """Dropout and activation checkpointing on or off."""
        self.raw.train(on)
