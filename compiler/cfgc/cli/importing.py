"""``cfgc import``: what somebody has becomes a spec."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from cfgc.cli import EXIT_OK, EXIT_REJECTED
from cfgc.cli.report import print_diagnostics, say, summary
from cfgc.cli.writing import write_whole
from cfgc.diagnostics import Diagnostic, Label, Rejected
from cfgc.importing.importer import Outcome, Request, import_file
from cfgc.importing.refused import without_refused
from cfgc.importing.tree import DiskTree
from cfgc.importing.yaml_reading import NoYamlError
from cfgc.load.disk import DiskReader, find_project
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import check_spec, lower
from cfgc.resources import shipped_dir
from cfgc.source import SourceFile


@dataclass(frozen=True)
class Wanted:
    """The command line. ``root`` is the directory that may be read, when one was named."""

    file: Path
    out: Path | None
    layers: tuple[Path, ...]
    root: Path | None
    force: bool
    output_format: str


def imported(wanted: Wanted, request: Request) -> int:
    """Print or write the spec, say what became of the keys, and return the exit code.

    ``request`` says everything but the files. A spec that does not build yet is written all the same, with what is
    wrong with it.
    """
    out = wanted.out
    if out is not None and os.path.lexists(out) and not wanted.force:
        raise click.UsageError(f"{out} is there already; write the spec elsewhere, or replace it with --force")
    root = _root(wanted)
    try:
        named = replace(
            request,
            logical=_below(root, wanted.file),
            layers=tuple(_below(root, layer) for layer in wanted.layers),
            hardware=_options(),
        )
        outcome = import_file(DiskTree(root), named)
    except NoYamlError as error:
        raise click.ClickException("reading YAML needs the extra `import`: pip install 'cfgc[import]'") from error
    except Rejected as rejected:
        return _rejected(from_here(rejected.diagnostics, root), wanted)
    outcome, findings = without_refused(outcome, lambda text: _findings(text, out))
    if out is None:
        click.echo(outcome.text, nl=False)
    else:
        write_whole(out, outcome.text.encode())
    return _reported(outcome, findings, wanted)


def _reported(outcome: Outcome, findings: Sequence[Diagnostic], wanted: Wanted) -> int:
    if wanted.output_format == "text" or wanted.out is not None:
        print_diagnostics([d for d in findings if d.severity == "error"], wanted.output_format)
    counts = ", ".join(f"{number} {what}" for what, number in outcome.counts().items())
    say(f"{counts}{f'; written to {wanted.out}' if wanted.out else ''}")
    bad = any(finding.severity == "error" for finding in findings)
    if bad:
        say(f"{summary([d for d in findings if d.severity == 'error'])}: the spec does not build yet")
    return EXIT_REJECTED if bad else EXIT_OK


def _rejected(diagnostics: Sequence[Diagnostic], wanted: Wanted) -> int:
    print_diagnostics(diagnostics, wanted.output_format)
    say(f"{summary(diagnostics)}, nothing imported")
    return EXIT_REJECTED


def _root(wanted: Wanted) -> Path:
    """The directory that is read: the named one, else the current one when it holds the files, else theirs."""
    if wanted.root is not None:
        return wanted.root
    files = [Path(os.path.abspath(path)) for path in (wanted.file, *wanted.layers)]  # noqa: PTH100 - links stay
    here = Path.cwd()
    if all(file.is_relative_to(here) for file in files):
        return here
    return Path(os.path.commonpath([file.parent for file in files]))


def from_here(diagnostics: Sequence[Diagnostic], root: Path) -> tuple[Diagnostic, ...]:
    """``diagnostics`` with the files named as they can be opened from here."""
    above = os.path.relpath(root)

    def moved(label: Label) -> Label:
        source = label.span.source
        named = SourceFile(os.path.normpath(f"{above}/{source.logical}"), source.text)
        return Label(replace(label.span, source=named), label.text)

    return tuple(
        replace(
            found,
            primary=moved(found.primary) if found.primary else None,
            secondary=tuple(moved(label) for label in found.secondary),
        )
        for found in diagnostics
    )


def _below(root: Path, path: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()


def _options() -> tuple[str, ...]:
    """The shipped hardware overlays, which file names may stand for."""
    return tuple(sorted(path.stem for path in (shipped_dir("specs") / "hardware").glob("*.toml")))


def _findings(text: str, out: Path | None) -> tuple[Diagnostic, ...]:
    """What cfgc says of the new spec, as if it were there already."""
    root, logical = find_project(out or Path("imported.toml"))
    reader = MemoryReader({logical: text}, DiskReader(root, shipped_dir("specs")))
    try:
        checked = check_spec(reader, logical)
        lower(checked)
    except Rejected as rejected:
        return rejected.diagnostics
    return checked.warnings
