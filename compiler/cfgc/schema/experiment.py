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

    name: Name = logistics(..., "Name of the run and of its bundle's directory.", why="It is a name.")
    description: Text = logistics("", "One line for people.", why="It is for people.")
    tags: Texts = logistics((), "Words to find the run by.", why="They are for people.")
    seed: Int = numerics(
        42,
        "Seed of every random number generator.",
        why="First weights, the order of samples and dropout are drawn with it.",
        unit="seed",
        ge=0,
        lt=2**32,
    )
    deterministic: bool = numerics(
        True,
        "Use deterministic kernels, so that a resumed run repeats bit for bit.",
        why="Other kernels round otherwise, and not the same way twice: a resume no longer repeats.",
    )


class Target(Section):
    """The releases that the bundle is compiled for."""

    deepspeed: DeepSpeedRelease = numerics(
        newest_release(),
        "DeepSpeed release that the settings are written for.",
        why="Another release may compute otherwise.",
    )
    torch: TorchRelease = numerics(
        "2.13.0", "PyTorch release that the settings are written for.", why="Another release may compute otherwise."
    )
    slurm: SlurmRelease = logistics(
        "22.05",
        "Oldest Slurm release that the job script must run on.",
        why="It decides only how job.sbatch is written.",
    )


class Env(Section):
    """The environment of every rank."""

    variables: dict[Variable, Text] = logistics(
        {},
        "Environment variables and their literal values.",
        why="Each has the class that its name is known for; a name that is not known may change anything.",
    )
    required: Variables = logistics(
        (), "Names that must be set where the run starts, such as secrets.", why="They are names of what must be set."
    )


class Checks(Section):
    """Which findings may pass."""

    allow: dict[str, Text] = logistics(
        {},
        "Warnings to waive: code and reason. Errors cannot be waived.",
        why="What the compiler says changes nothing that runs.",
    )
    deny_warnings: bool = logistics(
        False,
        "Treat every warning that is not waived as an error.",
        why="What the compiler says changes nothing that runs.",
    )
