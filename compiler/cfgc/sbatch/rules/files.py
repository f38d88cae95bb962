"""Logs, and where the script finds its files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from cfgc.diagnostics import Diagnostic
from cfgc.sbatch.rules.common import at, at_node, clipped
from cfgc.sbatch.script import Command, Script
from cfgc.sbatch.shell import CAPTURED, FUNCTION, HEREDOC, SUBSHELL, above, expanded, use_of
from cfgc.sbatch.traps import traps


def directory_made_too_late(script: Script) -> Iterator[Diagnostic]:
    """``mkdir`` of the directory that ``--output`` names."""
    made = {_normal(word): command for command in script.named("mkdir") for word in expanded(command)[1:]}
    for name in ("--output", "--error"):
        directive = script.directive(name)
        directory = posixpath.dirname(directive.value) if directive else ""
        command = made.get(_normal(directory)) if directory else None
        if (
            directive
            and command
            and HEREDOC not in use_of(command.node)
            and not _is_elsewhere(script, directory, command)
        ):
            yield Diagnostic(
                "CFG686",
                f"`{clipped(directory, 40)}` is made too late for `{name}`",
                at(command),
                secondary=(at(directive, "opened before the script starts"),),
                notes=("Slurm opens the log first; without the directory the job fails, and leaves no word of why",),
                helps=(f"make it before you submit: mkdir -p {directory} && sbatch …",),
                severity="warning",
            )
            return


def _is_elsewhere(script: Script, directory: str, command: Command) -> bool:
    """Whether the script has gone to another directory before, so that the same name is another one."""
    before = (one for one in script.named("cd", "pushd") if one.node.start_byte < command.node.start_byte)
    gone = any(not use_of(one.node) & {CAPTURED, SUBSHELL} for one in before)
    return gone and not directory.startswith("/")


def _normal(path: str) -> str:
    return posixpath.normpath(path.strip("\"'").removeprefix("$SLURM_SUBMIT_DIR/").removeprefix("./")) if path else ""


def first_log_lost(script: Script) -> Iterator[Diagnostic]:
    """A job that can start again, and a log that begins anew each time."""
    output = script.directive("--output")
    if not script.is_batch or script.directive("--open-mode") or (output and output.value == "/dev/null"):
        return
    place = script.directive("--requeue") or next(_requeues(script), None)
    if place is not None:
        yield Diagnostic(
            "CFG687",
            "a second start of the job overwrites the log of the first",
            at(place),
            notes=("a requeued job keeps its id, and so the name of its log; what the failed start said is lost",),
            helps=("#SBATCH --open-mode=append",),
            severity="warning",
        )


def _requeues(script: Script) -> Iterator[Command]:
    """Commands that put this very job back into the queue, and traps that do."""
    for command in script.named("scontrol"):
        if "requeue" in command.words and _OWN_JOB.search(command.text):
            yield command
    for trap in traps(script):
        if re.search(r"scontrol\s+requeue", trap.code) and _OWN_JOB.search(trap.code):
            yield trap.command


_OWN_JOB = re.compile(r"SLURM_(?:ARRAY_)?JOB_?ID")

_ITSELF = re.compile(r"^\"?\$\{?(?:0|BASH_SOURCE(?:\[0\])?)\}?\"?$")
_READS = frozenset({"dirname", "realpath", "readlink"})


def script_is_elsewhere(script: Script) -> Iterator[Diagnostic]:
    """``$0`` asked for the script's directory, which is Slurm's own while the job runs."""
    if not script.is_batch or re.search(r"scontrol\s+show\s+job", script.source.text):
        return
    for command in script.named(*_READS):
        use = use_of(command.node)
        if use & {FUNCTION, HEREDOC} or not any(_ITSELF.match(word) for word in command.words):
            continue
        default = any(parent.type == "expansion" for parent, _ in above(command.node))
        asked = any(p.type in {"if_statement", "list"} and "SLURM" in script.text_of(p) for p, _ in above(command.node))
        if not default and not asked:
            yield Diagnostic(
                "CFG689",
                f"`{clipped(command.text, 40)}` is Slurm's spool directory when sbatch runs this",
                at_node(script, command.node),
                notes=("sbatch keeps a copy of the script, and each node runs that one, as …/slurm_script",),
                helps=(
                    "the directory that it was submitted from: $SLURM_SUBMIT_DIR",
                    'or hand it over: sbatch job.sh "$PWD"',
                ),
            )
            return


RULES = (directory_made_too_late, first_log_lost, script_is_elsewhere)
