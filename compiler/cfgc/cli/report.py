"""Printing diagnostics and outcomes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TextIO

from cfgc.diagnostics import Diagnostic
from cfgc.diagnostics.machine import render_github, render_json
from cfgc.diagnostics.text import coloured, plain, render_text

FORMATS = ("text", "json", "github")


def wants_colour(stream: TextIO) -> bool:
    """True on a terminal, unless NO_COLOR is set; FORCE_COLOR wins."""
    if os.environ.get("FORCE_COLOR"):
        return True
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def print_diagnostics(diagnostics: Sequence[Diagnostic], output_format: str) -> None:
    """Text goes to stderr; the machine formats go to stdout."""
    if output_format == "json":
        print(render_json(diagnostics), end="")
    elif output_format == "github":
        print(render_github(diagnostics), end="")
    elif diagnostics:
        paint = coloured if wants_colour(sys.stderr) else plain
        print(render_text(diagnostics, paint), file=sys.stderr)


def as_errors(diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """What ``--deny warnings`` makes of them."""
    return tuple(replace(finding, severity="error") for finding in diagnostics)


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """``2 errors, 1 warning``; empty for none."""
    counts = ((kind, sum(d.severity == kind for d in diagnostics)) for kind in ("error", "warning"))
    return ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in counts if n)


def say(text: str) -> None:
    """One line of outcome on stderr, so that stdout stays for what was asked for."""
    print(text, file=sys.stderr)
