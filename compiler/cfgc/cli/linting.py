"""``cfgc lint-sbatch``: job scripts that people have already."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cfgc.cli import EXIT_OK, EXIT_REJECTED, EXIT_USAGE
from cfgc.cli.complete import complete_file
from cfgc.cli.report import FORMATS, as_errors, print_diagnostics, say, summary
from cfgc.diagnostics import Diagnostic

STDIN = "-"
MISSING = "cfgc lint-sbatch reads bash with tree-sitter, which is not installed: pip install 'cfgc[lint]'"


@click.command("lint-sbatch")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_file)
@click.option(
    "--format", "output_format", type=click.Choice(FORMATS), default="text", help="How diagnostics are printed."
)
@click.option("--deny", type=click.Choice(["warnings"]), help="Treat warnings as errors.")
def lint_sbatch(files: tuple[str, ...], output_format: str, deny: str | None) -> int:
    """Check job scripts for Slurm, of any project: what sbatch, srun and bash do with them.

    A FILE is a script for sbatch, or - for standard input. Nothing of it is run, and no Slurm is needed.
    """
    try:
        found = [findings_of(name) for name in files]
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("tree_sitter"):
            raise
        say(MISSING)
        return EXIT_USAGE
    shown = [one for findings in found for one in (as_errors(findings) if deny else findings)]
    print_diagnostics(shown, output_format)
    good = sum(not any(one.severity == "error" or deny for one in findings) for findings in found)
    outcome = f"{good} of {len(found)} {'script holds' if len(found) == 1 else 'scripts hold'}"
    say("; ".join(part for part in (summary(shown), outcome) if part))
    return EXIT_OK if good == len(found) else EXIT_REJECTED


def findings_of(argument: str) -> tuple[Diagnostic, ...]:
    """What cfgc has to say of one script."""
    from cfgc.sbatch.linting import lint_script, unreadable

    name = "standard input" if argument == STDIN else argument
    try:
        data = _read(argument)
    except IsADirectoryError:
        return (unreadable(name, "it is a directory"),)
    except (OSError, ValueError) as error:
        return (unreadable(name, (getattr(error, "strerror", None) or str(error)).lower()),)
    return lint_script(name, data)


def _read(argument: str) -> bytes:
    """One byte more than is taken, so that a file of any size is known to be too large."""
    from cfgc.sbatch.script import MOST_BYTES

    if argument == STDIN:
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    path = Path(argument)
    if path.is_fifo() or path.is_char_device():
        raise OSError("it is no regular file")
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)
