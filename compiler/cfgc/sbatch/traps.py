"""The traps of a script: for which signals, and what they do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from cfgc.sbatch.script import Command, Script, unquoted
from cfgc.sbatch.shell import expanded

_NUMBERS = {"0": "EXIT", "1": "HUP", "2": "INT", "10": "USR1", "12": "USR2", "15": "TERM", "18": "CONT"}
ASKED = frozenset({"USR1", "USR2", "HUP", "CONT", "URG", "WINCH"})
"""Signals that Slurm sends to a running job only when somebody asked for them."""


@dataclass(frozen=True)
class Trap:
    """A trap that does something. ``code`` is what it runs, the functions that it calls included."""

    command: Command
    signals: frozenset[str]
    code: str


def traps(script: Script) -> Iterator[Trap]:
    """Every trap but those that ignore (``''``) or reset (``-``) a signal."""
    for command in islice(script.named("trap"), 50):
        words = [word for word in expanded(command)[1:] if word != "--"]
        if len(words) < 2 or words[0] in {"", "-", ":", "-p", "-l"}:
            continue
        signals = frozenset(signal_name(word) for word in words[1:])
        yield Trap(command, signals, _code(script, unquoted(command.words[-min(len(words), len(command.words))])))


def _code(script: Script, text: str) -> str:
    bodies, seen, waiting = [text], set[str](), [text]
    while waiting:
        for word in re.findall(r"[\w.:-]+", waiting.pop()):
            if word in script.functions and word not in seen:
                seen.add(word)
                body = script.text_of(script.functions[word])
                bodies.append(body)
                waiting.append(body)
    return "\n".join(re.sub(r"(?m)^\s*#.*$", "", body) for body in bodies)


def signal_name(text: str) -> str:
    """``USR1`` for ``SIGUSR1``, ``usr1`` and ``10``."""
    name = text.upper().removeprefix("SIG")
    return _NUMBERS.get(name, name)


@dataclass(frozen=True)
class Asked:
    """What ``--signal`` asks for: a signal, and whether the batch shell gets it (``B:``) or the steps do."""

    signal: str
    to_the_shell: bool


def asked_signal(script: Script) -> Asked | None:
    """The signal that sbatch is asked to send ahead of the time limit."""
    found = script.directive("--signal")
    match = re.fullmatch(r"(?:([BR]+):)?(\w+)(?:@\d+)?", found.value) if found else None
    return Asked(signal_name(match[2]), "B" in (match[1] or "")) if match else None
