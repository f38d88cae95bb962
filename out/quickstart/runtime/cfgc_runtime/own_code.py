"""What the user's own functions give, held to what the run needs of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.optim import Optimizer

from cfgc_runtime.errors import INTERNAL, Failure
from cfgc_runtime.seeding import derive_seed, seed_rank
from cfgc_runtime.wiring import as_user_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cfgc_runtime.engine import Loss


def own_model(build: Callable[[], Any], target: str, seed: int) -> nn.Module:
    """The model of the user's own code, drawn from the same random numbers on every rank. Raises ``Failure``."""
    seed_rank(derive_seed(seed, "weights"), 0)
    with as_user_code(f"building the model with {target}"):
        model = build()
    if not isinstance(model, nn.Module):
        raise Failure(INTERNAL, f"{target} gave {_kind(model)}, and a model is a torch.nn.Module")
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise Failure(INTERNAL, f"the model of {target} has no parameter that can be trained")
    return model


def own_optimizer(build: Callable[[list[dict[str, Any]]], Any], groups: list[dict[str, Any]]) -> Optimizer:
    """The optimizer of the user's own code over all of ``groups``. Raises ``Failure``."""
    with as_user_code("building the optimizer"):
        optimizer = build(groups)
    if not isinstance(optimizer, Optimizer):
        raise Failure(INTERNAL, f"`[training.optimizer] target` gave {_kind(optimizer)}, no torch.optim.Optimizer")
    found = {id(one) for group in optimizer.param_groups for one in group["params"]}
    wanted = {id(one) for group in groups for one in group["params"]}
    if found != wanted:
        raise Failure(
            INTERNAL,
            f"`[training.optimizer] target` gave an optimizer of {len(found):,} parameters, the model has "
            f"{len(wanted):,}: pass on every group that it is handed",
        )
    return optimizer


def own_loss(loss: Callable[..., Any]) -> Loss:
    """The user's loss, held to one number a sample; what it raises is in the log with its traceback."""

    def checked(outputs: Any, batch: Mapping[str, Tensor]) -> Tensor:
        return _per_sample(loss(outputs, batch), batch, "`[training.loss] target`").float()

    return checked


def own_metrics(metrics: Callable[..., dict[str, Any]]) -> Callable[[Any, Mapping[str, Tensor]], dict[str, Tensor]]:
    """The user's metrics of held-out samples, each held to one number a sample."""

    def checked(outputs: Any, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        found = metrics(outputs, batch)
        return {name: _per_sample(value, batch, f"the metric {name}").float() for name, value in found.items()}

    return checked


def _per_sample(value: object, batch: Mapping[str, Tensor], whose: str) -> Tensor:
    """``value`` when it is [micro batch]. Raises ``Failure``."""
    samples = len(batch["labels"])
    if not isinstance(value, Tensor):
        raise Failure(INTERNAL, f"{whose} gave {_kind(value)}, and a tensor of {samples} numbers is due")
    if value.shape != (samples,):
        shape = "a single number" if value.dim() == 0 else f"a tensor of shape {list(value.shape)}"
        raise Failure(
            INTERNAL,
            f"{whose} gave {shape} for {samples} samples, and one number a sample is due: a mean over the batch would "
            'weigh samples by where they land (reduction="none", then the mean over all dimensions but the first)',
        )
    return value


def _kind(value: object) -> str:
    kind = type(value)
    return "nothing (no return?)" if value is None else f"a {kind.__module__}.{kind.__qualname__}"
