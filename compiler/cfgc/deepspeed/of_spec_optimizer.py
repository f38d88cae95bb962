"""``optimizer`` of ds_config.json: torch's own classes, with every argument."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfgc.deepspeed.config import Json
    from cfgc.schema.spec import Spec


def optimizer_section(spec: Spec) -> dict[str, Json]:
    """DeepSpeed builds torch's own AdamW, Adam or SGD from it, so that no kernel is compiled on the node.

    Another type, which is refused as not supported yet, stands as it is, so that rules can look at the rest.
    """
    said = spec.training.optimizer.type
    params = _sgd(spec) if said == "sgd" else _adam(spec)
    return {"type": _TYPES.get(said, said), "params": params, "legacy_fusion": False}


_TYPES = {"adamw": "adamw", "adam": "adam", "sgd": "SGD"}
"""DeepSpeed lower-cases the names it knows and looks up the others in ``torch.optim`` as they are written."""


def _adam(spec: Spec) -> dict[str, Json]:
    """``adam_w_mode`` decides: DeepSpeed makes AdamW of ``adam`` unless it is false."""
    optimizer = spec.training.optimizer
    return {
        "torch_adam": True,
        "adam_w_mode": optimizer.type == "adamw",
        "betas": list(optimizer.betas),
        "eps": optimizer.eps,
        "amsgrad": False,
        "capturable": False,
        **_common(spec),
    }


def _sgd(spec: Spec) -> dict[str, Json]:
    return {"momentum": spec.training.optimizer.momentum, "dampening": 0.0, "nesterov": False, **_common(spec)}


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
        "fused": _on_host(spec),
    }


def _on_host(spec: Spec) -> bool:
    """torch's fused update is a vectorised loop on a CPU: what makes an offloaded torch optimizer fast enough."""
    return spec.deepspeed.offload.optimizer == "cpu"
