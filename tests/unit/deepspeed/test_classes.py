"""Every key of ds_config has a class, in every release."""

from __future__ import annotations

from collections.abc import Iterator

from cfgc.deepspeed.classes import UNKNOWN, class_of_key, lines
from cfgc.deepspeed.config import Path
from cfgc.deepspeed.releases import known_releases, release
from cfgc.schema.catalogue import schema_fields

PARAMETERS = "params"


def keys() -> set[Path]:
    return {path for version in known_releases() for path in release(version).keys}


def parameters(section: str) -> set[Path]:
    tables = (release(version) for version in known_releases())
    types = (
        one for each in tables for one in (each.optimizers if section == "optimizer" else each.schedulers).values()
    )
    return {(section, PARAMETERS, name) for one in types for name in one.parameters}


def test_every_key_of_every_release_has_a_class() -> None:
    assert len(keys()) > 500
    assert [path for path in keys() if class_of_key(path) == UNKNOWN] == []


def test_every_parameter_of_every_optimizer_has_a_line_of_its_own() -> None:
    named = parameters("optimizer")
    assert len(named) > 35
    assert [path for path in named if ".".join(path) not in lines()] == []


def test_every_parameter_of_every_schedule_changes_the_rates() -> None:
    assert {class_of_key(path).kind for path in parameters("scheduler")} == {"numerics"}


def test_every_line_is_about_something() -> None:
    known = {".".join(path) for path in keys() | parameters("optimizer") | parameters("scheduler")}
    about = {name.removesuffix(".*") for name in lines()}
    assert about - known == set()


def test_every_reason_is_a_sentence() -> None:
    for name, classed in lines().items():
        assert classed.why.endswith("."), name
        assert classed.why[0].isupper() or classed.why[0].isdigit() or classed.why[0] == "`", name
        assert len(classed.why) <= 120, name


def test_another_name_of_a_key_has_its_class() -> None:
    aliases = list(_aliases())
    assert aliases
    assert [alias for alias, path in aliases if class_of_key(alias) != class_of_key(path)] == []


def test_an_unknown_key_may_change_anything() -> None:
    assert class_of_key(("nobody", "knows")) == UNKNOWN
    assert class_of_key(("optimizer", "params", "unheard_of")).kind == "numerics"
    assert class_of_key(("zero_optimization", "unheard_of")) == UNKNOWN


def test_what_the_spec_has_a_key_for_has_the_same_class_there() -> None:
    fields = schema_fields()
    both: dict[Path, Path] = {
        ("deepspeed", "zero", path[1]): path for path in keys() if path[0] == "zero_optimization" and len(path) == 2
    }
    both |= {("training", path[0]): path for path in keys() if len(path) == 1}
    both |= {("deepspeed", path[0]): path for path in keys() if len(path) == 1}
    both |= {("training", "optimizer", path[2]): path for path in parameters("optimizer")}
    shared = {ours: theirs for ours, theirs in both.items() if ours in fields}
    assert len(shared) > 20
    other = {ours for ours, theirs in shared.items() if fields[ours].field_class != class_of_key(theirs).kind}
    assert other == set()


def _aliases() -> Iterator[tuple[Path, Path]]:
    for version in known_releases():
        for path, key in release(version).keys.items():
            if key.alias_of:
                yield path, key.alias_of
