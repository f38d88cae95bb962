"""``cfgc runs``: the runs below a directory, one of them in full, and what differs between several."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from cfgc.cli import EXIT_OK, EXIT_REJECTED
from cfgc.cli.groups import Commands
from cfgc.cli.report import say


class _Runs(Commands):
    """A group whose first word may be a directory: that lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = {*self.commands, *self.get_help_option_names(ctx)}
        if args[:1] and args[0] not in known and not Path(args[0]).exists() and (meant := self.meant_by(args[0])):
            raise click.UsageError(f"there is no directory `{args[0]}`{meant}", ctx)
        return super().parse_args(ctx, args if args[:1] and args[0] in known else ["list", *args])


_format = click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text")
_directory = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(cls=_Runs, subcommand_metavar="[DIR]... | compare | show")
def runs() -> None:
    """List runs, show one, or compare several.

    \b
    cfgc runs                     every run below runs/
    cfgc runs DIR...              every run below those
    cfgc runs show RUN            one run in full
    cfgc runs compare RUN RUN...  what differs in their specs, beside how they went
    """


@runs.command("list", hidden=True)
@click.argument("directories", nargs=-1, type=_directory, metavar="[DIR]...")
@_format
def listing(directories: tuple[Path, ...], output_format: str) -> int:
    """Every run below DIR [default: runs], the one that moved last first."""
    from cfgc.cli import runs_text
    from cfgc.runs.facts import read_run
    from cfgc.runs.finding import find_runs
    from cfgc.runs.standing import with_jobs

    below = directories or ((Path("runs"),) if Path("runs").is_dir() else ())
    paths = dict.fromkeys(path for directory in below for path in find_runs(directory))
    known, problem = with_jobs([read_run(path) for path in paths])
    found = sorted(known, key=lambda run: (-(run.updated or 0.0), str(run.path)))
    if output_format == "json":
        click.echo(runs_text.as_json([runs_text.plain(run) for run in found]))
    elif found:
        runs_text.print_table(runs_text.overview(found))
    _mention(problem)
    if not found:
        say(f"no run below {', '.join(map(str, directories)) or 'runs/ of this directory; name another one'}")
    return EXIT_OK


def _mention(problem: str) -> None:
    if problem:
        say(f"Slurm was of no help ({problem}): states are what the runs themselves say")


@runs.command()
@click.argument("run", type=_directory)
@_format
def show(run: Path, output_format: str) -> int:
    """One run in full: how it stands, where each attempt ran and how it ended."""
    from cfgc.cli import runs_text
    from cfgc.runs.facts import is_run, read_run
    from cfgc.runs.standing import with_jobs
    from cfgc_runtime.progress import sayable

    if not is_run(run):
        raise click.UsageError(f"{run} is not a run directory: it has no run.json")
    known, problem = with_jobs([read_run(run)])
    facts = known[0] if known else read_run(run)
    _mention(problem)
    if output_format == "json":
        click.echo(runs_text.as_json({**runs_text.plain(facts), "identity": dict(facts.identity)}))
    else:
        click.echo(sayable(runs_text.portrait(facts), sys.stdout.encoding))
    return EXIT_OK if facts.state != "damaged" else EXIT_REJECTED


@runs.command()
@click.argument("directories", nargs=-1, required=True, type=_directory, metavar="RUN RUN...")
@_format
def compare(directories: tuple[Path, ...], output_format: str) -> int:
    """What differs between runs: values of their specs by class, and how they went."""
    from cfgc.cli import runs_text
    from cfgc.runs.comparing import differences
    from cfgc.runs.facts import is_run, read_run

    strangers = [str(path) for path in directories if not is_run(path)]
    if strangers or len(directories) < 2:
        raise click.UsageError(
            f"not a run directory: {', '.join(strangers)}" if strangers else "name at least two runs to compare"
        )
    found = [read_run(path) for path in directories]
    rows = differences(found)
    if output_format == "json":
        listed: list[dict[str, Any]] = [{"class": row.kind, "key": row.key, "values": list(row.values)} for row in rows]
        click.echo(runs_text.as_json({"runs": [runs_text.plain(run) for run in found], "differences": listed}))
    else:
        runs_text.print_table(runs_text.comparison(found, rows))
    for run in found:
        if run.problem:
            say(f"{run.path}: {run.problem}")
    return EXIT_OK
