"""PLAN.md's rows about the model: its size, and what a rank holds of it."""

from __future__ import annotations

from cfgc.emit.markdown import code, counted, disk, memory
from cfgc.lower.plan import HuggingFaceModel, Model, Plan, TargetModel

UNKNOWN = "unknown"
"""What stands for a size that only the node can tell."""


def size(number: int) -> str:
    """Bytes on a disk; 0 is unknown."""
    return disk(number) if number else f"{UNKNOWN} size"


def parameters(plan: Plan) -> tuple[str, str, str]:
    """How many weights, and of what."""
    model = plan.model
    if model.kind == "decoder":
        how = _of_decoder(model)
    else:
        how = _of_huggingface(model) if model.kind == "huggingface" else _of_target(model)
    compiled = ", compiled by torch" if plan.compile else ""
    return "parameters", f"{model.parameters:,}" if model.parameters else UNKNOWN, how + compiled


def _of_decoder(model: Model) -> str:
    heads = counted(model.num_heads, "head") + (
        f" on {model.num_kv_heads}" if model.num_kv_heads < model.num_heads else ""
    )
    return (
        f"{counted(model.num_layers, 'layer')} × {model.hidden_size:,}, {heads}, {model.activation} "
        f"{model.intermediate_size:,}, vocabulary {model.vocab_size:,}, {'tied' if model.tie_embeddings else 'untied'}"
    )


def _of_huggingface(model: HuggingFaceModel) -> str:
    """What is known of it here: the configuration, or only where it will be."""
    said = "its configuration is in the spec" if model.config else "its config.json is on the node"
    return f"transformers causal language model: {said}, {'its own weights' if model.from_weights else 'drawn weights'}"


def _of_target(model: TargetModel) -> str:
    return f"made by {code(model.target)} on the node"


def states(plan: Plan) -> tuple[str, str, str]:
    """What a rank holds before any activation."""
    estimate = plan.estimate
    name = f"model states per {'GPU' if plan.topology.device == 'cuda' else 'rank'}"
    total = estimate.parameter_bytes + estimate.gradient_bytes + estimate.optimizer_bytes
    room = f" of {memory(estimate.device_bytes)}" if estimate.device_bytes else ""
    if not plan.model.parameters:
        return name, UNKNOWN + room, "the model's size is known on the node only; no limit was checked"
    how = (
        f"parameters {memory(estimate.parameter_bytes)} · gradients {memory(estimate.gradient_bytes)} "
        f"· optimizer {memory(estimate.optimizer_bytes)}; activations come on top"
    )
    if estimate.host_bytes:
        how += f" · offloaded to the host: {memory(estimate.host_bytes)} a rank"
    return name, memory(total) + room, how
