"""The model that the plan names, with its first weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc_runtime.own_code import own_model

if TYPE_CHECKING:
    from torch import nn

    from cfgc_runtime.config import Config
    from cfgc_runtime.wiring import Wiring


def model_of(config: Config, wiring: Wiring) -> nn.Module:
    """The same model on every rank and at every ZeRO stage. Raises ``Failure`` when it is not what the plan says."""
    model = config.MODEL
    if model.kind == "huggingface":
        from cfgc_runtime.models.huggingface import build_model as build_huggingface

        return build_huggingface(model, config.EXPERIMENT.seed)
    if model.kind == "target":
        assert wiring.build_model is not None, "the bundle calls what its plan names"
        return own_model(wiring.build_model, model.target, config.EXPERIMENT.seed)
    from cfgc_runtime.models.decoder import build_model as build_decoder

    return build_decoder(model, config.EXPERIMENT.seed)
