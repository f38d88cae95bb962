"""The model's shape, vocabulary and attention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.decoder import BYTE_VOCABULARY, MULTIPLE
from cfgc.arithmetic.divisors import nearest_divisor
from cfgc.arithmetic.memory import bytes_per_number
from cfgc.arithmetic.of_spec import (
    decoder_of,
    longest_sequence_of,
    sequence_length_of,
    sizes_of,
    triple_of,
    vocab_size_of,
)
from cfgc.validate.rules.finding import GIB, At, count, error, gib, warning

if TYPE_CHECKING:
    from cfgc.arithmetic.decoder import Shape
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

HEADS, WIDTH = "model.num_heads", "model.hidden_size"

LONG_SEQUENCE = 8192
"""Tokens beyond which flash attention's saving no longer bounds the activations."""


def heads_divide_width(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG410: every head has the same whole width."""
    shape = decoder_of(spec)
    if shape is None or shape.hidden_size % shape.num_heads == 0:
        return
    width, heads = shape.hidden_size, shape.num_heads
    yield error(
        "CFG410",
        "`model.num_heads` does not divide `model.hidden_size`",
        resolved,
        [At(HEADS, count(heads, "head")), At(WIDTH, count(width, "feature"))],
        (f"{width} ÷ {heads} leaves {width % heads}",),
        (_other_heads(spec, shape), f"or set `hidden_size = {max(1, round(width / (2 * heads))) * 2 * heads}`"),
    )


def kv_heads_divide_heads(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG411: every key-value head serves the same number of heads."""
    shape = decoder_of(spec)
    if shape is None or shape.num_heads % shape.num_kv_heads == 0:
        return
    heads, shared = shape.num_heads, shape.num_kv_heads
    yield error(
        "CFG411",
        "`model.num_kv_heads` does not divide `model.num_heads`",
        resolved,
        [At("model.num_kv_heads", count(shared, "key and value head")), At(HEADS, count(heads, "head"))],
        (f"{heads} ÷ {shared} leaves {heads % shared}",),
        (f"set `num_kv_heads = {nearest_divisor(heads, shared)}`",),
    )


def head_width_is_even(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG412: rotary positions turn pairs of features."""
    shape = decoder_of(spec)
    if shape is None or shape.hidden_size % shape.num_heads or shape.head_dim % 2 == 0:
        return
    width, heads = shape.hidden_size, shape.num_heads
    yield error(
        "CFG412",
        f"a head is {width // heads} features wide, and rotary positions need an even width",
        resolved,
        [At(HEADS, count(heads, "head")), At(WIDTH, count(width, "feature"))],
        (f"{width} ÷ {heads} = {width // heads}",),
        (_other_heads(spec, shape), f"or set `hidden_size = {heads * (width // heads + 1)}`"),
    )


def sequence_fits_the_model(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG413: samples are no longer than what the model can read."""
    length, (longest, key) = sequence_length_of(spec), longest_sequence_of(spec)
    if longest == 0 or length <= longest:
        return
    yield error(
        "CFG413",
        "samples are longer than the model can read",
        resolved,
        [At("data.sequence_length", f"{length} tokens"), At(key, f"at most {longest}")],
        (),
        (f"set `data.sequence_length = {longest}`, or `{key} = {length}`",),
    )


def vocabulary_holds_the_tokens(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG414: every token id has a row in the embedding."""
    size, key = vocab_size_of(spec)
    if spec.data.target is not None or spec.data.tokenizer.kind != "bytes" or size >= BYTE_VOCABULARY or size == 0:
        return
    yield error(
        "CFG414",
        f"`{key}` is {size}, and the byte tokenizer makes {BYTE_VOCABULARY} different tokens",
        resolved,
        [
            At(key, f"token ids 0 to {size - 1}"),
            At("data.tokenizer.kind", "256 bytes and the end of a text"),
        ],
        ("256 byte values + 1 for the end of a text = 257",),
        ("set `vocab_size = 320`: the next multiple of 64, which tensor cores like",),
    )


def vocabulary_fills_tiles(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG415: on a GPU, the output matrix is a whole number of tiles wide."""
    size, key = vocab_size_of(spec)
    if spec.hardware.device == "cpu" or size % MULTIPLE == 0 or size < BYTE_VOCABULARY:
        return
    yield warning(
        "CFG415",
        f"`{key}` is no multiple of {MULTIPLE}, which slows the largest matrix of the model",
        resolved,
        [At(key, f"{size} = {size // MULTIPLE} × {MULTIPLE} + {size % MULTIPLE}")],
        (),
        (f"set `vocab_size = {-(-size // MULTIPLE) * MULTIPLE}`; the added ids are never used",),
    )


def eager_attention_fits(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG416: eager attention writes every score of every pair of tokens."""
    triple, sizes, length = triple_of(spec), sizes_of(spec), sequence_length_of(spec)
    if spec.model.attention != "eager" or triple is None or sizes is None:
        return
    scores = triple.micro_batch_size * sizes.shape.num_heads * length * length
    size = scores * bytes_per_number(spec.training.precision)
    if size <= 2 * GIB:
        return
    heads = count(sizes.shape.num_heads, "head")
    yield warning(
        "CFG416",
        f"eager attention stores {gib(size)} of scores in each layer",
        resolved,
        [At("model.attention", "stores all scores"), At("data.sequence_length", f"{length} tokens")],
        (f"{count(triple.micro_batch_size, 'sample')} × {heads} × {length} × {length} tokens",),
        ('set `attention = "sdpa"`, which computes the same without storing them',),
    )


def flash_attention_is_short(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG417: flash attention over very long sequences leaves other activations to bound the memory."""
    length = sequence_length_of(spec)
    if spec.model.attention != "flash_attention_2" or length <= LONG_SEQUENCE:
        return
    yield warning(
        "CFG417",
        f"flash attention over more than {LONG_SEQUENCE:,} tokens does not keep a step small",
        resolved,
        [At("data.sequence_length", f"{length:,} tokens"), At("model.attention", "saves the scores only")],
        ("the other activations grow with the length and are not saved by the kernel",),
        (f"set `sequence_length = {LONG_SEQUENCE}`, or `model.activation_checkpointing = true`",),
    )


def flash_attention_has_a_gpu(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG418: flash attention's kernels are CUDA."""
    if spec.model.attention != "flash_attention_2" or spec.hardware.device == "cuda":
        return
    yield error(
        "CFG418",
        "flash attention needs a GPU",
        resolved,
        [At("model.attention", "CUDA kernels"), At("hardware.device", "no GPU")],
        (),
        ('set `attention = "sdpa"`, which runs on both',),
    )


def flash_attention_has_half_precision(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG469: flash attention's kernels compute in 16 bits."""
    precision = spec.training.precision
    if spec.model.attention != "flash_attention_2" or precision in ("bf16", "fp16"):
        return
    yield error(
        "CFG469",
        f"flash attention does not compute in {precision}",
        resolved,
        [At("model.attention", "kernels for 16 bits"), At("training.precision", precision)],
        (),
        ('set `precision = "bf16"`, or `attention = "sdpa"`, which picks a kernel that fits',),
    )


def _other_heads(spec: Spec, shape: Shape) -> str:
    """The nearest number of heads that divides the width evenly, and that the key-value heads divide."""
    width, heads, shared = shape.hidden_size, shape.num_heads, spec.model.num_kv_heads or 1
    near = nearest_divisor(width, heads, lambda divisor: width // divisor % 2 == 0 and divisor % shared == 0)
    return f"set `num_heads = {near}`" if near else ""
