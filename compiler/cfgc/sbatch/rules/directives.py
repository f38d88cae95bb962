"""Lines for sbatch that do not say what they seem to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cfgc.diagnostics import Diagnostic, Label
from cfgc.nearest import clearly_nearest, typing_distance
from cfgc.sbatch.directives import PREFIX, Directive
from cfgc.sbatch.named_values import may_be_taken_later
from cfgc.sbatch.options import SBATCH, SRUN
from cfgc.sbatch.rules.common import at, at_node, clipped
from cfgc.sbatch.script import Script
from cfgc.sbatch.values import MEMORY, refused_value, refused_words, refuses_any_value
from cfgc.source import Span

_PATTERNS = {
    "SLURM_JOB_ID": "%j", "SLURM_JOBID": "%j", "SLURM_ARRAY_JOB_ID": "%A", "SLURM_ARRAY_TASK_ID": "%a", "USER": "%u",
    "LOGNAME": "%u", "SLURM_JOB_NAME": "%x",
}  # fmt: skip
"""What file names of sbatch may hold instead of a variable."""

_FILES = frozenset({"--output", "--error", "--input", "--chdir"})


def nothing_is_expanded(script: Script) -> Iterator[Diagnostic]:
    """``$`` in a directive, and ``~`` at the beginning of a path."""
    for found in script.directives:
        variable = re.search(r"\$\{?(\w+)|\$\(|`", found.value)
        home = found.name in _FILES and found.value.startswith("~")
        if not found.late and (variable or home):
            yield _not_expanded(found, "~" if variable is None else variable[1] or "")


def _not_expanded(found: Directive, variable: str) -> Diagnostic:
    pattern = _PATTERNS.get(variable)
    helps = [f"write it on the command line, where the shell expands it: sbatch {found.name}={found.value} …"]
    if variable == "~":
        helps = ["write the whole path; %u stands for the user's name"]
    elif found.name in _FILES and pattern:
        written = re.sub(rf"\$\{{{variable}\}}|\${variable}\b", pattern, found.value)
        helps = [f"{PREFIX} {found.name}={written}"]
    return Diagnostic(
        "CFG670",
        f"sbatch takes `{clipped(found.value)}` as it is written",
        at(found),
        notes=("for bash the line is a comment, and sbatch expands no variables, commands or `~` in it",),
        helps=tuple(helps),
    )


_ALMOST = re.compile(r"^(?:[ \t]+#SBATCH|#[sS][bB][aA][tT][cC][hH]|# ?S(?:ABTCH|BTACH|BACTH|BATHC|BATC|BATCHH))[ \t]+-")


def unread_lines(script: Script) -> Iterator[Diagnostic]:
    """Directives after the first command, and lines that were meant to be some."""
    late = [found for found in script.directives if found.late]
    if late:
        yield _late(script, late)
    for number, offset in enumerate(script.source.line_starts, start=1):
        line = script.source.line_text(number)
        if script.is_batch and _ALMOST.match(line) and not line.startswith(PREFIX) and _is_comment(script, offset):
            yield Diagnostic(
                "CFG671",
                f"sbatch does not read `{clipped(line)}`",
                Label(Span(script.source, offset, offset + len(line))),
                notes=(f"only lines that begin with `{PREFIX}`, in capitals and in the first column, are read",),
                helps=(
                    f"{PREFIX} {line.partition('-')[1]}{line.partition('-')[2]}",
                    "comment it out with two: ##SBATCH",
                ),
                severity="warning",
            )


def _late(script: Script, late: list[Directive]) -> Diagnostic:
    first = next((node for node in script.root.named_children if node.type != "comment"), script.root)
    others = f", and {len(late) - 1} more," if len(late) > 1 else ""
    return Diagnostic(
        "CFG671",
        f"sbatch does not read `{clipped(late[0].span.text)}`{others} after the first command",
        at(late[0]),
        secondary=(at_node(script, first, "the first command"),),
        notes=("sbatch looks for its lines up to the first one that is neither blank nor a comment",),
        helps=(f"move the {PREFIX} lines above `{clipped(script.text_of(first).partition(chr(10))[0], 40)}`",),
    )


def _is_comment(script: Script, offset: int) -> bool:
    starts = (script.range_of(node) for node in script.nodes("comment"))
    return any(start >= offset and not script.source.text[offset:start].strip() for start, _ in starts)


_MEANT = {
    "--include": "--nodelist", "--hosts": "--nodelist", "--queue": "--partition", "--walltime": "--time",
    "--name": "--job-name", "--memory": "--mem", "--stdout": "--output", "--stderr": "--error",
    "--email": "--mail-user", "--project": "--account", "--cpus": "--cpus-per-task", "--cores": "--cpus-per-task",
    "--gpu": "--gpus", "--num-nodes": "--nodes", "--nnodes": "--nodes", "--workdir": "--chdir",
    "--depend": "--dependency",
}  # fmt: skip
"""Words of other schedulers and launchers for the same."""


def unknown_options(script: Script) -> Iterator[Diagnostic]:
    """Options that sbatch does not have, where it is clear which one was meant."""
    for found in script.directives:
        if found.late or SBATCH.full(found.written):
            continue
        meant = meant_option(found.written) or _meant_for_memory(found)
        if found.written in SRUN.long:
            helps = (f"drop it, or give it to srun: srun {found.written} …",)
        elif meant:
            helps = (f"{PREFIX} {meant}{'=' + found.value if found.value else ''}",)
        elif not found.written.startswith("--"):
            helps = ("drop it; `sbatch --help` lists the options",)
        else:
            continue
        yield Diagnostic(
            "CFG672",
            f"sbatch has no option `{found.written}`",
            at(found),
            notes=("it refuses the whole job for one",),
            helps=helps,
        )


def meant_option(written: str) -> str | None:
    """The option that an unknown long name stands for; None when it may be one that a site has added."""
    if written.startswith("--container-"):
        return None
    if written in _MEANT:
        return _MEANT[written]
    close = clearly_nearest(written, SBATCH.long + SRUN.long)
    slips = 2 if len(written) >= 9 else 1
    return close if close and len(written) > 5 and typing_distance(written, close, slips) <= slips else None


def _meant_for_memory(found: Directive) -> str | None:
    """``--men=3G``: so short a name alone proves nothing."""
    return "--mem" if MEMORY.fullmatch(found.value) and typing_distance(found.written, "--mem", 1) <= 1 else None


def refused_lines(script: Script) -> Iterator[Diagnostic]:
    """Values that sbatch does not take, options without one, and words that belong to no option."""
    seen = set()
    for found in script.directives:
        takes = "" if found.late else _taken_instead(found)
        if found.late or (found.span.start in seen):
            continue
        wrong = next(refused_words(found.span.text[len(PREFIX) :]), None)
        if wrong is not None:
            seen.add(found.span.start)
            yield _refused_word(found, *wrong)
        elif takes:
            yield _refused_value(found, takes)


def _taken_instead(found: Directive) -> str:
    if refuses_any_value(found.name, found.written, found.value):
        return "it without a value"
    return refused_value(found.name, found.value)


def _refused_value(found: Directive, takes: str) -> Diagnostic:
    later = may_be_taken_later(found.name, found.value)
    who = "Slurm 22.05 refuses the whole job for it, a later release may not" if later else _WHOLE
    return Diagnostic(
        "CFG672",
        f"sbatch does not take `{clipped(found.value)}` for `{found.name}`",
        at(found),
        notes=(who,),
        helps=(f"write {takes}",),
        severity="warning" if later else "error",
    )


_WHOLE = "it refuses the whole job for it"


def _refused_word(found: Directive, word: str, what: str) -> Diagnostic:
    message = f"`{clipped(word)}` belongs to no option"
    note = "sbatch calls it an invalid directive, and refuses the job"
    help_ = "quote a value that holds blanks, and begin a remark with #"
    if what == "missing":
        message, note = f"`{word}` has no value", _WHOLE
        help_ = f"{PREFIX} {word}=…" if word.startswith("--") else f"{PREFIX} {word} …"
    return Diagnostic("CFG672", message, at(found), notes=(note,), helps=(help_,))


_DOS = "\r\n"


def refused_file(script: Script) -> Iterator[Diagnostic]:
    """What sbatch refuses before it reads a directive."""
    text = script.source.text
    found = _refusal(text)
    if found:
        offset, what, helps = found
        yield Diagnostic(
            "CFG695",
            f"sbatch refuses the script: {what}",
            Label(Span(script.source, offset, offset + 1)),
            helps=(helps,),
        )


_NO_SHEBANG = "its first line does not begin with #!"


def _refusal(text: str) -> tuple[int, str, str] | None:
    if not text.strip():
        return 0, "it is empty", "write a script: `#!/usr/bin/env bash`, then the #SBATCH lines"
    if not text.startswith("#!"):
        return 0, _NO_SHEBANG, "make the first line of the file: #!/usr/bin/env bash"
    if "\0" in text:
        return text.index("\0"), "it holds a zero byte", "remove it: tr -d '\\000' <old >new"
    if _DOS in text:
        return text.index(_DOS), "its lines end as those of DOS do (\\r\\n)", "change them: sed -i 's/\\r$//' FILE"
    return None


RULES = (nothing_is_expanded, unread_lines, unknown_options, refused_lines, refused_file)
