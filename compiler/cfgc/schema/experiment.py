"""``[experiment]``, ``[target]``, ``[env]`` and ``[checks]``: what the run is, and what it is compiled for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from cfgc.deepspeed.releases import newest_release
from cfgc.deepspeed.targets import target_releases
from cfgc.launching.slurm import SLURM_RELEASES
from cfgc.launching.torch import TORCH_RELEASES
from cfgc.schema.field import Section, logistics, numerics
from cfgc.schema.values import Int, Name, Text, Texts, Variable, Variables

if TYPE_CHECKING:
    DeepSpeedRelease: TypeAlias = str
    TorchRelease: TypeAlias = str
    SlurmRelease: TypeAlias = str
else:  # the tables know the choices
    DeepSpeedRelease = Literal[target_releases()]
    TorchRelease = Literal[TORCH_RELEASES]
    SlurmRelease = Literal[SLURM_RELEASES]


class Experiment(Section):
    """What the run is called, and what makes it repeatable."""

    name: Name = logistics(..., "Name of the run and of its bundle's directory.")
    description: Text = logistics("", "One line for people.")
    tags: Texts = logistics((), "Words to find the run by.")
    seed: Int = numerics(42, "Seed of every random number generator.", unit="seed", ge=0, lt=2**32)
    deterministic: bool = numerics(True, "Use deterministic kernels, so that a resumed run repeats bit for bit.")


class Target(Section):
    """The releases that the bundle is compiled for."""

    deepspeed: DeepSpeedRelease = numerics(newest_release(), "DeepSpeed release that the settings are written for.")
    torch: TorchRelease = numerics("2.13.0", "PyTorch release that the settings are written for.")
    slurm: SlurmRelease = logistics("22.05", "Oldest Slurm release that the job script must run on.")


class Env(Section):
    """The environment of every rank."""

    variables: dict[Variable, Text] = logistics({}, "Environment variables and their literal values.")
    required: Variables = logistics((), "Names that must be set where the run starts, such as secrets.")


class Checks(Section):
    """Which findings may pass."""

    allow: dict[str, Text] = logistics({}, "Warnings to waive: code and reason. Errors cannot be waived.")
    deny_warnings: bool = logistics(False, "Treat every warning that is not waived as an error.")
