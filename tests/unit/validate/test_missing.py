"""What is missing is said once, and where it belongs."""

from __future__ import annotations

import pytest

from cfgc.validate.missing import START
from tests.unit.schema.samples import found
from tests.unit.validate.test_beyond import GOOD

NO_SOURCES = GOOD[: GOOD.index("[[data.sources]]")]


def test_no_source_is_one_finding_at_the_spec() -> None:
    (finding,) = found(NO_SOURCES)
    assert (finding.code, finding.message) == ("CFG302", "missing required key `data.sources`")
    assert finding.primary
    assert finding.primary.span.text == 'extends = "cfgc:bases/small.toml"'
    block = finding.helps[0].split("\n", 1)[1]
    assert found(NO_SOURCES + block) == ()


def test_no_source_points_at_the_data_header_of_the_spec() -> None:
    (finding,) = found(f"{NO_SOURCES}[data]\nshuffle = true\n")
    assert finding.primary
    assert (finding.primary.span.text, finding.primary.span.source.logical) == ("data", "spec.toml")


@pytest.mark.parametrize("unset", ["model.hidden_size", "model"])
def test_a_required_key_that_the_spec_unsets_is_missing_there(unset: str) -> None:
    missing = [finding for finding in found(f'unset = ["{unset}"]\n{GOOD}') if finding.code == "CFG302"]
    assert missing
    assert {finding.primary.span.text for finding in missing if finding.primary} == {f'"{unset}"'}


@pytest.mark.parametrize("unset", ["model.hidden_size", "data.sources"])
def test_a_required_key_that_the_command_line_unsets_is_missing_there(unset: str) -> None:
    (finding,) = found(GOOD, f"~{unset}")
    assert (finding.code, finding.message) == ("CFG302", f"missing required key `{unset}`")
    assert finding.primary
    assert finding.primary.span.source.text == f"~{unset}"


@pytest.mark.parametrize("text", ["", "\n\n", "# later\n", "\r\n# later"])
def test_an_empty_spec_is_one_finding(text: str) -> None:
    assert [finding.code for finding in found(text)] == ["CFG317"]


def test_the_start_that_is_offered_can_be_built() -> None:
    assert found(START) == ()
