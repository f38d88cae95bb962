"""Every key and value of a TOML text is found where it stands."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cfgc.load.spans import Location, first_repeat, locate
from cfgc.origin import Value

SPACE = st.sampled_from(["", " ", "\t", "  "])
LINE = st.sampled_from(["\n", "\r\n", " # a comment = [1]\n", "\n\n"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="'\r\x7f", min_codepoint=32), max_size=8)


def basic(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


SCALARS = st.one_of(
    TEXTS.map(basic),
    TEXTS.map(lambda text: f"'{text}'"),
    TEXTS.map(lambda text: f"'''\n{text}\nmore'''"),
    TEXTS.map(lambda text: '"""' + basic(text)[1:-1] + ' \\\n   end"""'),
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["true", "false", "0xff", "1_000", "1979-05-27", "07:32:00", "1979-05-27 07:32:00", "1e5"]),
)


@st.composite
def keys(draw: st.DrawFn) -> str:
    bare = st.text("abcdef-_019", min_size=1, max_size=4)
    part = st.one_of(bare, bare.map(lambda key: f'"{key}.{key}"'), bare.map(lambda key: f"'{key} é'"))
    return draw(SPACE).join([".", ""]).join(draw(st.lists(part, min_size=1, max_size=3)))


def arrays(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    gap = st.sampled_from(["", " ", "\n  ", " # c\n"])
    return st.tuples(st.lists(values, max_size=3), gap).map(
        lambda drawn: "[" + drawn[1] + f",{drawn[1]}".join(drawn[0]) + (drawn[1] + "]")
    )


def inline_tables(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(keys(), SPACE, values).map(lambda pair: f"{pair[0]}{pair[1]}={pair[1]}{pair[2]}")
    return st.lists(pairs, max_size=3).map(lambda inner: "{ " + ", ".join(inner) + " }")


VALUES = st.recursive(SCALARS, lambda inner: st.one_of(arrays(inner), inline_tables(inner)), max_leaves=6)


@st.composite
def documents(draw: st.DrawFn) -> str:
    lines = []
    for _ in range(draw(st.integers(0, 8))):
        indent = draw(SPACE)
        kind = draw(st.sampled_from(["pair", "pair", "pair", "table", "array"]))
        if kind == "pair":
            lines.append(f"{indent}{draw(keys())}{draw(SPACE)}={draw(SPACE)}{draw(VALUES)}{draw(LINE)}")
        else:
            opening, closing = ("[", "]") if kind == "table" else ("[[", "]]")
            lines.append(f"{indent}{opening}{draw(SPACE)}{draw(keys())}{draw(SPACE)}{closing}{draw(LINE)}")
    return "".join(lines)


def leaves(value: Value, at: Location = ()) -> dict[Location, Value]:
    if isinstance(value, dict) and value:
        return {place: leaf for key, child in value.items() for place, leaf in leaves(child, (*at, key)).items()}
    if isinstance(value, list) and value:
        return {place: leaf for i, child in enumerate(value) for place, leaf in leaves(child, (*at, i)).items()}
    return {at: value}


def reads_as(text: str) -> Value:
    loaded: Value = tomllib.loads(f"x={text}")["x"]
    return loaded


@given(documents())
@example('0.0=""\n00=""\n[0]\n0=""\n0=[{  },"",{ 0="", 0="" }]\n')
@settings(max_examples=100, deadline=None)
def test_each_extent_holds_exactly_its_value(text: str) -> None:
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        first_repeat(text)  # only a key written twice can be wrong with a generated document
        return
    places = locate(text)
    for location, value in leaves(tree).items():
        if location in places.headers or location not in places.values:
            assert value == {}, f"{location} has no place"
            continue
        place = places.values[location]
        assert reads_as(text[slice(*place.value)]) == value
        assert text[slice(*place.value)].strip() == text[slice(*place.value)]


@given(documents())
@settings(max_examples=50, deadline=None)
def test_each_key_extent_ends_in_the_keys_name(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    for location, place in locate(text).values.items():
        if isinstance(location[-1], str) and location not in locate(text).headers:
            parsed: Any = tomllib.loads(f"{text[slice(*place.key)]} = 1")
            while isinstance(parsed, dict):
                ((name, parsed),) = parsed.items()
            assert name == location[-1]


def spelled(text: str) -> dict[Location, tuple[str, str]]:
    return {at: (text[slice(*p.key)], text[slice(*p.value)]) for at, p in locate(text).values.items()}


def test_dotted_keys_inline_tables_and_arrays() -> None:
    assert spelled('a . "b c" = { x = 1, y.z = [1, {q = 2}] } # c\n') == {
        ("a", "b c"): ('a . "b c"', "{ x = 1, y.z = [1, {q = 2}] }"),
        ("a", "b c", "x"): ("x", "1"),
        ("a", "b c", "y", "z"): ("y.z", "[1, {q = 2}]"),
        ("a", "b c", "y", "z", 0): ("1", "1"),
        ("a", "b c", "y", "z", 1): ("{q = 2}", "{q = 2}"),
        ("a", "b c", "y", "z", 1, "q"): ("q", "2"),
    }


def test_keys_below_an_array_of_tables_belong_to_its_last_element() -> None:
    text = "[[s]]\na = 1\n[s.t]\nb = 2\n[[s]]\n[[s.u]]\nc = 3\n[[s.u]]\nc = 4\n"
    found = {at: key for at, (key, _) in spelled(text).items() if isinstance(at[-1], str) and len(at) > 1}
    assert found == {
        ("s", 0, "a"): "a",
        ("s", 0, "t", "b"): "b",
        ("s", 1, "u"): "s.u",
        ("s", 1, "u", 0, "c"): "c",
        ("s", 1, "u", 1, "c"): "c",
    }
    assert text[slice(*locate(text).headers[("s", 1)])] == "s"
    assert locate(text).headers[("s", 1)][0] == text.index("[[s]]", 5) + 2


def test_a_repeat_is_found_with_both_places() -> None:
    for text, first, again in [
        ("a=1\na=2", 0, 4),
        ("[a]\n[b]\n[a]\n", 1, 9),
        ("a.b=1\na=2", 0, 6),
        ("a={b=1}\na.c=2", 0, 8),
        ("x={a=1,a=2}", 3, 7),
        ("a.b=1\n[a]", 0, 7),
        ("a=1\n[a.b]", 0, 5),
        ("a=[{ }, 1, { b=1, b=2 }]", 13, 18),
    ]:
        repeat = first_repeat(text)
        assert repeat is not None
        assert (repeat.first[0], repeat.again[0]) == (first, again)
