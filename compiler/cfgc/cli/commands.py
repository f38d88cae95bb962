"""The commands: each reads its arguments, calls the pipeline, and says what came of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import get_completion_class

from cfgc import __version__
from cfgc.cli import EXIT_OK, EXIT_REJECTED
from cfgc.cli.commands_project import import_spec, init, overlays, schema
from cfgc.cli.complete import complete_build, complete_explain, complete_key, complete_override, complete_spec
from cfgc.cli.data import data
from cfgc.cli.diffing import diff
from cfgc.cli.exporting import export
from cfgc.cli.groups import Commands
from cfgc.cli.linting import lint_sbatch
from cfgc.cli.logs import logs
from cfgc.cli.plot import plot
from cfgc.cli.report import FORMATS, print_diagnostics, say, summary
from cfgc.cli.reporting import report
from cfgc.cli.runs import runs
from cfgc.cli.submitting import submit
from cfgc.cli.sweep import sweep
from cfgc.cli.verifying import sign, verify

if TYPE_CHECKING:
    from cfgc.audit.forms import Form

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(
    cls=Commands,
    context_settings=CONTEXT,
    epilog="First steps: cfgc build cfgc:examples/quickstart.toml -o out/quickstart",
)
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
    return click.argument("spec", metavar="SPEC", shell_complete=complete_spec)(command)


format_option = click.option(
    "--format", "output_format", type=click.Choice(FORMATS), default="text", help="How diagnostics are printed."
)
deny_option = click.option("--deny", type=click.Choice(["warnings"]), help="Treat warnings as errors.")


@cfgc.command()
@click.argument("places", nargs=-1, required=True, metavar="SPEC [OVERRIDE]...", shell_complete=complete_build)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, readable=False), help="The bundle's directory [default: out/NAME]."
)
@format_option
@deny_option
@click.option("--check", "only_check", is_flag=True, help="Write nothing: exit 2 and say what a build would change.")
def build(places: tuple[str, ...], out: Path | None, output_format: str, deny: str | None, only_check: bool) -> int:
    """Compile SPEC and write its bundle.

    Nothing is written unless everything holds. A bundle that is there already is replaced as a whole, or left
    untouched when its bytes are equal.

    \b
    With --check, several specs, bundles and trees of bundles can be given:
    cfgc build --check specs/*.toml     are their bundles what they give now?
    cfgc build --check out/             the same of every bundle below, by the spec that it names
    """
    if only_check:
        from cfgc.cli.build_checking import compared

        return compared(places, out, output_format, deny is not None)
    from cfgc.cli.building import built

    return built(places, out, output_format, deny is not None)


@cfgc.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE... [OVERRIDE]...", shell_complete=complete_spec)
@format_option
@deny_option
@click.option(
    "--deepspeed",
    metavar="VERSION",
    help="The release that will read a ds_config [default: the project's, else the newest known].",
)
@click.option("--world-size", type=click.IntRange(1), metavar="N", help="The ranks that will train with a ds_config.")
@click.option("--device", type=click.Choice(["cuda", "cpu"]), help="What they will train on.")
@click.option("--fix", is_flag=True, help="Put right in place what can only have been meant one way.")
@click.option("--unsafe-fixes", "unsafe", is_flag=True, help="And the first help of everything else.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and write nothing.")
def check(
    files: tuple[str, ...],
    output_format: str,
    deny: str | None,
    deepspeed: str | None,
    world_size: int | None,
    device: str | None,
    fix: bool,
    unsafe: bool,
    diff: bool,
) -> int:
    """Check specs and ds_configs, without writing anything.

    A FILE is a spec (.toml), which is compiled; overrides among the arguments apply to every spec. Or it is a DeepSpeed
    config (.json, .hjson, or - for standard input) of any project, which is read as DeepSpeed would, without it.
    """
    from cfgc.cli.checking import Wanted, check_all

    wanted = Wanted(output_format, deny is not None, fix, unsafe, diff, deepspeed, world_size, device)
    return check_all(files, wanted)


@cfgc.command()
@spec_argument
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["toml", "yaml", "json", "python", "deepspeed"]),
    default="toml",
    help="toml: with origins as comments; yaml: as OmegaConf reads it; python, deepspeed: the bundle's config.py and "
    "ds_config.json.",
)
def show(spec: str, overrides: tuple[str, ...], output_format: Form) -> int:
    """Print the resolved spec: every value, and where it came from."""
    from cfgc.cli.showing import shown
    from cfgc.diagnostics import Rejected
    from cfgc.session import open_spec

    session = open_spec(spec, overrides)
    try:
        text = shown(session, output_format)
    except Rejected as rejected:
        print_diagnostics(session.from_here(rejected.diagnostics), "text")
        say(summary(rejected.diagnostics))
        return EXIT_REJECTED
    click.echo(text, nl=False)
    return EXIT_OK


@cfgc.command()
@click.argument("subject", metavar="SPEC|CODE", shell_complete=complete_explain)
@click.argument("key", required=False, shell_complete=complete_key)
@click.argument("overrides", nargs=-1, metavar="[OVERRIDE]...", shell_complete=complete_override)
def explain(subject: str, key: str | None, overrides: tuple[str, ...]) -> int:
    """Say where a value comes from, or what a diagnostic means.

    \b
    cfgc explain SPEC training.learning_rate   its value, origin, and every value it replaced
    cfgc explain SPEC training                 the same in short for a whole section
    cfgc explain CFG401                        the long form of a diagnostic; CFG4 lists those of its kind
    """
    from cfgc.cli.explain_command import explain_code, explain_key

    if re.fullmatch(r"(?i)CFG\d+", subject) and key is None:
        return explain_code(subject.upper())
    if key is None:
        raise click.UsageError(f"say which key of {subject} to explain, as in: cfgc explain {subject} training")
    return explain_key(subject, key, overrides)


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


cfgc.add_command(export)
cfgc.add_command(data)
cfgc.add_command(overlays)
cfgc.add_command(init)
cfgc.add_command(import_spec)
cfgc.add_command(schema)
cfgc.add_command(runs)
cfgc.add_command(plot)
cfgc.add_command(sweep)
cfgc.add_command(submit)
cfgc.add_command(logs)
cfgc.add_command(lint_sbatch)
cfgc.add_command(verify)
cfgc.add_command(sign)
cfgc.add_command(diff)
cfgc.add_command(report)
