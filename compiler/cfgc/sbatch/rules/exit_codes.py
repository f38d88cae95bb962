"""Exit codes that get lost on their way to Slurm, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic
from cfgc.sbatch.endings import behind, ends_with_a_code, ends_with_the_last, looks, only_looks, only_small
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
    is_in_a_loop,
    outermost,
    pipefail,
    statement_of,
    use_of,
)
from cfgc.sbatch.steps import is_program, is_work
from cfgc.sbatch.traps import traps

if TYPE_CHECKING:
    from tree_sitter import Node

_ELSEWHERE = {BACKGROUND, CAPTURED, FUNCTION, HEREDOC}


def _works(script: Script) -> list[Command]:
    """The work that runs in the foreground, in the order of the text; Python programs when there is nothing else."""
    works = [one for one in script.commands if is_work(one)]
    if not works and script.is_batch and only_small(script, (script.root,)):
        works = [one for one in script.commands if is_program(one)]
    return [one for one in works if not use_of(one.node) & _ELSEWHERE]


def hidden_code(script: Script) -> Iterator[Diagnostic]:
    """The job's last work, and then an end that is not its exit code."""
    works = _works(script)
    if not works:
        return
    work = works[-1]
    tested = TESTED in use_of(work.node)
    nodes = behind(works[-1].node if is_work(work) else works[0].node)
    looked = tested or any(looks(script.text_of(node)) for node in nodes)
    last = (following(outermost(work.node)) or ((outermost(work.node),) if tested else ()))[-1:]
    if (
        not last
        or ends_with_a_code(script, nodes)
        or (looked and not _is_only_looked_at(script, works, nodes, last[0]))
    ):
        return
    on_purpose = any(_switched_off(script, work)) or _trapped(script) or _excuse(script, work) is not None
    if not on_purpose and (tested or not errexit(script, work.node)):
        yield _hidden(script, work, last[0], looked)


def _is_only_looked_at(script: Script, works: list[Command], nodes: tuple[Node, ...], last: Node) -> bool:
    """Whether nobody but the log learns of a code that the script has looked at."""
    tested = TESTED in use_of(works[-1].node)
    if len(works) > 1 and (tested or not is_work(works[-1])):
        return False  # one of several may fail
    again = tested and (is_in_a_loop(works[-1].node) or _is_negated(works[-1].node))
    return not again and only_looks(script, nodes, last)


def _is_negated(node: Node) -> bool:
    """Whether it is a ``! srun …`` that no ``if`` asks for, or one that an ``elif`` does."""
    kinds = [parent.type for parent, _ in above(node)]
    return "elif_clause" in kinds or ("negated_command" in kinds and "if_statement" not in kinds)


def _hidden(script: Script, work: Command, last: Node, looked: bool) -> Diagnostic:
    commands = list(script.commands_in(last))
    before = last.prev_named_sibling
    if last.type == "command" and before is not None and commands and ends_with_the_last(script, commands[0]):
        last = before if commands[0].program == "exit" else last
    lost = "the job is COMPLETED all the same" if looked else "nobody learns of it"
    return Diagnostic(
        "CFG677",
        f"the job ends with the exit code of `{clipped(script.text_of(last), 40)}`, not of its work",
        at(work, f"when this fails, {lost}"),
        secondary=(at_node(script, last, "the job's exit code"),),
        notes=("for Slurm a failed run is COMPLETED then, and `afterok` jobs start",),
        helps=(f"end with it: {_KEPT}",) if looked else (_STOP, f"or keep the code: {_KEPT}"),
    )


_STOP = "stop at the first failure: set -euo pipefail"
_KEPT = 'code=0; srun … || code=$?; …; exit "$code"'


def _trapped(script: Script) -> bool:
    return any(trap.signals & {"ERR", "EXIT"} for trap in traps(script))


def lost_in_a_pipe(script: Script) -> Iterator[Diagnostic]:
    """``srun … | tee`` without pipefail."""
    for work in script.commands:
        use = use_of(work.node)
        if PIPED not in use or use & {CAPTURED, HEREDOC} or not is_work(work) or pipefail(script, work.node):
            continue
        pipeline = next((parent for parent, _ in above(work.node) if parent.type == "pipeline"), None)
        after = [node for node in following(statement_of(work.node))[:2] if looks(script.text_of(node))]
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
    if not works or (len(works) > 1 and not is_work(works[-1])):
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
    if statement.type != "list" or (following(outermost(work.node)) and looks(script.source.text)):
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
    if len(before) > 1 and not any(looks(text) or "||" in text for text in after):
        yield before[-1]


RULES = (
    hidden_code,
    lost_in_a_pipe,
    code_never_reached,
    hidden_on_purpose,
)
