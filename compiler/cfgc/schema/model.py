"""``[model]``: the decoder transformer."""

from __future__ import annotations

from typing import Literal

from cfgc.schema.field import Later, Section, numerics, resources
from cfgc.schema.values import Int

_DENSE = Later("moe", "leave the table out")
_PLAIN = Later("model", "leave it out; the decoder has none of these parts")


class MoE(Section):
    """Mixture of experts."""

    num_experts: Int | None = numerics(None, "Experts per layer; 0 is dense.", unit="experts", ge=0, later=_DENSE)
    num_experts_per_token: Int | None = numerics(
        None, "Experts each token is sent to.", unit="experts", ge=1, later=_DENSE
    )
    expert_capacity_factor: float | None = numerics(
        None, "Slots per expert over an even share.", unit="ratio", gt=0, later=_DENSE
    )
    router_type: Literal["switch", "top_k", "expert_choice"] | None = numerics(
        None, "How tokens find experts.", later=_DENSE
    )
    router_aux_loss_coef: float | None = numerics(
        None, "Weight of the load-balancing loss.", unit="ratio", ge=0, later=_DENSE
    )


class Model(Section):
    """Shape and numerics of the network."""

    kind: Literal["decoder", "encoder_decoder", "cnn", "rnn"] = numerics(
        "decoder", "Kind of network.", later=Later("model", 'write `kind = "decoder"`', ("decoder",))
    )
    vocab_size: Int = numerics(320, "Token ids that the model knows; bytes make 257.", unit="tokens", ge=2)
    hidden_size: Int = numerics(..., "Width of the residual stream.", unit="features", gt=0)
    num_layers: Int = numerics(..., "Decoder blocks.", unit="layers", gt=0)
    num_heads: Int = numerics(..., "Attention heads; they divide `hidden_size`.", unit="heads", gt=0)
    num_kv_heads: Int | None = numerics(
        None, "Key and value heads; they divide `num_heads`. Absent: one per head.", unit="heads", gt=0
    )
    intermediate_size: Int | None = numerics(
        None,
        "Width of the feed-forward layer. Absent: 4 × hidden, for SwiGLU 8/3 × hidden rounded up to a multiple of 64.",
        unit="features",
        gt=0,
    )
    max_sequence_length: Int = numerics(2048, "Longest sequence that the model can read.", unit="tokens", gt=0)
    activation: Literal["swiglu", "gelu", "relu"] = numerics("swiglu", "Activation of the feed-forward layer.")
    norm_eps: float = numerics(1e-5, "Added to the variance in RMSNorm.", unit="ratio", gt=0, lt=1)
    rope_theta: float = numerics(10_000.0, "Base of the rotary position frequencies.", unit="ratio", gt=0, le=1e12)
    tie_embeddings: bool = numerics(True, "Share the input embedding with the output projection.")
    attention: Literal["sdpa", "eager", "flash_attention_2"] = numerics(
        "sdpa",
        "Attention implementation.",
        later=Later(
            "model", 'write `attention = "sdpa"`, which picks the fastest kernel that torch has', ("sdpa", "eager")
        ),
    )
    attention_dropout: float = numerics(0.0, "Dropout of attention weights.", unit="probability", ge=0, le=1)
    hidden_dropout: float = numerics(0.0, "Dropout of each block's output.", unit="probability", ge=0, le=1)
    initializer_range: float = numerics(0.02, "Standard deviation of the initial weights.", unit="ratio", gt=0, le=1)
    activation_checkpointing: bool = resources(False, "Recompute activations in the backward pass to save memory.")
    moe: MoE = numerics(MoE(), "Mixture of experts.")
    use_moh: bool | None = numerics(None, "MoH blocks.", later=_PLAIN)
    use_moa: bool | None = numerics(None, "MoA blocks.", later=_PLAIN)
    use_rag: bool | None = numerics(None, "Retrieval inside the model.", later=_PLAIN)
    use_cross_attention: bool | None = numerics(None, "Cross attention to a second input.", later=_PLAIN)
    use_episodic_memory: bool | None = numerics(None, "Episodic memory.", later=_PLAIN)
