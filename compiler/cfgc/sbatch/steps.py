"""The commands that do a job's work: srun with its options and what it runs, and the launchers of ranks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from cfgc.sbatch.options import SRUN, takes_a_word
from cfgc.sbatch.script import Command, Script
from cfgc.sbatch.shell import expanded

LAUNCHERS = frozenset({"torchrun", "deepspeed", "accelerate", "horovodrun", "mpirun", "mpiexec", "composer"})
_PYTHON = re.compile(r"python[\d.]*")
_MODULES = frozenset({"torch.distributed.run", "torch.distributed.launch"})
_PREPARES = """
cat chmod conda cp curl date df docker du echo enroot env false find free git hostname id ip kill killall ln ls lscpu
lsmod mkdir mv nproc nvidia-smi ping pip pip3 pkill podman printenv printf ray rm rocm-smi rsync sbcast sleep tar test
touch true ulimit uname unzip wget which whoami
"""
SMALL = frozenset(_PREPARES.split())
"""Programs that prepare or look: nobody calls their end the end of the job's work."""


@dataclass(frozen=True)
class Step:
    """An srun: its options by their long names (``""`` for a flag), and the words of what it runs, variables put in.

    ``open``: among the options stands a variable that the script does not set, so that others may be there.
    """

    command: Command
    options: tuple[tuple[str, str], ...]
    payload: tuple[str, ...]
    open: bool

    def option(self, *names: str) -> str | None:
        """The value of the last of these that is given."""
        found = [value for name, value in self.options if name in names]
        return found[-1] if found else None


def step_of(command: Command) -> Step:
    """Read the words of an srun."""
    words = expanded(command)
    words = words[next((n for n, word in enumerate(words) if word.rpartition("/")[2] == "srun"), 0) + 1 :]
    options: list[tuple[str, str]] = []
    place, unknown = 0, False
    while place < len(words):
        word = words[place]
        if word.startswith("$") and place + 1 < len(words):
            unknown = True
        elif not word.startswith("-") or word == "-":
            break
        else:
            place += _read_option(words, place, options)
        place += 1
    return Step(command, tuple(options), words[place:], unknown)


def _read_option(words: tuple[str, ...], place: int, options: list[tuple[str, str]]) -> int:
    """Put the option at ``place`` among the others; returns how many words its value takes."""
    word = words[place]
    name, _, value = word.partition("=") if word.startswith("--") else (word[:2], "", word[2:])
    more = takes_a_word(SRUN, name, value, word) and place + 1 < len(words)
    options.append((SRUN.full(name) or name, words[place + 1] if more else value))
    return 1 if more else 0


def steps(script: Script) -> Iterator[Step]:
    """Every srun of the script."""
    return (step_of(command) for command in script.commands if program_of(command) == "srun")


def program_of(command: Command) -> str:
    """The name of what is run, a variable put in, what stands before it (``time``, ``exec``) left out."""
    for word in expanded(command)[:12]:
        name = word.rpartition("/")[2]
        if name not in {"exec", "time", "nohup", "command", "sudo", "env", "-v", "stdbuf", "timeout"}:
            return name
    return ""


def is_launcher(words: tuple[str, ...]) -> bool:
    """Whether the words start ranks: torchrun, ``python -m torch.distributed.run`` and their like."""
    if not words:
        return False
    name = words[0].rpartition("/")[2]
    if name in LAUNCHERS:
        return name != "accelerate" or "launch" in words[1:3]
    return bool(_PYTHON.fullmatch(name)) and any(a == "-m" and b in _MODULES for a, b in pairwise(words[1:9]))


def launcher_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words from the launcher on, also within ``bash -c "…"``; empty when there is none."""
    flat = tuple(part for word in words for part in (word.split() if " " in word or "\n" in word else (word,)))
    for place in range(len(flat)):
        if is_launcher(flat[place:]):
            return flat[place:]
    return ()


def is_work(command: Command) -> bool:
    """Whether this is a step or a launcher, and not one that only prepares or looks."""
    if program_of(command) == "srun":
        payload = step_of(command).payload
        return bool(payload) and payload[0].rpartition("/")[2] not in SMALL
    return is_launcher(expanded(command))


_WRAPPERS = frozenset({"apptainer", "conda", "mamba", "micromamba", "numactl", "pixi", "poetry", "singularity", "uv"})
"""Programs that run the one they are given."""

_PREPARING = frozenset({"-", "setup.py"})
_PREPARING_MODULES = frozenset({"build", "compileall", "ensurepip", "pip", "venv", "virtualenv", "zipfile"})


def python_of(command: Command) -> tuple[str, ...]:
    """The words from ``python`` on, also behind ``apptainer exec …``; empty when it runs something else."""
    words = expanded(command)[:60]
    if not (_PYTHON.fullmatch(program_of(command)) or program_of(command) in _WRAPPERS):
        return ()
    return next((words[n:] for n, word in enumerate(words) if _PYTHON.fullmatch(word.rpartition("/")[2])), ())


def is_long(command: Command) -> bool:
    """The same, or a Python program, or either in a container: it can run for hours."""
    python = python_of(command)
    plain = len(python) > 1 and python[1] not in {"-c", "-V", "--version"}
    inside = program_of(command) in _WRAPPERS and bool(launcher_words(expanded(command)[:60]))
    return plain or inside or is_work(command)


def is_program(command: Command) -> bool:
    """The same, and not one that only prepares (``python -m pip``)."""
    python = python_of(command)
    prepares = python[1:2] and (
        python[1] in _PREPARING or (python[1] == "-m" and python[2:3] and python[2] in _PREPARING_MODULES)
    )
    return is_long(command) and not prepares


def count(text: str | None) -> int | None:
    """The number that an option asks for (``2``, ``2-4``: the most); None when it is none."""
    match = re.fullmatch(r"(?:\d+-)?(\d{1,9})", text or "")
    return int(match[1]) if match else None


def asked(script: Script, *names: str) -> int | None:
    """The number that a directive of these names asks for."""
    found = script.directive(*names)
    return count(found.value) if found else None


def nodes_of(script: Script) -> int | None:
    """How many nodes the job asks for; None when the script does not say."""
    return asked(script, "--nodes")


def tasks_per_node(script: Script, step: Step | None = None) -> int | None:
    """Tasks of the step on each node, as far as the script says."""
    said = count(step.option("--ntasks-per-node")) if step else None
    if said is not None:
        return said
    tasks, nodes = (count(step.option("--ntasks")), count(step.option("--nodes"))) if step else (None, None)
    if step and (step.option("--ntasks") is not None or step.option("--nodes") is not None):
        return max(1, tasks // max(1, nodes)) if tasks and nodes else tasks if nodes_of(script) == 1 else None
    per_node = asked(script, "--ntasks-per-node")
    if per_node is not None:
        return per_node
    tasks, nodes = asked(script, "--ntasks"), nodes_of(script)
    return max(1, tasks // nodes) if tasks and nodes else None


def gpus_per_node(script: Script) -> int | None:
    """GPUs that the job asks for on each node; None when the script does not say."""
    plain = asked(script, "--gpus-per-node")
    if plain is not None:
        return plain
    for name in ("--gres", "--gpus-per-node"):
        found = script.directive(name)
        match = re.search(r"(?:^|[,:])(\d{1,4})(?:\(|$)", found.value) if found else None
        if match and (name != "--gres" or (found and "gpu" in found.value)):
            return int(match[1])
    return None
