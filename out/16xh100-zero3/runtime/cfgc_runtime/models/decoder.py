"""The decoder transformer: RMSNorm, rotary positions, grouped-query attention, gated or plain MLP, no biases."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the usual name
from torch.utils.checkpoint import checkpoint

from cfgc_runtime.errors import WRONG_WORLD, Failure
from cfgc_runtime.models.attention import ATTENTIONS, visible_positions
from cfgc_runtime.seeding import derive_seed

if TYPE_CHECKING:
    from cfgc_runtime.config import Model


def build_model(config: Model, seed: int) -> Decoder:
    """The model with its first weights, the same on every rank and at every ZeRO stage.

    Raises ``Failure`` when it has not as many parameters as the plan says.
    """
    model = Decoder(config)
    generator = torch.Generator().manual_seed(derive_seed(seed, "weights"))
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=config.initializer_range, generator=generator)
    count = sum(parameter.numel() for parameter in model.parameters())
    if count != config.parameters:
        raise Failure(WRONG_WORLD, f"the model has {count:,} parameters, the plan says {config.parameters:,}")
    return model


class RMSNorm(nn.Module):
    """x / rms(x) × weight over the last dimension, computed in fp32."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """[..., size] to the same shape and type."""
        wide = x.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return wide.to(x.dtype) * self.weight


class Attention(nn.Module):
    """Causal attention; each of ``num_kv_heads`` key/value heads serves num_heads / num_kv_heads query heads."""

    def __init__(self, config: Model) -> None:
        super().__init__()
        self.config = config
        key_size = config.num_kv_heads * config.head_dim
        self.query = nn.Linear(config.hidden_size, config.num_heads * config.head_dim, bias=False)
        self.key = nn.Linear(config.hidden_size, key_size, bias=False)
        self.value = nn.Linear(config.hidden_size, key_size, bias=False)
        self.output = nn.Linear(config.num_heads * config.head_dim, config.hidden_size, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, visible: Tensor | None) -> Tensor:
        """[batch, length, hidden] to the same shape; ``cos`` and ``sin`` are [… length, head_dim], fp32.

        ``visible`` is bool [batch, 1, length, length]; None is every position up to its own.
        """
        batch, length, _ = x.shape
        query, key, value = (
            projection(x).view(batch, length, -1, self.config.head_dim).transpose(1, 2)
            for projection in (self.query, self.key, self.value)
        )
        query, key = _rotate(query, cos, sin), _rotate(key, cos, sin)
        groups = self.config.num_heads // self.config.num_kv_heads
        if groups > 1:
            key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
        dropout = self.config.attention_dropout if self.training else 0.0
        mixed = ATTENTIONS[self.config.attention](query, key, value, visible, dropout)
        return cast("Tensor", self.output(mixed.transpose(1, 2).reshape(batch, length, -1)))


def _angles(positions: Tensor, config: Model) -> tuple[Tensor, Tensor]:
    """cos and sin of position × frequency, [… length, head_dim], fp32 whatever the weights are."""
    exponents = torch.arange(0, config.head_dim, 2, device=positions.device, dtype=torch.float32) / config.head_dim
    angles = positions[..., None].float() * config.rope_theta**-exponents
    angles = torch.cat((angles, angles), -1)
    return angles.cos(), angles.sin()


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions (RoFormer): dimension i is paired with i + head_dim / 2."""
    first, second = x.float().chunk(2, -1)
    turned = torch.cat((-second, first), -1)
    return (x.float() * cos + turned * sin).to(x.dtype)


class MLP(nn.Module):
    """SwiGLU, down(silu(gate(x)) × up(x)), or down(activation(up(x)))."""

    def __init__(self, config: Model) -> None:
        super().__init__()
        self.activation = config.activation
        if config.activation == "swiglu":
            self.gate = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[..., hidden] to the same shape."""
        if self.activation == "swiglu":
            inner = F.silu(self.gate(x)) * self.up(x)
        else:
            inner = F.gelu(self.up(x)) if self.activation == "gelu" else F.relu(self.up(x))
        return cast("Tensor", self.down(inner))


class Block(nn.Module):
    """One layer: attention and MLP, each after a norm and beside a residual connection."""

    def __init__(self, config: Model) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.hidden_size, config.norm_eps)
        self.attention = Attention(config)
        self.mlp_norm = RMSNorm(config.hidden_size, config.norm_eps)
        self.mlp = MLP(config)
        self.dropout = nn.Dropout(config.hidden_dropout)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, visible: Tensor | None) -> Tensor:
        """[batch, length, hidden] to the same shape."""
        x = x + self.dropout(self.attention(self.attention_norm(x), cos, sin, visible))
        return cast("Tensor", x + self.dropout(self.mlp(self.mlp_norm(x))))


class Decoder(nn.Module):
    """Tokens in, logits out."""

    def __init__(self, config: Model) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.norm = RMSNorm(config.hidden_size, config.norm_eps)
        self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        if config.tie_embeddings:
            self.head.weight = self.embedding.weight

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, position_ids: Tensor | None = None
    ) -> Tensor:
        """``input_ids`` int64 [batch, length]; the logits of each next token, [batch, length, vocabulary].

        Padding on the left needs an ``attention_mask``, 0 where padding is, and ``position_ids``, shaped as the ids.
        """
        if position_ids is None:
            positions = torch.arange(input_ids.shape[1], device=input_ids.device)
        else:
            positions = position_ids[:, None]
        cos, sin = _angles(positions, self.config)
        visible = None if attention_mask is None else visible_positions(attention_mask)
        x = self.embedding(input_ids)
        for block in self.blocks:
            if self.config.activation_checkpointing and self.training:
                x = checkpoint(block, x, cos, sin, visible, use_reentrant=False)
            else:
                x = block(x, cos, sin, visible)
        return cast("Tensor", self.head(self.norm(x)))
