"""A causal language model of transformers: by a local directory or a configuration, from scratch or from weights."""

from __future__ import annotations

import inspect
import json
import os
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import torch

from cfgc_runtime.errors import NO_INPUT, WRONG_WORLD, Failure
from cfgc_runtime.models.causality import check_causal
from cfgc_runtime.models.dense import check_dense, check_heads
from cfgc_runtime.rundir import expand
from cfgc_runtime.seeding import derive_seed

if TYPE_CHECKING:
    from torch import nn

    from cfgc_runtime.config import HuggingFaceModel

INSTALL = 'pip install "transformers>=4.51" "safetensors>=0.5"'


def build_model(config: HuggingFaceModel, seed: int) -> nn.Module:
    """The model in fp32 and in training mode, the same on every rank. Raises ``Failure`` when it cannot be made."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a node asks nobody for what its own directory lacks
    try:
        from transformers import logging as transformers_logging
    except ImportError:
        raise Failure(WRONG_WORLD, f"the model needs transformers, which is not installed here: {INSTALL}") from None
    transformers_logging.disable_progress_bar()
    settings = read_config(config)
    place = "[model.config]" if config.config else str(expand(config.path) / "config.json")
    check_dense(settings, place)
    check_heads(settings, place)
    settings.use_cache = False  # keys and values of earlier tokens are for writing text, not for training
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(derive_seed(seed, "weights"))
        model: nn.Module = _loaded(config, settings) if config.from_weights else _drawn(config, settings)
    if config.activation_checkpointing:
        _checkpoint_activations(model)
    count = sum(parameter.numel() for parameter in model.parameters())
    if config.parameters not in (0, count):
        raise Failure(WRONG_WORLD, f"the model has {count:,} parameters, the plan says {config.parameters:,}")
    check_causal(model, place)
    return model.train()


def read_config(config: HuggingFaceModel) -> Any:  # PretrainedConfig
    """The configuration. Raises ``Failure`` for one that transformers refuses, or has keys that it would not read."""
    from transformers import AutoConfig

    if config.config:
        return _inline(json.loads(config.config))
    directory = expand(config.path)
    if not (directory / "config.json").is_file():
        raise Failure(NO_INPUT, f"model.path: {directory} has no config.json on this machine")
    try:
        return AutoConfig.from_pretrained(directory, local_files_only=True)
    except Exception as error:
        raise Failure(NO_INPUT, f"{directory / 'config.json'} describes no model: {_first_line(error)}") from None


def _inline(said: dict[str, Any]) -> Any:
    from transformers import AutoConfig

    kind = said.pop("model_type")
    try:
        made = AutoConfig.for_model(kind, **said)
        known = {*AutoConfig.for_model(kind).to_dict(), *made.attribute_map, *_parameters(type(made))}
    except Exception as error:
        raise Failure(WRONG_WORLD, f"[model.config] describes no model: {_first_line(error)}") from None
    for key in said:
        if key not in known:
            close = get_close_matches(key, known, 1)
            meant = f"; did you mean `{close[0]}`?" if close else ""
            raise Failure(WRONG_WORLD, f"[model.config] has `{key}`, which {kind} models do not read{meant}")
    return made


def _parameters(cls: type) -> set[str]:
    found = inspect.signature(cls).parameters.values()
    return {one.name for one in found if one.kind is not inspect.Parameter.VAR_KEYWORD}


def _drawn(config: HuggingFaceModel, settings: Any) -> Any:
    from transformers import AutoModelForCausalLM

    try:
        return AutoModelForCausalLM.from_config(settings, attn_implementation=config.attention, dtype=torch.float32)
    except Exception as error:
        _check_attention(error, config, settings)
        raise Failure(WRONG_WORLD, f"the model cannot be made: {_first_line(error)}") from None


def _loaded(config: HuggingFaceModel, settings: Any) -> Any:
    """The model with the directory's weights, and every one of its own: none is drawn in secret."""
    from transformers import AutoModelForCausalLM

    directory = expand(config.path)
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            directory,
            config=settings,
            attn_implementation=config.attention,
            dtype=torch.float32,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:
        _check_attention(error, config, settings)
        raise Failure(NO_INPUT, f"the weights below {directory} cannot be loaded: {_first_line(error)}") from None
    model, loading = loaded
    lacking = sorted(map(str, [*loading["missing_keys"], *loading["mismatched_keys"]]))
    if lacking:
        others = f" and {len(lacking) - 1:,} more" if len(lacking) > 1 else ""
        raise Failure(NO_INPUT, f"the weights below {directory} lack {lacking[0]}{others}, or have another shape of it")
    return model


def _check_attention(error: Exception, config: HuggingFaceModel, settings: Any) -> None:
    """Say what to change when the error is that transformers has no such attention for this architecture."""
    if isinstance(error, ValueError) and re.search("does not support .*attention", str(error), re.IGNORECASE):
        raise Failure(
            WRONG_WORLD,
            f"transformers has no {config.attention} attention for {settings.model_type} models; "
            'set `model.attention = "eager"`',
        ) from None


def _checkpoint_activations(model: Any) -> None:
    kwargs = {"use_reentrant": False}
    try:
        if hasattr(model, "activation_checkpointing_enable"):
            model.activation_checkpointing_enable(activation_checkpointing_kwargs=kwargs)
        else:  # its name until transformers 5
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=kwargs)
    except ValueError as error:
        raise Failure(WRONG_WORLD, f"model.activation_checkpointing: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    """What transformers says, in one line; the rest lists every model that there is."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = " ".join(lines[:2]) if lines else type(error).__name__
    return said[:300].split(" Should contain one of ")[0].rstrip(".")
