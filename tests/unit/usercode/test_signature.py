"""What a source says of a function: only what is certain."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc.usercode.annotations import fits
from cfgc.usercode.signature import Absent, NotCallable, Signature, find_signature

SOURCE = """
import functools
from elsewhere import borrowed
from dataclasses import dataclass

LIMIT = 3
made = functools.partial(print, 1)

def plain(a, b: int = 1, /, c=2, *, d, e=3): ...

def many(first, *more, **rest): ...

@functools.cache
def wrapped(a): ...

if LIMIT:
    def sometimes(a): ...

class Network:
    def __init__(self, width: int): ...
    @classmethod
    def small(cls, depth: int): ...
    @staticmethod
    def helper(x): ...
    def method(self): ...

class Inherits(Network): ...

@dataclass
class Settings:
    a: int
"""


def names(attribute: str) -> list[str]:
    found = find_signature(SOURCE, attribute)
    assert isinstance(found, Signature)
    return [parameter.name for parameter in found.parameters]


def test_parameters_as_a_caller_sees_them() -> None:
    assert names("plain") == ["a", "b", "c", "d", "e"]
    assert names("Network") == ["width"]
    assert names("Network.small") == ["depth"]
    assert names("Network.helper") == ["x"]
    found = find_signature(SOURCE, "plain")
    assert isinstance(found, Signature)
    assert [one.name for one in found.parameters if one.required] == ["a", "d"]
    assert [one.name for one in found.parameters if not one.keyword] == ["a", "b"]
    assert [one.name for one in found.parameters if not one.position] == ["d", "e"]
    assert SOURCE.splitlines()[found.line - 1].startswith("def plain")
    many = find_signature(SOURCE, "many")
    assert isinstance(many, Signature)
    assert (many.more_positions, many.more_keywords) == (True, True)


@pytest.mark.parametrize(
    "attribute",
    ["made", "borrowed", "wrapped", "sometimes", "Inherits", "Settings", "Network.method", "Network.inherited"],
)
def test_what_the_source_does_not_settle_is_left_to_the_run(attribute: str) -> None:
    assert find_signature(SOURCE, attribute) is None


def test_what_is_not_there_and_what_cannot_be_called() -> None:
    assert find_signature(SOURCE, "plan") == Absent(("plain", "many", "wrapped", "Network", "Inherits", "Settings"))
    assert find_signature(SOURCE, "LIMIT") == NotCallable(6, "3")


@pytest.mark.parametrize("text", ["def (", "from x import *", "def __getattr__(name): ...", "\0"])
def test_a_source_that_cannot_be_read_or_followed_says_nothing(text: str) -> None:
    assert find_signature(text, "build") is None


CASES = [
    ("int", 1, True), ("int", "1", False), ("int", True, False), ("int", 1.5, False),
    ("float", 1, True), ("float", "a", False), ("str", "a", True), ("str", 1, False), ("bool", 1, False),
    ("int | None", 3, True), ("int | None", "x", False), ("Optional[str]", 1, False), ("'int'", "x", False),
    ("Union[int, Tensor]", "x", None), ("list[int]", [1, 2], True), ("list[int]", [1, "2"], False),
    ("Sequence[float]", [1, 2.0], True), ("Sequence[str]", "abc", True), ("typing.List[str]", [1], False),
    ("tuple[int, int]", [1, 2], False), ("dict[str, int]", {"a": 1}, True), ("Mapping[str, int]", {"a": "b"}, False),
    ("Literal['a', 'b']", "a", True), ("Literal['a', 'b']", "c", False), ("Literal[1]", True, False),
    ("Any", [], True), ("Tensor", 1, None), ("Path", "x", False), ("None", 1, False), ("list", {}, False),
    ("list[Tensor]", [1], None), ("Literal[NAME]", 1, None), ("int if x else str", 1, None),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "value", "expected"), CASES, ids=[f"{a}-{v}" for a, v, _ in CASES])
def test_a_literal_against_an_annotation(annotation: str, value: object, expected: bool | None) -> None:
    assert fits(value, ast.parse(annotation, mode="eval").body) is expected


LITERALS = st.recursive(
    st.integers() | st.floats(allow_nan=False) | st.text() | st.booleans(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(max_examples=40)
@given(LITERALS)
def test_what_python_itself_would_annotate_fits(value: object) -> None:
    assert fits(value, ast.parse(type(value).__name__, mode="eval").body) is True
    assert fits(value, None) is None
