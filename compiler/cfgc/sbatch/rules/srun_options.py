"""Options of srun, and directives that mean something else to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cfgc.diagnostics import Diagnostic, Label
from cfgc.sbatch.options import SRUN
from cfgc.sbatch.rules.common import at
from cfgc.sbatch.rules.directives import meant_option
from cfgc.sbatch.script import Script
from cfgc.sbatch.shell import HEREDOC, use_of
from cfgc.sbatch.steps import Step, asked, count, is_work, launcher_words, steps, tasks_per_node

_OF_SBATCH = {
    "--requeue": "only sbatch can queue a job again: #SBATCH --requeue",
    "--array": "only sbatch starts several jobs: #SBATCH --array",
    "--wrap": "srun takes the command itself: srun CMD…",
    "--parsable": "drop it: srun prints no job id",
    "--export-file": "name the variables: --export=ALL,NAME=VALUE",
    "--wait-all-nodes": "it belongs to the job: #SBATCH --wait-all-nodes=1",
    "--kill-on-invalid-dep": "it belongs to the job: #SBATCH --kill-on-invalid-dep=yes",
    "--no-requeue": "it belongs to the job: #SBATCH --no-requeue",
}


def _steps(script: Script) -> Iterator[Step]:
    return (step for step in steps(script) if HEREDOC not in use_of(step.command.node))


def unknown_options(script: Script) -> Iterator[Diagnostic]:
    """Options that srun does not have, where it is clear which one was meant."""
    for step in _steps(script):
        for name, value in step.options:
            written = f"{name}={value}" if value else name
            if not name.startswith("--") or SRUN.full(name) or "$" in name:
                continue
            meant = meant_option(name)
            if name not in _OF_SBATCH and (meant is None or meant == name):
                continue
            help_text = _OF_SBATCH.get(name) or f"srun {written.replace(name, meant or name, 1)} …"
            yield Diagnostic(
                "CFG673",
                f"srun has no option `{name}`",
                at(step.command),
                notes=("it ends with an error before it starts a task",),
                helps=(help_text,),
            )


def lost_environment(script: Script) -> Iterator[Diagnostic]:
    """Commas in values of ``--export``, and lists that leave the rest of the environment out."""
    for directive in script.directives:
        if directive.name == "--export" and not directive.late:
            yield from _cut(directive.value, at(directive), "#SBATCH ")
            yield from _closed(script, directive.value, at(directive))
    for step in _steps(script):
        value = step.option("--export")
        if value:
            yield from _cut(value, at(step.command), "srun ")
            if _leaves_out(value) and step.option("--container-image") is None and not step.open:
                yield _left_out(value, at(step.command), f"srun --export=ALL,{value} …")
    for command in script.named("sbatch"):
        for word in command.words:
            if word.startswith("--export="):
                yield from _cut(word.partition("=")[2].strip("\"'"), at(command), "sbatch ")


_ITEM = re.compile(r"[A-Za-z_]\w*(=.*)?|\$.*|", re.DOTALL)


def _cut(value: str, label: Label, lead: str) -> Iterator[Diagnostic]:
    pieces = re.sub(r"\$\([^)]*\)|\$\{[^}]*\}", "$X", value).strip("\"'").split(",")
    broken = next((piece for piece in pieces if not _ITEM.fullmatch(piece)), None)
    if broken is not None and len(pieces) > 1:
        yield Diagnostic(
            "CFG679",
            f"`--export` ends a value at each comma, and takes `{broken}` for the name of a variable",
            label,
            notes=("there is no way to write a comma in a value of it",),
            helps=(f"export the variable before, and pass them all: {lead}--export=ALL",),
        )


def _leaves_out(value: str) -> bool:
    first = value.split(",", maxsplit=1)[0].strip("\"'").upper()
    return first not in {"ALL", "NONE", "NIL"} and not value.startswith("$") and "ALL" not in value.upper().split(",")


def _left_out(value: str, label: Label, helped: str) -> Diagnostic:
    return Diagnostic(
        "CFG679",
        f"`--export={value[:40]}` passes this on, and nothing else: no PATH, no HOME",
        label,
        notes=("a list without ALL replaces the environment; only SLURM_ variables are added",),
        helps=(helped,),
        severity="warning",
    )


def _closed(script: Script, value: str, label: Label) -> Iterator[Diagnostic]:
    """``NONE`` for sbatch is ``NONE`` for each srun of the script, which is seldom meant."""
    if _leaves_out(value):
        yield _left_out(value, label, f"#SBATCH --export=ALL,{value}")
    if value.upper() not in {"NONE", "NIL"} or re.search(r"SLURM_EXPORT_ENV|SRUN_EXPORT_ENV", script.source.text):
        return
    works = [step for step in _steps(script) if is_work(step.command) and not step.open]
    if works and all(step.option("--export") is None for step in works):
        yield Diagnostic(
            "CFG679",
            "`--export=NONE` holds for each srun of the script too: its tasks lose PATH, and what the script exports",
            label,
            secondary=(at(works[-1].command, "passes nothing on"),),
            notes=("sbatch sets SLURM_EXPORT_ENV=NONE, and srun obeys it",),
            helps=("srun --export=ALL …", "unset SLURM_EXPORT_ENV, before the first srun"),
        )


_HIDDEN = (
    "a rank that takes the GPU of its local rank finds only number 0, and where devices are confined NCCL cannot use "
    "NVLink between them"
)


def hidden_gpus(script: Script) -> Iterator[Diagnostic]:
    """Options that give each task a GPU of its own, and hide those of its peers."""
    for step in _steps(script):
        tasks = tasks_per_node(script, step)
        if not is_work(step.command) or tasks is None or tasks < 2:
            continue
        found = step.option("--gpu-bind")
        if found is not None and re.match(r"none|verbose,none", found):
            continue
        directive = script.directive("--gpu-bind", "--gpus-per-task")
        if found is None and directive and re.match(r"none|verbose,none", directive.value):
            continue
        given = next((name for name in ("--gpus-per-task", "--gpu-bind") if _binds(name, step.option(name))), None)
        own = directive if directive and _binds(directive.name, directive.value) else None
        if given or own:
            yield Diagnostic(
                "CFG685",
                f"`{given or (own.name if own else '')}` hides from each task the GPUs of the others",
                at(own) if own and not given else at(step.command),
                notes=(_HIDDEN,),
                helps=("ask for GPUs by the node, which all its tasks see then: #SBATCH --gpus-per-node=N",),
                severity="warning",
            )
            return


def _binds(name: str, value: str | None) -> bool:
    if not value:
        return False
    if name == "--gpus-per-task":
        return True
    return bool(re.match(r"(verbose,)?(single|map_gpu|per_task)", value))


_ASKED_AGAIN = (
    "it did until Slurm 22.05; since then a task has one CPU unless the step asks for more, once something binds "
    "tasks to CPUs"
)


def lost_cpus(script: Script) -> Iterator[Diagnostic]:
    """``--cpus-per-task`` of the job, which srun does not take over, where a task is then bound to one CPU.

    Without such an option a step has all CPUs of the job, on Slurm 22.05 with task/affinity, and nothing is lost.
    """
    directive = script.directive("--cpus-per-task")
    wanted = asked(script, "--cpus-per-task")
    if directive is None or wanted is None or wanted < 2 or _SETTLED.search(script.source.text):
        return
    for step in reversed(list(_steps(script))):
        said = step.option("--cpus-per-task", "--cpus-per-gpu")
        binding = _binding(script, step)
        if said is None and binding is not None and not step.open and is_work(step.command):
            yield Diagnostic(
                "CFG688",
                f"srun does not take over `--cpus-per-task={wanted}`: {binding[0]} leaves each task one CPU",
                at(step.command),
                secondary=(at(directive, "holds for the job alone"), *binding[1]),
                notes=(_ASKED_AGAIN,),
                helps=('export SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"', f"srun --cpus-per-task={wanted} …"),
                severity="warning",
            )
            return


_SETTLED = re.compile(r"SRUN_CPUS_PER_TASK|SLURM_CPU_BIND|SLURM_HINT")


def _binding(script: Script, step: Step) -> tuple[str, tuple[Label, ...]] | None:
    """What binds the tasks of the step to CPUs; nothing when they are told not to be bound."""
    bound = step.option("--cpu-bind")
    if bound is not None:
        return (f"`--cpu-bind={bound}`", ()) if re.search(r"(^|,)(cores|threads|rank)$", bound) else None
    for name, value in step.options:
        if name in {"--exact", "--exclusive"} or (name, value) in _ONE_THREAD:
            return f"`{name}`", ()
    for name, value in _ONE_THREAD:
        found = script.directive(name)
        if found and found.value == value:
            return f"`{name}={value}`", (at(found),)
    return None


_ONE_THREAD = (("--hint", "nomultithread"), ("--threads-per-core", "1"))
"""Both make srun bind to cores."""


def launcher_per_gpu(script: Script) -> Iterator[Diagnostic]:
    """A launcher of several ranks, started several times on each node."""
    for step in _steps(script):
        words = launcher_words(step.payload)
        tasks = tasks_per_node(script, step)
        if not words or words[0].rpartition("/")[2] in {"mpirun", "mpiexec"} or tasks is None or tasks < 2:
            continue
        each = _ranks_of(words)
        if each is not None and not step.open:
            yield Diagnostic(
                "CFG691",
                f"{tasks} tasks on each node start a launcher each, and every one of them {each}",
                at(step.command),
                notes=("a launcher starts the ranks of its node itself: it needs one task on each",),
                helps=("srun --ntasks-per-node=1 …",),
            )


def _ranks_of(words: tuple[str, ...]) -> str | None:
    for word, after in zip(words, (*words[1:], ""), strict=True):
        name, equals, value = word.partition("=")
        if name.replace("_", "-") in {"--nproc-per-node", "--num-gpus", "--num-processes"}:
            value = (value if equals else after).strip("\"'")
            ranks = count(value)
            return (
                f"{ranks} ranks" if ranks and ranks > 1 else "a rank for each GPU" if value in {"gpu", "auto"} else None
            )
    return None


RULES = (unknown_options, lost_environment, hidden_gpus, lost_cpus, launcher_per_gpu)
