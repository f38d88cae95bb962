"""Exit codes that get lost on their way to Slurm, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic
from cfgc.sbatch.rules.common import at, at_node, clipped
from cfgc.sbatch.script import Command, Script
from cfgc.sbatch.shell import (
    BACKGROUND,
    CAPTURED,
    FUNCTION,
    HEREDOC,
    PIPED,
    SUBSHELL,
    TESTED,
    above,
    errexit,
    following,
    outermost,
    pipefail,
    statement_of,
    use_of,
)
from cfgc.sbatch.steps import is_work
from cfgc.sbatch.traps import traps

if TYPE_CHECKING:
    from tree_sitter import Node

_ELSEWHERE = {BACKGROUND, CAPTURED, FUNCTION, HEREDOC}
_LOOKS = re.compile(r"\$\?|\$\{\?\}|PIPESTATUS")


def _works(script: Script) -> list[Command]:
    """The work that runs in the foreground, in the order of the text."""
    return [one for one in script.commands if is_work(one) and not use_of(one.node) & _ELSEWHERE]


def hidden_code(script: Script) -> Iterator[Diagnostic]:
    """The job's last work, and then a command whose code becomes the job's."""
    works = _works(script)
    if not works or TESTED in use_of(works[-1].node):
        return  # what follows a work whose failure is handled says nothing of others
    work = works[-1]
    rest = following(outermost(work.node))
    inner = following(statement_of(work.node)) + rest
    ended = any(_LOOKS.search(script.text_of(node)) for node in inner) or any(
        one.program in {"exit", "wait", "exec", "return"} or is_work(one)
        for node in (rest[:-1] if _ends_well(script, rest) else rest)
        for one in script.commands_in(node)
    )
    on_purpose = any(_switched_off(script, work)) or _trapped(script)
    if rest and not ended and not errexit(script, work.node) and not on_purpose:
        yield Diagnostic(
            "CFG677",
            f"the job ends with the exit code of `{clipped(script.text_of(rest[-1]), 40)}`, not of its work",
            at(work, "when this fails, nobody learns of it"),
            secondary=(at_node(script, rest[-1], "the job's exit code"),),
            notes=("for Slurm a failed run is COMPLETED then, and `afterok` jobs start",),
            helps=(
                "stop at the first failure: set -euo pipefail",
                'or keep the code: code=0; srun … || code=$?; …; exit "$code"',
            ),
        )


def _ends_well(script: Script, rest: tuple[Node, ...]) -> bool:
    """Whether the last statement is ``exit 0``, or a ``wait`` that has nothing to wait for."""
    text = script.text_of(rest[-1]).strip() if rest else ""
    return bool(re.fullmatch(r"exit\s+0", text)) or (text == "wait" and next(script.nodes("&"), None) is None)


def _trapped(script: Script) -> bool:
    return any(trap.signals & {"ERR", "EXIT"} for trap in traps(script))


def lost_in_a_pipe(script: Script) -> Iterator[Diagnostic]:
    """``srun … | tee`` without pipefail."""
    for work in script.commands:
        use = use_of(work.node)
        if PIPED not in use or use & {CAPTURED, HEREDOC} or not is_work(work) or pipefail(script, work.node):
            continue
        pipeline = next((parent for parent, _ in above(work.node) if parent.type == "pipeline"), None)
        after = [node for node in following(statement_of(work.node))[:2] if _LOOKS.search(script.text_of(node))]
        if pipeline is None or any("PIPESTATUS" in script.text_of(node) for node in after):
            continue
        last = script.text_of(pipeline.named_children[-1])
        yield Diagnostic(
            "CFG678",
            f"the exit code of this pipeline is that of `{clipped(last, 40)}`",
            at(work, "when this fails, nobody learns of it"),
            secondary=(at_node(script, pipeline.named_children[-1], "ends with 0"),),
            notes=("without pipefail only the last command of a pipeline counts",),
            helps=("set -o pipefail", "or leave the log to Slurm: #SBATCH --output, and --output of srun"),
        )
        return


def code_never_reached(script: Script) -> Iterator[Diagnostic]:
    """``$?`` after a plain command under ``set -e``."""
    for node in script.nodes("special_variable_name"):
        if script.text_of(node) != "?" or use_of(node) & {FUNCTION, SUBSHELL, CAPTURED, HEREDOC}:
            continue
        statement = statement_of(node)
        before = None if statement.type == "list" else statement.prev_named_sibling
        command = _that_ends_the_script(script, before) if before is not None else None
        if before is not None and command is not None:
            yield Diagnostic(
                "CFG693",
                "this is reached only when the command before it succeeded: `$?` is always 0 here",
                at_node(script, statement),
                secondary=(at_node(script, before, "`set -e` ends the script here when it fails"),),
                helps=(f"code=0; {clipped(command.text, 40)} || code=$?",),
            )


def _that_ends_the_script(script: Script, node: Node) -> Command | None:
    """The first command of ``node`` when ``set -e`` ends the script on its failure."""
    after = node.next_sibling
    if node.type not in {"command", "pipeline", "redirected_statement"} or (after is not None and after.type == "&"):
        return None
    first = next(script.commands_in(node), None)
    if first is None or first.program in _NEVER_FAIL or not errexit(script, node):
        return None
    hidden = TESTED in use_of(node) or (_pipeline_of(node) and not pipefail(script, node))
    return None if hidden else first


def _pipeline_of(node: Node) -> bool:
    return node.type == "pipeline" or any(child.type == "pipeline" for child in node.named_children)


_NEVER_FAIL = frozenset({"wait", "echo", "set", "true", ":", "printf", "export", "exit"})


def hidden_on_purpose(script: Script) -> Iterator[Diagnostic]:
    """``srun … || true``, and ``set +e`` before the work."""
    works = _works(script)
    if not works:
        return
    work = works[-1]
    excuse = _excuse(script, work)
    if excuse is not None:
        yield Diagnostic(
            "CFG696",
            f"`|| {clipped(script.text_of(excuse), 30)}` makes a success of every failure of the job's work",
            at(work),
            secondary=(at_node(script, excuse, "ends with 0"),),
            notes=("for Slurm a failed run is COMPLETED then, and `afterok` jobs start",),
            helps=('keep the code: code=0; srun … || code=$?; …; exit "$code"',),
            severity="warning",
        )
    for off in _switched_off(script, work):
        yield Diagnostic(
            "CFG696",
            "`set +e` lets the job end well when its work fails",
            at(off),
            secondary=(at(work, "runs without it"),),
            notes=("nothing after it looks at `$?`, and the script's last command gives the job's exit code",),
            helps=('keep `set -e`, and the code where you need it: code=0; srun … || code=$?; …; exit "$code"',),
            severity="warning",
        )


def _excuse(script: Script, work: Command) -> Node | None:
    statement = statement_of(work.node)
    if statement.type != "list" or (following(outermost(work.node)) and _LOOKS.search(script.source.text)):
        return None
    operator, right = statement.children[-2], statement.children[-1]
    harmless = {"true", ":", "echo"}
    commands = list(script.commands_in(right))
    excused = script.text_of(operator) == "||" and bool(commands) and all(one.program in harmless for one in commands)
    return right if excused else None


def _switched_off(script: Script, work: Command) -> Iterator[Command]:
    before = [one for one in script.named("set") if one.node.start_byte < work.node.start_byte]
    rest = following(outermost(work.node))
    if not before or not any(word.startswith("+") and "e" in word for word in before[-1].words) or not rest:
        return
    after = [script.text_of(node) for node in (statement_of(work.node), *rest)]
    if len(before) > 1 and not any(_LOOKS.search(text) or "||" in text for text in after):
        yield before[-1]


RULES = (
    hidden_code,
    lost_in_a_pipe,
    code_never_reached,
    hidden_on_purpose,
)
