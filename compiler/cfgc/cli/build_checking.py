"""``cfgc build --check``: is what lies there what a build would write?"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from cfgc.audit.bundle_on_disk import bundle_at
from cfgc.audit.drift import Drift, drift_of
from cfgc.audit.drift_errors import differs, not_built, spec_is_gone
from cfgc.audit.drift_text import drift_text
from cfgc.audit.verify import bundles_at
from cfgc.cli import EXIT_DIFFERS, EXIT_OK
from cfgc.cli.checking import told_apart
from cfgc.cli.refusing import refusal_code
from cfgc.cli.report import as_errors, print_diagnostics, say, wants_colour
from cfgc.cli.sweep_progress import watched
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load.disk import find_project
from cfgc.pipeline import check, emit, lower
from cfgc.session import Session, default_out, open_bundle, open_spec
from cfgc.write.errors import not_readable


@dataclass(frozen=True)
class _Built:
    """A spec and the directory of its bundle; None is where a build puts it."""

    session: Session
    directory: Path | None = None

    def command(self, directory: Path) -> str:
        """What builds it."""
        spec = self.session.shown(self.session.logical)
        return shlex.join(["cfgc", "build", spec, *self.session.overrides, "-o", str(directory)])


def compared(arguments: Sequence[str], out: Path | None, output_format: str, deny: bool) -> int:
    """Compare the bundles of specs, single bundles and trees with what builds would give; nothing is written."""
    places, overrides = told_apart(arguments)
    if not places:
        raise click.UsageError("no SPEC, bundle or tree among the arguments, only overrides")
    found, drifts = _all([Path(place) for place in places], overrides, out, deny)
    if output_format == "text":
        _print([drift for drift in drifts if drift.exists])
    print_diagnostics([finding for findings in found for finding in findings], output_format)
    good = sum(not findings for findings in found)
    noun = "bundle is what its spec gives" if len(found) == 1 else "bundles are what their specs give"
    say(f"{good} of {len(found)} {noun}")
    if good == len(found):
        return EXIT_OK
    if len(found) - good == len(drifts):
        return EXIT_DIFFERS
    return refusal_code(finding for findings in found for finding in findings)


def _all(
    places: Sequence[Path], overrides: tuple[str, ...], out: Path | None, deny: bool
) -> tuple[list[Sequence[Diagnostic]], list[Drift]]:
    """What is wrong with each, nothing for one that is as built; and those that differ."""
    found: list[Sequence[Diagnostic]] = []
    drifts: list[Drift] = []
    with watched("bundles") as progress:
        subjects = list(_subjects(places, overrides, out))
        for number, subject in enumerate(subjects):
            if len(subjects) > 1:
                progress(number, len(subjects))
            if isinstance(subject, Rejected):
                found.append(subject.diagnostics)
                continue
            try:
                drift, command = _drift(subject, deny)
            except Rejected as rejected:
                found.append(subject.session.from_here(rejected.diagnostics))
                continue
            said = (differs if drift.exists else not_built)(drift, command) if drift else None
            found.append([said] if said else [])
            drifts += [drift] if drift else []
    return found, drifts


def _subjects(places: Sequence[Path], overrides: tuple[str, ...], out: Path | None) -> Iterator[_Built | Rejected]:
    if out is not None and (len(places) > 1 or places[0].is_dir()):
        raise click.UsageError("-o says where the bundle of one SPEC is; a bundle or a tree says so itself")
    for place in places:
        if not place.is_dir():
            yield _Built(open_spec(str(place), overrides), out)
        elif overrides:
            raise click.UsageError(f"{place} was built with overrides of its own: leave out {' '.join(overrides)}")
        else:
            yield from map(_of_bundle, _bundles(place))


def _bundles(place: Path) -> Sequence[Path]:
    try:
        return bundles_at(place)
    except Rejected as rejected:
        raise click.UsageError(f"{place} is no bundle, and none is below it") from rejected


def _of_bundle(directory: Path) -> _Built | Rejected:
    try:
        bundle = bundle_at(directory)
    except Rejected as rejected:
        return rejected
    session = open_bundle(directory, bundle)
    if session.reader.read(session.logical) is None:
        return Rejected([spec_is_gone(directory, session.logical, find_project(directory)[0])])
    return _Built(session, directory)


def _drift(built: _Built, deny: bool) -> tuple[Drift | None, str]:
    session = built.session
    checked = check(session.reader, session.logical, session.overrides)
    if deny and checked.warnings:
        raise Rejected(as_errors(checked.warnings))
    bundle = emit(lower(checked))
    directory = built.directory or default_out(session, bundle.name)
    try:
        return drift_of(bundle, directory, session.shown(session.logical)), built.command(directory)
    except OSError as error:
        raise Rejected([not_readable(directory, error)]) from error


def _print(drifts: Sequence[Drift]) -> None:
    from cfgc.audit.comparison_text import coloured, plain
    from cfgc_runtime.progress import sayable

    paint = coloured if wants_colour(sys.stdout) else plain
    for drift in drifts:
        click.echo(sayable(drift_text(drift, paint), sys.stdout.encoding))
