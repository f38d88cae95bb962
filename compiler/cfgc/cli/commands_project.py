"""The commands that are about a project rather than one spec."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from cfgc.cli import EXIT_OK, EXIT_REJECTED
from cfgc.cli.complete import complete_spec
from cfgc.cli.report import FORMATS, print_diagnostics, say, summary

_WITH = "A YAML file to merge over FILE; several are merged in order."
_TREE = "The directory that may be read, and where a Hydra tree's groups are [default: FILE's]."


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
    from cfgc.diagnostics import Rejected
    from cfgc.explaining.overlays import UnknownGroupError, overlays_text

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
@click.option("--nested", is_flag=True, help="Make it inside another project too.")
def init(directory: Path, template: str, name: str, nested: bool) -> int:
    """Make a project in DIR: cfgc.toml, a spec that builds, and an overlay for your cluster.

    Files that are there already are never touched.
    """
    from cfgc.cli.starting import NoDirectoryError, ProjectThereError, name_of, started

    if name and name != name_of(Path(name)):
        raise click.UsageError(f"`{name}` cannot name a directory; try --name {name_of(Path(name))}")
    try:
        written, kept = started(directory, template, name, nested=nested)
    except (NoDirectoryError, ProjectThereError) as error:
        raise click.UsageError(str(error)) from None
    say(f"written in {directory}: {', '.join(written)}")
    if kept:
        say(f"left as they were: {', '.join(kept)}")
    run = name or name_of(directory)
    there = "" if directory == Path() else f"cd {'-- ' * str(directory).startswith('-')}{quote(str(directory))} && "
    say(f"next: {there}cfgc build specs/{run}.toml")
    return EXIT_OK


@click.command()
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, readable=False), help="The file to write [default: standard output]."
)
@click.option(
    "--deepspeed",
    metavar="VERSION",
    help="The schema of a ds_config for that release, or `newest`.",
)
def schema(out: Path | None, deepspeed: str | None) -> int:
    """Print the JSON Schema of specs, for editors.

    A spec names it in its first line, relative to itself: `#:schema ../cfgc.schema.json`. Editors then complete keys
    and mark mistakes; docs/editors.md says which. What several keys mean together, only `cfgc check` knows.
    """
    from cfgc.cli.ds_configs import known_release
    from cfgc.cli.schemas import config_schema, spec_schema, write_schema

    text = config_schema(known_release(None if deepspeed == "newest" else deepspeed)) if deepspeed else spec_schema()
    if out:
        write_schema(text, out)
        say(f"written {out}")
    else:
        click.echo(text, nl=False)
    return EXIT_OK


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, readable=False), help="The spec to write [default: standard output]."
)
@click.option("--with", "layers", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help=_WITH)
@click.option("--kind", type=click.Choice(["deepspeed", "accelerate", "hydra", "ava"]), help="What FILE is for.")
@click.option("--tree", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help=_TREE)
@click.option("--world-size", type=click.IntRange(1, 640_000), metavar="N", help="The ranks that train with it.")
@click.option("--deepspeed", metavar="VERSION", help="The release whose defaults hold [default: the project's].")
@click.option("--name", default="", help="The experiment [default: the file's own name for it, or FILE's].")
@click.option("--force", is_flag=True, help="Replace the spec that is there.")
@click.option(
    "--format", "output_format", type=click.Choice(FORMATS), default="text", help="How diagnostics are printed."
)
def import_spec(
    file: Path,
    out: Path | None,
    layers: tuple[Path, ...],
    kind: str | None,
    tree: Path | None,
    world_size: int | None,
    deepspeed: str | None,
    name: str,
    force: bool,
    output_format: str,
) -> int:
    """Turn FILE, the config of another tool, into a spec.

    FILE is a DeepSpeed config (JSON, HJSON), an accelerate config, the primary config of a Hydra tree, or the base of
    an Ava tree; its content says which. Every key is converted, kept raw or dropped, with a comment that says so; what
    needs a look says `check`.

    \b
    cfgc import ds_config.json --world-size 8 -o specs/mine.toml
    cfgc import conf/config.yaml
    cfgc import gpu/base.yaml --with hardware/a100_80gb.yaml --with distributed/deepspeed_zero2.yaml
    """
    from cfgc.cli.ds_configs import known_release
    from cfgc.cli.importing import Wanted, imported
    from cfgc.cli.starting import name_of
    from cfgc.importing.importer import Request
    from cfgc.load.project_target import project_deepspeed

    if name and name != name_of(Path(name)):
        raise click.UsageError(f"`{name}` cannot name an experiment; try --name {name_of(Path(name))}")
    wanted = Wanted(file, out, layers, tree, force, output_format)
    version = known_release(deepspeed or project_deepspeed(out or Path("spec.toml")))
    return imported(wanted, Request("", kind or "", (), world_size, version, name, search=tree is not None))
