"""``optimizer`` of ds_config.json: torch's own classes, with every argument."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc.arithmetic.of_spec import momentum_of

if TYPE_CHECKING:
    from cfgc.deepspeed.config import Json
    from cfgc.schema.spec import Spec

_TYPES = {"adamw": "adamw", "adam": "adam", "fused_adam": "adamw", "sgd": "SGD"}
"""DeepSpeed lower-cases the names it knows and looks up the others in ``torch.optim`` as they are written."""


def optimizer_section(spec: Spec) -> dict[str, Json]:
    """``optimizer`` where DeepSpeed builds torch's own AdamW, Adam or SGD from it, so that no kernel is compiled.

    Nothing for a rule of the runtime's own, or of the user's: DeepSpeed is handed that one.
    """
    said = spec.training.optimizer.type
    if not built_by_deepspeed(spec):
        return {}
    params = _sgd(spec) if said == "sgd" else _adam(spec)
    return {"optimizer": {"type": _TYPES[said], "params": params, "legacy_fusion": False}}


def built_by_deepspeed(spec: Spec) -> bool:
    """Whether ds_config.json says the update rule."""
    return spec.training.optimizer.type in _TYPES


def is_tested(spec: Spec) -> bool:
    """Whether ZeRO knows the class by itself: torch's AdamW and Adam are, any other has to be allowed."""
    return _TYPES.get(spec.training.optimizer.type) in ("adamw", "adam")


def _adam(spec: Spec) -> dict[str, Json]:
    """``adam_w_mode`` decides: DeepSpeed makes AdamW of ``adam`` unless it is false."""
    optimizer = spec.training.optimizer
    return {
        "torch_adam": True,
        "adam_w_mode": optimizer.type != "adam",
        "betas": list(optimizer.betas),
        "eps": optimizer.eps,
        "amsgrad": False,
        "capturable": False,
        **_common(spec),
    }


def _sgd(spec: Spec) -> dict[str, Json]:
    return {"momentum": momentum_of(spec), "dampening": 0.0, "nesterov": False, **_common(spec)}


def _common(spec: Spec) -> dict[str, Json]:
    """``lr`` is the peak: the runtime sets each step's rate.

    ``foreach`` would cost a copy of the weights, and ZeRO's one flat tensor per group gains nothing by it.
    """
    return {
        "lr": spec.training.learning_rate,
        "weight_decay": spec.training.optimizer.weight_decay,
        "maximize": False,
        "differentiable": False,
        "foreach": False,
        "fused": _on_host(spec) or spec.training.optimizer.type == "fused_adam",
    }


def _on_host(spec: Spec) -> bool:
    """torch's fused update is a vectorised loop on a CPU: what makes an offloaded torch optimizer fast enough."""
    return spec.deepspeed.offload.optimizer == "cpu"
