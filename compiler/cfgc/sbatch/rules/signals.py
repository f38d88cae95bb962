"""Signals, traps and waiting: what bash does while a step runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cfgc.diagnostics import Diagnostic
from cfgc.sbatch.rules.common import at, clipped
from cfgc.sbatch.script import Command, Script
from cfgc.sbatch.shell import (
    BACKGROUND,
    CAPTURED,
    FUNCTION,
    HEREDOC,
    NESTED,
    following,
    is_in_a_loop,
    outermost,
    use_of,
)
from cfgc.sbatch.steps import is_long, is_work
from cfgc.sbatch.traps import ASKED, Trap, asked_signal, traps

_SAFE_WAIT = 'while kill -0 "$pid" 2>/dev/null; do wait "$pid" || :; done; wait "$pid"'


_EACH_PID = (
    'keep each pid and its code: srun … & pids+=("$!"); …; '
    'code=0; for pid in "${pids[@]}"; do wait "$pid" || code=$?; done; exit "$code"'
)


def missed_trap(script: Script) -> Iterator[Diagnostic]:
    """``--signal`` and the traps do not meet."""
    signal, directive = asked_signal(script), script.directive("--signal")
    if signal is None or directive is None:
        return
    meant = [trap for trap in traps(script) if signal.signal in trap.signals]
    if meant and not signal.to_the_shell:
        yield Diagnostic(
            "CFG674",
            f"the trap for {signal.signal} never runs: `--signal={directive.value}` does not reach this script",
            at(directive),
            secondary=(at(meant[0].command, "waits for it"),),
            notes=("without `B:` Slurm sends the signal to the job's steps alone, not to the batch shell",),
            helps=(f"#SBATCH --signal=B:{directive.value.rpartition(':')[2]}",),
        )
    elif not meant and signal.to_the_shell and not _may_be_handled_elsewhere(script):
        yield Diagnostic(
            "CFG674",
            f"no trap waits for the {signal.signal} that `--signal={directive.value}` sends to this script",
            at(directive),
            notes=(f"a shell without a trap for {signal.signal} is ended by it, and the job with it",),
            helps=(
                f"drop `B:`, so that the steps get {signal.signal}",
                f"add a trap that passes it on: trap 'kill -{signal.signal} \"$pid\"' {signal.signal}",
            ),
        )


def _may_be_handled_elsewhere(script: Script) -> bool:
    return any(one.program in {"source", ".", "exec", "eval", "trap"} for one in script.commands) or any(
        one.name.endswith(("bash", "sh")) for one in script.commands
    )


def trap_that_waits(script: Script) -> Iterator[Diagnostic]:
    """A trap for a signal that is asked for, and then work in the foreground."""
    signal = asked_signal(script)
    for trap in traps(script):
        wanted = trap.signals & (ASKED | ({signal.signal} if signal and signal.to_the_shell else set()))
        work = _foreground_work(script, trap) if wanted else None
        if work:
            name = min(wanted)
            yield Diagnostic(
                "CFG675",
                f"the trap for {name} runs only after `{clipped(work.text, 40)}` has ended",
                at(trap.command),
                secondary=(at(work, "runs in the foreground"),),
                notes=("bash runs a trap between commands: one in the foreground is waited for first",),
                helps=(f"start it in the background, and wait until it has ended: srun … & pid=$!; {_SAFE_WAIT}",),
            )
            return


def _foreground_work(script: Script, trap: Trap) -> Command | None:
    """The first work in the foreground, unless some is in the background: what else there is prepares and tidies up."""
    elsewhere = {CAPTURED, FUNCTION, HEREDOC}
    after = (one for one in script.commands if one.node.start_byte > trap.command.node.end_byte)
    works = [(one, use_of(one.node)) for one in after if is_long(one)]
    if any(BACKGROUND in use for _, use in works) and any(one.words for one in script.named("wait")):
        return None
    return next((one for one, use in works if BACKGROUND not in use and not use & elsewhere), None)


def wait_without_code(script: Script) -> Iterator[Diagnostic]:
    """A bare ``wait`` after work in the background."""
    sent = [one for one in script.commands if BACKGROUND in use_of(one.node) and is_work(one)]
    waits = list(script.named("wait"))
    bare = [one for one in waits if not one.words and not use_of(one.node) & {FUNCTION, CAPTURED, HEREDOC}]
    if not sent or _is_followed_by_work(script, sent[-1]):
        return
    if bare and len(bare) == len(waits) and sent[0].node.start_byte < bare[-1].node.start_byte:
        yield Diagnostic(
            "CFG676",
            "a bare `wait` returns 0, whatever became of the work",
            at(bare[-1]),
            secondary=(at(sent[-1], "its exit code is lost"),),
            notes=("a job whose steps failed is COMPLETED for Slurm, and `afterok` jobs start",),
            helps=(_EACH_PID,),
        )


def _is_followed_by_work(script: Script, command: Command) -> bool:
    """Whether the work proper comes later, in the foreground: what is in the background watches it then."""
    after = (one for one in script.commands if one.node.start_byte > command.node.end_byte)
    return any(BACKGROUND not in use_of(one.node) and is_work(one) for one in after)


def interrupted_wait(script: Script) -> Iterator[Diagnostic]:
    """One ``wait`` for a pid, which a trap that comes back ends early."""
    waits = [one for one in script.named("wait") if one.words]
    if len(waits) != 1 or is_in_a_loop(waits[0].node) or FUNCTION in use_of(waits[0].node):
        return
    for trap in traps(script):
        comes_back = not re.search(r"\b(exit|wait|requeue|exec)\b", trap.code)
        if trap.signals - {"EXIT", "ERR", "DEBUG", "RETURN"} and comes_back:
            yield Diagnostic(
                "CFG697",
                "the trap ends this `wait` while the work still runs",
                at(waits[0]),
                secondary=(at(trap.command, "comes back to the script"),),
                notes=("`wait` returns more than 128 when a trap came; the script goes on, and its end ends the work",),
                helps=(f"wait until it has ended: {_SAFE_WAIT}",),
            )
            return


_ASKS = re.compile(r"\btouch\b|\bkill\s+-(?:s\s+|n\s+)?(?:SIG)?(?:USR[12]|HUP|1|10|12)\b")
_STAYS = re.compile(r"\b(?:wait|sleep|while|until|tail|srun|requeue|sbatch|exec|if|case)\b|\|\||&&")
"""In a trap: it waits in some way, starts the job again, or ends it under a condition."""


def work_cut_short(script: Script) -> Iterator[Diagnostic]:
    """A trap that asks the work to save, and ends the script at once."""
    signal = asked_signal(script)
    works = [one for one in script.commands if BACKGROUND in use_of(one.node) and is_long(one)]
    if signal is None or not signal.to_the_shell or not works or not any(script.named("wait")):
        return
    for trap in traps(script):
        asks = _ASKS.search(trap.code)
        if (
            signal.signal in trap.signals
            and asks
            and re.search(r"\bexit\b", trap.code)
            and not _STAYS.search(trap.code)
        ):
            yield Diagnostic(
                "CFG697",
                f"the trap for {signal.signal} ends the script while the work still runs",
                at(trap.command),
                secondary=(at(works[-1], "is killed in the middle of what it does"),),
                notes=(f"`{clipped(asks[0])}` only asks; when the script ends, Slurm ends what it left behind",),
                helps=(f"let the trap wait before it ends: trap '…; wait \"$pid\"; exit $?' {signal.signal}",),
                severity="error" if "kill" in asks[0] else "warning",
            )
            return


def work_left_behind(script: Script) -> Iterator[Diagnostic]:
    """Work in the background, and then the end of the script."""
    if not script.is_batch or any(script.named("wait", "fg", "sleep", "tail", "read", "exec")):
        return
    elsewhere = {FUNCTION, CAPTURED, HEREDOC, NESTED}
    for command in reversed(script.commands):
        use = use_of(command.node)
        if BACKGROUND not in use or use & elsewhere or not is_work(command):
            continue
        rest = [one for node in following(outermost(command.node)) for one in script.commands_in(node)]
        if all(one.program in _QUICK or BACKGROUND in use_of(one.node) for one in rest):
            yield Diagnostic(
                "CFG698",
                "nothing waits for this: the job ends with its script, and the work with the job",
                at(command),
                notes=("Slurm kills what a batch script leaves behind",),
                helps=('wait for it: srun … & pid=$!; wait "$pid"',),
            )
        return


_QUICK = frozenset({"echo", "date", "export", "declare", "printf", "true", ":", "set", "squeue", "ls", "[", "cd"})

RULES = (missed_trap, trap_that_waits, wait_without_code, interrupted_wait, work_cut_short, work_left_behind)
