"""Runs as tables and text."""

from __future__ import annotations

import io
import json
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cfgc.cli.report import wants_colour
from cfgc.runs.comparing import Row
from cfgc.runs.facts import Facts
from cfgc.runs.queue import RUNNING, Job
from cfgc.runs.sweeps import PointRun
from cfgc_runtime.attempt import attempts_of, verdict
from cfgc_runtime.checkpoints.complete import newest_first
from cfgc_runtime.checkpoints.shelf import best_first
from cfgc_runtime.errors import FINISHED, meaning
from cfgc_runtime.progress import duration, sayable, short
from cfgc_runtime.rundir import RunDirectory
from cfgc_runtime.values import ABSENT

_COLOURS = {"running": "cyan", "finished": "green", "preempted": "yellow", "new": "dim", "queued": "yellow"}
_COLOURS |= {"cancelled": "yellow", "skipped": "dim"}
_WIDEST = 240
_SHOWN = 60
_UNKNOWN = "–"
_NOT_IN_JSON = ("values", "identity")


def plain(run: Facts) -> dict[str, Any]:
    """The facts as JSON, but for what is in the run's own files."""
    facts = {name: getattr(run, name) for name in run.__dataclass_fields__ if name not in _NOT_IN_JSON}
    return {**facts, "path": str(run.path), "job": asdict(run.job) if run.job else None}


def as_json(value: object) -> str:
    """``value`` as text."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def print_table(table: Table) -> None:
    """``table`` on stdout: as wide as the terminal, or as it needs to be elsewhere."""
    coloured, text = wants_colour(sys.stdout), io.StringIO()
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDEST
    Console(file=text, width=width, no_color=not coloured, force_terminal=coloured, highlight=False).print(table)
    lines = (line.rstrip() for line in text.getvalue().splitlines())
    click.echo(sayable("\n".join(lines), sys.stdout.encoding))


def overview(runs: Sequence[Facts]) -> Table:
    """A row for each run."""
    notes, jobs = any(run.problem for run in runs), any(run.job for run in runs)
    headers = ("run", "state", ">step", ">loss", ">held-out", ">tok/s", ">attempts", ">last sign")
    table = _table(*headers, *(["Slurm"] if jobs else []), *(["damage"] if notes else []))
    for run in runs:
        cells = [_steps(run), _loss(run.loss), _loss(run.best_eval_loss), _speed(run), str(run.attempts), _ago(run)]
        more = [*([_job(run.job)] if jobs else []), *([run.problem] if notes else [])]
        table.add_row(Text(str(run.path)), _state(run), *map(Text, [*cells, *more]))
    return table


def sweep_table(points: Sequence[PointRun], *, went: bool) -> Table:
    """A row for each point: what it sets, and how it ``went``."""
    settings = [point.settings for point in points]
    keys = list(dict.fromkeys(key for row in settings for key in row))
    table = _table(">point", *keys, *(["state", ">step", ">loss", ">held-out"] if went else []))
    for point, row in zip(points, settings, strict=True):
        facts = point.facts
        cells = [_state(facts), *map(Text, [_steps(facts), _loss(facts.loss), _loss(facts.best_eval_loss)])]
        table.add_row(str(point.index), *(Text(row.get(key, "")) for key in keys), *(cells if went else []))
    return table


def comparison(runs: Sequence[Facts], rows: Sequence[Row]) -> Table:
    """A column for each run: how it went, then what differs in its spec."""
    table = _table("", "", *(str(run.path) for run in runs))
    went = {
        "state": [_state(run) for run in runs],
        "step": [Text(_steps(run)) for run in runs],
        "loss": [Text(_loss(run.loss)) for run in runs],
        "best held-out loss": [Text(_loss(run.best_eval_loss)) for run in runs],
        "tokens/s": [Text(_speed(run)) for run in runs],
        "training time": [Text(_UNKNOWN if run.seconds is None else duration(run.seconds)) for run in runs],
    }
    for number, (name, cells) in enumerate(went.items()):
        table.add_row("result" if number == 0 else "", name, *cells, end_section=number == len(went) - 1)
    before = ""
    for row in rows:
        table.add_row(row.kind if row.kind != before else "", Text(row.key), *map(_value, row.values))
        before = row.kind
    if not rows:
        table.add_row("spec", "the same in all", *("" for _ in runs))
    return table


def portrait(run: Facts) -> str:
    """Everything about one run, as lines."""
    lines = [("run", str(run.path)), ("experiment", run.name), ("state", _state(run).plain)]
    lines += [("", line) for line in run.message.splitlines()]
    lines += [("Slurm", _job(run.job))] if run.job else []
    lines += [("damaged", run.problem)] if run.problem else []
    lines += [
        ("step", _steps(run)),
        ("loss", _loss(run.loss)),
        ("held-out loss", _loss(run.best_eval_loss) + (" (best)" if run.best_eval_loss is not None else "")),
        ("tokens/s", _speed(run)),
        ("started", _when(run.created)),
        ("last sign", _when(run.updated)),
        *_checkpoints(run),
    ]
    if run.seconds is not None:
        lines.append(("training", duration(run.seconds)))
    for attempt in _list(run.identity, "attempts"):
        lines += _attempt(run, _dict(attempt))
    return "\n".join(f"{name:<14} {text}".rstrip() for name, text in lines)


def _checkpoints(run: Facts) -> Iterator[tuple[str, str]]:
    """The newest one, and the one of the lowest held-out loss."""
    directory = RunDirectory(run.path).checkpoints
    found = [one for one in newest_first(directory) if one[1]] if directory.is_dir() else []
    yield from (("checkpoint", name) for name, _ in found[:1])
    yield from (("best", f"{name} (held-out loss {_loss(loss)})") for name, loss in best_first(found)[:1])


def _attempt(run: Facts, facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    number = facts.get("number")
    yield f"attempt {number}", f"{_when(facts.get('started'))} from {facts.get('directory', _UNKNOWN)}"
    exits = next((one.exits() for one in attempts_of(RunDirectory(run.path)) if int(one.path.name) == number), [])
    if exits:
        code, _ = verdict(exits, FINISHED, [one.rank for one in exits])
        yield "", f"exit code {code}: {meaning(code)}"
    if git := _dict(facts.get("git")):
        yield "", f"commit {git.get('commit')}{' with uncommitted changes' if git.get('dirty') else ''}"
    for host in _list(facts, "hosts"):
        devices = dict.fromkeys(map(str, _list(host, "devices")))
        ranks = len(_list(host, "ranks"))
        yield "", f"{ranks} {'rank' if ranks == 1 else 'ranks'} on {_dict(host).get('host')} ({', '.join(devices)})"
    for name in ("versions", "slurm"):
        if said := _dict(facts.get(name)):
            yield "", " · ".join(f"{key.removeprefix('slurm_')} {value}" for key, value in said.items())


def _dict(value: Any) -> Mapping[str, Any]:
    """``value`` where it is a table, else an empty one."""
    return value if isinstance(value, dict) else {}


def _list(value: Any, key: str) -> list[Any]:
    found = _dict(value).get(key)
    return found if isinstance(found, list) else []


def _table(*headers: str) -> Table:
    """A table without lines between rows; ``>`` before a header aligns its column right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for header in headers:
        right = header.startswith(">")
        table.add_column(
            Text(header.removeprefix(">")),
            justify="right" if right else "left",
            no_wrap=right,
            overflow="fold",
        )
    return table


