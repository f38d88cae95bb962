"""A finding about a key points at the key, wherever it is written."""

from __future__ import annotations

import pytest

from tests.unit.schema.samples import found

START = 'extends = "cfgc:bases/tiny.toml"\n[overlays]\nhardware = "cpu"\n[experiment]\nname = "x"\n'
SOURCE = '[[data.sources]]\nname = "a"\npath = "p"\n'


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        (f'{START}{SOURCE}[[data.sources]]\nnme = "b"\npath = "p"\n', "nme", "data.sources[1].nme"),
        (f'{START}[data]\nsources = [{{ name = "x", knd = "text", path = "p" }}]\n', "knd", "data.sources[0].knd"),
        (f"{START}{SOURCE}extra.deep = 1\n", "extra.deep", "data.sources[0].extra"),
        (f'{START}{SOURCE}"" = 1\n', '""', 'data.sources[0].""'),
        (f'{START}{SOURCE}[training]\n"a b" = 1\n', '"a b"', 'training."a b"'),
        (f'"" = 1\n{START}{SOURCE}', '""', '""'),
    ],
)
def test_an_unknown_key_is_marked_itself(text: str, key: str, said: str) -> None:
    (finding,) = found(text)
    assert finding.primary
    assert (finding.code, finding.message) == ("CFG301", f"unknown key `{said}`")
    assert finding.primary.span.text == key


def test_a_key_in_an_override_and_in_an_appended_table_is_marked_itself() -> None:
    (finding,) = found(f"{START}{SOURCE}", 'data.sources=[{ name = "x", knd = "text", path = "p" }]')
    assert finding.primary
    assert finding.primary.span.text == "knd"
    base = f'append.data.sources = [{{ name = "x", knd = "text", path = "p" }}]\n{START}'
    (finding,) = found(base)
    assert finding.primary
    assert finding.primary.span.text == "knd"
