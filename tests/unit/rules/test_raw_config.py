"""Raw keys are judged like any ds_config, for the target, at the spec's own lines."""

from __future__ import annotations

from typing import Any

import pytest

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.validate.checker import check_resolved
from tests.unit.rules.building import SMALL, merged, resolved_of


def found(raw: dict[str, Any], **changes: Any) -> tuple[Diagnostic, ...]:
    """What is said of the small spec with ``raw``."""
    resolved = resolved_of(merged(SMALL, changes, {"deepspeed": {"raw": {"reason": "a test", **raw}}}))
    try:
        return check_resolved(resolved).warnings
    except Rejected as rejected:
        return rejected.diagnostics


def pointed_at(finding: Diagnostic) -> str:
    """The text that the finding points at."""
    assert finding.primary is not None
    span = finding.primary.span
    return span.source.text[span.start : span.end]


def test_a_raw_key_that_the_target_reads_says_nothing() -> None:
    assert found({"memory_breakdown": True}) == ()
    assert found({"zero_optimization": {"ignore_unused_parameters": False}}, deepspeed={"zero": {"stage": 1}}) == ()


@pytest.mark.parametrize(
    ("raw", "code", "line"),
    [
        ({"memory_breakdwon": True}, "CFG547", "deepspeed.raw.memory_breakdwon"),
        ({"flops_profiler": {"enabeld": True}}, "CFG547", "deepspeed.raw.flops_profiler.enabeld"),
        ({"checkpoint": {"tag_validation": "Fale"}}, "CFG551", "deepspeed.raw.checkpoint.tag_validation = 'Fale'"),
        ({"amp": {"enabled": True}}, "CFG554", "deepspeed.raw.amp.enabled"),
    ],
)
def test_a_mistake_is_an_error_at_the_raw_key(raw: dict[str, Any], code: str, line: str) -> None:
    (finding,) = found(raw)
    assert (finding.code, finding.severity) == (code, "error")
    assert pointed_at(finding) == line


def test_a_misspelt_raw_key_is_put_right_in_the_spec() -> None:
    (finding,) = found({"memory_breakdwon": True})
    (edit,) = finding.fixes[0].edits
    assert (edit.action, edit.path) == ("move", ("deepspeed", "raw", "memory_breakdwon"))
    assert edit.to == ("deepspeed", "raw", "memory_breakdown")
    assert finding.helps == ("write `memory_breakdown = true`",)


def test_the_target_decides_what_a_raw_key_is() -> None:
    raw = {"zero_optimization": {"compute_grad_norm": True}}
    stage: dict[str, Any] = {"zero": {"stage": 1}}
    assert found(raw, deepspeed=stage) == ()
    (finding,) = found(raw, deepspeed=stage, target={"deepspeed": "0.18.9"})
    assert finding.code == "CFG553"
    assert "0.19.7" in finding.message
    older = {"zero_optimization": {"zeropp_loco_param": {"err_beta": 0.9}}}
    assert "CFG554" in {finding.code for finding in found(older, deepspeed=stage)}


def test_a_key_with_a_home_is_said_once() -> None:
    assert [finding.code for finding in found({"gradient_clipping": "1.0"})] == ["CFG520"]


def test_a_value_that_json_does_not_have_is_said_once() -> None:
    assert [finding.code for finding in found({"aio": {"block_size": "auto"}})] == ["CFG524"]


def test_a_warning_of_a_raw_key_can_be_waived() -> None:
    raw = {"zero_optimization": {"ignore_unused_parameters": "yes"}}
    stage: dict[str, Any] = {"zero": {"stage": 1}}
    (finding,) = found(raw, deepspeed=stage)
    assert (finding.code, finding.severity) == ("CFG550", "warning")
    assert found(raw, deepspeed=stage, checks={"allow": {"CFG550": "it is true"}}) == ()
