"""Sections of the plan that follow from one section of the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc.lower import plan
from cfgc.schema.kinds import INCLUDED

if TYPE_CHECKING:
    from cfgc.schema.data import Source, Tokenizer
    from cfgc.schema.spec import Spec
    from cfgc.schema.values import NodePath


def experiment(spec: Spec) -> plan.Experiment:
    """What the run is called."""
    said = spec.experiment
    return plan.Experiment(said.name, said.description, said.tags, said.seed, said.deterministic)


def target(spec: Spec) -> plan.Target:
    """The releases that the bundle is compiled for."""
    return plan.Target(spec.target.deepspeed, spec.target.torch, spec.target.slurm)


def optimizer(spec: Spec) -> plan.Optimizer:
    """The update rule."""
    said = spec.training.optimizer
    assert said.type in ("adamw", "adam", "sgd"), "others are refused as not supported yet"
    return plan.Optimizer(
        type=said.type,
        betas=said.betas,
        eps=said.eps,
        momentum=said.momentum,
        weight_decay=said.weight_decay,
        decay_norm_and_bias=said.decay_norm_and_bias,
        gradient_clipping=spec.training.gradient_clipping,
    )


def data(spec: Spec) -> plan.Data:
    """Where tokens come from."""
    said = spec.data
    return plan.Data(
        sources=tuple(map(_source, said.sources)),
        tokenizer=tokenizer(said.tokenizer),
        max_bad_records=said.max_bad_records,
        sequence_length=said.sequence_length,
        eval_fraction=said.eval_fraction,
        shuffle=said.shuffle,
        shuffle_seed=shuffle_seed_of(spec),
        reshuffle_each_epoch=said.reshuffle_each_epoch,
        max_train_samples=said.max_train_samples,
        max_eval_samples=said.max_eval_samples,
        num_workers=said.num_workers,
    )


def _source(said: Source) -> plan.Source:
    include = INCLUDED[said.kind] if said.include is None else said.include
    return plan.Source(said.name, node_path(said.path), include, said.exclude, said.kind, said.field)


def tokenizer(said: Tokenizer) -> plan.Tokenizer:
    """How text becomes tokens; the rules have seen to it that files are named when they are needed."""
    path = plan.NodePath("cwd", "", "") if said.path is None else node_path(said.path)
    return plan.Tokenizer(said.kind, path, said.end_token or "", said.pad_token or "")


def evaluation(spec: Spec, micro_batch_size: int) -> plan.Evaluation:
    """Held-out loss; there is none to compute when no sample is held out."""
    said = spec.evaluation
    return plan.Evaluation(
        every_steps=said.every_steps,
        micro_batch_size=said.micro_batch_size or micro_batch_size,
        max_batches=said.max_batches,
        at_end=said.at_end and spec.data.eval_fraction > 0,
    )


def early_stopping(spec: Spec) -> plan.EarlyStopping:
    """When to stop early."""
    said = spec.training.early_stopping
    return plan.EarlyStopping(said.patience, said.threshold)


def gradient_health(spec: Spec) -> plan.GradientHealth:
    """How gradients are watched."""
    return plan.GradientHealth(**dict(spec.training.gradient_health))


def shuffle_seed_of(spec: Spec) -> int:
    """Seed of the order of samples: the experiment's unless given."""
    return spec.experiment.seed if spec.data.shuffle_seed is None else spec.data.shuffle_seed


def node_path(path: NodePath) -> plan.NodePath:
    """The same, as plain data."""
    return plan.NodePath(path.base, path.name, path.path)
