"""Which class DeepSpeed builds for an optimizer type, under this release and this config, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.rules.facts import offload_of
from cfgc.deepspeed.rules.torch_names import TORCH_OPTIMIZERS

TYPE, PARAMS = "optimizer.type", "optimizer.params"
REMOVED_SINCE = "0.19.7"
"""The first release without the 1-bit optimizers."""

ONE_BIT = ("onebitadam", "onebitlamb", "zerooneadam")

_ADAM = ("lr", "bias_correction", "betas", "eps", "weight_decay", "amsgrad")
_ONE_BIT = (*_ADAM, "eps_inside_sqrt", "cuda_aware", "comm_backend_name")

CLASSES: Mapping[str, tuple[str, ...]] = {
    "FusedAdam": (*_ADAM, "set_grad_none"),
    "DeepSpeedCPUAdam": (*_ADAM, "fp32_optimizer_states"),
    "FusedLamb": (*_ADAM, "eps_inside_sqrt", "max_coeff", "min_coeff"),
    "FusedLion": ("lr", "betas", "weight_decay", "set_grad_none"),
    "DeepSpeedCPULion": ("lr", "betas", "weight_decay", "fp32_optimizer_states"),
    "DeepSpeedCPUAdagrad": ("lr", "eps", "weight_decay", "amsgrad", "fp32_optimizer_states"),
    "OnebitAdam": (*_ONE_BIT, "freeze_step"),
    "ZeroOneAdam": (
        *_ONE_BIT,
        *("var_freeze_step", "var_update_scaler", "local_step_scaler", "local_step_clipper"),
    ),
    "OnebitLamb": (
        *(*_ONE_BIT, "freeze_step", "max_coeff", "min_coeff", "coeff_beta"),
        *("factor_max", "factor_min", "factor_threshold"),
    ),
    "MuonWithAuxAdam": ("lr", "momentum", "betas", "eps", "weight_decay"),
}
"""Parameters of DeepSpeed's own optimizers, the same in every release that has them."""

TESTED = frozenset(
    {
        *("torch.optim.Adam", "torch.optim.AdamW", "torch.optim.Adagrad", "FusedAdam", "DeepSpeedCPUAdam"),
        *("DeepSpeedCPUAdagrad", "DeepSpeedCPULion", "FusedLion", "MuonWithAuxAdam", "mup.MuAdam", "mup.MuAdamW"),
    }
)
"""What ZeRO takes without being told that it is untested; mup's Adams are torch's own classes."""

_SINCE = {"muon_lr": "0.18.3", "adam_lr": "0.18.3", "ns_method": "0.19.0", "per_head_muon": "0.19.8"}
_MUP = {"muadam": "mup.MuAdam", "muadamw": "mup.MuAdamW", "musgd": "mup.MuSGD"}


@dataclass(frozen=True)
class Built:
    """``name``: the class; ``takes``: parameters that a ds_config may give it, empty when nobody knows them."""

    name: str
    takes: frozenset[str] = frozenset()


def own_types(case: Case) -> tuple[str, ...]:
    """The types that are DeepSpeed's own in this release, which it knows in capitals and small letters alike."""
    return tuple(sorted(case.release.optimizers))


def optimizer_name(case: Case) -> str | None:
    """The type as DeepSpeed uses it: its own in small letters, others as written; None when there is none."""
    name = case.text(TYPE) if case.written(TYPE) else None
    return name.lower() if name and name.lower() in own_types(case) else name


def offloaded(case: Case) -> bool:
    """Whether the optimizer works in the node's memory."""
    return offload_of(case, "optimizer") in ("cpu", "nvme")


def built(case: Case) -> Built | None:
    """What DeepSpeed builds for the type; None when there is no type or it is not known."""
    name = optimizer_name(case)
    if name is None:
        return None
    if name in ("adam", "adamw"):
        return _adam(case, name)
    if name in own_types(case):
        return _own(case, name)
    takes = TORCH_OPTIMIZERS.get(name)
    return Built(f"torch.optim.{name}", frozenset(takes)) if takes else None


def _adam(case: Case, name: str) -> Built:
    switches = {"torch_adam", "adam_w_mode"}
    if case.since("0.19.1"):
        switches.add("fp32_optimizer_states")
    if case.flag(f"{PARAMS}.torch_adam"):
        decoupled = name == "adamw" or not _is_false(case, f"{PARAMS}.adam_w_mode")
        chosen = "AdamW" if decoupled else "Adam"
        return Built(f"torch.optim.{chosen}", frozenset({*TORCH_OPTIMIZERS[chosen], *switches}))
    chosen = "DeepSpeedCPUAdam" if offloaded(case) else "FusedAdam"
    return Built(chosen, frozenset({*CLASSES[chosen], *switches}))


def _is_false(case: Case, dotted: str) -> bool:
    return case.written(dotted) and case.value(dotted) is False


def _own(case: Case, name: str) -> Built:
    if name in _MUP:
        return Built(_MUP[name])
    if name == "muon":
        return Built("MuonWithAuxAdam", _muon_takes(case))
    on_gpu, on_cpu = {
        "adagrad": ("torch.optim.Adagrad", "DeepSpeedCPUAdagrad"),
        "lion": ("FusedLion", "DeepSpeedCPULion"),
        "lamb": ("FusedLamb", "FusedLamb"),
        "onebitadam": ("OnebitAdam", "OnebitAdam"),
        "onebitlamb": ("OnebitLamb", "OnebitLamb"),
        "zerooneadam": ("ZeroOneAdam", "ZeroOneAdam"),
    }[name]
    chosen = on_cpu if offloaded(case) else on_gpu
    takes = TORCH_OPTIMIZERS["Adagrad"] if chosen == "torch.optim.Adagrad" else CLASSES[chosen]
    return Built(chosen, frozenset(takes))


def _muon_takes(case: Case) -> frozenset[str]:
    later = {name for name, version in _SINCE.items() if case.since(version)}
    switches = {"torch_adam", "adam_w_mode", "fp32_optimizer_states"} if case.since("0.19.6") else set()
    return frozenset({*CLASSES["MuonWithAuxAdam"], *later, *switches})
