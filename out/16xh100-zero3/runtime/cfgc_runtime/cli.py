"""The bundle's commands, for launch.sh and job.sbatch. Standard library only, up to the training child."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cfgc_runtime.attempt import Attempt
from cfgc_runtime.config import load_config
from cfgc_runtime.errors import BAD_CHECKPOINT, FINISHED, USAGE, Failure, describe_os_error, tell
from cfgc_runtime.export.command import add_parser, run_export
from cfgc_runtime.finish import describe_run
from cfgc_runtime.hosts import exclude, suspects
from cfgc_runtime.joining import find_host, join, named_hosts
from cfgc_runtime.lock import wait_until_free
from cfgc_runtime.looking import look
from cfgc_runtime.manifest import verify_bundle
from cfgc_runtime.node import ATTEMPT_VARIABLE, supervise_node
from cfgc_runtime.ops.prebuild import BUILDERS, build_ops
from cfgc_runtime.outcome import settle_job
from cfgc_runtime.pipeline import verify_around
from cfgc_runtime.point import point_of
from cfgc_runtime.preflight.node import show_checks
from cfgc_runtime.progress import sayable
from cfgc_runtime.rank import run_rank
from cfgc_runtime.retry import decide, decide_after_save
from cfgc_runtime.rundir import RUN_DIR_VARIABLE, RunDirectory
from cfgc_runtime.share import Share
from cfgc_runtime.sharing import select_point
from cfgc_runtime.signature import check_signature
from cfgc_runtime.signers import find_signers
from cfgc_runtime.stage import stage_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence

_BUNDLE = Path(__file__).resolve().parents[2]


class _Parser(argparse.ArgumentParser):
    """An argument parser whose usage errors end with 64."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.print_usage(sys.stderr)
        raise Failure(USAGE, message)


