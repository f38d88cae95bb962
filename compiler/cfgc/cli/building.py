"""``cfgc build``: compile, then write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from cfgc.cli import EXIT_OK
from cfgc.cli.checking import told_apart
from cfgc.cli.refusing import refusal_code
from cfgc.cli.report import as_errors, print_diagnostics, say, summary
from cfgc.cli.sweep_progress import watched
from cfgc.diagnostics import Rejected
from cfgc.pipeline import check, emit, lower
from cfgc.receipts.receipt import asked
from cfgc.receipts.recording import keep, noted
from cfgc.session import default_out, open_spec
from cfgc.write.errors import not_written
from cfgc.write.existing import edited_files, signature_in
from cfgc.write.writer import write_bundle


def built(arguments: Sequence[str], out: Path | None, output_format: str, deny: bool) -> int:
    """Compile the spec among ``arguments`` and write its bundle; says what came of it and returns the exit code."""
    spec, overrides = _one_spec(arguments)
    session, reader = noted(open_spec(spec, overrides))
    try:
        with watched() as progress:
            checked = check(session.reader, session.logical, session.overrides, progress)
        if deny and checked.warnings:
            raise Rejected(as_errors(checked.warnings))
        print_diagnostics(session.from_here(checked.warnings), output_format)
        bundle = emit(lower(checked))
        directory = out or default_out(session, bundle.name)
        edited, signed = _there(directory)
        outcome = write_bundle(bundle, directory)
    except Rejected as rejected:
        print_diagnostics(session.from_here(rejected.diagnostics), output_format)
        say(f"{summary(rejected.diagnostics)}, nothing written")
        return refusal_code(rejected.diagnostics)
    say(f"{outcome} {directory} ({len(bundle.files)} files; read {directory / 'PLAN.md'} first)")
    if edited:
        say(f"edits by hand are gone from {', '.join(edited)}: a bundle is what its spec says")
    if signed and not signature_in(directory):
        say(f"the signature is gone with the bundle that it was of; once more: cfgc sign {directory} --key FILE")
    if not checked.warnings and output_format == "text":
        keep(reader, session, asked(spec, str(out or ""), overrides), bundle, directory)
    return EXIT_OK


def _there(directory: Path) -> tuple[list[str], list[Path]]:
    """Files of the bundle at ``directory`` that were edited, and its signature."""
    try:
        return edited_files(directory), signature_in(directory)
    except OSError as error:
        raise Rejected([not_written(directory, error)]) from error


def _one_spec(arguments: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The spec, which comes first, and its overrides."""
    specs, overrides = told_apart(arguments)
    if specs != list(arguments[:1]):
        odd = next((place for place in specs if place != arguments[0]), arguments[0])
        raise click.UsageError(
            f"{odd} is no override (key=value, group=option, ~key)"
            if specs[1:]
            else "write the SPEC first, as in: cfgc build spec.toml training.max_steps=10"
        )
    return specs[0], overrides
