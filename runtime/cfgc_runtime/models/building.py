"""The model that the plan names, with its first weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from cfgc_runtime.config import Config


def model_of(config: Config) -> nn.Module:
    """The same model on every rank and at every ZeRO stage. Raises ``Failure`` when it is not what the plan says."""
    model = config.MODEL
    if model.kind == "huggingface":
        from cfgc_runtime.models.huggingface import build_model as build_huggingface

        return build_huggingface(model, config.EXPERIMENT.seed)
    from cfgc_runtime.models.decoder import build_model as build_decoder

    return build_decoder(model, config.EXPERIMENT.seed)
