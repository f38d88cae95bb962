"""Sections of the plan that follow from one section of the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc.arithmetic import of_spec
from cfgc.arithmetic.data import has_eval_sources, holds_out, shares, training_sources
from cfgc.arithmetic.of_spec import sequence_length_of
from cfgc.deepspeed.of_spec import clipping_of
from cfgc.lower import plan
from cfgc.schema.kinds import INCLUDED
from cfgc.usercode.calls import named_calls

if TYPE_CHECKING:
    from cfgc.schema import training
    from cfgc.schema.data import Source, Tokenizer
    from cfgc.schema.spec import AnySpec, Spec
    from cfgc.schema.values import NodePath


def experiment(spec: AnySpec) -> plan.Experiment:
    """What the run is called."""
    said = spec.experiment
    return plan.Experiment(said.name, said.description, said.tags, said.seed, said.deterministic)


def target(spec: AnySpec) -> plan.Target:
    """The releases that the bundle is compiled for."""
    return plan.Target(spec.target.deepspeed, spec.target.torch, spec.target.slurm)


def optimizer(spec: Spec) -> plan.Optimizer:
    """The update rule."""
    said = spec.training.optimizer
    return plan.Optimizer(
        type=said.type,
        betas=said.betas,
        eps=said.eps,
        momentum=of_spec.momentum_of(spec),
        weight_decay=said.weight_decay,
        decay_norm_and_bias=said.decay_norm_and_bias,
        gradient_clipping=clipping_of(spec),
        groups=tuple(_parameter_group(said, group) for group in said.groups),
    )


def _parameter_group(optimizer: training.Optimizer, said: training.ParameterGroup) -> plan.ParameterGroup:
    """A decay of its own is for all of its parameters; else the rest's rule counts."""
    own = said.weight_decay is not None
    return plan.ParameterGroup(
        pattern=said.pattern,
        weight_decay=said.weight_decay if said.weight_decay is not None else optimizer.weight_decay,
        decay_norm_and_bias=own or optimizer.decay_norm_and_bias,
        learning_rate_scale=said.learning_rate_scale,
    )


def data(spec: Spec) -> plan.Data:
    """Where tokens come from."""
    said = spec.data
    return plan.Data(
        target=said.target or "",
        sources=tuple(map(_source, said.sources)),
        tokenizer=tokenizer(said.tokenizer),
        max_bad_records=said.max_bad_records,
        sequence_length=sequence_length_of(spec),
        eval_fraction=0.0 if has_eval_sources(spec) or said.target else said.eval_fraction,
        shuffle=said.shuffle,
        shuffle_seed=shuffle_seed_of(spec),
        reshuffle_each_epoch=said.reshuffle_each_epoch,
        max_train_samples=said.max_train_samples,
        max_eval_samples=said.max_eval_samples,
        packing=said.packing,
        padding_side=said.padding_side,
        pad_to=said.pad_to,
        truncation=said.truncation,
        chat_template=said.chat_template or "",
        num_workers=said.num_workers,
        pin_memory=said.pin_memory,
        prefetch_factor=said.prefetch_factor,
        persistent_workers=said.persistent_workers,
        mixing=_mixing(spec),
        streaming=plan.Streaming(said.streaming.enabled, said.streaming.buffer_size if said.shuffle else 1),
    )


def _mixing(spec: Spec) -> plan.Mixing:
    said = spec.data.mixing
    if not said.enabled:
        return plan.Mixing("none", (), 1.0)
    weights = [source.weight for source in training_sources(spec) if source.weight is not None]
    if not weights:
        return plan.Mixing("sizes", (), 1 / said.temperature)
    return plan.Mixing("shares", shares(weights, said.temperature), 1.0)


def _source(said: Source) -> plan.Source:
    include = INCLUDED[said.kind] if said.include is None else said.include
    return plan.Source(
        name=said.name,
        path=node_path(said.path),
        include=include,
        exclude=said.exclude,
        kind=said.kind,
        dataset_split=said.dataset_split,
        field=said.field,
        format=said.format,
        prompt_field=said.prompt_field,
        completion_field=said.completion_field,
        messages_field=said.messages_field,
        split=said.split,
    )


def tokenizer(said: Tokenizer) -> plan.Tokenizer:
    """How text becomes tokens; the rules have seen to it that files are named when they are needed."""
    path = plan.NodePath("cwd", "", "") if said.path is None else node_path(said.path)
    return plan.Tokenizer(said.kind, path, said.end_token or "", said.pad_token or "")


def evaluation(spec: Spec, micro_batch_size: int) -> plan.Evaluation:
    """Held-out loss; there is none to compute when no sample is held out."""
    said = spec.evaluation
    return plan.Evaluation(
        every_steps=of_spec.evaluation_steps_of(spec),
        micro_batch_size=said.micro_batch_size or micro_batch_size,
        max_batches=said.max_batches,
        at_end=(said.at_end or spec.task.kind == "evaluate") and holds_out(spec),
    )


def early_stopping(spec: Spec) -> plan.EarlyStopping:
    """When to stop early."""
    said = spec.training.early_stopping
    return plan.EarlyStopping(said.patience, said.threshold)


def gradient_health(spec: Spec) -> plan.GradientHealth:
    """How gradients are watched."""
    return plan.GradientHealth(**dict(spec.training.gradient_health))


def penalties(spec: Spec) -> plan.Penalties:
    """What training adds to the loss."""
    return plan.Penalties(**dict(spec.training.penalties))


def weights(spec: Spec) -> plan.NodePath:
    """The checkpoint that the model's first weights come from; an evaluation judges those."""
    path = spec.task.checkpoint if spec.task.kind == "evaluate" else spec.model.weights
    return plan.NodePath("cwd", "", "") if path is None else node_path(path)


def shuffle_seed_of(spec: Spec) -> int:
    """Seed of the order of samples: the experiment's unless given."""
    return spec.experiment.seed if spec.data.shuffle_seed is None else spec.data.shuffle_seed


def node_path(path: NodePath) -> plan.NodePath:
    """The same, as plain data."""
    return plan.NodePath(path.base, path.name, path.path)


def calls(spec: AnySpec) -> tuple[plan.Call, ...]:
    """Calls of the user's own code."""
    return tuple(
        plan.Call(call.role, call.name, call.module, call.attribute, call.arguments) for call in named_calls(spec)
    )
