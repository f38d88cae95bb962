"""Whatever is written under [sweep] is accepted or refused with a place; nothing else can happen."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.diagnostics.text import render_text
from cfgc.sweep.settings import toml_of
from tests.unit.sweep.specs import TASK, checked

NAMES = st.sampled_from(
    ["task", "args", "env", "A", "zero", "hardware", "low", "high", "scale", "integer", "training.learning_rate", "a b"]
)
SCALARS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.booleans(),
    st.text(max_size=4),
    st.sampled_from(["log", "linear", "cpu", "${experiment.seed}", "${no.such}", "${", "1"]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
TABLES = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(["grid", "zip", "list", "random"]) | VALUES,
        "parameters": st.dictionaries(NAMES, VALUES, max_size=3) | VALUES,
        "points": st.lists(st.dictionaries(NAMES, VALUES, max_size=2), max_size=3) | VALUES,
        "max_points": st.integers(-2, 6) | VALUES,
        "seed": st.integers(-2, 6) | VALUES,
        "max_parallel": st.integers(-2, 6) | VALUES,
        "methods": SCALARS,
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TABLES)
def test_a_sweep_of_anything_ends_well(table: dict[str, object]) -> None:
    text = f"sweep = {toml_of(table)}\n{TASK}"  # type: ignore[arg-type]
    made, said = outcome_of(text)
    assert bool(made) != bool(said) or all(finding.severity == "warning" for finding in said)
    assert len(made) == len(set(made))
    assert bool(render_text(said)) == bool(said)


def outcome_of(text: str) -> tuple[list[str], tuple[Diagnostic, ...]]:
    """The plan digests of the points, and the findings."""
    try:
        found = checked(text)
    except Rejected as rejected:
        return [], rejected.diagnostics
    return [point.plan_digest for point in found.sweep.points], found.warnings
