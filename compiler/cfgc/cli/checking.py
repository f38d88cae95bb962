"""``cfgc check``: everything but writing, for specs and for ds_configs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cfgc.cli import EXIT_OK, EXIT_REJECTED
from cfgc.cli.report import as_errors, print_diagnostics, say, summary
from cfgc.diagnostics import Diagnostic, Rejected

if TYPE_CHECKING:
    from cfgc.cli.ds_configs import Cluster
    from cfgc.load.reader import Reader
    from cfgc.session import Session


STDIN = "-"


@dataclass(frozen=True)
class Wanted:
    """The options of ``cfgc check``; ``deepspeed``, ``world_size`` and ``device`` are of ds_configs only."""

    output_format: str = "text"
    deny: bool = False
    fix: bool = False
    unsafe: bool = False
    diff: bool = False
    deepspeed: str | None = None
    world_size: int | None = None
    device: str | None = None


def check_all(arguments: Sequence[str], wanted: Wanted) -> int:
    """Check every spec and ds_config among ``arguments``; say what was found and return the exit code."""
    configs = [argument for argument in arguments if is_ds_config(argument)]
    if wanted.fix or wanted.diff or wanted.unsafe:
        code = _fix_all([argument for argument in arguments if argument not in configs], configs, wanted)
        if code is not None:
            return code
    found: list[tuple[Diagnostic, ...]] = []
    outcomes: list[str] = []
    if not configs:
        _refuse_options_of_configs(wanted)
    if len(configs) < len(arguments):
        specs = [argument for argument in arguments if argument not in configs]
        of_specs = _check_specs(specs, wanted)
        found += of_specs
        noun = "spec holds" if len(of_specs) == 1 else "specs hold"
        outcomes.append(f"{_holding(of_specs, wanted)} of {len(of_specs)} {noun}")
    if configs:
        of_configs, outcome = _check_configs(configs, wanted)
        found += of_configs
        outcomes.append(outcome)
    shown = [finding for findings in found for finding in (as_errors(findings) if wanted.deny else findings)]
    print_diagnostics(shown, wanted.output_format)
    fixable = sum(any(fix.certain for fix in finding.fixes) for finding in shown)
    offer = [f"{fixable} to put right with --fix"] if fixable and not wanted.fix else []
    say("; ".join(([summary(shown)] if shown else []) + offer + outcomes))
    return EXIT_OK if _holding(found, wanted) == len(found) else EXIT_REJECTED


def is_ds_config(argument: str) -> bool:
    """True for a JSON or HJSON file, by its name or by the brace that it begins with, and for standard input."""
    path = Path(argument)
    if argument == STDIN or path.suffix == ".toml":
        return argument == STDIN
    if path.suffix.lower() in {".json", ".hjson"}:
        return "=" not in argument or path.is_file()
    try:
        with path.open("rb") as file:
            return file.read(4096).lstrip().startswith(b"{")
    except (OSError, ValueError):
        return False


def _fix_all(specs: Sequence[str], configs: Sequence[str], wanted: Wanted) -> int | None:
    """Fix the files, or print the diff: then the exit code is 1 when there is one, or an error is left."""
    from cfgc.cli.fixing import fixed, write_fixed
    from cfgc.cli.subjects import config_subjects, spec_subjects

    if not (wanted.fix or wanted.diff):
        raise click.UsageError("--unsafe-fixes says which fixes are applied: add --fix, or --diff")
    outcome = fixed([*spec_subjects(specs), *config_subjects(configs, wanted)], unsafe=wanted.unsafe)
    if not wanted.diff:
        write_fixed(outcome)
        return None
    click.echo(outcome.diff(), nl=False)
    return EXIT_REJECTED if outcome.changes else None


def _refuse_options_of_configs(wanted: Wanted) -> None:
    """A spec says these things itself."""
    given = {
        "deepspeed": (wanted.deepspeed, "target.deepspeed"),
        "world-size": (wanted.world_size, "launch.nodes and launch.gpus_per_node"),
        "device": (wanted.device, "hardware.device"),
    }
    for option, (value, key) in given.items():
        if value is not None:
            raise click.UsageError(f"--{option} is for ds_configs; a spec says it itself, by {key}")


def _holding(found: Sequence[tuple[Diagnostic, ...]], wanted: Wanted) -> int:
    return sum(not any(finding.severity == "error" or wanted.deny for finding in findings) for findings in found)


def cluster_of(path: str, wanted: Wanted) -> Cluster:
    """What the ds_config at ``path`` is checked for."""
    from cfgc.cli.ds_configs import Cluster, known_release
    from cfgc.load.project_target import project_deepspeed

    version = known_release(wanted.deepspeed or project_deepspeed(Path(path)))
    return Cluster(version, wanted.world_size, wanted.device or "")


def _check_configs(paths: Sequence[str], wanted: Wanted) -> tuple[list[tuple[Diagnostic, ...]], str]:
    from cfgc.cli.ds_configs import check_file, outcome

    clusters = [cluster_of(path, wanted) for path in paths]
    releases = [cluster.deepspeed for cluster in clusters]
    checked = [check_file(path, cluster) for path, cluster in zip(paths, clusters, strict=True)]
    found = [one.findings for one in checked]
    named = ", ".join(dict.fromkeys(releases))
    return found, outcome(len(found), _holding(found, wanted), sum(one.auto for one in checked), named)


def _check_specs(arguments: Sequence[str], wanted: Wanted) -> list[tuple[Diagnostic, ...]]:
    paths, overrides = told_apart(arguments)
    if not paths:
        raise click.UsageError("no SPEC among the arguments, only overrides")
    return [check_one(path, overrides) for path in paths]


def told_apart(arguments: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The paths of specs among ``arguments``, and the overrides."""
    from cfgc.session import is_override

    paths = [argument for argument in arguments if not is_override(argument)]
    return paths, tuple(argument for argument in arguments if is_override(argument))


def check_one(spec: str, overrides: Sequence[str]) -> tuple[Diagnostic, ...]:
    """All that cfgc has to say of one spec."""
    from cfgc.session import open_spec

    session = open_spec(spec, overrides)
    return session.from_here(findings_of(session, session.reader))


def findings_of(session: Session, reader: Reader) -> tuple[Diagnostic, ...]:
    """The same, with the files by their logical names. A spec that is lowered can be emitted: that is left out."""
    from cfgc.pipeline import check, lower

    try:
        checked = check(reader, session.logical, session.overrides)
        lower(checked)
    except Rejected as rejected:
        return rejected.diagnostics
    return checked.warnings
