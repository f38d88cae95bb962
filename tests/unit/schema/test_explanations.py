"""The example on a page of a schema code shows that code."""

from __future__ import annotations

import re

import pytest

from cfgc.diagnostics.explain import explanation, known_codes
from cfgc.validate.supported import CODES
from tests.unit.schema.samples import said

REFUSED = sorted({code for code, _ in CODES.values()})
"""Settings that the runtime does not execute yet."""
PAGES = [code for code in known_codes() if code.startswith(("CFG30", "CFG31")) or "CFG450" <= code <= "CFG465"]


def test_the_pages_are_those_of_the_schema() -> None:
    assert [f"CFG{number}" for number in range(301, 318)] + REFUSED == PAGES


@pytest.mark.parametrize("code", PAGES)
def test_the_example_shows_its_code(code: str) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", explanation(code) or "", re.DOTALL)
    whole = "extends = []\n" + example if code == "CFG302" else example
    alone = {"spec.toml": example} if code == "CFG317" else None
    assert code in {finding.code for finding in said(whole, files=alone)}
