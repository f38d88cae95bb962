"""ds_configs are read as DeepSpeed's own reader takes them, with the place of every key."""

from __future__ import annotations

import json
import math
from typing import Any

import hjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc.deepspeed.checking import check_ds_config
from cfgc.deepspeed.config import Config
from cfgc.deepspeed.reading import MAX_BYTES, config_of, read_config
from cfgc.deepspeed.releases import release
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.diagnostics.text import render_text

WORDS = st.text("aZ0 _.:,{}[]#/*'\"\\\n\t\x01é漢😀", max_size=6)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS
)
TREES = st.dictionaries(
    WORDS, SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(WORDS, SCALARS, max_size=3), max_size=4
)
PIECES = st.sampled_from(
    [
        *"{}[]:,\"'\n #\\",
        "'''",
        "//",
        "/*",
        "*/",
        "a",
        "bc",
        '"k"',
        "1",
        "-2.5",
        "1e3",
        "true",
        "null",
        "x y",
        "\xa0",
        "\x1f",
        "\u2003",
        '"s":',
        "k:",
    ]
)


def read(text: str | bytes) -> Config:
    return read_config("ds_config.json", text.encode() if isinstance(text, str) else text)


def refused(text: str | bytes) -> Diagnostic:
    with pytest.raises(Rejected) as caught:
        read(text)
    (finding,) = caught.value.diagnostics
    return finding


def test_the_least_config() -> None:
    config = read('{"train_batch_size": 8}')
    entry = config.entries["train_batch_size",]
    assert config.tree() == {"train_batch_size": 8}
    assert (entry.key.text, entry.span.text) == ('"train_batch_size"', "8")  # type: ignore[union-attr]


@settings(deadline=None)
@given(TREES)
def test_json_is_read_as_json_with_every_key_where_it_says(tree: dict[str, Any]) -> None:
    config = config_of(tree)
    assert config.tree() == json.loads(json.dumps(tree))
    for path, entry in config.entries.items():
        written: Any = tree
        for part in path:
            written = written[part]
        assert type(entry.value) is type(written)
        assert entry.key is not None
        assert entry.span is not None
        assert json.loads(entry.key.text) == path[-1]
        assert json.loads(entry.span.text) == entry.value
        assert entry.edited == path


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join) | TREES.map(hjson.dumps), st.booleans())
def test_any_text_is_taken_or_refused_as_hjson_does(text: str, braces: bool) -> None:
    text = f"\n{{{text}}}" if braces else f"\n{text}"
    try:
        expected = hjson.loads(text)
    except (hjson.HjsonDecodeError, IndexError):  # it runs over the end of an open comment
        expected = None
    if expected == {} and not text.replace("{", "}").partition("}")[1]:
        assert refused(text).code == "CFG545"
    elif expected:
        assert (read(text).tree() == expected) if isinstance(expected, dict) else refused(text)
    elif expected is None:
        assert refused(text).code in {"CFG542", "CFG545"}


HJSON = """
// a remark
train_batch_size: 8   # another
fp16: {
  enabled: true /* and
  another */
  'loss_scale': 0,
}
name: a text without quotes, with a comma
lines:
  '''
  one
    two
  '''
list: [1, 2
  3,]
"""


@pytest.mark.parametrize("blank", ["\xa0", "\x85", "\x1f", "\x0b", "\u2003", "\x1c\x1d"])
def test_white_space_that_hjson_does_not_skip_is_a_text(blank: str) -> None:
    for text in (f'{{"a": [1,\n{blank}\n2]}}', f'{{"a": {blank}\n}}'):
        assert read(text).tree() == hjson.loads(text)


def test_all_of_hjson() -> None:
    config = read(HJSON)
    assert config.tree() == hjson.loads(HJSON)
    assert config.tree()["name"] == "a text without quotes, with a comma"
    assert config.tree()["lines"] == "one\n  two"
    assert config.entries["fp16", "enabled"].span.text == "true"  # type: ignore[union-attr]


