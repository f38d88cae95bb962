"""The arithmetic applied to a spec; rules and lowering ask here, so that both have the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc.arithmetic.batch import Triple, solve_batch
from cfgc.arithmetic.decoder import Shape, Sizes, default_intermediate_size, flops_per_token
from cfgc.arithmetic.huggingface import sizes_of_config, whole_number
from cfgc.arithmetic.memory import Setting, optimizer_moments
from cfgc.arithmetic.schedule import steps_from_epochs
from cfgc.arithmetic.topology import data_parallel_size, model_parallel_size, world_size

if TYPE_CHECKING:
    from cfgc.arithmetic.batch import Outcome
    from cfgc.schema.spec import AnySpec, Spec


def world_of(spec: AnySpec) -> int:
    """Ranks in all."""
    return world_size(spec.launch.nodes, spec.launch.gpus_per_node)


def model_parallel_of(spec: Spec) -> int:
    """Ranks that share one batch."""
    parallel = spec.parallel
    return model_parallel_size(parallel.tensor_parallel, parallel.pipeline_parallel, parallel.sequence_parallel)


def data_parallel_of(spec: Spec) -> int | None:
    """Copies of the model; None when the ranks don't split into whole copies."""
    return data_parallel_size(world_of(spec), model_parallel_of(spec))


def batch_of(spec: Spec) -> Outcome | None:
    """The batch triple or why there is none; None when the topology already fails."""
    data_parallel = data_parallel_of(spec)
    if data_parallel is None:
        return None
    training = spec.training
    return solve_batch(
        training.global_batch_size,
        training.micro_batch_size,
        training.gradient_accumulation_steps,
        data_parallel,
    )


def triple_of(spec: Spec) -> Triple | None:
    """The batch triple, None when it can't be had."""
    outcome = batch_of(spec)
    return outcome if isinstance(outcome, Triple) else None


def steps_from_epochs_of(spec: Spec) -> int | None:
    """Steps that ``max_epochs`` gives; None when it can't say (and 0 is possible)."""
    triple = triple_of(spec)
    if spec.training.max_epochs is None or spec.data.max_train_samples == 0 or triple is None:
        return None
    return steps_from_epochs(spec.training.max_epochs, spec.data.max_train_samples, triple.global_batch_size)


def evaluation_steps_of(spec: Spec) -> int:
    """Optimizer steps between evaluations; 0 never."""
    return epochs_in_steps_of(spec, spec.evaluation.every_epochs) or spec.evaluation.every_steps


def checkpoint_steps_of(spec: Spec) -> int:
    """Optimizer steps between saves; 0 only at the end."""
    return epochs_in_steps_of(spec, spec.checkpoint.every_epochs) or spec.checkpoint.every_steps


def epochs_in_steps_of(spec: Spec, epochs: int) -> int:
    """Optimizer steps of ``epochs``; 0 when there are none, or nobody knows how long one is."""
    triple = triple_of(spec)
    return steps_from_epochs(epochs, spec.data.max_train_samples, triple.global_batch_size) if triple else 0


def max_steps_of(spec: Spec) -> int | None:
    """Optimizer steps of the run; None when neither steps nor epochs say."""
    if spec.training.max_steps is not None:
        return spec.training.max_steps
    return steps_from_epochs_of(spec) or None


def decoder_of(spec: Spec) -> Shape | None:
    """The shape of the runtime's decoder; None for any other model."""
    model = spec.model
    if model.kind != "decoder" or model.hidden_size is None or model.num_layers is None or model.num_heads is None:
        return None
    gated = model.activation == "swiglu"
    return Shape(
        vocab_size=model.vocab_size,
        hidden_size=model.hidden_size,
        num_layers=model.num_layers,
        num_heads=model.num_heads,
        num_kv_heads=model.num_kv_heads or model.num_heads,
        intermediate_size=model.intermediate_size or default_intermediate_size(model.hidden_size, gated),
        gated=gated,
        tie_embeddings=model.tie_embeddings,
    )


def sizes_of(spec: Spec) -> Sizes | None:
    """What is known of the model's size before it is made; None when nothing is certain."""
    shape = decoder_of(spec)
    return Sizes(shape) if shape else sizes_of_config(spec.model.config or {})


def parameters_of(spec: Spec) -> int:
    """Weights of the model; 0 is unknown."""
    sizes = sizes_of(spec)
    return sizes.parameters if sizes else 0


def flops_per_token_of(spec: Spec) -> int:
    """Operations of one forward and backward pass, per token; 0 is unknown."""
    sizes = sizes_of(spec)
    return flops_per_token(sizes.shape, sequence_length_of(spec)) if sizes else 0


def vocab_size_of(spec: Spec) -> tuple[int, str]:
    """Token ids that the model knows, 0 where only the node knows, and the key that says so."""
    if spec.model.kind == "decoder":
        return spec.model.vocab_size, "model.vocab_size"
    return whole_number(spec.model.config or {}, "vocab_size"), "model.config.vocab_size"


def longest_sequence_of(spec: Spec) -> tuple[int, str]:
    """Tokens that the model can read at once, 0 where only the node knows, and the key that says so."""
    if spec.model.kind == "decoder":
        return spec.model.max_sequence_length, "model.max_sequence_length"
    config = spec.model.config or {}
    key = "n_positions" if "n_positions" in config else "max_position_embeddings"
    return whole_number(config, key), f"model.config.{key}"


def memory_setting_of(spec: Spec, zero_stage: int | None = None) -> Setting:
    """What the model states follow from, at the spec's ZeRO stage or another one.

    Offloads that a lower stage can't do are left out, so that every stage can be asked for.
    """
    parallel = spec.parallel
    stage = spec.deepspeed.zero.stage if zero_stage is None else zero_stage
    split = parallel.tensor_parallel * parallel.pipeline_parallel
    optimizer = spec.training.optimizer
    return Setting(
        parameters=-(-parameters_of(spec) // split),
        shards=max(1, world_of(spec) // split),
        zero_stage=stage,
        precision=spec.training.precision,
        moments=optimizer_moments(optimizer.type, momentum_of(spec)),
        offload_optimizer=spec.deepspeed.offload.optimizer != "none" and stage >= 1,
        offload_parameters=spec.deepspeed.offload.parameters != "none" and stage == 3,
    )


def momentum_of(spec: Spec) -> float:
    """Of SGD and Muon: none, and Muon's own, unless given."""
    optimizer = spec.training.optimizer
    if optimizer.momentum is not None:
        return optimizer.momentum
    return 0.95 if optimizer.type == "muon" else 0.0


def communication_data_type_of(spec: Spec) -> str:
    """Number format of gradient reductions: that of the model's gradients unless given."""
    return spec.deepspeed.communication_data_type or spec.training.precision


def sequence_length_of(spec: Spec) -> int:
    """Tokens of a sample; 0 for samples of the user's own, of which only their code knows what they are."""
    return 0 if spec.data.target is not None else spec.data.sequence_length


def tasks_per_node_of(spec: AnySpec) -> int:
    """Slurm's tasks on a node: torchrun, or each rank."""
    return 1 if spec.launch.launcher == "torchrun" else spec.launch.gpus_per_node


def cpus_per_task_of(spec: AnySpec) -> int:
    """CPUs of such a task: its ranks' threads unless given."""
    if spec.cluster.cpus_per_task is not None:
        return spec.cluster.cpus_per_task
    return spec.launch.gpus_per_node // tasks_per_node_of(spec) * spec.launch.threads_per_rank
