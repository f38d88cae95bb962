"""``cfgc diff``: what differs between two bundles or specs, and whether it matters."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from cfgc.cli import EXIT_DIFFERS, EXIT_OK, EXIT_REJECTED
from cfgc.cli.complete import complete_spec
from cfgc.cli.report import print_diagnostics, say, summary, wants_colour

if TYPE_CHECKING:
    from cfgc.audit.comparing import Comparison
    from cfgc_runtime.values import Kind

_CLASSES = ("numerics", "resources", "logistics")


@click.command()
@click.argument(
    "sides", nargs=-1, required=True, metavar="A [OVERRIDE]... B [OVERRIDE]...", shell_complete=complete_spec
)
@click.option("--format", "output_format", type=click.Choice(["text", "json", "markdown"]), default="text")
@click.option(
    "--only", type=click.Choice(_CLASSES), multiple=True, help="Show changes of that class alone; repeatable."
)
@click.option("--gate", type=click.Choice(_CLASSES), help="Exit 2 when a change is of that class, or a worse one.")
def diff(sides: tuple[str, ...], output_format: str, only: tuple[Kind, ...], gate: Kind | None) -> int:
    """Say what differs between A and B: every value, where it came from, and what a change of it changes.

    \b
    numerics   the loss curve
    resources  memory, speed or cost
    logistics  paths, names, logging
    \b
    A side is a bundle, a spec with overrides, or either in a revision of git:
    cfgc diff out/a out/b                            two bundles, or run directories
    cfgc diff specs/a.toml zero=3                    what an override changes
    cfgc diff specs/a.toml zero=2 specs/b.toml zero=2
    cfgc diff main:specs/a.toml specs/a.toml         what this branch changes of a run
    cfgc diff HEAD~1:out/a out/a --gate numerics     exits 2 unless only infrastructure changed
    """
    from cfgc.audit.comparing import compare_bundles
    from cfgc.cli.sides import NotAsCompiledError, open_side, told_apart
    from cfgc.diagnostics import Rejected
    from cfgc_runtime.errors import BAD_BUNDLE

    old, new = told_apart(sides)
    try:
        comparison = compare_bundles(open_side(old), open_side(new))
        text = _in_form(comparison, output_format, only)
    except Rejected as rejected:
        print_diagnostics(rejected.diagnostics, "text")
        say(summary(rejected.diagnostics))
        return BAD_BUNDLE if isinstance(rejected, NotAsCompiledError) else EXIT_REJECTED
    click.echo(text, nl=False)
    return _gated(comparison, gate)


def _in_form(comparison: Comparison, output_format: str, only: tuple[Kind, ...]) -> str:
    from cfgc.audit.comparison_json import comparison_json
    from cfgc.audit.comparison_md import comparison_md
    from cfgc.audit.comparison_text import coloured, comparison_text, plain
    from cfgc_runtime.progress import sayable

    if output_format == "json":
        return comparison_json(comparison, only)
    if output_format == "markdown":
        return comparison_md(comparison, only)
    text = comparison_text(comparison, only, coloured if wants_colour(sys.stdout) else plain)
    return sayable(text, sys.stdout.encoding)


def _gated(comparison: Comparison, gate: Kind | None) -> int:
    if gate is None or not comparison.is_worse_than_allowed(gate):
        return EXIT_OK
    say(f"refused by --gate {gate}: the worst change is of class {comparison.worst}")
    return EXIT_DIFFERS