def main(arguments: Sequence[str]) -> int:
    """Run one command; the process's exit code."""
    options = None
    try:
        options = _parser().parse_args(arguments)
        return _run(options)
    except Failure as failure:
        tell(f"error: {failure}")
        return failure.code
    except BrokenPipeError:  # the reader of our output, such as `head`, had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINISHED
    except OSError as error:
        place = getattr(options, "run_dir", None) or "standard output"
        tell(f"error: {describe_os_error(error, place)}")
        return BAD_CHECKPOINT


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -B runtime", description="Commands of this bundle's runtime.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    verify = commands.add_parser("verify", help="compare every file with the manifest")
    verify.add_argument("--bundle", type=Path, default=_BUNDLE, help="another one, such as the pipeline around a stage")
    verify.add_argument("--signers", type=Path, metavar="FILE", help="who may sign it (man ssh-keygen): one must have")
    verify.add_argument("--identity", default="", metavar="NAME", help="which of them")
    stage = commands.add_parser("stage", help="copy the bundle into the run directory and open an attempt")
    stage.add_argument("--bundle", type=Path, default=_BUNDLE)
    stage.add_argument("--run-dir", type=Path, required=True)
    stage.add_argument("--point", type=int, help="of a sweep: the point that RUN_DIR is for")
    stage.add_argument("--hosts", default="", help="the machines of the attempt, node 0 first")
    stage.add_argument("--automatic", action="store_true", help="nobody asked for this start: refuse one too many")
    looking = commands.add_parser("look", help="say whether a start would have nothing to do, or be refused")
    looking.add_argument("--bundle", type=Path, default=_BUNDLE)
    looking.add_argument("--run-dir", type=Path, required=True)
    looking.add_argument("--points", default="", help="of a sweep: which, such as 0,4-6")
    node = commands.add_parser("node", help="run torchrun, or a single rank, and return the failing rank's exit code")
    node.add_argument("--run-dir", type=Path, required=True)
    node.add_argument("--node-rank", type=int, default=0)
    node.add_argument("--local-rank", type=int, help="the command is this rank of the node alone")
    node.add_argument("--attempt", default="", help="part of a job's attempt, whose script asks for the `outcome`")
    node.add_argument("launcher", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    joining = commands.add_parser("join", help="meet the other hosts, then run torchrun on this one")
    joining.add_argument("--bundle", type=Path, default=_BUNDLE)
    joining.add_argument("--run-dir", type=Path, required=True)
    joining.add_argument("--hosts", default="", help="names, separated by commas, node 0 first")
    joining.add_argument("--hosts-file", type=Path, help="the same, one a line")
    joining.add_argument("--node-rank", type=int, help="which of them this is; default: by its name")
    joining.add_argument("--port", type=int, default=0)
    joining.add_argument("launcher", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    build = commands.add_parser("build", help="build DeepSpeed's ops (node starts this)")
    build.add_argument("ops", nargs="+", choices=sorted(BUILDERS))
    commands.add_parser("rank", help="train (torchrun starts this)")
    check = commands.add_parser("check", help="look at this node without training: packages, data, GPUs, room, limits")
    check.add_argument("--run-dir", type=Path, help="default: where the spec puts it, from this directory")
    _add_endings(commands)
    add_parser(commands)
    finish = commands.add_parser("finish", help="say how the run stands and draw its loss curve")
    finish.add_argument("--run-dir", type=Path, required=True)
    return parser


def _add_endings(commands: argparse._SubParsersAction[_Parser]) -> None:
    """What scripts ask once an attempt has ended."""
    again = commands.add_parser(
        "again", help="say whether a run that failed is worth another start, and after how long"
    )
    again.add_argument("--run-dir", type=Path, required=True)
    again.add_argument("--code", type=int, required=True, help="how it ended")
    again.add_argument("--queue", action="store_true", help="a job that saved asks whether to be queued again")
    lost = commands.add_parser("suspects", help="name the machines that failed the last attempt, and avoid them")
    lost.add_argument("--run-dir", type=Path, required=True)
    lost.add_argument("--most", type=int, default=-1, help="as many may be avoided; default: all")
    lost.add_argument("--lost", default="", help="machines that a scheduler lost, of this attempt or not")
    lost.add_argument("--going", action="store_true", help="the attempt is not over: its records are not complete")
    outcome = commands.add_parser("outcome", help="say how a job's attempt ended: its exit code, on stdout")
    outcome.add_argument("--run-dir", type=Path, required=True)
    outcome.add_argument("--attempt", required=True)
    outcome.add_argument("--code", type=int, required=True, help="that of srun")


def _run(options: argparse.Namespace) -> int:
    if options.command in ("verify", "export", "build"):
        print(_of_no_run(options), flush=True)
        return FINISHED
    if options.command == "rank":
        return _rank()
    if options.command == "check":
        return show_checks(_BUNDLE, options.run_dir)
    run = RunDirectory(options.run_dir.absolute())
    os.environ[RUN_DIR_VARIABLE] = str(run.root)  # paths of other stages are beside it
    if options.command == "again":
        return _again(run, options.code, options.queue)
    if options.command in ("node", "join"):
        return _supervise(options, run)
    if options.command == "outcome":
        text = str(settle_job(_bundle_of(run), run, Attempt(run.attempts / options.attempt), options.code))
    elif options.command == "look":
        text = look(options.bundle.absolute(), run, options.points)
    elif options.command == "suspects":
        text = _suspects(run, options.most, options.lost.split(), over=not options.going)
    elif options.command == "stage":
        bundle = options.bundle.absolute()
        verify_around(bundle)
        bundle = bundle if options.point is None else select_point(bundle, run, options.point)
        text = stage_bundle(bundle, run, options.hosts.split(), automatic=options.automatic)
    else:
        text = describe_run(run)
    print(sayable(text, sys.stdout.encoding), flush=True)
    return FINISHED


def _supervise(options: argparse.Namespace, run: RunDirectory) -> int:
    command = options.launcher[1:] if options.launcher[:1] == ["--"] else options.launcher
    if options.command == "join":
        bundle = options.bundle.absolute()
        hosts = find_host(named_hosts(options.hosts, options.hosts_file), bundle, options.node_rank)
        return join(bundle, run, hosts, options.port, command)
    share = Share(options.node_rank, options.local_rank, options.attempt)
    return supervise_node(_bundle_of(run), run, share, command)


def _bundle_of(run: RunDirectory) -> Path:
    """The bundle that this file is part of, as the point has it whose run directory this is."""
    return run.bundle if point_of(run.bundle) else _BUNDLE


def _of_no_run(options: argparse.Namespace) -> str:
    """Commands without a run directory; what to say."""
    if options.command == "build":
        return build_ops(options.ops)
    return _verify(options) if options.command == "verify" else run_export(options)


def _verify(options: argparse.Namespace) -> str:
    if options.identity and options.signers is None:
        raise Failure(USAGE, "verify: --identity is one of a file of signers: give it with --signers FILE")
    if options.signers is not None:
        find_signers(options.signers)
    if not options.bundle.is_dir():
        why = "it is a file" if options.bundle.exists() else "there is no such directory"
        raise Failure(USAGE, f"verify: {options.bundle} is not a bundle: {why}")
    if not any(_may_be(options.bundle / name) for name in ("manifest.json", "launch.sh")):
        raise Failure(USAGE, f"verify: {options.bundle} is not a bundle: it has no manifest.json")
    manifest = verify_bundle(options.bundle)
    signature = check_signature(options.bundle, options.signers, options.identity)
    said = f"{manifest.experiment}: {len(manifest.outputs)} files are as compiled ({manifest.bundle_digest})"
    return f"{said}, {signature}" if signature else said


def _may_be(path: Path) -> bool:
    """Whether it is there, as far as may be known."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _again(run: RunDirectory, code: int, queue: bool) -> int:
    """0 and the seconds to wait on stdout, or ``code``; the reason goes to stderr."""
    config = load_config(_bundle_of(run) / "config.py")
    decision = decide_after_save(run, config) if queue else decide(run, code, config.LAUNCH)
    tell(decision.line)
    if decision.again:
        wait_until_free(run)
        print(decision.delay_s)
    return FINISHED if decision.again else code


def _suspects(run: RunDirectory, most: int, lost: Sequence[str], *, over: bool) -> str:
    """A line for each: the machine, and what it did."""
    found = suspects(run, load_config(_bundle_of(run) / "config.py").TOPOLOGY.ranks_per_node, lost, over=over)
    exclude(run, tuple(found), most)
    return "\n".join(f"{host} {how}" for host, how in found.items())


def _rank() -> int:
    directory = os.environ.get(RUN_DIR_VARIABLE, "")
    attempt = os.environ.get(ATTEMPT_VARIABLE, "")
    if not directory or not attempt:
        raise Failure(USAGE, "rank: started without `node`, which names the run directory and the attempt")
    run = RunDirectory(Path(directory))
    return run_rank(_bundle_of(run), run, Attempt(run.attempts / attempt))
