"""``cfgc build --check``: is what lies there what a build would write?"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from cfgc.audit.bundle_on_disk import bundle_at
from cfgc.audit.drift import Drift, drift_of
from cfgc.audit.drift_errors import differs, not_built, not_there, spec_is_gone
from cfgc.audit.drift_places import Place, edited_place, finding_at, manifest_of
from cfgc.audit.drift_road import road_to, whole
from cfgc.audit.drift_text import drift_text
from cfgc.audit.verify import bundles_at
from cfgc.cli import EXIT_DIFFERS, EXIT_OK
from cfgc.cli.checking import told_apart
from cfgc.cli.refusing import refusal_code
from cfgc.cli.report import as_errors, print_diagnostics, say, wants_colour
from cfgc.cli.sweep_progress import watched
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.emit.bundle import Bundle
from cfgc.load.raw import PROJECT_FILE, SHIPPED
from cfgc.pipeline import check, emit, lower
from cfgc.session import Session, default_out, open_bundle, open_spec
from cfgc.write.errors import not_readable


@dataclass(frozen=True)
class _Built:
    """A spec and the directory of its bundle; None is where a build puts it."""

    session: Session
    directory: Path | None = None

    @property
    def spec(self) -> str:
        """As it can be opened from here."""
        return self.session.shown(self.session.logical)


@dataclass(frozen=True)
class _Outcome:
    """What is wrong with a bundle, nothing when it is as built; ``place`` is the file and line that this is about."""

    findings: tuple[Diagnostic, ...] = ()
    drift: Drift | None = None
    place: Place | None = None


def compared(arguments: Sequence[str], out: Path | None, output_format: str, deny: bool) -> int:
    """Compare the bundles of specs, single bundles and trees with what builds would give; nothing is written."""
    places, overrides = told_apart(arguments)
    if not places:
        raise click.UsageError("no SPEC, bundle or tree among the arguments, only overrides")
    outcomes = _all([Path(place) for place in places], overrides, out, deny)
    findings = [finding for one in outcomes for finding in one.findings]
    if output_format == "text":
        _print([one.drift for one in outcomes if one.drift and one.drift.exists])
        print_diagnostics(findings, output_format)
    else:
        placed = [finding_at(one.place, finding) for one in outcomes for finding in one.findings]
        print_diagnostics(placed, output_format)
    good = sum(not one.findings for one in outcomes)
    noun = "bundle is what its spec gives" if len(outcomes) == 1 else "bundles are what their specs give"
    say(f"{good} of {len(outcomes)} {noun}")
    if not findings:
        return EXIT_OK
    return EXIT_DIFFERS if all(one.drift for one in outcomes if one.findings) else refusal_code(findings)


def _all(places: Sequence[Path], overrides: tuple[str, ...], out: Path | None, deny: bool) -> list[_Outcome]:
    found: list[_Outcome] = []
    with watched("bundles") as progress:
        subjects = list(_subjects(places, overrides, out))
        for number, subject in enumerate(subjects):
            if len(subjects) > 1:
                progress(number, len(subjects))
            found.append(_outcome(subject, deny) if isinstance(subject, _Built) else subject)
    return found


def _subjects(places: Sequence[Path], overrides: tuple[str, ...], out: Path | None) -> Iterator[_Built | _Outcome]:
    if out is not None and (len(places) > 1 or places[0].is_dir()):
        raise click.UsageError("-o says where the bundle of one SPEC is; a bundle or a tree says so itself")
    for place in places:
        if not place.is_dir():
            yield _Built(open_spec(str(place), overrides), out) if _is_spec(place) else _Outcome((not_there(place),))
        elif overrides:
            raise click.UsageError(f"{place} was built with overrides of its own: leave out {' '.join(overrides)}")
        else:
            yield from map(_of_bundle, _bundles(place))


def _is_spec(place: Path) -> bool:
    return place.suffix == ".toml" or str(place).startswith(SHIPPED) or os.path.lexists(place)


def _bundles(place: Path) -> Sequence[Path]:
    try:
        return bundles_at(place)
    except Rejected as rejected:
        raise click.UsageError(f"{place} is no bundle, and none is below it") from rejected


def _of_bundle(directory: Path) -> _Built | _Outcome:
    built = whole(directory)
    try:
        session = open_bundle(built, bundle_at(built))
    except Rejected as rejected:
        return _Outcome(rejected.diagnostics, place=manifest_of(built))
    if _is_gone(session):
        is_project = (session.root / PROJECT_FILE).is_file()
        gone = spec_is_gone(directory, session.logical, session.overrides, session.root, is_project)
        return _Outcome((gone,), place=manifest_of(directory))
    return _Built(session, directory)


def _is_gone(session: Session) -> bool:
    try:
        return session.reader.read(session.logical) is None
    except OSError:
        return False  # it is there, and compiling it says what is wrong with it


def _outcome(built: _Built, deny: bool) -> _Outcome:
    spec = None if built.spec.startswith(SHIPPED) else (Path(built.spec), 1)
    try:
        drift, bundle = _drift(built, deny)
        if drift is None:
            return _Outcome()
        road = road_to(bundle, drift.directory, (built.spec, *built.session.overrides))
    except Rejected as rejected:
        return _Outcome(built.session.from_here(rejected.diagnostics), place=spec)
    finding = (differs if drift.exists else not_built)(drift, road)
    return _Outcome((finding,), drift, edited_place(drift) or spec)


def _drift(built: _Built, deny: bool) -> tuple[Drift | None, Bundle]:
    session = built.session
    checked = check(session.reader, session.logical, session.overrides)
    if deny and checked.warnings:
        raise Rejected(as_errors(checked.warnings))
    bundle = emit(lower(checked))
    directory = built.directory or default_out(session, bundle.name)
    try:
        return drift_of(bundle, directory, built.spec), bundle
    except OSError as error:
        raise Rejected([not_readable(directory, error)]) from error


def _print(drifts: Sequence[Drift]) -> None:
    from cfgc.audit.comparison_text import coloured, plain
    from cfgc_runtime.progress import sayable

    paint = coloured if wants_colour(sys.stdout) else plain
    for drift in drifts:
        click.echo(sayable(drift_text(drift, paint), sys.stdout.encoding))
