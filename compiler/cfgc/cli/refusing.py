"""The exit code of a command that refuses: one rule for all that read bundles, and all that write them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cfgc.cli import EXIT_BAD_BUNDLE, EXIT_IO, EXIT_REJECTED, EXIT_USAGE
from cfgc.diagnostics import Diagnostic

_NOTHING_THERE: Final = {"CFG740", "CFG742", "CFG743", "CFG746"}
_BAD_BUNDLE: Final = {"CFG708", "CFG735", "CFG741", "CFG745"}
_NOT_WRITTEN: Final = {"CFG704"}


def refusal_code(findings: Iterable[Diagnostic]) -> int:
    """64: nothing there, or no bundle; 74: not written; 65: a bundle not as compiled, or not to be read; else 1."""
    codes = {finding.code for finding in findings if finding.severity == "error"}
    if codes & _NOTHING_THERE:
        return EXIT_USAGE
    if codes & _NOT_WRITTEN:
        return EXIT_IO
    return EXIT_BAD_BUNDLE if codes & _BAD_BUNDLE else EXIT_REJECTED
