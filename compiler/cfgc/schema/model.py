"""``[model]``: the decoder transformer, or a causal language model of transformers."""

from __future__ import annotations

from typing import Any, Literal

from cfgc.schema.calls import Arguments, CallTarget
from cfgc.schema.field import Later, OnlyFor, Section, logistics, numerics, part, resources
from cfgc.schema.values import Int, Path

_DENSE = Later("moe", "leave the table out")
_PLAIN = Later("model", "leave it out; the decoder has none of these parts")
_OWN = OnlyFor(("target",), required=True)
_DECODER = OnlyFor(("decoder",))
_SHAPE = OnlyFor(("decoder",), required=True)
_CAUSAL = OnlyFor(("huggingface",))
_BOTH = OnlyFor(("decoder", "huggingface"))


class MoE(Section):
    """Mixture of experts."""

    num_experts: Int | None = numerics(
        None, "Experts per layer; 0 is dense.", why="It is another network.", unit="experts", ge=0, later=_DENSE
    )
    num_experts_per_token: Int | None = numerics(
        None,
        "Experts each token is sent to.",
        why="Other weights are used for a token.",
        unit="experts",
        ge=1,
        later=_DENSE,
    )
    expert_capacity_factor: float | None = numerics(
        None,
        "Slots per expert over an even share.",
        why="It decides which tokens are dropped.",
        unit="ratio",
        gt=0,
        later=_DENSE,
    )
    router_type: Literal["switch", "top_k", "expert_choice"] | None = numerics(
        None, "How tokens find experts.", why="Other weights are used for a token.", later=_DENSE
    )
    router_aux_loss_coef: float | None = numerics(
        None,
        "Weight of the load-balancing loss.",
        why="It weighs a term of the loss.",
        unit="ratio",
        ge=0,
        later=_DENSE,
    )


class Model(Section):
    """Shape and numerics of the network."""

    kind: Literal["decoder", "huggingface", "target", "encoder_decoder", "cnn", "rnn"] = numerics(
        "decoder",
        "Kind of network.",
        why="It is another network.",
        later=Later(
            "model",
            'write `kind = "decoder"`, or `kind = "target"` with `target = "my_package.model:build"`, a function of '
            "yours that returns the network",
            ("decoder", "huggingface", "target"),
        ),
    )
    target: CallTarget | None = numerics(
        None,
        "Own model, `module:function`, called with (**arguments), gives a torch module.",
        why="It is another network.",
        only=_OWN,
    )
    arguments: Arguments = numerics(
        {},
        "Keyword arguments of that function.",
        why="They may change what network that function makes.",
        only=OnlyFor(("target",)),
    )
    weights: Path | None = numerics(
        None,
        "Weights to begin with: a checkpoint of the same model, or a run directory for its newest.",
        why="Training begins with other weights.",
    )
    path: Path | None = numerics(
        None,
        "Directory with the config.json of a transformers model, on the node.",
        why="It is another network.",
        only=_CAUSAL,
    )
    config: dict[str, Any] | None = numerics(
        None,
        "Configuration of a transformers model, `model_type` included, in place of a directory.",
        why="It is another network.",
        only=_CAUSAL,
    )
    from_weights: bool = numerics(
        False,
        "Start from the directory's weights, not from drawn ones.",
        why="Training begins with other weights.",
        only=_CAUSAL,
    )
    vocab_size: Int = numerics(
        320,
        "Token ids that the model knows; bytes make 257.",
        why="The network has other weights.",
        unit="tokens",
        ge=2,
        only=_DECODER,
    )
    hidden_size: Int | None = numerics(
        None, "Width of the residual stream.", why="The network has other weights.", unit="features", gt=0, only=_SHAPE
    )
    num_layers: Int | None = numerics(
        None, "Decoder blocks.", why="The network has other weights.", unit="layers", gt=0, only=_SHAPE
    )
    num_heads: Int | None = numerics(
        None,
        "Attention heads; they divide `hidden_size`.",
        why="Attention is computed of other parts.",
        unit="heads",
        gt=0,
        only=_SHAPE,
    )
    num_kv_heads: Int | None = numerics(
        None,
        "Key and value heads; they divide `num_heads`. Absent: one per head.",
        why="The network has other weights.",
        unit="heads",
        gt=0,
        only=_DECODER,
    )
    intermediate_size: Int | None = numerics(
        None,
        "Width of the feed-forward layer. Absent: 4 × hidden, for SwiGLU 8/3 × hidden rounded up to a multiple of 64.",
        why="The network has other weights.",
        unit="features",
        gt=0,
        only=_DECODER,
    )
    max_sequence_length: Int = logistics(
        2048,
        "Longest sequence that the model can read.",
        why="It decides only how long samples may be, which have their own key.",
        unit="tokens",
        gt=0,
        only=_DECODER,
    )
    activation: Literal["swiglu", "gelu", "relu"] = numerics(
        "swiglu", "Activation of the feed-forward layer.", why="Every layer computes another function.", only=_DECODER
    )
    norm_eps: float = numerics(
        1e-5,
        "Added to the variance in RMSNorm.",
        why="Every norm computes another function.",
        unit="ratio",
        gt=0,
        lt=1,
        only=_DECODER,
    )
    rope_theta: float = numerics(
        10_000.0,
        "Base of the rotary position frequencies.",
        why="Positions are encoded otherwise.",
        unit="ratio",
        gt=0,
        le=1e12,
        only=_DECODER,
    )
    tie_embeddings: bool = numerics(
        True,
        "Share the input embedding with the output projection.",
        why="The network has other weights.",
        only=_DECODER,
    )
    attention: Literal["sdpa", "eager", "flash_attention_2"] = numerics(
        "sdpa",
        "Attention implementation.",
        why="Each rounds and drops otherwise, and some models of transformers compute another function in each.",
        only=_BOTH,
    )
    attention_dropout: float = numerics(
        0.0,
        "Dropout of attention weights.",
        why="It says how many attention weights are dropped.",
        unit="probability",
        ge=0,
        lt=1,
        only=_DECODER,
    )
    hidden_dropout: float = numerics(
        0.0,
        "Dropout of each block's output.",
        why="It says how many outputs are dropped.",
        unit="probability",
        ge=0,
        lt=1,
        only=_DECODER,
    )
    initializer_range: float = numerics(
        0.02,
        "Standard deviation of the initial weights.",
        why="Training begins with other weights.",
        unit="ratio",
        gt=0,
        le=1,
        only=_DECODER,
    )
    activation_checkpointing: bool = resources(
        False,
        "Recompute activations in the backward pass to save memory.",
        why="The same activations are computed twice, to save memory.",
        only=_BOTH,
    )
    moe: MoE = part(MoE(), "Mixture of experts.")
    use_moh: bool | None = numerics(None, "MoH blocks.", why="It is another network.", later=_PLAIN)
    use_moa: bool | None = numerics(None, "MoA blocks.", why="It is another network.", later=_PLAIN)
    use_rag: bool | None = numerics(None, "Retrieval inside the model.", why="It is another network.", later=_PLAIN)
    use_cross_attention: bool | None = numerics(
        None, "Cross attention to a second input.", why="It is another network.", later=_PLAIN
    )
    use_episodic_memory: bool | None = numerics(None, "Episodic memory.", why="It is another network.", later=_PLAIN)
