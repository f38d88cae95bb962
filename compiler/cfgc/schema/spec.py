"""The whole spec, typed."""

from __future__ import annotations

from typing import TypeAlias

from cfgc.schema.cluster import Cluster
from cfgc.schema.data import Data
from cfgc.schema.deepspeed import DeepSpeed
from cfgc.schema.experiment import Checks, Env, Experiment, Target
from cfgc.schema.field import Section, logistics, numerics, resources
from cfgc.schema.launch import Launch
from cfgc.schema.machine import Hardware, Parallel
from cfgc.schema.model import Model
from cfgc.schema.run import Checkpoint, Evaluation, Package, Task, Tracking
from cfgc.schema.stages import Stages
from cfgc.schema.sweep import Sweep
from cfgc.schema.training import Training


class TaskSpec(Section):
    """A spec whose ``[task]`` names a function or a script: there is nothing of training in it."""

    experiment: Experiment = logistics(..., "What the run is called.")
    target: Target = numerics(Target(), "Releases that the bundle is compiled for.")
    env: Env = logistics(Env(), "Environment of every rank.")
    task: Task = numerics(..., "What the ranks do.")
    hardware: Hardware = resources(Hardware(), "Facts of the devices.")
    launch: Launch = resources(Launch(), "How the ranks start.")
    cluster: Cluster = logistics(Cluster(), "What is asked of Slurm.")
    sweep: Sweep = logistics(Sweep(), "Many points from one spec.")
    stages: Stages = logistics((), "Tasks of a pipeline.")
    package: Package = logistics(Package(), "How code reaches the node.")
    checks: Checks = logistics(Checks(), "Which findings may pass.")


class Spec(Section):
    """Every section of a spec, after merging."""

    experiment: Experiment = logistics(..., "What the run is called.")
    target: Target = numerics(Target(), "Releases that the bundle is compiled for.")
    env: Env = logistics(Env(), "Environment of every rank.")
    task: Task = numerics(Task(), "What the ranks do.")
    model: Model = numerics(..., "The network.")
    training: Training = numerics(Training(), "How the weights are updated.")
    data: Data = numerics(..., "Training and held-out samples.")
    deepspeed: DeepSpeed = resources(DeepSpeed(), "The engine.")
    parallel: Parallel = resources(Parallel(), "How ranks are grouped.")
    hardware: Hardware = resources(Hardware(), "Facts of the devices.")
    launch: Launch = resources(Launch(), "How the ranks start.")
    cluster: Cluster = logistics(Cluster(), "What is asked of Slurm.")
    checkpoint: Checkpoint = logistics(Checkpoint(), "When state is saved.")
    tracking: Tracking = logistics(Tracking(), "What is written while training.")
    evaluation: Evaluation = logistics(Evaluation(), "Loss on held-out samples.")
    sweep: Sweep = logistics(Sweep(), "Many points from one spec.")
    stages: Stages = logistics((), "Tasks of a pipeline.")
    package: Package = logistics(Package(), "How code reaches the node.")
    checks: Checks = logistics(Checks(), "Which findings may pass.")


AnySpec: TypeAlias = Spec | TaskSpec
"""Training, or a task of the user's own; the sections that both have are the same."""