def test_line_ends_of_windows() -> None:
    config = read('{\r\n  "a": 1,\r\n  b: word\r\n}\r\n')
    assert config.tree() == {"a": 1, "b": "word"}
    assert config.entries["b",].span.line == 3  # type: ignore[union-attr]


def test_a_key_written_twice_counts_last_and_is_kept() -> None:
    config = read('{"a": {"b": 1}, "c": 2, "a": {"d": 3}}')
    assert config.tree() == {"c": 2, "a": {"d": 3}}
    assert list(config.entries) == [("c",), ("a",), ("a", "d")]
    ((path, first),) = config.repeated
    assert (path, first.start) == (("a",), 1)


def test_numbers_that_nothing_holds_become_infinite() -> None:
    config = read('{"a": 1e999, "b": -123456789012345678901, "c": ' + "9" * 5000 + "}")
    assert [entry.value for entry in config.entries.values()] == [math.inf, -math.inf, math.inf]


@pytest.mark.parametrize(
    ("text", "code", "marked"),
    [
        (b'{"a": "\xff"}', "CFG541", "\N{REPLACEMENT CHARACTER}"),
        ('{"a": 1,, "b": 2}', "CFG542", ","),
        ('{"a" 1}', "CFG542", '"a"'),
        ('{"a": }', "CFG542", '"a"'),
        ('{"a": "b\n"}', "CFG542", '"b'),
        ('{"a": "tab\there"}', "CFG542", "\t"),
        ('{"a": "C:\\data"}', "CFG542", "\\d"),
        ('{"a": "\\ud800"}', "CFG542", "\\ud800"),
        ('{"a": [1, 2}', "CFG542", "}"),
        ('{"a": {"b": 1}', "CFG542", "{"),
        ('{"a": 1} {"b": 2}', "CFG542", "{"),
        ('{"a": 1 /* never closed', "CFG542", "/*"),
        ('{"a": /* never closed', "CFG542", "/*"),
        ("train_batch_size = 8", "CFG542", "train_batch_size"),
        ('{"a": ' * 40, "CFG543", "{"),
        ("", "CFG545", ""),
        ("# nothing but a remark", "CFG545", ""),
        ('[{"a": 1}]', "CFG545", "["),
        ("12", "CFG545", "12"),
    ],
)
def test_what_cannot_be_read_is_said_where_it_is(text: str | bytes, code: str, marked: str) -> None:
    finding = refused(text)
    assert finding.code == code
    assert (finding.primary.span.text if finding.primary else "") == marked


def test_a_text_that_swallowed_the_closing_brace_is_shown() -> None:
    finding = refused('{"fp16": {"enabled": True}}')
    assert [label.span.text for label in finding.secondary] == ["True}}"]


@pytest.mark.parametrize(
    "text",
    [
        b"x" * (100 * MAX_BYTES),
        b'{"a":' * 100_000,
        b"[" * 1_000_000,
        b'{"a": "' + b"y" * (MAX_BYTES - 10) + b'"}',
        b"{" + b'"k": 1,' * 140_000 + b"}",
        b"{" + b"#\n" * 500_000 + b"}",
        b"'" * 1_000_000,
        b"/" * 1_000_000,
        b'{"a": ' + b"1" * 1_000_000 + b"}",
        b"\x00" * 1_000_000,
        b"{" + b",".join(b'"k%d": 1' % number for number in range(30_000)) + b"}",
        b'{"optimizer": {"params": {' + b",".join(b'"k%d": 1' % number for number in range(30_000)) + b"}}}",
        b'{"' + b"k" * 900_000 + b'": 1}',
        b'{"train_batch_size": "' + b"9" * 900_000 + b'"}',
    ],
)
def test_hostile_texts_are_read_or_refused(text: bytes) -> None:
    assert len(render_text(check_ds_config("ds_config.json", text, release("0.19.8")))) < 300_000
