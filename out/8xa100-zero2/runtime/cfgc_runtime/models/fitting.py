"""Whether a model whose sizes only this machine knows can read the samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cfgc_runtime.errors import WRONG_WORLD, Failure

if TYPE_CHECKING:
    from torch import nn


def check_fit(model: nn.Module, vocabulary: int, length: int) -> None:
    """Every token id has a row in the embedding, and samples of ``length`` tokens are not too long.

    Raises ``Failure``. What the model does not tell is not judged.
    """
    ids, longest = embedding_rows(model), longest_of(model)
    if 0 < ids < vocabulary:
        raise Failure(WRONG_WORLD, f"the model knows {ids:,} token ids, the tokenizer makes {vocabulary:,}")
    if 0 < longest < length:
        raise Failure(
            WRONG_WORLD,
            f"samples of {length:,} tokens are longer than the {longest:,} that the model can read; "
            "lower data.sequence_length",
        )


def embedding_rows(model: Any) -> int:
    """Rows of the embedding of tokens of a transformers model; 0 is unknown."""
    if not hasattr(model, "get_input_embeddings"):
        return 0
    return int(getattr(model.get_input_embeddings(), "num_embeddings", 0))


def longest_of(model: Any) -> int:
    """Positions of the decoder or of a transformers model; 0 is unknown."""
    settings = getattr(model, "config", None)
    found = [getattr(settings, name, 0) for name in ("max_sequence_length", "max_position_embeddings")]
    return next((one for one in found if isinstance(one, int) and one), 0)
