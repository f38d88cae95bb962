"""A job script as rules see it: its directives, its commands with their words, and where each stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cfgc.sbatch.directives import Directive, read_directives
from cfgc.source import SourceFile, Span

if TYPE_CHECKING:
    from tree_sitter import Node

MOST_BYTES = 1 << 20
"""Job scripts are smaller: sbatch itself refuses one of more than 4 MiB (``max_script_size``)."""


@dataclass(frozen=True)
class Command:
    """A simple command: its name, its words as they are written (quotes included), and its node in the tree."""

    name: str
    words: tuple[str, ...]
    node: Node
    span: Span

    def has(self, *options: str) -> bool:
        """Whether one of ``options`` is among the words, alone or with ``=value``."""
        return any(word.partition("=")[0] in options for word in self.words)


@dataclass(frozen=True)
class Script:
    """One file. ``root`` is the syntax tree of bash; tree-sitter reads on after what it does not understand."""

    source: SourceFile
    root: Node
    raw: bytes

    @cached_property
    def directives(self) -> tuple[Directive, ...]:
        """The ``#SBATCH`` lines."""
        return read_directives(self.source)

    @cached_property
    def commands(self) -> tuple[Command, ...]:
        """Every simple command, in the order of the text, those in functions and substitutions included."""
        return tuple(self._command(node) for node in self.nodes("command", "declaration_command"))

    def nodes(self, *kinds: str) -> Iterator[Node]:
        """Nodes of these kinds, in the order of the text."""
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            if node.type in kinds:
                yield node
            waiting.extend(reversed(node.children))

    def named(self, *names: str) -> Iterator[Command]:
        """The commands of these names, whatever directory they are named by."""
        return (one for one in self.commands if one.name.rpartition("/")[2] in names)

    def directive(self, *names: str) -> Directive | None:
        """The last one of these names that sbatch reads: that one counts."""
        found = [one for one in self.directives if one.name in names and not one.late]
        return found[-1] if found else None

    def text_of(self, node: Node) -> str:
        """What is written there."""
        return self.raw[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def span_of(self, node: Node) -> Span:
        """Where it stands, in characters; a node of several lines is shown by its first."""
        start = len(self.raw[: node.start_byte].decode("utf-8", "replace"))
        text = self.text_of(node)
        return Span(self.source, start, start + len(text.partition("\n")[0]))

    def _command(self, node: Node) -> Command:
        words = [self.text_of(child) for child in node.named_children if child.type not in _NO_WORDS]
        name = node.children[0].type if node.type == "declaration_command" else (words.pop(0) if words else "")
        return Command(name, tuple(words), node, self.span_of(node))


_NO_WORDS = frozenset({"file_redirect", "heredoc_redirect", "herestring_redirect"})


def read_script(source: SourceFile) -> Script:
    """Parse ``source``. Raises ``ModuleNotFoundError`` without the extra ``lint``."""
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    raw = source.text.encode()
    tree = Parser(Language(tree_sitter_bash.language())).parse(raw)
    return Script(source, tree.root_node, raw)
