"""Curves of runs as a picture, with matplotlib."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from cfgc.runs.series import TITLES, Axis, Series, smoothed, spans_decades

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Told apart by people who see colours differently (Okabe and Ito, 2008); dashes tell the next seven apart."""

_DASHES: Final = ("-", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (5, 1.5, 1.5, 1.5)))
_STYLE: Final[dict[str, Any]] = {
    "axes.edgecolor": "#888888",
    "axes.grid": True,
    "axes.labelcolor": "#333333",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "svg.hashsalt": "cfgc",
    "xtick.color": "#555555",
    "ytick.color": "#555555",
}
_MARKS: Final[dict[str, Any]] = {
    "linewidth": 1.0,
    "marker": "o",
    "markerfacecolor": "white",
    "markersize": 4,
    "zorder": 3,
}
_LABELS: Final[dict[Axis, str]] = {"step": "step", "tokens": "tokens", "time": "hours since the start"}
_PANEL_W, _PANEL_H = 5.2, 3.1


def picture(series: Sequence[Series], metrics: Sequence[str], axis: Axis, smooth: int, kind: str) -> bytes:
    """One panel for each of ``metrics``, all runs in it; ``kind`` is png, svg or pdf. Equal data gives equal bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    runs = list(dict.fromkeys(one.run for one in series))
    columns = 2 if len(metrics) > 1 else 1
    rows = -(-len(metrics) // columns)
    style: Any = _STYLE  # matplotlib lists every key by name
    with mpl.rc_context(style):
        wide = 1.5 if columns == 1 else 1.0
        figure = Figure(figsize=(wide * _PANEL_W * columns, _PANEL_H * rows + 0.3), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False).flatten()
        for panel, metric in zip(panels, metrics, strict=False):
            _panel(panel, [one for one in series if one.metric in _drawn_with(metric)], metric, axis, smooth, runs)
        for panel in panels[len(metrics) :]:
            panel.set_axis_off()
        handles = _legend(runs, any(one.metric == "eval_loss" for one in series) and "loss" in metrics)
        if len(handles) > 1:
            figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 5))
        file = io.BytesIO()
        # Neither the date nor matplotlib's release is part of the picture.
        nothing: dict[str, Any] = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
        figure.savefig(file, format=kind, dpi=144, metadata=nothing.get(kind, {"CreationDate": None, "Creator": None}))
    return file.getvalue()


def _legend(runs: Sequence[str], held_out: bool) -> list[Any]:
    """A line for each run, and the mark of evaluations."""
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], label=run, color=_colour(n), linestyle=_dash(n)) for n, run in enumerate(runs)]
    return [*lines, *([Line2D([], [], label="held-out loss", color="#777777", **_MARKS)] if held_out else [])]


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _dash(number: int) -> Any:
    return _DASHES[number // len(COLOURS) % len(_DASHES)]


def _drawn_with(metric: str) -> tuple[str, ...]:
    return ("loss", "eval_loss") if metric == "loss" else (metric,)


def _panel(panel: Axes, series: Sequence[Series], metric: str, axis: Axis, smooth: int, runs: Sequence[str]) -> None:
    for one in series:
        _curve(panel, one, runs.index(one.run), 0 if metric == "lr" else smooth)
    panel.set_title(TITLES.get(metric, metric))
    panel.set_xlabel(_LABELS[axis])
    panel.margins(x=0.01)
    values = [value for one in series for _, value in one.points]
    if metric == "lr":  # every warm-up spans decades
        values = [max(value for _, value in one.points) for one in series]
    if spans_decades(values):
        panel.set_yscale("log")
    elif metric in ("tokens_per_s", "mfu", "lr"):
        panel.set_ylim(bottom=0)
    _numbers(panel, metric, axis)


def _curve(panel: Axes, one: Series, number: int, smooth: int) -> None:
    """The held-out loss is marked at every evaluation; what was smoothed stays visible behind its mean."""
    x, y = zip(*one.points, strict=True)
    style: dict[str, Any] = {"color": _colour(number), "linestyle": _dash(number)}
    if one.metric == "eval_loss":
        panel.plot(x, y, **style, **_MARKS)
        return
    if smooth > 1 and len(one.points) > 2:
        panel.plot(x, y, color=style["color"], alpha=0.25, linewidth=0.8)
        x, y = zip(*smoothed(one.points, smooth), strict=True)
    panel.plot(x, y, **style, marker="o" if len(one.points) == 1 else None)


def _numbers(panel: Axes, metric: str, axis: Axis) -> None:
    """12k in place of 12000, and no factor beside an axis that the eye has to multiply with."""
    from matplotlib.ticker import EngFormatter, FuncFormatter

    if axis == "tokens":
        panel.xaxis.set_major_formatter(EngFormatter(sep=""))
    if panel.get_yscale() == "log":
        return
    as_text = FuncFormatter(lambda value, _: f"{value:.4g}")
    panel.yaxis.set_major_formatter(EngFormatter(sep="") if metric == "tokens_per_s" else as_text)
