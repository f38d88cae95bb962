"""The whole spec, typed."""

from __future__ import annotations

from typing import TypeAlias

from cfgc.schema.cluster import Cluster
from cfgc.schema.data import Data
from cfgc.schema.deepspeed import DeepSpeed
from cfgc.schema.experiment import Checks, Env, Experiment, Target
from cfgc.schema.field import Section, logistics, part
from cfgc.schema.launch import Launch
from cfgc.schema.machine import Hardware, Parallel
from cfgc.schema.model import Model
from cfgc.schema.run import Checkpoint, Evaluation, Package, Task, Tracking
from cfgc.schema.stages import Stages
from cfgc.schema.sweep import Sweep
from cfgc.schema.training import Training


class TaskSpec(Section):
    """A spec whose ``[task]`` names a function or a script: there is nothing of training in it."""

    experiment: Experiment = part(..., "What the run is called.")
    target: Target = part(Target(), "Releases that the bundle is compiled for.")
    env: Env = part(Env(), "Environment of every rank.")
    task: Task = part(..., "What the ranks do.")
    hardware: Hardware = part(Hardware(), "Facts of the devices.")
    launch: Launch = part(Launch(), "How the ranks start.")
    cluster: Cluster = part(Cluster(), "What is asked of Slurm.")
    sweep: Sweep = part(Sweep(), "Many points from one spec.")
    stages: Stages = logistics((), "Tasks of a pipeline.", why="Each stage is compared by itself.")
    package: Package = part(Package(), "How code reaches the node.")
    checks: Checks = part(Checks(), "Which findings may pass.")


class Spec(Section):
    """Every section of a spec, after merging."""

    experiment: Experiment = part(..., "What the run is called.")
    target: Target = part(Target(), "Releases that the bundle is compiled for.")
    env: Env = part(Env(), "Environment of every rank.")
    task: Task = part(Task(), "What the ranks do.")
    model: Model = part(..., "The network.")
    training: Training = part(Training(), "How the weights are updated.")
    data: Data = part(..., "Training and held-out samples.")
    deepspeed: DeepSpeed = part(DeepSpeed(), "The engine.")
    parallel: Parallel = part(Parallel(), "How ranks are grouped.")
    hardware: Hardware = part(Hardware(), "Facts of the devices.")
    launch: Launch = part(Launch(), "How the ranks start.")
    cluster: Cluster = part(Cluster(), "What is asked of Slurm.")
    checkpoint: Checkpoint = part(Checkpoint(), "When state is saved.")
    tracking: Tracking = part(Tracking(), "What is written while training.")
    evaluation: Evaluation = part(Evaluation(), "Loss on held-out samples.")
    sweep: Sweep = part(Sweep(), "Many points from one spec.")
    stages: Stages = logistics((), "Tasks of a pipeline.", why="Each stage is compared by itself.")
    package: Package = part(Package(), "How code reaches the node.")
    checks: Checks = part(Checks(), "Which findings may pass.")


AnySpec: TypeAlias = Spec | TaskSpec
"""Training, or a task of the user's own; the sections that both have are the same."""
