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
    sizes = {
        "parameters": estimate.parameter_bytes,
        "gradients": estimate.gradient_bytes,
        "optimizer": estimate.optimizer_bytes,
    }
    held = " · ".join(f"{part} {memory(bytes_)}" for part, bytes_ in sizes.items() if bytes_)
    host = f" · offloaded to the host: {memory(estimate.host_bytes)} a rank" if estimate.host_bytes else ""
    how = f"{held or 'none stay there'}; activations come on top{host}"
    return _held(plan, "model states", sum(sizes.values()), how)


def weights(plan: Plan) -> tuple[str, str, str]:
    """What a rank holds of it when nothing is trained."""
    how = "no gradients and no optimizer; activations come on top"
    return _held(plan, "weights", plan.estimate.parameter_bytes, how)


def _held(plan: Plan, what: str, size: int, how: str) -> tuple[str, str, str]:
    name = f"{what} per {'GPU' if plan.topology.device == 'cuda' else 'rank'}"
    room = f" of {memory(plan.estimate.device_bytes)}" if plan.estimate.device_bytes else ""
    if not plan.model.parameters:
        return name, UNKNOWN + room, "the model's size is known on the node only; no limit was checked"
    return name, memory(size) + room, how
