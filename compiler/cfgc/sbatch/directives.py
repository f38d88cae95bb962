"""``#SBATCH`` lines, read as sbatch reads them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cfgc.sbatch.options import SBATCH, takes_a_word
from cfgc.source import SourceFile, Span

PREFIX = "#SBATCH"


@dataclass(frozen=True)
class Directive:
    """One option of a ``#SBATCH`` line: its long or short name with dashes, and its value where it has one.

    ``late``: it stands after the first command, where sbatch does not look any more. ``name`` is the long name when
    sbatch has the option, however it was written.
    """

    name: str
    value: str
    span: Span
    late: bool
    written: str


def read_directives(source: SourceFile) -> tuple[Directive, ...]:
    """All of them, in order. A line that no shell could split is split at its blanks."""
    return tuple(_read(source))


def _read(source: SourceFile) -> Iterator[Directive]:
    late = False
    for number, offset in enumerate(source.line_starts, start=1):
        text = source.line_text(number)
        if text.startswith(PREFIX):
            for name, value in _options(text[len(PREFIX) :]):
                yield Directive(SBATCH.full(name) or name, value, Span(source, offset, offset + len(text)), late, name)
        elif text.strip() and not text.lstrip().startswith("#"):
            late = True


def _options(text: str) -> Iterator[tuple[str, str]]:
    """``--a=b -c d`` as (name, value); sbatch takes the words up to a comment."""
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        words = text.split()
    yield from options_in(words)


def options_in(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The same of words that are split already, as those of a command."""
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if not word.startswith("-") or len(word) == 1:
            continue
        name, value = word[:2], word[2:]
        if word.startswith("--"):
            name, _, value = word.partition("=")
        if takes_a_word(SBATCH, name, value, word) and place < len(words):
            value, place = words[place], place + 1
        yield name, value
