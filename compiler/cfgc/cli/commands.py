"""The commands: each reads its arguments, calls the pipeline, and says what came of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from cfgc import __version__
from cfgc.cli import EXIT_OK, EXIT_REJECTED, EXIT_USAGE
from cfgc.cli.complete import complete_explain, complete_override
from cfgc.cli.report import FORMATS, print_diagnostics, say, summary

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT, epilog="First steps: cfgc build cfgc:examples/quickstart.toml -o out/quickstart")
@click.version_option(__version__, "--version", prog_name="cfgc")
def cfgc() -> None:
    """The compiler for training runs.

    A TOML experiment spec goes in; a directory comes out that you can review, commit and start: ds_config.json, launch
    scripts, a frozen config module and a manifest.

    An OVERRIDE changes one value from the command line: training.learning_rate=1e-4 sets a key, zero=3 picks the
    overlay zero/3.toml, ~training.scheduler removes a key. Quote overrides in zsh.
    """


def spec_argument(command: Callable[..., int]) -> Callable[..., int]:
    """The SPEC and OVERRIDE arguments that most commands share."""
    command = click.argument("overrides", nargs=-1, metavar="[OVERRIDE]...", shell_complete=complete_override)(command)
    return click.argument("spec", metavar="SPEC")(command)


format_option = click.option(
    "--format", "output_format", type=click.Choice(FORMATS), default="text", help="How diagnostics are printed."
)
deny_option = click.option("--deny", type=click.Choice(["warnings"]), help="Treat warnings as errors.")


@cfgc.command()
@spec_argument
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The bundle's directory [default: out/NAME].")
@format_option
@deny_option
def build(spec: str, overrides: tuple[str, ...], out: Path | None, output_format: str, deny: str | None) -> int:
    """Compile SPEC and write its bundle.

    Nothing is written unless everything holds. A bundle that is there already is replaced as a whole, or left
    untouched when its bytes are equal.
    """
    from cfgc.cli.session import default_out, open_spec
    from cfgc.diagnostics import Rejected
    from cfgc.emit.bundle import emit_bundle
    from cfgc.lower.lowering import lower_spec
    from cfgc.pipeline import check_spec
    from cfgc.write.writer import write_bundle

    session = open_spec(spec, overrides)
    try:
        checked = check_spec(session.reader, session.logical, session.overrides)
        print_diagnostics(checked.warnings, output_format)
        if deny and checked.warnings:
            say(f"{summary(checked.warnings)}, refused by --deny warnings; nothing written")
            return EXIT_REJECTED
        bundle = emit_bundle(lower_spec(checked))
        directory = out or default_out(session.root, bundle.name)
        outcome = write_bundle(bundle, directory)
    except Rejected as rejected:
        print_diagnostics(rejected.diagnostics, output_format)
        say(f"{summary(rejected.diagnostics)}, nothing written")
        return EXIT_REJECTED
    say(f"{outcome} {directory} ({len(bundle.files)} files; read {directory / 'PLAN.md'} first)")
    return EXIT_OK


@cfgc.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC... [OVERRIDE]...", shell_complete=complete_override)
@format_option
@deny_option
def check(specs: tuple[str, ...], output_format: str, deny: str | None) -> int:
    """Compile each SPEC without writing anything.

    Overrides among the arguments apply to every spec.
    """
    from cfgc.cli.checking import check_one
    from cfgc.cli.session import is_override

    overrides = tuple(x for x in specs if is_override(x))
    paths = [x for x in specs if not is_override(x)]
    if not paths:
        raise click.UsageError("no SPEC among the arguments, only overrides")
    findings = [(path, check_one(path, overrides)) for path in paths]
    diagnostics = [d for _, found in findings for d in found]
    print_diagnostics(diagnostics, output_format)
    bad = [path for path, found in findings if any(d.severity == "error" for d in found) or (deny and found)]
    good = len(paths) - len(bad)
    say(f"{summary(diagnostics)}; {good} of {len(paths)} specs hold" if diagnostics else f"{good} of {good} specs hold")
    return EXIT_REJECTED if bad else EXIT_OK


@cfgc.command()
@spec_argument
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["toml", "json", "yaml", "python"]),
    default="toml",
    help="toml: with origins as comments; python: the bundle's config.py.",
)
def show(spec: str, overrides: tuple[str, ...], output_format: str) -> int:
    """Print the resolved spec: every value, and where it came from."""
    from cfgc.cli.session import open_spec
    from cfgc.cli.showing import shown
    from cfgc.diagnostics import Rejected

    session = open_spec(spec, overrides)
    try:
        text = shown(session, output_format)
    except Rejected as rejected:
        print_diagnostics(rejected.diagnostics, "text")
        say(summary(rejected.diagnostics))
        return EXIT_REJECTED
    click.echo(text, nl=False)
    return EXIT_OK


@cfgc.command()
@click.argument("subject", metavar="SPEC|CODE", shell_complete=complete_explain)
@click.argument("key", required=False, shell_complete=complete_override)
@click.argument("overrides", nargs=-1, metavar="[OVERRIDE]...", shell_complete=complete_override)
def explain(subject: str, key: str | None, overrides: tuple[str, ...]) -> int:
    """Say where a value comes from, or what a diagnostic means.

    \b
    cfgc explain SPEC training.learning_rate   its value, origin, and every value it replaced
    cfgc explain SPEC training                 the same in short for a whole section
    cfgc explain CFG401                        the long form of a diagnostic
    """
    if re.fullmatch(r"(?i)CFG\d+", subject) and key is None:
        return _explain_code(subject.upper())
    if key is None:
        raise click.UsageError(f"say which key of {subject} to explain, as in: cfgc explain {subject} training")
    return _explain_key(subject, key, overrides)


def _explain_code(code: str) -> int:
    from cfgc.diagnostics.explain import explanation, known_codes

    page = explanation(code)
    if page is None:
        click.echo(f"there is no {code}; the codes are {', '.join(known_codes())}", err=True)
        return EXIT_USAGE
    click.echo(page, nl=False)
    return EXIT_OK


def _explain_key(spec: str, key: str, overrides: tuple[str, ...]) -> int:
    from cfgc.cli.explaining import explained
    from cfgc.cli.session import open_spec
    from cfgc.diagnostics import Rejected

    try:
        text = explained(open_spec(spec, overrides), key)
    except Rejected as rejected:
        print_diagnostics(rejected.diagnostics, "text")
        return EXIT_REJECTED
    click.echo(text, nl=False)
    return EXIT_OK


@cfgc.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script of a shell.

    \b
    bash  eval "$(cfgc completion bash)"       in ~/.bashrc
    zsh   eval "$(cfgc completion zsh)"        in ~/.zshrc
    fish  cfgc completion fish | source        in ~/.config/fish/config.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None, "click knows the shells that the choice allows"
    sys.stdout.write(kind(cfgc, {}, "cfgc", "_CFGC_COMPLETE").source())
    return EXIT_OK
