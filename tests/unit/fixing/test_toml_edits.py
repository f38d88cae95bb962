"""An edit changes what it names: the text reads as intended, and all else keeps its place, comments and layout."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cfgc.diagnostics.model import Edit
from cfgc.fixing.apply import apply_edits
from cfgc.fixing.toml_layout import layout_of
from cfgc.fixing.tree import CannotEditError, edited_tree
from cfgc.load.spans import Location
from cfgc.source import SourceFile
from tests.unit.load.test_spans import documents

NOWHERE = SourceFile("spec.toml", "")

SPEC = """\
# What the run is.

extends = "base.toml" # the base

[training] # how
max_steps = 3 # three
lr.a = 1
lr.b = 2

# the optimizer
[training.optimizer]
betas = [
  0.9, # first
  0.95,
]
extra = { a = 1, b = 2 }

[[data.sources]]
name = "a"
path = { env = "X" }
"""


def set_to(path: Location, value: Any) -> Edit:
    return Edit("set", NOWHERE, path, value)


def drop(path: Location) -> Edit:
    return Edit("remove", NOWHERE, path)


def move(path: Location, to: Location) -> Edit:
    return Edit("move", NOWHERE, path, to=to)


def changed(text: str, edit: Edit) -> tuple[list[str], list[str]]:
    """Lines that are gone, and lines that are new; blank ones aside."""
    before, after = _lines(text), _lines(apply_edits(text, [edit], "toml"))
    gone = [line for line in before if before.count(line) > after.count(line)]
    return gone, [line for line in after if after.count(line) > before.count(line)]


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


@pytest.mark.parametrize(
    ("edit", "gone", "new"),
    [
        (set_to(("training", "max_steps"), 5), ["max_steps = 3 # three"], ["max_steps = 5 # three"]),
        (set_to(("training", "seed"), "x"), [], ['seed = "x"']),
        (set_to(("training", "lr", "c"), 2), [], ["lr.c = 2"]),
        (set_to(("unset",), ["a.b"]), [], ['unset = ["a.b"]']),
        (set_to(("launch", "nodes"), 2), [], ["[launch]", "nodes = 2"]),
        (set_to(("training", "scheduler", "type"), "cosine"), [], ["[training.scheduler]", 'type = "cosine"']),
        (set_to(("data", "shuffle"), True), [], ["[data]", "shuffle = true"]),
        (set_to(("data", "sources", 0, "include"), ["*"]), [], ['include = ["*"]']),
        (
            set_to(("data", "sources", 0, "path", "path"), "q"),
            ['path = { env = "X" }'],
            ['path = { env = "X", path = "q" }'],
        ),
        (set_to(("training", "optimizer", "betas", 1), 0.99), ["  0.95,"], ["  0.99,"]),
        (drop(("training", "max_steps")), ["max_steps = 3 # three"], []),
        (drop(("training", "lr")), ["lr.a = 1", "lr.b = 2"], []),
        (drop(("training", "optimizer", "betas", 0)), ["  0.9, # first"], []),
        (drop(("training", "optimizer", "extra", "b")), ["extra = { a = 1, b = 2 }"], ["extra = { a = 1 }"]),
        (move(("training", "max_steps"), ("training", "steps")), ["max_steps = 3 # three"], ["steps = 3 # three"]),
        (move(("training", "lr"), ("training", "rate")), ["lr.a = 1", "lr.b = 2"], ["rate.a = 1", "rate.b = 2"]),
        (move(("training", "optimizer"), ("optim",)), ["[training.optimizer]"], ["[optim]"]),
        (
            move(("training", "optimizer", "extra", "a"), ("seed",)),
            ["extra = { a = 1, b = 2 }"],
            ["seed = 1", "extra = { b = 2 }"],
        ),
    ],
)
def test_an_edit_touches_only_what_it_names(edit: Edit, gone: list[str], new: list[str]) -> None:
    assert changed(SPEC, edit) == (gone, new)


def test_a_table_that_loses_its_last_key_goes_with_its_header() -> None:
    text = "[launch]\nnodes = 2\n\n[data]\nseed = 1 # one\n\n[cluster]\nqos = 'a'\n"
    assert apply_edits(text, [drop(("data", "seed"))], "toml") == "[launch]\nnodes = 2\n\n[cluster]\nqos = 'a'\n"


def test_a_comment_keeps_the_header_that_it_stands_under() -> None:
    text = "[data] # what it reads\nseed = 1\n"
    assert apply_edits(text, [drop(("data", "seed"))], "toml") == "[data] # what it reads\n"


def test_a_comment_moves_with_its_value() -> None:
    text = "[a]\nx = 0x10 # sixteen\ny = 1\n\n[b]\nz = 2\n"
    after = apply_edits(text, [move(("a", "x"), ("b", "x"))], "toml")
    assert after == "[a]\ny = 1\n\n[b]\nz = 2\nx = 0x10 # sixteen\n"


def test_a_table_is_merged_into_one_that_is_there() -> None:
    text = "[training]\nsteps = 1\n\n[trainng]\nseed = 2\n"
    assert apply_edits(text, [move(("trainng",), ("training",))], "toml") == "[training]\nsteps = 1\nseed = 2\n"


@pytest.mark.parametrize(
    "edit",
    [
        drop(("training", "nothing")),
        move(("training", "max_steps"), ("extends",)),
        move(("training",), ("training", "optimizer", "x")),
        set_to(("extends", "x"), 1),
        set_to(("data", "sources", 3, "name"), "x"),
        set_to(("training", "x"), None),
    ],
)
def test_what_cannot_be_done_is_refused(edit: Edit) -> None:
    with pytest.raises(CannotEditError):
        apply_edits(SPEC, [edit], "toml")


def leaves(tree: Any, at: Location = ()) -> list[Location]:
    """Everything in ``tree`` that has a location."""
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [place for key, child in children for place in [(*at, key), *leaves(child, (*at, key))]]


@st.composite
def edits(draw: st.DrawFn, text: str) -> Edit:
    places = leaves(tomllib.loads(text)) or [("a",)]
    path = draw(st.sampled_from(places))
    key = draw(st.sampled_from(["new", "a", "odd name", "é"]))
    beside = draw(st.sampled_from([(*path[:-1], key), (key,), (*path, key), ("x", "y", key)]))
    value = draw(st.sampled_from([1, -2.5, True, 'te"xt\n', [1, [2]], {"k": {"l": 1}}, []]))
    kind = draw(st.sampled_from(["set", "add", "remove", "move"]))
    if kind == "remove":
        return drop(path)
    return move(path, beside) if kind == "move" else set_to(path if kind == "set" else beside, value)


@settings(max_examples=80)
@given(st.data())
def test_the_text_reads_as_intended_and_no_comment_is_lost(data: st.DataObject) -> None:
    text = data.draw(documents())
    try:
        before = layout_of(text)
    except CannotEditError:
        assume(False)
        raise
    edit = data.draw(edits(text))
    try:
        after = apply_edits(text, [edit], "toml")
    except CannotEditError:
        return
    assert tomllib.loads(after) == edited_tree(before.tree, edit, before.stays)
    touched = [edit.path, edit.to] if edit.action == "move" else [edit.path]
    kept = [line for line in before.statements if not any(_related(line.location, path) for path in touched)]
    for line in kept:
        assert text[line.key[0] : line.value[1]] in after
    order = [after.find(text[line.key[0] : line.value[1]]) for line in kept]
    assert order == sorted(order) or len(set(order)) < len(order)


def _related(one: Location, other: Location) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


@given(st.sampled_from([drop(("training", "max_steps")), set_to(("new", "key"), 1), set_to(("seed",), 1)]))
@example(move(("training", "lr", "a"), ("b", "c")))
def test_windows_newlines_stay(edit: Edit) -> None:
    after = apply_edits(SPEC.replace("\n", "\r\n"), [edit], "toml")
    assert after.count("\r\n") == after.count("\n")
    assert after.replace("\r\n", "\n") == apply_edits(SPEC, [edit], "toml")


@settings(max_examples=50)
@given(st.data())
def test_most_edits_of_plain_specs_can_be_done(data: st.DataObject) -> None:
    """Renaming, setting and removing any key of an ordinary spec never fails."""
    path = data.draw(st.sampled_from(leaves(tomllib.loads(SPEC))))
    name = path[-1]
    edit = data.draw(st.sampled_from([drop(path), set_to(path, 7), move(path, (*path[:-1], f"{name}x"))]))
    if isinstance(name, int) and (edit.action == "move" or (edit.action == "set" and path == ("data", "sources", 0))):
        return
    apply_edits(SPEC, [edit], "toml")
