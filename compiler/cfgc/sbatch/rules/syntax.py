"""What bash cannot read: something is opened and not closed, or closed and not opened."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cfgc.diagnostics import Diagnostic, Label
from cfgc.sbatch.closing import first_fault
from cfgc.sbatch.cursor import Fault
from cfgc.sbatch.script import Script
from cfgc.source import Span

_OF_ANOTHER_SHELL = re.compile(r"#!(?!.*\b(?:ba|da|k|a)?sh\b)")
_OF_SH = re.compile(r"#!\s*\S*/(?:env\s+)?[dak]?sh\b")
_CLOSERS = {
    "if": "then", "then": "fi", "else": "fi", "for": "do", "while": "do", "until": "do", "select": "do", "do": "done",
    "case": "esac", "[[": "]]", "((": "))", "$((": "))", "{": "}", "${": "}", '"': '"', "'": "'", "$'": "'",
    **dict.fromkeys(("(", "$(", "pattern(", "array(", "sum("), ")"),
}  # fmt: skip
_QUOTES = frozenset({'"', "'", "$'", "`"})
_SEE = "see what bash says: bash -n FILE"
_GIVES_UP = "bash runs what stands above, and gives up there"


def closed(script: Script) -> Iterator[Diagnostic]:
    """The first fault alone: what follows may be its doing. Line ends of DOS and zero bytes are said elsewhere."""
    text = script.source.text
    if _OF_ANOTHER_SHELL.match(text) or "\r\n" in text or "\0" in text:
        return
    fault = first_fault(text, posix=_OF_SH.match(text) is not None)
    if fault is None:
        return
    if fault.word == "<<":
        yield _endless(script, fault)
    elif fault.place is None:
        yield _closes_nothing(script, fault)
    else:
        yield _unclosed(script, fault, fault.place)


def _unclosed(script: Script, fault: Fault, place: int) -> Diagnostic:
    missing = _CLOSERS.get(fault.word, fault.word)
    named = f"`{missing}`" if missing != "`" else "a second backtick"
    upside_down = ("a quote that is missing further up turns round what is quoted from there on",)
    return Diagnostic(
        "CFG699",
        f"bash cannot read this from line {_line(script, place)} on: {named} is missing",
        Label(_to_the_end(script, place)),
        secondary=() if fault.end is None else (_label(script, fault.end, fault.closer, "comes while it is open"),),
        notes=(_GIVES_UP, *(upside_down if fault.word in _QUOTES else ())),
        helps=(f"close it: {missing}", _SEE),
    )


def _closes_nothing(script: Script, fault: Fault) -> Diagnostic:
    end = fault.end or 0
    return Diagnostic(
        "CFG699",
        f"bash cannot read this from line {_line(script, end)} on: nothing is open there for `{fault.closer}`",
        _label(script, end, fault.closer),
        notes=(_GIVES_UP,),
        helps=("remove it, or write what it belongs to", _SEE),
    )


def _endless(script: Script, fault: Fault) -> Diagnostic:
    return Diagnostic(
        "CFG699",
        f"this here-document goes on to the end of the file: no line is `{fault.closer}` alone",
        Label(_to_the_end(script, fault.place or 0)),
        notes=("all that follows is its text, and is not run; blanks before or after the word do not end it",),
        helps=(f"end it with a line of its own: {fault.closer}",),
        severity="warning",
    )


def _line(script: Script, place: int) -> int:
    return script.source.text.count("\n", 0, place) + 1


def _label(script: Script, place: int, word: str, text: str = "") -> Label:
    return Label(Span(script.source, place, place + len(word)), text)


def _to_the_end(script: Script, place: int) -> Span:
    line = script.source.text[place:].partition("\n")[0].removesuffix("\\").rstrip()
    return Span(script.source, place, place + max(1, len(line)))


RULES = (closed,)
