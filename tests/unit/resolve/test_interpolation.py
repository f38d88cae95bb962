"""``${…}`` in specs: types, places, circles, bounds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgc.resolve.literal import inside
from cfgc.resolve.template import escape, parse_template
from cfgc.source import SourceFile, Span
from tests.unit.load.helpers import codes, refused, resolve, values

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x7f", min_codepoint=32), max_size=30)


def one(text: str, *overrides: str) -> dict[str, object]:
    return dict(values({"spec.toml": text}, *overrides))


@given(TEXT.filter(lambda text: "${" not in text))
def test_a_string_without_an_expression_is_unchanged(text: str) -> None:
    assert one(f"a.b = {json.dumps(text, ensure_ascii=False)}") == {"a.b": text}


@given(TEXT)
def test_an_escaped_string_stands_for_itself(text: str) -> None:
    assert parse_template(escape(text)) == (text,)
    assert one(f"a.b = {json.dumps(escape(text), ensure_ascii=False)}") == {"a.b": text}


def test_a_lone_reference_keeps_its_type() -> None:
    found = one(
        '[a]\ni = 1\nf = 2.5\nb = true\nl = [1, ["x"]]\n[r]\n' + "".join(f'{k} = "${{a.{k}}}"\n' for k in "ifbl")
    )
    assert [found[f"r.{key}"] for key in "ifbl"] == [1, 2.5, True, [1, ["x"]]]
    assert one('a.b.c = 1\na.b.d = "x"\nr.t = "${a.b}"')["r.t"] == {"c": 1, "d": "x"}


def test_references_stand_in_texts_arrays_and_inline_tables() -> None:
    found = one(
        'a.n = 3\na.on = true\nb.t = "n-${a.n}-${a.on}"\nb.l = ["${a.n}", { x = "${a.n * 2}" }]\nb.i.j = "${b.l[1].x}"'
    )
    assert (found["b.t"], found["b.l"], found["b.i.j"]) == ("n-3-true", [3, {"x": 6}], 6)


def test_references_follow_one_another_whatever_their_order() -> None:
    assert one('a.x = "${a.y + 1}"\na.y = "${a.z + 1}"\na.z = 1') == {"a.x": 3, "a.y": 2, "a.z": 1}


def test_a_reference_sees_the_merged_value_and_defaults() -> None:
    files: dict[str, str | bytes] = {
        "spec.toml": 'extends = "b.toml"\n[a]\nn = 5\n',
        "b.toml": 'a.n = 1\na.m = "${a.n + a.d}"\n',
    }
    assert values(files, "a.n=7", defaults={"a.d": 100})["a.m"] == 107
    assert values(files, defaults={"a.d": "${a.n}"})["a.d"] == 5


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ('a.b = "x ${a.no + 1}"', "a.no"),
        ("a.b = 'x ${a.no}'", "a.no"),
        ('a.b = "\\u00e9\\t\\" ${a.no}"', "a.no"),
        ('a.b = """\n  é \\\n   ${ a.no }"""', "a.no"),
        ("a.b = '''\r\nline\r\n${a.no}'''", "a.no"),
        ('a.b = [1, ["y", "${a.no}"]]', "a.no"),
        ('a.b = [{ c = "${a.no}" }]', "a.no"),
        ('[[a.b]]\nc = 1\n[[a.b]]\nc = "${a.no}"', "a.no"),
        ('a.b = { c = "${1 // 0}" }', "1 // 0"),
        ('a.b = "${1 + log2(-1)}"', "log2(-1)"),
        ('a.b = "ok ${oops"', "${"),
    ],
)
def test_the_marked_characters_are_the_wrong_ones(text: str, marked: str) -> None:
    (found,) = refused({"spec.toml": text})
    assert found.primary is not None
    assert found.primary.span.text == marked


def test_the_place_in_an_override() -> None:
    (found,) = refused({"spec.toml": "a.n = 1"}, "a.m=x-${a.no}")
    assert found.primary is not None
    assert (str(found.primary.span), found.primary.span.text) == ("command line:1:9", "a.no")


def test_circles_name_each_key_once_and_do_not_hide_other_errors() -> None:
    circles = '[a]\nx = "${a.y}"\ny = "${a.z}"\nz = "${a.x}"\nself = "${a.self}"\n'
    found = refused({"spec.toml": circles + 'w = "${a.no}"\nv = "${1/0}"\nu = "${a.v}"'})
    assert [diagnostic.code for diagnostic in found] == ["CFG206", "CFG206", "CFG205", "CFG208"]
    assert found[0].message.endswith("a.x → a.y → a.z → a.x")
    assert found[1].message.endswith("a.self → a.self")
    assert codes({"spec.toml": 'a.b = 1\na.c = "${a}"'}) == ["CFG206"]


def test_growth_is_bounded() -> None:
    doubled = "".join(f'k{i} = "${{a.k{i - 1}}}${{a.k{i - 1}}}"\n' for i in range(1, 60))
    assert codes({"spec.toml": f'[a]\nk0 = "0123456789"\n{doubled}'}) == ["CFG209"]
    nested = "".join(f'k{i} = ["${{a.k{i - 1}}}", "${{a.k{i - 1}}}"]\n' for i in range(1, 60))
    assert codes({"spec.toml": f"[a]\nk0 = [1]\n{nested}"}) == ["CFG209"]


def test_a_long_chain_is_no_problem() -> None:
    chain = "".join(f'k{i} = "${{a.k{i + 1} + 1}}"\n' for i in range(1500))
    assert one(f"[a]\n{chain}k1500 = 0\n")["a.k0"] == 1500


def test_an_element_that_is_not_there() -> None:
    assert codes({"spec.toml": 'a.l = [1]\na.b = "${a.l[1]}"'}) == ["CFG205"]
    assert codes({"spec.toml": 'a.l = 1\na.b = "${a.l.m}"'}) == ["CFG205"]


def test_conflicts_show_both_places() -> None:
    for base, spec in [
        ("t.x = 1", "t = 1"),
        ("t = 1", "t.x = 1"),
        ("[t]", "t = 1"),
        ("t = 1", "[t]"),
        ("t.x.y = 1", "t = []"),
    ]:
        (found,) = refused({"spec.toml": f'extends = "b.toml"\n{spec}', "b.toml": base})
        assert found.code == "CFG201"
        assert found.primary is not None
        assert {label.span.source.logical for label in (found.primary, *found.secondary)} == {"spec.toml", "b.toml"}
        lifted = values({"spec.toml": f'extends = "b.toml"\nunset = ["t"]\n{spec}', "b.toml": base})
        assert set(lifted) <= {"t", "t.x"}


def test_a_default_gives_way_to_a_table_and_a_value() -> None:
    assert values({"spec.toml": "a.b = 1"}, defaults={"a": 1}) == {"a.b": 1}
    assert values({"spec.toml": "a = 1"}, defaults={"a.b": 1, "a.c": 2}) == {"a": 1}


def test_a_missing_unset_and_an_append_to_a_value() -> None:
    assert codes({"spec.toml": 'unset = ["a.b"]'}) == ["CFG202"]
    assert codes({"spec.toml": 'append."a.b" = [1]', "b.toml": ""}, "a.b=1", "~a.c") == ["CFG202"]
    files: dict[str, str | bytes] = {"spec.toml": 'extends = "b.toml"\nappend."a.b" = [1]', "b.toml": "a.b = 'x'"}
    assert codes(files) == ["CFG203"]


def test_origins_keep_every_value_replaced() -> None:
    files: dict[str, str | bytes] = {
        "spec.toml": 'extends = ["b.toml", "c.toml"]\na.n = 3',
        "b.toml": "a.n = 1",
        "c.toml": "a.n = 2",
    }
    chain = resolve(files, "a.n*=2", defaults={"a.n": 0}).leaves["a", "n"].origin.chain()
    assert [(str(o.layer), o.value) for o in chain] == [
        ("command line", "${3 * 2}"),
        ("spec spec.toml", 3),
        ("base c.toml", 2),
        ("base b.toml", 1),
        ("default", 0),
    ]


def test_an_extent_of_another_text_is_the_whole() -> None:
    span = Span(SourceFile("a.toml", "a = 1_000"), 4, 9)
    assert inside(span, "${1 * 2}", 2, 3) == span


def test_one_file_that_appends_below_a_value_of_its_own() -> None:
    for text in (
        'a.b = 1\n[append]\n"a.b.c" = [1]\n',
        "[a]\nb = 1\n[append]\na = [1]\n",
        'a = [1]\n[append]\n"a.b" = [1]\n',
    ):
        assert codes({"spec.toml": text}) == ["CFG201"]
