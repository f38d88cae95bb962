"""resolved.toml: exactly the values, in columns, with comments that cannot break out."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cfgc.emit.resolved_toml import resolved_toml
from cfgc.load.disk import DiskReader
from cfgc.lower.plan import Plan, Provenance
from cfgc.pipeline import plan_spec
from cfgc.resolve.template import parse_template
from cfgc.resources import shipped_dir
from tests.unit.emit.samples import cpu_plan, hostile_plan


def with_rows(*rows: tuple[str, object, str]) -> Plan:
    entries = tuple(Provenance(tuple(key.split(".")), value, comment) for key, value, comment in rows)
    plan = cpu_plan()
    return replace(plan, review=replace(plan.review, provenance=entries))


def unescaped(value: object) -> object:
    """What the compiler would read: ``$${`` is ``${``."""
    if isinstance(value, str):
        return "".join(str(piece) for piece in parse_template(value))
    if isinstance(value, list):
        return [unescaped(item) for item in value]
    return {key: unescaped(item) for key, item in value.items()} if isinstance(value, dict) else value


def tree_of(plan: Plan) -> dict[str, object]:
    root: dict[str, object] = {}
    for entry in plan.review.provenance:
        table = root
        for part in entry.path[:-1]:
            table = table.setdefault(part, {})  # type: ignore[assignment]
        table[entry.path[-1]] = entry.value
    return root


def test_values_equal_signs_and_comments_stand_in_columns() -> None:
    plan = with_rows(
        ("training.micro_batch_size", 8, "overlay zero=2, over base cfgc:bases/base.toml (4)"),
        ("training.learning_rate", 4e-05, "command line, over spec gpt.toml (0.0003)"),
        ("deepspeed.zero.reduce_bucket_size", 500_000_000, "default"),
    )
    assert resolved_toml(plan).splitlines()[3:] == [
        "[training]",
        "micro_batch_size = 8      # overlay zero=2, over base cfgc:bases/base.toml (4)",
        "learning_rate    = 4e-05  # command line, over spec gpt.toml (0.0003)",
        "",
        "[deepspeed.zero]",
        "reduce_bucket_size = 500_000_000  # default",
    ]


def test_an_array_of_tables_is_written_as_tables() -> None:
    sources = [{"name": "a", "path": {"env": "D", "path": "x"}}, {"name": "b", "path": "/b"}]
    text = resolved_toml(with_rows(("data.shuffle", True, "default"), ("data.sources", sources, "spec s.toml")))
    assert text.splitlines()[3:] == [
        "[data]",
        "shuffle = true  # default",
        "",
        "[[data.sources]]  # spec s.toml",
        'name = "a"',
        'path = {env = "D", path = "x"}',
        "",
        "[[data.sources]]  # spec s.toml",
        'name = "b"',
        'path = "/b"',
    ]
    assert tomllib.loads(text) == {"data": {"shuffle": True, "sources": sources}}


def test_hostile_strings_arrive() -> None:
    for plan in (hostile_plan(), cpu_plan()):
        assert unescaped(tomllib.loads(resolved_toml(plan))) == tree_of(plan)


def test_text_that_could_reorder_a_line_is_visible() -> None:
    text = resolved_toml(with_rows(("a.b", "x\u202ey", "spec \u202e\x07\n[evil]\nx = 1")))
    assert 'b = "x\\u202Ey"  # spec ���[evil]�x = 1' in text


def test_keys_that_are_not_bare_are_quoted() -> None:
    plan = replace(cpu_plan().review, provenance=(Provenance(("env", 'odd key" #', "a.b"), 1, "default"),))
    assert tomllib.loads(resolved_toml(replace(cpu_plan(), review=plan))) == {"env": {'odd key" #': {"a.b": 1}}}


scalars = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.booleans(),
    st.dates(),
)
keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(st.tuples(keys.map("t-".__add__), keys.map("v-".__add__)), values, max_size=6), st.text())
def test_any_value_reads_back_as_itself(rows: dict[tuple[str, str], object], comment: str) -> None:
    review = replace(cpu_plan().review, provenance=tuple(Provenance(k, v, comment) for k, v in rows.items()))
    plan = replace(cpu_plan(), review=review)
    assert unescaped(tomllib.loads(resolved_toml(plan))) == tree_of(plan)


def test_it_begins_with_how_many_values_each_layer_gives(repository: Path) -> None:
    reader = DiskReader(repository, shipped_dir("specs"))
    plan = plan_spec(reader, "specs/examples/quickstart.toml", ("training.max_steps=1000", "experiment.seed=7"))
    text = resolved_toml(plan)
    head = " ".join(line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))
    values = [line.partition("  # ")[2] for line in text.splitlines() if "  # " in line]
    assert "Values by layer: 2 command line · " in head
    for said, written in (("spec specs/examples/quickstart.toml", "spec"), ("overlay env=dev", "overlay env=dev")):
        assert f" · {sum(value.startswith(written) for value in values)} {said}" in head
    assert f" · {sum(value.startswith('derived') for value in values)} derived To change" in head
    assert max(map(len, text[: text.index("[experiment]")].splitlines())) <= 120


def test_long_times_are_said_in_words_too() -> None:
    rows = (("launch.time_limit", 86_400, "default"), ("launch.restart_delay", 30, "default"))
    assert [line.partition("#")[2] for line in resolved_toml(with_rows(*rows)).splitlines()[-2:]] == [
        " default · 24 h",
        " default",
    ]
