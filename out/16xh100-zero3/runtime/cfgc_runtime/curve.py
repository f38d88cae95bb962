"""A curve in the terminal, drawn with braille dots (2 × 4 a character). Standard library only."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLANK = 0x2800


def draw_curve(points: Sequence[tuple[float, float]], width: int = 60, height: int = 10) -> str:
    """Lines of text: the values of ``points`` (x, value; x ascending) with both axes labelled."""
    places, values = [place for place, _ in points], [value for _, value in points]
    low, high = min(values), max(values)
    cells = [[0] * width for _ in range(height)]
    for x, y in _trace(points, 2 * width, 4 * height):
        cells[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
    labels = [_label(high), *[""] * (height - 2), _label(low)]
    margin = max(map(len, labels))
    rows = (
        f"{label:>{margin}} ┤{''.join(chr(_BLANK + cell) for cell in row)}"
        for label, row in zip(labels, cells, strict=True)
    )
    first, last = _place(places[0]), _place(places[-1])
    axis = f"{' ' * margin} └{'─' * width}"
    feet = f"{' ' * margin}  {first}{last:>{width - len(first)}}"
    return "\n".join([*rows, axis, feet])


def _label(value: float) -> str:
    return f"{value:.3f}" if value == 0 or 0.01 <= abs(value) < 10_000 else f"{value:.2e}"


def _place(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _trace(points: Sequence[tuple[float, float]], columns: int, rows: int) -> Iterator[tuple[int, int]]:
    """Dots (x from the left, y from the top) of the line through ``points``."""
    start, span = points[0][0], (points[-1][0] - points[0][0]) or 1
    low, high = min(value for _, value in points), max(value for _, value in points)
    scale = (rows - 1) / (high - low) if high > low else 0.0
    spots = [(round((x - start) / span * (columns - 1)), round((high - value) * scale)) for x, value in points]
    yield spots[0]
    for (x0, y0), (x1, y1) in pairwise(spots):
        count = max(abs(x1 - x0), abs(y1 - y0), 1)
        for part in range(1, count + 1):
            yield x0 + round((x1 - x0) * part / count), y0 + round((y1 - y0) * part / count)
