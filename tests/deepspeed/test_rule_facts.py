"""What the rules know by heart, against the installed torch and DeepSpeed."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from deepspeed.autotuning import constants as tuning
from deepspeed.module_inject.auto_ep_config import AutoEPConfig, validate_autoep_config
from deepspeed.module_inject.auto_ep_presets.registry import available_preset_names
from deepspeed.module_inject.autotp_config import AutoTPPresets
from deepspeed.moe.ep_experts import EXPERT_ACTIVATIONS
from deepspeed.runtime import config as deepspeed_config
from deepspeed.runtime.zero.utils import ZERO_SUPPORTED_OPTIMIZERS
from deepspeed.utils.logging import log_levels

from cfgc.deepspeed.releases import release
from cfgc.deepspeed.rules.choices import CHOICES
from cfgc.deepspeed.rules.optimizer_classes import CLASSES, ONE_BIT, TESTED
from cfgc.deepspeed.rules.torch_names import OUT_OF_REACH, TORCH_OPTIMIZERS, TORCH_REQUIRED, TORCH_SCHEDULERS

NOT_SETTINGS = {"self", "params", "model_params", "optimizer", "deepspeed"}
FIXED = {"FusedAdam": {"adam_w_mode"}, "DeepSpeedCPUAdam": {"adamw_mode"}, "FusedLamb": {"max_grad_norm"}}
"""What the engine gives by itself, or refuses before the class is built."""

WHERE = {
    "FusedAdam": "deepspeed.ops.adam.fused_adam",
    "DeepSpeedCPUAdam": "deepspeed.ops.adam.cpu_adam",
    "FusedLamb": "deepspeed.ops.lamb.fused_lamb",
    "FusedLion": "deepspeed.ops.lion.fused_lion",
    "DeepSpeedCPULion": "deepspeed.ops.lion.cpu_lion",
    "DeepSpeedCPUAdagrad": "deepspeed.ops.adagrad.cpu_adagrad",
}


def parameters_of(made: type) -> dict[str, inspect.Parameter]:
    """The parameters that are settings."""
    found = inspect.signature(made).parameters
    return {name: parameter for name, parameter in found.items() if name not in NOT_SETTINGS}


def classes_in(module: Any, base: type) -> Iterator[str]:
    """Names of the subclasses of ``base`` that the module has."""
    for name, found in vars(module).items():
        if inspect.isclass(found) and issubclass(found, base) and found is not base and not name.startswith("_"):
            yield name


def test_every_optimizer_of_torch_is_known() -> None:
    assert set(classes_in(torch.optim, torch.optim.Optimizer)) == set(TORCH_OPTIMIZERS)


@pytest.mark.parametrize("name", TORCH_OPTIMIZERS)
def test_optimizer_of_torch_takes_what_is_known(name: str) -> None:
    assert set(parameters_of(getattr(torch.optim, name))) == set(TORCH_OPTIMIZERS[name])


def test_every_scheduler_of_torch_is_known() -> None:
    found = set(classes_in(torch.optim.lr_scheduler, torch.optim.lr_scheduler.LRScheduler))
    assert found == {*TORCH_SCHEDULERS, *OUT_OF_REACH}


@pytest.mark.parametrize("name", TORCH_SCHEDULERS)
def test_scheduler_of_torch_takes_what_is_known(name: str) -> None:
    parameters = parameters_of(getattr(torch.optim.lr_scheduler, name))
    required = [key for key, parameter in parameters.items() if parameter.default is inspect.Parameter.empty]
    assert set(parameters) == set(TORCH_SCHEDULERS[name])
    assert tuple(required) == TORCH_REQUIRED.get(name, ())


@pytest.mark.parametrize("name", WHERE)
def test_optimizer_of_deepspeed_takes_what_is_known(name: str) -> None:
    parameters = parameters_of(getattr(importlib.import_module(WHERE[name]), name))
    assert set(parameters) - FIXED.get(name, set()) == set(CLASSES[name])


def test_optimizers_that_zero_was_tested_with() -> None:
    known = {name.rpartition(".")[2] for name in TESTED if not name.startswith("mup.")}
    theirs = {made.__name__ for made in ZERO_SUPPORTED_OPTIMIZERS}
    assert theirs | {"MuonWithAuxAdam"} == known | {"ZenFlowCPUAdam"}


def test_optimizers_of_the_table() -> None:
    assert set(release("0.19.8").optimizers) == set(deepspeed_config.DEEPSPEED_OPTIMIZERS)
    assert set(ONE_BIT) <= set(release("0.19.6").optimizers)
    assert not set(ONE_BIT) & set(release("0.19.7").optimizers)


def test_words_of_deepspeed() -> None:
    assert set(CHOICES["log_level"].words) == set(log_levels)
    assert set(CHOICES["expert_parallel.preset_model"].words) == set(available_preset_names())
    assert set(CHOICES["expert_parallel.expert_activation"].words) == set(EXPERT_ACTIVATIONS)
    tuners = {tuning.AUTOTUNING_TUNER_GRIDSEARCH, tuning.AUTOTUNING_TUNER_RANDOM, tuning.AUTOTUNING_TUNER_MODELBASED}
    assert set(CHOICES["autotuning.tuner_type"].words) == tuners
    presets = CHOICES["tensor_parallel.preset_model"].words
    assert all(AutoTPPresets.get_preset(word) is not None for word in presets)
    assert AutoTPPresets.get_preset("gpt2") is None


@pytest.mark.parametrize(
    "name",
    ["combine_impl", "row_weighting_impl", "gate_up_impl", "comm_backend", "score_apply", "score_func"],
)
def test_autoep_refuses_other_words(name: str) -> None:
    config = AutoEPConfig()
    config.enabled = True
    setattr(config, name, "none of these")
    with pytest.raises(ValueError, match=name):
        validate_autoep_config(config, world_size=4, pp_size=1, tp_size=1, sp_size=1)
