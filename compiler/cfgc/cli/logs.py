"""``cfgc logs``: what all ranks, nodes and attempts of a run said, as one."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cfgc.cli import EXIT_OK
from cfgc.cli.report import say

if TYPE_CHECKING:
    from cfgc.runs.logs import Fault, Line, Source, Wanted

_MOST: Final = 20
"""Failures that are shown with their logs."""


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="RUN")
@click.option("--rank", type=click.IntRange(0), metavar="N", help="Only this rank.")
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="Only this attempt [default: all].")
@click.option("--tail", type=click.IntRange(0), metavar="N", help="Only the last N lines.")
@click.option("--follow", is_flag=True, help="Then show lines as they are written, until the run is over.")
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text")
def logs(run: Path, rank: int | None, attempt: int | None, tail: int | None, follow: bool, output_format: str) -> int:
    """The logs of all ranks, nodes and attempts of a run in order of time, the first failure first.

    Each line begins with attempt/rank@host. RUN is a run directory, that of a point (RUN/points/0007) or of a stage
    (RUN/stages/NAME), or a directory with several of them. json is an object a line.
    """
    from cfgc.runs.following import Follower
    from cfgc.runs.following import follow as followed
    from cfgc.runs.logs import Wanted, faults, merged

    wanted = Wanted(rank, attempt)
    sources = _sources(run, wanted)
    if not sources and not follow:
        _refuse_unknown(_sources(run, Wanted()), wanted)
        say(f"no logs below {run}{_waiting(run)}" if _paths(run) else f"no run in {run}")
        return EXIT_OK
    if not sources and (why := _waiting(run)):
        say(f"no logs yet{why}")
    follower = Follower()
    seen = follower.skip(sources) if follow else None
    known = faults(sources)
    _print_faults(known, output_format)
    lines: Iterable[Line] = merged(sources, seen)
    _print(lines if tail is None else deque(lines, maxlen=tail), output_format)
    if follow:
        _print(followed(follower, lambda: _sources(run, wanted), lambda: _is_over(run)), output_format)
        _print_faults([one for one in faults(_sources(run, wanted)) if one not in known], output_format)
    return EXIT_OK


def _refuse_unknown(there: Sequence[Source], wanted: Wanted) -> None:
    """Raise ``UsageError`` where ``wanted`` names an attempt or a rank that none of the logs is of."""
    from cfgc.sweep.numbers import listed

    attempts = sorted({source.attempt for source in there if source.attempt})
    ranks = sorted({source.rank for source in there if source.rank >= 0 and wanted.attempt in (None, source.attempt)})
    if attempts and wanted.attempt not in (None, *attempts):
        raise click.UsageError(f"no attempt {wanted.attempt}; attempts are {listed(attempts)}")
    if ranks and wanted.rank not in (None, *ranks):
        raise click.UsageError(f"no rank {wanted.rank}; ranks are {listed(ranks)}")


def _paths(run: Path) -> list[Path]:
    from cfgc.runs.finding import find_runs

    return list(find_runs(run))


def _sources(run: Path, wanted: Wanted) -> Sequence[Source]:
    from cfgc.runs.logs import sources_of

    return [
        source
        for path in _paths(run)
        for source in sources_of(path, "" if path == run else str(path.relative_to(run)), wanted)
    ]


def _waiting(run: Path) -> str:
    """For which job, and why, the runs wait that have not begun; empty where none does, or nobody knows."""
    from cfgc.runs.facts import read_run
    from cfgc.runs.standing import with_jobs

    found, _ = with_jobs([read_run(path) for path in _paths(run)])
    jobs = [one.job for one in found if one.state == "queued" and one.job]
    said = [f"job {job.id} waits" + (f" ({job.reason})" if job.reason else "") for job in jobs[:_MOST]]
    return f": {', '.join(said)}" if said else ""


def _is_over(run: Path) -> bool:
    from cfgc.runs.facts import read_run
    from cfgc.runs.standing import with_jobs

    found, _ = with_jobs([read_run(path) for path in _paths(run)])
    return not any(one.state in ("new", "queued", "running") for one in found)


def _print(lines: Iterable[Line], output_format: str) -> None:
    from cfgc_runtime.progress import sayable

    for line in lines:
        if output_format == "json":
            text = _as_json("end" if line.recorded else "log", line.at, line.source, line.text)
        else:
            text = "\n".join(f"{line.source.label}  {part}" for part in _parts(line))
        click.echo(sayable(text, sys.stdout.encoding))


def _as_json(kind: str, at: float, source: Source, text: str) -> str:
    """``kind``: a line of a ``log``, the ``end`` of a rank, or the ``first failure`` of an attempt."""
    place = {"run": source.run, "attempt": source.attempt or None, "log": source.name, "host": source.host}
    rank = source.rank if source.rank >= 0 else None
    return json.dumps({"kind": kind, "time": round(at, 3), **place, "rank": rank, "text": text}, ensure_ascii=False)


def _parts(line: Line) -> Iterator[str]:
    """The lines of a line: what a rank said when it ended may be several."""
    for part in line.text.split("\n") if line.recorded else (line.text,):
        yield f"» {part}" if line.recorded else part


def _print_faults(found: Sequence[Fault], output_format: str) -> None:
    """Who failed first, when, why, and the end of its log."""
    from cfgc.runs.logs import sentence
    from cfgc_runtime.outcome import tail
    from cfgc_runtime.progress import sayable

    for number, fault in enumerate(found):
        if output_format == "json":
            click.echo(_as_json("first failure", fault.end.at, fault.source, sentence(fault.end)))
            continue
        when = datetime.fromtimestamp(fault.end.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        text = f"{fault.source.label}  failed first, {when}: {sentence(fault.end)}"
        if number < _MOST and (said := tail(fault.source.path)):
            text += f"\n{said}"
        click.echo(sayable(text, sys.stdout.encoding))
    if found and output_format == "text":
        click.echo()