def _state(run: Facts) -> Text:
    words = run.state if run.code in (None, FINISHED) or run.state == "preempted" else f"{run.state} ({run.code})"
    return Text(words, style=_COLOURS.get(run.state, "red"))


def _job(job: Job | None) -> str:
    """``12 RUNNING 3:12 of 1:00:00``, ``12 PENDING: Resources``."""
    if job is None:
        return ""
    if job.reason:
        return f"{job.id} {job.state}: {job.reason}"
    return f"{job.id} {job.state}" + (f" {job.elapsed} of {job.limit}" if job.state in RUNNING and job.limit else "")


def _steps(run: Facts) -> str:
    if run.step is None and run.max_steps is None:
        return _UNKNOWN
    whole = f"/{run.max_steps:,}" if run.max_steps else ""
    return f"{run.step or 0:,}{whole}"


def _loss(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.4f}"


def _speed(run: Facts) -> str:
    return _UNKNOWN if run.tokens_per_s is None else short(run.tokens_per_s)


def _ago(run: Facts) -> str:
    return _UNKNOWN if run.updated is None else f"{duration(max(0.0, time.time() - run.updated))} ago"


def _when(seconds: object) -> str:
    if not isinstance(seconds, (int, float)):
        return _UNKNOWN
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _value(value: Any) -> Text:
    if value == ABSENT:
        return Text(_UNKNOWN, style="dim")
    text = json.dumps(value, ensure_ascii=False)
    return Text(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
