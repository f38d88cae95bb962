"""``cfgc sweep``: the points of a spec, a bundle or a run directory, and how they went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, get_args

import click

from cfgc.cli import EXIT_OK, EXIT_REJECTED
from cfgc.cli.complete import complete_override, complete_spec
from cfgc.cli.report import print_diagnostics, say, summary

if TYPE_CHECKING:
    from cfgc.runs.sweeps import PointRun

_AGAIN = ("failed", "killed", "preempted", "cancelled", "skipped")


@click.command()
@click.argument("subject", metavar="SPEC|BUNDLE|RUN_DIR", shell_complete=complete_spec)
@click.argument("overrides", nargs=-1, metavar="[OVERRIDE]...", shell_complete=complete_override)
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text")
@click.option("--first", type=click.IntRange(1), metavar="N", help="Print only the first N.")
@click.option("--state", metavar="STATE", help="Print only points in that state: finished, failed, running, new, …")
def sweep(subject: str, overrides: tuple[str, ...], output_format: str, first: int | None, state: str | None) -> int:
    """List the points of a sweep; of a run directory also how they went, the best first.

    \b
    cfgc sweep specs/lr.toml       the points that the spec makes, each checked
    cfgc sweep out/lr              those of a bundle
    cfgc sweep runs/lr             state, loss and held-out loss of each
    """
    _refuse_unknown(state)
    directory = Path(subject)
    if not directory.is_dir():
        return _of_spec(subject, overrides, output_format, first)
    if overrides:
        raise click.UsageError("overrides are for a SPEC; the points of a bundle are made already")
    from cfgc.deepspeed.wording import count
    from cfgc.runs.sweeps import asked_slurm, best_first, read_sweep_runs, sweep_bundle
    from cfgc_runtime.errors import Failure

    bundle = sweep_bundle(directory)
    if bundle is None:
        raise click.UsageError(f"{subject} holds no sweep: neither it nor its bundle has a points.jsonl")
    try:
        points = read_sweep_runs(directory)
    except Failure as failure:
        say(f"error: {failure}")
        return EXIT_REJECTED
    went = bundle != directory
    if went:
        points, problem = asked_slurm(points)
        if problem:
            say(f"what Slurm knows is left out: {problem}")
    shown = [point for point in (best_first(points) if went else points) if state in (None, point.facts.state)]
    _print(shown[:first], output_format, went)
    say(_outcome(points, directory, bundle) if went else count(len(points), "point"))
    return EXIT_OK


def _refuse_unknown(state: str | None) -> None:
    from cfgc.runs.facts import State

    if state is not None and state not in get_args(State):
        raise click.UsageError(f"no point is ever `{state}`; states are {', '.join(get_args(State))}")


def _of_spec(spec: str, overrides: Sequence[str], output_format: str, first: int | None) -> int:
    from cfgc.cli.sweep_progress import watched
    from cfgc.deepspeed.wording import count
    from cfgc.diagnostics import Rejected
    from cfgc.emit.values_json import values_of
    from cfgc.pipeline import check_spec, lower
    from cfgc.runs.sweeps import NO_RUN, PointRun, evaluated
    from cfgc.session import open_spec
    from cfgc_runtime.point import LIST, parse_point

    session = open_spec(spec, overrides)
    try:
        with watched() as progress:
            checked = check_spec(session.reader, session.logical, session.overrides, progress)
    except Rejected as rejected:
        print_diagnostics(session.from_here(rejected.diagnostics), "text")
        say(summary(rejected.diagnostics))
        return EXIT_REJECTED
    made = checked.sweep.points
    if not made:
        raise click.UsageError(f"{spec} is a single run: it has no [sweep]")
    print_diagnostics(session.from_here(checked.warnings), "text")
    base = cache(lambda: values_of(lower(checked)))
    read = [parse_point(point.line, Path(LIST)) for point in made]
    points = [PointRun(point.index, point.overrides, NO_RUN, evaluated(point, base)) for point in read]
    _print(points[:first], output_format, went=False)
    say(count(len(points), "point"))
    return EXIT_OK


def _print(points: Sequence[PointRun], output_format: str, went: bool) -> None:
    from cfgc.cli.runs_text import as_json, print_table, sweep_table

    if output_format == "json":
        click.echo(as_json([_plain(point, went) for point in points]))
    elif points:
        print_table(sweep_table(points, went=went))


def _plain(point: PointRun, went: bool) -> dict[str, Any]:
    from cfgc.cli.runs_text import plain

    told: dict[str, Any] = {"point": point.index, "overrides": list(point.overrides)}
    if point.values:
        told["values"] = dict(point.values)
    if went:
        told |= {"state": point.facts.state, "run": plain(point.facts)}
    return told


def _outcome(points: Sequence[PointRun], run_dir: Path, bundle: Path) -> str:
    """``200 points: 190 finished, 10 failed``, and how to start the rest again with ``bundle``."""
    from cfgc.deepspeed.wording import count
    from cfgc.runs.sweeps import numbers_of
    from cfgc.sweep.numbers import listed

    counts = Counter(point.facts.state for point in points)
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    said = f"{count(len(points), 'point')}: " + ", ".join(f"{number:,} {state}" for state, number in ordered)
    again = listed(list(numbers_of(points, *_AGAIN)))
    if not again:
        return said
    on_slurm, here = (quote(str(bundle / name)) for name in ("submit.sh", "launch.sh"))
    options = f"--run-dir {quote(str(run_dir))} --points {again}"
    return f"{said}; start again: {on_slurm} {options}, or {here} {options}"
