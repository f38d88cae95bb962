"""What rules have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic, Label
from cfgc.sbatch.directives import Directive
from cfgc.sbatch.script import Command, Script

if TYPE_CHECKING:
    from tree_sitter import Node

Rule = Callable[[Script], Iterator[Diagnostic]]


def at(place: Command | Directive, text: str = "") -> Label:
    """A label on a command or directive."""
    return Label(place.span, text)


def at_node(script: Script, node: Node, text: str = "") -> Label:
    """A label on a part of the script."""
    return Label(script.span_of(node), text)


def clipped(text: str, most: int = 60) -> str:
    """A piece of the script as one line of a message."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
