"""Documents in memory, in place of a token file; and the plan's data section with anything changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Documents:
    tokens: NDArray[Any]
    starts: NDArray[np.uint64]
    trained: NDArray[np.bool_] | None
    path: Path = Path("some.tokens")

    def mask(self, start: int, stop: int) -> NDArray[np.bool_]:
        return np.ones(stop - start, dtype=np.bool_) if self.trained is None else self.trained[start:stop]


def documents(*texts: Sequence[int], trained: Sequence[Sequence[bool]] | None = None) -> Documents:
    starts = np.cumsum([0, *map(len, texts)]).astype(np.uint64)
    tokens = np.array([token for text in texts for token in text], dtype=np.uint16)
    mask = None if trained is None else np.array([flag for flags in trained for flag in flags], dtype=np.bool_)
    return Documents(tokens, starts, mask)


def batch(micro: int = 2, accumulation: int = 3, ranks: int = 2) -> Any:
    return SimpleNamespace(
        micro_batch_size=micro,
        gradient_accumulation_steps=accumulation,
        global_batch_size=micro * accumulation * ranks,
    )


def data(**changed: Any) -> Any:
    settings = {
        "sources": (SimpleNamespace(name="a", split="train"),),
        "sequence_length": 8,
        "eval_fraction": 0.1,
        "max_train_samples": 0,
        "max_eval_samples": 0,
        "shuffle": True,
        "shuffle_seed": 1,
        "reshuffle_each_epoch": True,
        "packing": True,
        "padding_side": "right",
        "pad_to": "longest",
        "truncation": True,
        "chat_template": "",
        "max_bad_records": 0,
        "num_workers": 0,
        "pin_memory": False,
        "prefetch_factor": 2,
        "persistent_workers": False,
        "mixing": SimpleNamespace(by="none", shares=(), exponent=1.0),
        "streaming": SimpleNamespace(enabled=False, buffer_size=1),
    }
    return SimpleNamespace(**settings | changed)
