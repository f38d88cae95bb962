"""The example on a page of a schema code shows that code."""

from __future__ import annotations

import re

import pytest

from cfgc.diagnostics.explain import explanation, known_codes
from tests.unit.schema.samples import said

PAGES = [code for code in known_codes() if code.startswith(("CFG30", "CFG31", "CFG45", "CFG46"))]


def test_the_pages_are_those_of_the_schema() -> None:
    assert [f"CFG{number}" for number in (*range(301, 318), *range(450, 466))] == PAGES


@pytest.mark.parametrize("code", PAGES)
def test_the_example_shows_its_code(code: str) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", explanation(code) or "", re.DOTALL)
    whole = "extends = []\n" + example if code == "CFG302" else example
    alone = {"spec.toml": example} if code == "CFG317" else None
    assert code in {finding.code for finding in said(whole, files=alone)}
