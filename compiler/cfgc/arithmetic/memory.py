"""Model states: what a rank holds before any activation, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

MASTER_BYTES = 4
"""The fp32 copy of a weight that the optimizer updates."""

MOMENT_BYTES = 4
"""One running average of the optimizer, kept in fp32."""


@dataclass(frozen=True)
class States:
    """Bytes per rank on the device, and ``host_bytes`` in the node's memory when offloaded."""

    parameter_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    host_bytes: int

    @property
    def device_total(self) -> int:
        """Bytes that must fit on the device."""
        return self.parameter_bytes + self.gradient_bytes + self.optimizer_bytes


@dataclass(frozen=True)
class Setting:
    """What the sizes follow from; ``shards`` is the number of ranks that ZeRO divides by."""

    parameters: int
    shards: int
    zero_stage: int
    precision: str
    moments: int
    offload_optimizer: bool
    offload_parameters: bool


def bytes_per_number(precision: str) -> int:
    """Of a weight or gradient as the model computes with it."""
    return 4 if precision == "fp32" else 2


def optimizer_moments(optimizer: str, momentum: float) -> int:
    """Running averages per weight; for Muon those of its AdamW half, its matrices have one."""
    if optimizer == "sgd":
        return 1 if momentum > 0 else 0
    return 1 if optimizer in ("lion", "adagrad") else 2


def optimizer_bytes_per_parameter(setting: Setting) -> int:
    """The fp32 copy and the moments; only fp32 without ZeRO updates the weights in place, without a copy."""
    copied = setting.precision != "fp32" or setting.zero_stage > 0
    return (MASTER_BYTES if copied else 0) + MOMENT_BYTES * setting.moments


def model_states(setting: Setting) -> States:
    """A lower bound, without buckets, activations or fragments.

    ZeRO 1 divides the optimizer's states, 2 the gradients too, 3 the weights too. With the optimizer offloaded, its
    states and an fp32 copy of the rank's gradients are in the node's memory; from stage 2 on no gradient stays here.
    """
    number = bytes_per_number(setting.precision)
    whole, shard = setting.parameters, -(-setting.parameters // setting.shards)
    parameters = number * (shard if setting.zero_stage >= 3 else whole)
    gradients = number * (shard if setting.zero_stage >= 2 else whole)
    optimizer = optimizer_bytes_per_parameter(setting) * (shard if setting.zero_stage >= 1 else whole)
    host = 0
    if setting.offload_optimizer:
        host += optimizer + MASTER_BYTES * shard
        optimizer = 0
        gradients = gradients if setting.zero_stage < 2 else 0
    if setting.offload_parameters:
        host += parameters
        parameters = 0
    return States(parameters, gradients, optimizer, host)


def checkpoint_bytes(setting: Setting) -> int:
    """One checkpoint, all ranks together: the weights, and the optimizer's fp32 copy and moments."""
    return setting.parameters * (bytes_per_number(setting.precision) + optimizer_bytes_per_parameter(setting))
