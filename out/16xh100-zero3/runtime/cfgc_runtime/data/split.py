"""Which samples train and which are held out: never both."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfgc_runtime.data.files import list_files
from cfgc_runtime.data.mixing import LEAST_SHARE, shares_by_size
from cfgc_runtime.errors import NO_INPUT, Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cfgc_runtime.data.config import Data, Source


@dataclass(frozen=True)
class Split:
    """``train`` are the samples of each source of a mixture, else one range; ``shares`` what each is drawn by."""

    train: tuple[range, ...]
    shares: tuple[float, ...]
    held_out: Sequence[int]


def split_samples(parts: Sequence[range], own: range, data: Data, global_batch_size: int) -> Split:
    """Hold the last ``eval_fraction`` of each of ``parts`` out, or the samples ``own`` of sources for evaluations.

    Raises ``Failure`` when too little is left to train on.
    """
    fractions = [math.ceil(len(part) * data.eval_fraction) for part in parts]
    train = [part[: len(part) - count] for part, count in zip(parts, fractions, strict=True)]
    held_out = own or [
        sample for part, count in zip(parts, fractions, strict=True) for sample in part[len(part) - count :]
    ]
    _check_parts(train, data)
    shares = data.mixing.shares
    if data.mixing.by == "sizes":
        shares = shares_by_size([len(part) for part in train], data.mixing.exponent)
        _check_shares(shares, train, data)
    kept = tuple(part[:count] for part, count in zip(train, kept_of(data, shares, len(train)), strict=True))
    if data.mixing.by == "none" and len(kept[0]) < global_batch_size:
        raise _too_little(len(kept[0]), len(held_out), global_batch_size, data)
    return Split(kept, shares, _at_most(held_out, data.max_eval_samples, spread=len(parts) > 1))


def check_apart(data: Data) -> None:
    """Raise ``Failure`` when a file that is trained on is one of a source for evaluations, too."""
    if all(source.split == "train" for source in data.sources):
        return
    seen: dict[tuple[str, str], Source] = {}
    for source in data.sources:
        part = source.dataset_split if source.kind == "huggingface" else ""
        for file in list_files(source):
            other = seen.setdefault((os.path.realpath(file.path), part), source)
            if other.split != source.split:
                trained, held_out = (other, source) if source.split == "eval" else (source, other)
                raise Failure(
                    NO_INPUT,
                    f"{file.path} is trained on, as part of `{trained.name}`, and evaluated on, as part of "
                    f"`{held_out.name}`; leave it out of one of them with `exclude`",
                )


def kept_of(data: Data, shares: Sequence[float], parts: int) -> list[int | None]:
    """How many training samples of each part to keep, by its share of them all; None is all."""
    if not data.max_train_samples:
        return [None] * parts
    if parts == 1:
        return [data.max_train_samples]
    return [max(1, round(data.max_train_samples * share)) for share in shares]


def _at_most(samples: Sequence[int], limit: int, *, spread: bool) -> Sequence[int]:
    """The first ``limit`` of ``samples``, or as many at equal distances, so that each source has its part; 0 is all."""
    if not limit or limit >= len(samples):
        return samples
    return [samples[place * len(samples) // limit] for place in range(limit)] if spread else samples[:limit]


def _check_parts(train: Sequence[range], data: Data) -> None:
    for source, part in zip((one for one in data.sources if one.split == "train"), train, strict=False):
        if data.mixing.by != "none" and not part:
            raise Failure(NO_INPUT, f"too little data: the source `{source.name}` makes no training sample")


def _check_shares(shares: Sequence[float], train: Sequence[range], data: Data) -> None:
    names = (source.name for source in data.sources if source.split == "train")
    for name, share, part in zip(names, shares, train, strict=True):
        if share < LEAST_SHARE:
            raise Failure(
                NO_INPUT,
                f"the source `{name}` would never come up: {len(part):,} of {sum(map(len, train)):,} training samples "
                "at this `data.mixing.temperature`; raise it, or write weights",
            )


def _too_little(train: int, held_out: int, batch: int, data: Data) -> Failure:
    made = f"of {data.sequence_length} tokens" if data.packing else "(documents of at least two tokens)"
    return Failure(
        NO_INPUT,
        f"too little data: there are {train:,} training samples {made}, {held_out:,} more are held out, and one step "
        f"takes {batch:,}",
    )
