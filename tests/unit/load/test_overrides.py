"""What the words after the spec do."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgc.diagnostics import Rejected
from cfgc.diagnostics.text import render_text
from cfgc.origin import Value
from tests.unit.load.helpers import codes, load, refused, resolve, values

SPEC: dict[str, str | bytes] = {
    "spec.toml": '[t]\nsteps = 100\nrate = 3e-4\nname = "x"\ntwice = "${t.steps * 2}"\n[u]\nsteps = 7\n'
}


def given_value(override: str) -> Value:
    found = resolve(SPEC, override).get("t.v")
    assert found is not None
    return found.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1e-4", 1e-4),
        ("5_000", 5000),
        ("true", True),
        ('"quoted"', "quoted"),
        ("'literal'", "literal"),
        ("bare", "bare"),
        ("two words", "two words"),
        ("/scratch/a-b_c", "/scratch/a-b_c"),
        ("24:00:00", "24:00:00"),
        ("12:00:00", "12:00:00"),
        ("2026-11-21", "2026-11-21"),
        ("[1, [2, 3]]", [1, [2, 3]]),
        ('["a", {b = 1}]', ["a", {"b": 1}]),
        ("${t.steps // 3}", 33),
        ("x-${t.steps}", "x-100"),
        (" 5 ", 5),
        ("a=b", "a=b"),
    ],
)
def test_the_right_side_is_toml_or_a_bare_word(text: str, value: Value) -> None:
    found = given_value(f"t.v={text}")
    assert found == value
    assert type(found) is type(value)


def test_an_inline_table_merges_as_any_table() -> None:
    found = values(SPEC, 't.extra={deep="y"}', "t.extra.more=1")
    assert (found["t.extra.deep"], found["t.extra.more"]) == ("y", 1)


def test_every_override_has_its_own_place() -> None:
    found = resolve(SPEC, "t.steps = 5", "t.v=[1, 2]")
    span = found.leaves["t", "steps"].origin.span
    inner = found.leaves["t", "v"].origin.inner[(1,)]
    assert (str(span), span and span.text) == ("command line:1:11", "5")
    assert (str(inner), inner.text) == ("command line:1:9", "2")


def test_unset_and_broadcast() -> None:
    assert "t.rate" not in values(SPEC, "~t.rate")
    found = values(SPEC, "**.steps=9")
    assert (found["t.steps"], found["u.steps"]) == (9, 9)
    assert values(SPEC, "**.steps=9", defaults={"w.steps": 1})["w.steps"] == 9
    assert values(SPEC, "**.u.steps=9")["t.steps"] == 100


def test_a_broadcast_sees_overrides_on_its_left_only() -> None:
    found = values(SPEC, "n.steps=1", "**.steps=2", "m.steps=3")
    assert (found["n.steps"], found["m.steps"]) == (2, 3)


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("t.steps*=2", "t.steps", 200),
        ("t.steps+=1", "t.steps", 101),
        ("t.steps-=1", "t.steps", 99),
        ("t.steps/=8", "t.steps", 12.5),
        ("t.steps/=10", "t.steps", 10),
        ("t.rate*=10", "t.rate", 3e-4 * 10),
        ("t.twice*=3", "t.twice", 600),
        ("t.steps*=${u.steps}", "t.steps", 700),
        ("t.steps-=-5", "t.steps", 105),
    ],
)
def test_a_walk_computes_from_what_stands_there(override: str, key: str, value: Value) -> None:
    found = values(SPEC, override)[key]
    assert found == value
    assert type(found) is type(value)


def test_walks_add_up() -> None:
    assert values(SPEC, "t.steps*=2", "t.steps+=1", "t.steps*=10")["t.steps"] == 2010
    assert values(SPEC, "t.twice+=1", "t.steps=1")["t.twice"] == 3


@pytest.mark.parametrize(
    ("override", "code", "hint"),
    [
        ("+t.v=1", "CFG121", "'t.v=1'"),
        ("++t.v=1", "CFG121", "'t.v=1'"),
        ("--t.v=1", "CFG121", "'t.v=1'"),
        ("--t.v 1", "CFG121", "'t.v=1'"),
        ("t.v=null", "CFG121", "'~t.v'"),
        ("t.v=None", "CFG121", "'~t.v'"),
        ("t.v=True", "CFG121", "'t.v=true'"),
        ("t.v=.5", "CFG121", "'t.v=0.5'"),
        ("t.v=1e-3,1e-4", "CFG121", "for an array write 't.v=[1e-3, 1e-4]'"),
        ("t.v=[a,b]", "CFG122", '\'t.v=["a", "b"]\''),
        ("t.v=[1, 2", "CFG122", "close its quote or bracket"),
        ("t.v=nan", "CFG107", "leave the key out, or write a finite number"),
        ("t.v=", "CFG120", "'t.v=\"\"' is an empty text"),
    ],
)
def test_habits_of_other_tools_get_what_to_write(override: str, code: str, hint: str) -> None:
    (found,) = refused(SPEC, override)
    assert (found.code, found.helps[0]) == (code, hint)


@pytest.mark.parametrize(
    "override", ["", "=", "=1", "t.v", "~", "**", "**.=1", "t..v=1", ".v=1", "a b.c=1", "~=", "zero="]
)
def test_what_is_no_override_is_a_diagnostic(override: str) -> None:
    assert set(codes(SPEC, override)) <= {"CFG120", "CFG121", "CFG123"}


def test_several_lines_are_not_one_override() -> None:
    assert codes(SPEC, "t.v=1\nt.w=2") == ["CFG122"]
    assert codes(SPEC, "t.v=a\nb") == ["CFG122"]


def test_overrides_are_recorded_as_given() -> None:
    assert load(SPEC, "t.v=1", "~t.rate").overrides == ("t.v=1", "~t.rate")


@given(st.text(max_size=30))
def test_no_text_is_a_traceback(text: str) -> None:
    for override in (text, f"t.v={text}", f"t.steps*={text}", f"**.{text}", f"~{text}"):
        try:
            found = values(SPEC, override)
        except Rejected as rejected:
            render_text(rejected.diagnostics)
        else:
            assert not any(isinstance(value, date) for value in found.values())


@pytest.mark.parametrize("override", ["append.x=[1]", "extends=a.toml", "unset=a.b", "overlays.zero=2"])
def test_directives_of_files_are_no_keys(override: str) -> None:
    assert codes({"spec.toml": "a.b = 1\n"}, override) == ["CFG120"]
