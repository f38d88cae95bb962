"""Rows become the tensors of a micro batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from cfgc_runtime.models.losses import IGNORED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cfgc_runtime.data.config import Data
    from cfgc_runtime.data.rows import Row


@dataclass(frozen=True)
class MicroBatch:
    """``samples`` says which ones they are; ``weights`` [micro batch] is 0 for those that only fill up the last batch.

    ``batch`` holds the keyword arguments of the model, such as ``input_ids`` int64 [micro batch, sequence_length], and
    ``labels``, which only the loss sees.
    """

    samples: list[int]
    batch: dict[str, torch.Tensor]
    weights: torch.Tensor

    def pin_memory(self) -> MicroBatch:
        """The same in page-locked memory; torch's DataLoader asks for it."""
        return MicroBatch(self.samples, {key: value.pin_memory() for key, value in self.batch.items()}, self.weights)


def collate(rows: Sequence[Row], samples: list[int], weights: list[float], data: Data, pad: int) -> MicroBatch:
    """``rows`` as inputs and labels, which are the inputs' next tokens; padded with ``pad`` unless packed.

    Inputs padded on the left come with an attention mask and positions. On the right a causal model needs neither.
    """
    if data.packing and all(row.trained is None for row in rows):
        tokens = torch.from_numpy(np.stack([row.tokens for row in rows]))
        return MicroBatch(samples, {"input_ids": tokens[:, :-1], "labels": tokens[:, 1:]}, torch.tensor(weights))
    width = data.sequence_length
    if not data.packing and data.pad_to == "longest":
        width = max(1, *(len(row.tokens) - 1 for row in rows))
    inputs = np.full((len(rows), width), pad, dtype=np.int64)
    labels = np.full((len(rows), width), IGNORED, dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for number, row in enumerate(rows):
        size = max(1, len(row.tokens) - 1)
        place = slice(width - size, width) if data.padding_side == "left" else slice(0, size)
        inputs[number, place] = row.tokens[:size]
        labels[number, place] = _labels(row)
        mask[number, place] = 1
    batch = {"input_ids": torch.from_numpy(inputs), "labels": torch.from_numpy(labels)}
    if not data.packing and data.padding_side == "left":
        batch["attention_mask"] = torch.from_numpy(mask)
        batch["position_ids"] = torch.from_numpy((mask.cumsum(1) - 1).clip(min=0))
    return MicroBatch(samples, batch, torch.tensor(weights))


def _labels(row: Row) -> np.ndarray[tuple[int], np.dtype[np.int64]] | int:
    """The next token of each but the last, where it is trained on; none of a row of one token."""
    if len(row.tokens) < 2:
        return IGNORED
    following = row.tokens[1:]
    return following if row.trained is None else np.where(row.trained[1:], following, IGNORED)
