"""``cfgc submit``: verify a bundle, then its own submit.sh."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from cfgc.cli import EXIT_OK, EXIT_USAGE
from cfgc.cli.report import say

_SCRIPT = "submit.sh"


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, readable=False), metavar="BUNDLE")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[-- SBATCH-OPTION...]")
@click.option("--run-dir", metavar="DIR", help="Keep the run's state in DIR [default: launch.run_dir].")
@click.option("--points", metavar="LIST", help="Of a sweep: submit only these points, each once, such as 0,4-6.")
@click.option("--test-only", is_flag=True, help="Ask Slurm whether it would take it, and submit nothing.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def submit(
    bundle: Path, options: tuple[str, ...], run_dir: str | None, points: str | None, test_only: bool, dry_run: bool
) -> int:
    """Submit a bundle to Slurm, from this directory.

    Every file of the bundle is compared with its manifest; then the bundle's own submit.sh does the rest, which works
    without cfgc too. Exit codes are those of submit.sh. Then: cfgc runs, cfgc logs RUN.
    """
    from cfgc.audit.bundle_on_disk import unreadable
    from cfgc.audit.verify import is_bundle
    from cfgc_runtime.errors import Failure
    from cfgc_runtime.manifest import NAME, verify_bundle
    from cfgc_runtime.point import LIST

    if not (os.path.lexists(bundle / NAME) or is_bundle(bundle) or unreadable(bundle)):
        return _not_a_bundle(bundle, NAME)
    try:
        verify_bundle(bundle)
    except Failure as failure:
        say(f"error: {failure}")
        return failure.code
    if not (bundle / _SCRIPT).is_file():
        say(f"error: {bundle} has no {_SCRIPT}: an older cfgc wrote it; build it again")
        return EXIT_USAGE
    if points is not None and not (bundle / LIST).is_file():
        say(f"error: {bundle} is not a sweep; it has no points")
        return EXIT_USAGE
    flags = [flag for flag, wanted in (("--test-only", test_only), ("--dry-run", dry_run)) if wanted]
    named = [f"--{name}={value}" for name, value in (("run-dir", run_dir), ("points", points)) if value is not None]
    return _submitted([str(bundle.absolute() / _SCRIPT), *flags, *named, "--", *options])


def _not_a_bundle(path: Path, manifest: str) -> int:
    if path.suffix == ".toml" and path.is_file():
        say(f"error: {path} is a spec; build it, and submit the bundle: cfgc build {path}")
    else:
        why = f"it has no {manifest}" if path.is_dir() else "there is no such directory"
        say(f"error: {path} is not a bundle: {why}")
    return EXIT_USAGE


def _submitted(command: list[str]) -> int:
    """Run the script. What Slurm says on stderr is passed on, and a hint follows where one is known."""
    from cfgc.launching.refusals import hint_for

    said: list[str] = []
    with subprocess.Popen(["bash", *command], stderr=subprocess.PIPE, text=True, errors="replace") as script:
        assert script.stderr is not None, "it is a pipe"
        for line in script.stderr:
            sys.stderr.write(line)
            sys.stderr.flush()
            said.append(line)
    if script.returncode != EXIT_OK and (hint := hint_for("".join(said))):
        say(f"  = help: {hint}")
    return script.returncode
