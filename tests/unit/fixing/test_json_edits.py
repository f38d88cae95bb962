"""Edits of JSON and HJSON: the text reads as intended, stays JSON where it was, and keeps its comments."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc.deepspeed.reading import parse_config
from cfgc.diagnostics.model import Edit
from cfgc.fixing.apply import apply_edits, kind_of
from cfgc.fixing.tree import CannotEditError, edited_tree
from cfgc.load.spans import Location
from cfgc.source import SourceFile
from tests.unit.fixing.test_toml_edits import drop, leaves, move, set_to

COMMENTED = """\
{
  "a": 1, // first
  "z": {
    "k": true,
    "m": [1, 2]
  },
  "e": {},
  "n": "auto" // last
}
"""

HJSON = """\
# a config
a: 1 # one
z: {
  k: yes it is
  m: 3
}
n: last text
"""


def changed(text: str, edit: Edit) -> tuple[list[str], list[str]]:
    before, after = text.splitlines(), apply_edits(text, [edit], "json").splitlines()
    return [line for line in before if line not in after], [line for line in after if line not in before]


@pytest.mark.parametrize(
    ("edit", "gone", "new"),
    [
        (set_to(("a",), 5), ['  "a": 1, // first'], ['  "a": 5, // first']),
        (set_to(("z", "new"), "x"), ['    "m": [1, 2]'], ['    "m": [1, 2],', '    "new": "x"']),
        (set_to(("last",), 1), ['  "n": "auto" // last'], ['  "n": "auto", // last', '  "last": 1']),
        (set_to(("z", "m", 1), 9), ['    "m": [1, 2]'], ['    "m": [1, 9]']),
        (set_to(("e", "x"), 1), ['  "e": {},'], ['  "e": {', '    "x": 1']),
        (drop(("a",)), ['  "a": 1, // first'], []),
        (drop(("z", "m")), ['    "k": true,', '    "m": [1, 2]'], ['    "k": true']),
        (move(("a",), ("aa",)), ['  "a": 1, // first'], ['  "aa": 1, // first']),
        (
            move(("z", "k"), ("k",)),
            ['    "k": true,', '  "n": "auto" // last'],
            ['  "n": "auto", // last', '  "k": true'],
        ),
    ],
)
def test_an_edit_touches_only_its_lines(edit: Edit, gone: list[str], new: list[str]) -> None:
    assert changed(COMMENTED, edit) == (gone, new)


@pytest.mark.parametrize(
    ("edit", "gone", "new"),
    [
        (set_to(("a",), "b"), ["a: 1 # one"], ['a: "b" # one']),
        (set_to(("x",), 1), [], ['"x": 1']),
        (drop(("z", "k")), ["  k: yes it is"], []),
        (move(("z", "k"), ("k",)), ["  k: yes it is"], ['"k": "yes it is"']),
    ],
)
def test_hjson_stays_hjson(edit: Edit, gone: list[str], new: list[str]) -> None:
    assert changed(HJSON, edit) == (gone, new)


@pytest.mark.parametrize("edit", [drop(("q",)), move(("a",), ("z",)), set_to(("a", "b"), 1), set_to(("z", "m", 7), 1)])
def test_what_cannot_be_done_is_refused(edit: Edit) -> None:
    with pytest.raises(CannotEditError):
        apply_edits(COMMENTED, [edit], "json")


KEYS = st.sampled_from(["a", "b", "type", 'odd "key"', "é"])
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(-2, 2), st.text("ab: #/,{}'\"\\", max_size=6)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


@st.composite
def edits(draw: st.DrawFn, tree: dict[str, Any]) -> Edit:
    path: Location = draw(st.sampled_from(leaves(tree) or [("a",)]))
    beside = draw(st.sampled_from([(*path[:-1], "new"), ("b",), (*path, "a"), ("x", "y")]))
    kind = draw(st.sampled_from(["set", "add", "remove", "move"]))
    if kind == "remove":
        return drop(path)
    return move(path, beside) if kind == "move" else set_to(path if kind == "set" else beside, draw(VALUES))


@settings(max_examples=120)
@given(st.data(), st.dictionaries(KEYS, VALUES, max_size=4), st.sampled_from([None, 2, 4, "\t"]), st.booleans())
def test_json_reads_as_intended_and_stays_json(
    data: st.DataObject, tree: dict[str, Any], indent: int | str | None, windows: bool
) -> None:
    text = json.dumps(tree, indent=indent, ensure_ascii=False) + "\n"
    text = text.replace("\n", "\r\n") if windows else text
    edit = data.draw(edits(tree))
    try:
        after = apply_edits(text, [edit], "json")
    except CannotEditError:
        return
    assert json.loads(after) == edited_tree(tree, edit, lambda _: True)
    assert list(json.loads(after)) == list(parse_config(SourceFile("", after)).tree())
    assert not windows or after.count("\r\n") == after.count("\n")


@given(st.data(), st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
def test_keys_can_always_be_set_and_removed(data: st.DataObject, tree: dict[str, Any]) -> None:
    text = json.dumps(tree, indent=2)
    name = data.draw(st.sampled_from(list(tree)))
    assert json.loads(apply_edits(text, [set_to((name,), 7)], "json"))[name] == 7
    assert name not in json.loads(apply_edits(text, [drop((name,))], "json"))
    assert "new" in json.loads(apply_edits(text, [move((name,), ("new",))], "json"))


def test_the_name_tells_the_kind() -> None:
    assert [kind_of(name) for name in ("a.toml", "a.json", "b.hjson")] == ["toml", "json", "json"]
