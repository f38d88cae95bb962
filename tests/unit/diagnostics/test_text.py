"""Diagnostics as a person sees them."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from cfgc.diagnostics import Diagnostic, Label
from cfgc.diagnostics.machine import render_github, render_json
from cfgc.diagnostics.text import coloured, columns, printable, render_text
from cfgc.source import SourceFile, Span


def at(text: str, marked: str, name: str = "a.toml") -> Span:
    start = text.index(marked)
    return Span(SourceFile(name, text), start, start + len(marked))


def test_two_places_notes_and_helps_are_laid_out_like_a_compiler() -> None:
    spec = "[training]\nglobal_batch_size = 500\n"
    overlay = "\n" * 11 + "steps = 8\n"
    diagnostic = Diagnostic(
        "CFG401",
        "the batch sizes cannot all hold",
        Label(at(spec, "global_batch_size = 500"), "500 samples per step"),
        (Label(at(overlay, "8", "cfgc:zero/2.toml"), "8 micro steps"),),
        notes=("500 ≠ 8 × 8 × 8 = 512",),
        helps=("set `global_batch_size = 512`,\nor drop one of the three",),
    )
    assert render_text([diagnostic]) == (
        "error[CFG401]: the batch sizes cannot all hold\n"
        "  --> a.toml:2:1\n"
        "   |\n"
        " 2 | global_batch_size = 500\n"
        "   | ^^^^^^^^^^^^^^^^^^^^^^^ 500 samples per step\n"
        "  ::: cfgc:zero/2.toml:12:9\n"
        "   |\n"
        "12 | steps = 8\n"
        "   |         - 8 micro steps\n"
        "   |\n"
        "   = 500 ≠ 8 × 8 × 8 = 512\n"
        "   = help: set `global_batch_size = 512`,\n"
        "     or drop one of the three\n"
        "   = more: cfgc explain CFG401\n"
    )


def test_a_diagnostic_without_a_place_still_says_what_to_do() -> None:
    text = render_text([Diagnostic("CFG101", "there is no `a.toml`", helps=("look here",))])
    assert text == "error[CFG101]: there is no `a.toml`\n  = help: look here\n  = more: cfgc explain CFG101\n"


def test_marks_stand_under_wide_characters() -> None:
    text = 'name = "日本" # bad'
    lines = render_text([Diagnostic("CFG301", "x", Label(at(text, "# bad")))]).splitlines()
    assert columns(lines[3][: lines[3].index("#")]) == columns(lines[4][: lines[4].index("^")])


def test_a_very_long_line_is_cut_around_its_span() -> None:
    text = "x = [" + "1, " * 5000 + "bad, " + "2, " * 5000 + "]"
    lines = render_text([Diagnostic("CFG301", "x", Label(at(text, "bad")))]).splitlines()
    assert "bad" in lines[3]
    assert max(map(columns, lines)) < 140


def test_terminal_escapes_in_a_spec_do_not_reach_the_terminal() -> None:
    text = 'name = "\x1b[31mred\x07"'
    rendered = render_text([Diagnostic("CFG301", "bad \x1b[0m", Label(at(text, "name")))])
    assert "\x1b" not in rendered
    assert "\\x1b[31mred\\x07" in rendered


def test_colour_adds_only_escapes() -> None:
    diagnostic = Diagnostic("CFG301", "x", Label(at("a = 1", "a")), helps=("b",))
    with_colour = render_text([diagnostic], coloured)
    for code in ("1;31", "1;33", "1;34", "1;36", "1", "0"):
        with_colour = with_colour.replace(f"\x1b[{code}m", "")
    assert with_colour == render_text([diagnostic])


@given(st.text(min_size=1), st.data())
def test_any_text_and_span_can_be_shown(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    span = Span(SourceFile("f", text), start, end)
    rendered = render_text([Diagnostic("CFG301", text, Label(span, text), notes=(text,), helps=(text,))])
    assert all(line.isprintable() for line in rendered.split("\n"))


@given(st.text())
def test_printable_leaves_one_printable_line(text: str) -> None:
    assert printable(text).isprintable()


def test_json_counts_from_one_with_exclusive_ends() -> None:
    span = at("a = 1\nbb = 2\n", "bb")
    (item,) = json.loads(render_json([Diagnostic("CFG301", "m", Label(span, "here"), severity="warning")]))
    assert item["primary"] == {
        "file": "a.toml", "line": 2, "column": 1, "end_line": 2, "end_column": 3, "text": "here",
    }  # fmt: skip
    assert item["severity"] == "warning"


def test_github_annotations_keep_one_line_each() -> None:
    diagnostic = Diagnostic("CFG301", "50% of\nthis", Label(at("a = 1", "a", "x,y:z.toml")), helps=("write b",))
    assert render_github([diagnostic]) == (
        "::error file=x%2Cy%3Az.toml,line=1,col=1,title=CFG301::50%25 of%0Athis%0Ahelp: write b\n"
    )
