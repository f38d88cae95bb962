"""``#SBATCH`` lines, read as sbatch reads them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from cfgc.source import SourceFile, Span

PREFIX = "#SBATCH"


@dataclass(frozen=True)
class Directive:
    """One option of a ``#SBATCH`` line: its long or short name with dashes, and its value where it has one.

    ``late``: it stands after the first command, where sbatch does not look any more.
    """

    name: str
    value: str
    span: Span
    late: bool


def read_directives(source: SourceFile) -> tuple[Directive, ...]:
    """All of them, in order. A line that no shell could split is one directive with the rest as its value."""
    return tuple(_read(source))


def _read(source: SourceFile) -> Iterator[Directive]:
    late, offset = False, 0
    for line in source.text.splitlines(keepends=True):
        text = line.rstrip("\r\n")
        if text.startswith(PREFIX) and text[len(PREFIX) : len(PREFIX) + 1] in ("", " ", "\t"):
            span = Span(source, offset, offset + len(text))
            for name, value in _options(text[len(PREFIX) :]):
                yield Directive(name, value, span, late)
        elif text.strip() and not text.lstrip().startswith("#"):
            late = True
        offset += len(line)


def _options(text: str) -> Iterator[tuple[str, str]]:
    """``--a=b -c d`` as (name, value); sbatch takes the words up to a comment."""
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        words = text.split()
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            if not equals and place < len(words) and not words[place].startswith("-"):
                value, place = words[place], place + 1
            yield name, value
        elif word.startswith("-") and len(word) > 1:
            value = word[2:]
            if not value and place < len(words) and not words[place].startswith("-"):
                value, place = words[place], place + 1
            yield word[:2], value.removeprefix("=")
