"""Sections of the plan that are computed: topology, batch, schedule, model, sizes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from cfgc.arithmetic import of_spec
from cfgc.arithmetic.decoder import parameter_count
from cfgc.arithmetic.memory import checkpoint_bytes, model_states
from cfgc.arithmetic.schedule import rank_hours, tokens_per_step
from cfgc.lower import plan
from cfgc.lower.sections import node_path

if TYPE_CHECKING:
    from cfgc.arithmetic.batch import Triple
    from cfgc.arithmetic.decoder import Shape
    from cfgc.schema.model import Model
    from cfgc.schema.spec import AnySpec, Spec


def topology(spec: Spec) -> plan.Topology:
    """Ranks and their groups."""
    data_parallel = of_spec.data_parallel_of(spec)
    assert data_parallel is not None, "a rule refuses ranks that don't split into whole copies"
    return replace(
        ranks(spec),
        data_parallel=data_parallel,
        tensor_parallel=spec.parallel.tensor_parallel,
        pipeline_parallel=spec.parallel.pipeline_parallel,
        sequence_parallel=spec.parallel.sequence_parallel,
    )


def ranks(spec: AnySpec) -> plan.Topology:
    """Ranks that nothing groups: each is a copy of its own."""
    world_size = of_spec.world_of(spec)
    return plan.Topology(
        device=spec.hardware.device,
        hardware=spec.hardware.name,
        architecture=spec.hardware.architecture,
        device_memory=spec.hardware.memory,
        nodes=spec.launch.nodes,
        ranks_per_node=spec.launch.gpus_per_node,
        world_size=world_size,
        data_parallel=world_size,
        tensor_parallel=1,
        pipeline_parallel=1,
        sequence_parallel=1,
        backend="gloo" if spec.hardware.device == "cpu" else "nccl",
        timeout_s=spec.launch.timeout,
    )


def batch(spec: Spec, triple: Triple) -> plan.Batch:
    """Samples and tokens of one optimizer step."""
    return plan.Batch(
        global_batch_size=triple.global_batch_size,
        micro_batch_size=triple.micro_batch_size,
        gradient_accumulation_steps=triple.gradient_accumulation_steps,
        tokens_per_step=tokens_per_step(triple.global_batch_size, of_spec.sequence_length_of(spec)),
    )


def schedule(spec: Spec, batch: plan.Batch) -> plan.Schedule:
    """The learning rate over all steps."""
    max_steps = of_spec.max_steps_of(spec)
    assert max_steps is not None, "a rule refuses a spec that says neither steps nor epochs"
    scheduler = spec.training.scheduler
    constant = scheduler.type == "constant"
    return plan.Schedule(
        scheduler=scheduler.type,
        max_steps=max_steps,
        warmup_steps=spec.training.warmup_steps,
        learning_rate=spec.training.learning_rate,
        final_learning_rate=spec.training.learning_rate if constant else scheduler.final_learning_rate,
        total_tokens=max_steps * batch.tokens_per_step,
        decay="cosine" if scheduler.type == "cosine" else scheduler.decay,
        decay_steps=scheduler.decay_steps or 0,
        power=scheduler.power,
        gamma=scheduler.gamma,
        step_size=scheduler.step_size or 0,
        milestones=scheduler.milestones,
    )


def model(spec: Spec) -> plan.AnyModel:
    """The network's shape and size."""
    if spec.model.target is not None:
        return plan.TargetModel(
            kind="target", target=spec.model.target, vocab_size=0, max_sequence_length=0, parameters=0
        )
    shape = of_spec.decoder_of(spec)
    return _decoder(spec.model, shape) if shape else _huggingface(spec)


def _decoder(said: Model, shape: Shape) -> plan.Model:
    return plan.Model(
        kind="decoder",
        vocab_size=shape.vocab_size,
        hidden_size=shape.hidden_size,
        num_layers=shape.num_layers,
        num_heads=shape.num_heads,
        num_kv_heads=shape.num_kv_heads,
        head_dim=shape.head_dim,
        intermediate_size=shape.intermediate_size,
        max_sequence_length=said.max_sequence_length,
        activation=said.activation,
        norm_eps=said.norm_eps,
        rope_theta=said.rope_theta,
        tie_embeddings=said.tie_embeddings,
        attention=said.attention,
        attention_dropout=said.attention_dropout,
        hidden_dropout=said.hidden_dropout,
        initializer_range=said.initializer_range,
        activation_checkpointing=said.activation_checkpointing,
        parameters=parameter_count(shape),
    )


def _huggingface(spec: Spec) -> plan.HuggingFaceModel:
    said = spec.model
    config = json.dumps(said.config, sort_keys=True, ensure_ascii=False) if said.config else ""
    return plan.HuggingFaceModel(
        kind="huggingface",
        path=node_path(said.path) if said.path else plan.NodePath("cwd", "", ""),
        config=config,
        from_weights=said.from_weights,
        attention=said.attention,
        activation_checkpointing=said.activation_checkpointing,
        vocab_size=of_spec.vocab_size_of(spec)[0],
        max_sequence_length=of_spec.longest_sequence_of(spec)[0],
        parameters=of_spec.parameters_of(spec),
    )


def checkpoint(spec: Spec) -> plan.Checkpoint:
    """When state is saved, and its size."""
    said = spec.checkpoint
    return plan.Checkpoint(
        every_steps=of_spec.checkpoint_steps_of(spec),
        keep_last=said.keep_last,
        keep_best=said.keep_best,
        elastic=said.elastic,
        on_changed_numerics=said.on_changed_numerics,
        bytes_each=checkpoint_bytes(of_spec.memory_setting_of(spec)),
    )


def estimate(spec: Spec) -> plan.Estimate:
    """Closed-form sizes and cost."""
    states = model_states(of_spec.memory_setting_of(spec))
    return plan.Estimate(
        parameter_bytes=states.parameter_bytes,
        gradient_bytes=states.gradient_bytes,
        optimizer_bytes=states.optimizer_bytes,
        device_bytes=spec.hardware.memory,
        flops_per_token=of_spec.flops_per_token_of(spec),
        gpu_hours=rank_hours(of_spec.world_of(spec), spec.launch.time_limit),
        host_bytes=states.host_bytes,
        peak_tflops=spec.hardware.peak_tflops_bf16,
    )
