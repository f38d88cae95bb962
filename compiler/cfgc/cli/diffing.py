"""``cfgc diff``: what differs between two bundles or specs, and whether it matters."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from cfgc.cli import EXIT_DIFFERS, EXIT_OK
from cfgc.cli.complete import complete_spec
from cfgc.cli.report import print_diagnostics, say, summary, wants_colour

if TYPE_CHECKING:
    from cfgc.audit.comparing import Comparison
    from cfgc.audit.comparing_trees import TreeComparison
    from cfgc.diagnostics import Diagnostic
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
    A side is a bundle, a directory of bundles, a spec with overrides, or any of them in a revision of git:
    cfgc diff out/a out/b                            two bundles, or run directories
    cfgc diff main:out out                           all bundles below
    cfgc diff specs/a.toml zero=3                    what an override changes
    cfgc diff specs/a.toml zero=2 specs/b.toml zero=2
    cfgc diff main:specs/a.toml specs/a.toml         what this branch changes of a run
    cfgc diff HEAD~1:out/a out/a --gate numerics     exits 2 unless only infrastructure changed
    """
    from cfgc.cli.refusing import refusal_code
    from cfgc.cli.sides import compared, told_apart
    from cfgc.diagnostics import Rejected

    old, new = told_apart(sides)
    try:
        found = compared(old, new)
        text = _in_form(found, output_format, only)
    except Rejected as rejected:
        print_diagnostics(rejected.diagnostics, "text")
        say(summary(rejected.diagnostics))
        return refusal_code(rejected.diagnostics)
    click.echo(text, nl=False)
    if refused := _refused(found):
        print_diagnostics(refused, "text")
        say(summary(refused))
        return refusal_code(refused)
    return _gated(found, gate)


def _in_form(found: Comparison | TreeComparison, output_format: str, only: tuple[Kind, ...]) -> str:
    from cfgc.audit.comparing_trees import TreeComparison, trees_json, trees_md, trees_text
    from cfgc.audit.comparison_json import comparison_json
    from cfgc.audit.comparison_md import comparison_md
    from cfgc.audit.comparison_text import coloured, comparison_text, plain
    from cfgc_runtime.progress import sayable

    paint = coloured if wants_colour(sys.stdout) else plain
    forms: dict[str, Callable[[], str]]
    if isinstance(found, TreeComparison):
        forms = {"json": lambda: trees_json(found, only), "markdown": lambda: trees_md(found, only)}
        forms["text"] = lambda: sayable(trees_text(found, only, paint), sys.stdout.encoding)
    else:
        forms = {"json": lambda: comparison_json(found, only), "markdown": lambda: comparison_md(found, only)}
        forms["text"] = lambda: sayable(comparison_text(found, only, paint), sys.stdout.encoding)
    return forms[output_format]()


def _refused(found: Comparison | TreeComparison) -> list[Diagnostic]:
    from cfgc.audit.comparing_trees import TreeComparison

    if not isinstance(found, TreeComparison):
        return []
    return [finding for findings in found.refused.values() for finding in findings]


def _gated(found: Comparison | TreeComparison, gate: Kind | None) -> int:
    if gate is None or not found.is_worse_than_allowed(gate):
        return EXIT_OK
    say(f"refused by --gate {gate}: the worst change is of class {found.worst}")
    return EXIT_DIFFERS
