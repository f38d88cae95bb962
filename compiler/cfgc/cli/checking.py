"""``cfgc check``: everything but writing, for specs and for ds_configs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from cfgc.cli import EXIT_OK, EXIT_REJECTED
from cfgc.cli.report import as_errors, print_diagnostics, say, summary
from cfgc.diagnostics import Diagnostic, Rejected


@dataclass(frozen=True)
class Wanted:
    """The options of ``cfgc check``; ``deepspeed``, ``world_size`` and ``device`` are of ds_configs only."""

    output_format: str = "text"
    deny: bool = False
    deepspeed: str | None = None
    world_size: int | None = None
    device: str | None = None


def check_all(arguments: Sequence[str], wanted: Wanted) -> int:
    """Check every spec and ds_config among ``arguments``; say what was found and return the exit code."""
    from cfgc.cli.ds_configs import is_ds_config

    configs = [argument for argument in arguments if is_ds_config(argument)]
    found: list[tuple[Diagnostic, ...]] = []
    outcomes: list[str] = []
    if not configs:
        _refuse_options_of_configs(wanted)
    if len(configs) < len(arguments):
        specs = [argument for argument in arguments if argument not in configs]
        of_specs = _check_specs(specs, wanted)
        found += of_specs
        outcomes.append(f"{_holding(of_specs, wanted)} of {len(of_specs)} specs hold")
    if configs:
        of_configs, outcome = _check_configs(configs, wanted)
        found += of_configs
        outcomes.append(outcome)
    shown = [finding for findings in found for finding in (as_errors(findings) if wanted.deny else findings)]
    print_diagnostics(shown, wanted.output_format)
    say("; ".join(([summary(shown)] if shown else []) + outcomes))
    return EXIT_OK if _holding(found, wanted) == len(found) else EXIT_REJECTED


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


def _check_configs(paths: Sequence[str], wanted: Wanted) -> tuple[list[tuple[Diagnostic, ...]], str]:
    from cfgc.cli.ds_configs import Cluster, check_file, known_release, outcome
    from cfgc.load.project_target import project_deepspeed

    releases = [known_release(wanted.deepspeed or project_deepspeed(Path(path))) for path in paths]
    checked = [
        check_file(path, Cluster(deepspeed, wanted.world_size, wanted.device or ""))
        for path, deepspeed in zip(paths, releases, strict=True)
    ]
    found = [one.findings for one in checked]
    named = ", ".join(dict.fromkeys(releases))
    return found, outcome(len(found), _holding(found, wanted), sum(one.auto for one in checked), named)


def _check_specs(arguments: Sequence[str], wanted: Wanted) -> list[tuple[Diagnostic, ...]]:
    from cfgc.cli.session import is_override

    overrides = tuple(argument for argument in arguments if is_override(argument))
    paths = [argument for argument in arguments if not is_override(argument)]
    if not paths:
        raise click.UsageError("no SPEC among the arguments, only overrides")
    return [check_one(path, overrides) for path in paths]


def check_one(spec: str, overrides: Sequence[str]) -> tuple[Diagnostic, ...]:
    """All that cfgc has to say of one spec. A spec that is lowered can be emitted, so emission is left out."""
    from cfgc.cli.session import open_spec
    from cfgc.lower.lowering import lower_spec
    from cfgc.pipeline import check_spec

    session = open_spec(spec, overrides)
    try:
        checked = check_spec(session.reader, session.logical, session.overrides)
        lower_spec(checked)
    except Rejected as rejected:
        return session.from_here(rejected.diagnostics)
    return session.from_here(checked.warnings)
