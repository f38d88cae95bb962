"""Samples before they are put together: tokens of a sample, found by its number."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from cfgc_runtime.errors import NO_INPUT, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


_AT_ONCE = 4096
"""Documents whose masks are unpacked at a time."""

_TOKENS_AT_ONCE = 1 << 22
"""Tokens of packed documents whose masks are."""


class Documents(Protocol):
    """What is needed of a token file; document i is ``tokens[starts[i]:starts[i + 1]]``."""

    @property
    def path(self) -> Path:
        """Where it is."""
        ...

    @property
    def tokens(self) -> NDArray[Any]:
        """Ids of all documents, one after the other."""
        ...

    @property
    def starts(self) -> NDArray[np.uint64]:
        """Where each document starts, and the end."""
        ...

    @property
    def trained(self) -> object:
        """None when every token is trained on."""
        ...

    def mask(self, start: int, stop: int) -> NDArray[np.bool_]:
        """Whether each of the tokens from ``start`` to ``stop`` is trained on."""
        ...


@dataclass(frozen=True)
class Row:
    """One sample: ``tokens`` int64 [n], at most sequence_length + 1; ``trained`` bool [n], None when all are."""

    tokens: NDArray[np.int64]
    trained: NDArray[np.bool_] | None


class Rows(Protocol):
    """Samples 0 … ``len`` - 1."""

    def __len__(self) -> int: ...

    def row(self, index: int) -> Row:
        """Sample ``index``."""
        ...


class PackedRows:
    """Documents one after the other, cut: the last token of a sample is the first of the next one.

    Of all ``cuts``, those without a token to predict that is trained on are no sample.
    """

    def __init__(self, files: Sequence[Documents], length: int) -> None:
        self._files, self._length = files, length
        self._ends = list(accumulate(len(file.tokens) for file in files))
        self._masked = any(file.trained is not None for file in files)
        self.cuts = max(0, ((self._ends[-1] if files else 0) - 1) // length)
        self._kept = self._trained() if self._masked else range(self.cuts)

    def __len__(self) -> int:
        return len(self._kept)

    def row(self, index: int) -> Row:
        """Tokens from a multiple of the length on, one more than the length."""
        start = int(self._kept[index]) * self._length
        pieces = list(self._pieces(start, start + self._length + 1))
        tokens = np.concatenate([file.tokens[first:last] for file, first, last in pieces]).astype(np.int64)
        if not self._masked:
            return Row(tokens, None)
        return Row(tokens, self._mask(start, start + self._length + 1))

    def _trained(self) -> NDArray[np.int64]:
        """Which cuts hold something to train on."""
        found = np.zeros(self.cuts, dtype=np.bool_)
        at_once = max(1, _TOKENS_AT_ONCE // self._length)
        for first in range(0, self.cuts, at_once):
            last = min(first + at_once, self.cuts)
            labels = self._mask(first * self._length + 1, last * self._length + 1)
            found[first:last] = labels.reshape(-1, self._length).any(1)
        return np.flatnonzero(found)

    def _mask(self, start: int, stop: int) -> NDArray[np.bool_]:
        return np.concatenate([file.mask(first, last) for file, first, last in self._pieces(start, stop)])

    def _pieces(self, start: int, stop: int) -> Iterator[tuple[Documents, int, int]]:
        number = bisect_right(self._ends, start)
        while start < stop:
            file, begin = self._files[number], self._ends[number] - len(self._files[number].tokens)
            last = min(stop, self._ends[number])
            if last > start:
                yield file, start - begin, last - begin
            start, number = last, number + 1


class PaddedRows:
    """Each document is a sample, cut after length + 1 tokens, if there is something in it to predict and train on.

    ``cut`` of them are longer, ``left_out`` documents are none. Raises ``Failure`` for a longer one when ``truncation``
    is off.
    """

    def __init__(self, files: Sequence[Documents], length: int, truncation: bool) -> None:
        self._files, self._length = files, length
        sizes: list[NDArray[np.int64]] = [np.diff(file.starts).astype(np.int64) for file in files]
        self._kept = [np.flatnonzero(_can_train(file, one, length)) for file, one in zip(files, sizes, strict=True)]
        self._ends = list(accumulate(len(one) for one in self._kept))
        self.cut = sum(int((one > length + 1).sum()) for one in sizes)
        self.left_out = sum(map(len, sizes)) - len(self)
        if self.cut and not truncation:
            raise self._too_long(sizes)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def row(self, index: int) -> Row:
        """The document's first tokens."""
        number = bisect_right(self._ends, index)
        file, kept = self._files[number], self._kept[number]
        document = int(kept[index - self._ends[number] + len(kept)])
        start, end = int(file.starts[document]), int(file.starts[document + 1])
        end = min(end, start + self._length + 1)
        tokens = file.tokens[start:end].astype(np.int64)
        return Row(tokens, None if file.trained is None else file.mask(start, end))

    def _too_long(self, sizes: Sequence[NDArray[np.int64]]) -> Failure:
        number, size = next((at, one) for at, one in enumerate(sizes) if (one > self._length + 1).any())
        first = int(np.argmax(size > self._length + 1))
        return Failure(
            NO_INPUT,
            f"{self.cut:,} documents do not fit into a sample of {self._length:,} tokens, the first is number "
            f"{first + 1:,} of {self._files[number].path} with {int(size[first]):,}; raise `data.sequence_length`, or "
            "cut them with `data.truncation = true`",
        )


class JoinedRows:
    """The samples of several parts, counted through."""

    def __init__(self, parts: Sequence[Rows]) -> None:
        self._parts = parts
        self._ends = list(accumulate(map(len, parts)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def row(self, index: int) -> Row:
        """Sample ``index``, of the part that holds it."""
        number = bisect_right(self._ends, index)
        return self._parts[number].row(index - self._ends[number] + len(self._parts[number]))

    def ranges(self) -> tuple[range, ...]:
        """The samples of each part."""
        return tuple(range(end - len(part), end) for part, end in zip(self._parts, self._ends, strict=True))


def _can_train(file: Documents, sizes: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    """Of each document, whether one of its tokens 1 … ``length`` is there and trained on."""
    found = sizes >= 2
    if file.trained is None:
        return found
    starts = file.starts.astype(np.int64)
    for first in range(0, len(sizes), _AT_ONCE):
        last = min(first + _AT_ONCE, len(sizes))
        here = starts[first : last + 1] - starts[first]
        places = np.arange(here[-1]) - np.repeat(here[:-1], sizes[first:last])
        labels = file.mask(int(starts[first]), int(starts[last])) & (places > 0) & (places <= length)
        counts = np.concatenate(([0], np.cumsum(labels)))
        found[first:last] &= counts[here[1:]] > counts[here[:-1]]
    return found
