"""The commands that are about a project rather than one spec."""

from __future__ import annotations

from pathlib import Path

import click

from cfgc.cli import EXIT_OK, EXIT_REJECTED
from cfgc.cli.complete import complete_spec
from cfgc.cli.report import print_diagnostics, say, summary


@click.command()
@click.argument("words", nargs=-1, metavar="[SPEC [OVERRIDE]...] [GROUP]...", shell_complete=complete_spec)
@click.option(
    "--format", "output_format", type=click.Choice(["text", "json"]), default="text", help="How it is printed."
)
def overlays(words: tuple[str, ...], output_format: str) -> int:
    """List the overlays that can be chosen, the project's own first.

    Each with its file and the first comment there. With a SPEC, a star marks those that it chooses; with a GROUP, only
    that group's are listed. A project's overlays are the files specs/GROUP/OPTION.toml.
    """
    from cfgc.cli.choosing import UnknownGroupError, overlays_text
    from cfgc.diagnostics import Rejected

    try:
        text = overlays_text(words, output_format)
    except UnknownGroupError as error:
        raise click.UsageError(str(error)) from None
    except Rejected as rejected:
        print_diagnostics(rejected.diagnostics, "text")
        say(summary(rejected.diagnostics))
        return EXIT_REJECTED
    click.echo(text, nl=False)
    return EXIT_OK


@click.command()
@click.argument("directory", required=False, default=".", type=click.Path(path_type=Path), metavar="[DIR]")
@click.option(
    "--template",
    type=click.Choice(["local", "node", "cluster"]),
    default="local",
    help="The first spec: for any machine, for one with GPUs, for Slurm.",
)
@click.option("--name", default="", help="The first experiment [default: the directory's name].")
def init(directory: Path, template: str, name: str) -> int:
    """Make a project in DIR: cfgc.toml, a spec that builds, and an overlay for your cluster.

    Files that are there already are never touched.
    """
    from cfgc.cli.starting import ProjectThereError, name_of, started

    if name and name != name_of(Path(name)):
        raise click.UsageError(f"`{name}` cannot name a directory; try --name {name_of(Path(name))}")
    try:
        written, kept = started(directory, template, name)
    except ProjectThereError as error:
        raise click.UsageError(str(error)) from None
    say(f"written in {directory}: {', '.join(written)}")
    if kept:
        say(f"left as they were: {', '.join(kept)}")
    run = name or name_of(directory)
    there = "" if directory == Path() else f"cd {directory} && "
    say(f"next: {there}cfgc build specs/{run}.toml")
    return EXIT_OK
