from __future__ import annotations

import pytest
from pydantic_core import PydanticUndefined

from cfgc.schema.catalogue import SchemaField, catalogue, schema_fields, schema_sections, section_type
from cfgc.schema.defaults import default_patch
from cfgc.schema.describe import describe_type
from cfgc.schema.field import Section, meta_of
from cfgc.schema.renamed import NO_PLACE, RENAMED
from cfgc.schema.spec import Spec
from cfgc.validate.supported import CODES

NUMERIC = ("integer", "float", "duration", "size in bytes", "two numbers")
SECTIONS = """
experiment target env task model training data deepspeed
parallel hardware launch cluster checkpoint tracking evaluation sweep
stages package checks
"""


@pytest.mark.parametrize("field", catalogue(), ids=lambda field: field.dotted)
def test_every_field_is_documented(field: SchemaField) -> None:
    assert field.doc.endswith(".")
    assert field.doc[0].isupper() or field.doc[0].isdigit()
    assert field.field_class in {"numerics", "resources", "logistics"}


@pytest.mark.parametrize("field", catalogue(), ids=lambda field: field.dotted)
def test_every_number_has_a_unit(field: SchemaField) -> None:
    if describe_type(field).startswith(NUMERIC):
        assert field.meta.unit


@pytest.mark.parametrize("field", catalogue(), ids=lambda field: field.dotted)
def test_every_number_has_a_range(field: SchemaField) -> None:
    if describe_type(field).startswith(NUMERIC) and not describe_type(field).startswith("two"):
        assert any(sign in describe_type(field) for sign in "<>≤≥")


@pytest.mark.parametrize("field", catalogue(), ids=lambda field: field.dotted)
def test_a_reserved_field_names_a_way_out(field: SchemaField) -> None:
    if field.meta.later:
        assert field.meta.later.feature in CODES
        assert field.meta.later.instead


def test_every_section_is_documented() -> None:
    for path, section in schema_sections().items():
        assert (section.__doc__ or "").strip(), path
    assert set(Spec.model_fields) == set(SECTIONS.split())


def test_values_have_a_class_and_tables_have_none() -> None:
    for section in schema_sections().values():
        for info in section.model_fields.values():
            assert (meta_of(info).field_class is None) == (section_type(info) is not None)


def test_defaults_are_the_first_layer_and_pydantic_adds_none() -> None:
    patch = default_patch()
    for path, field in schema_fields().items():
        given = field.default not in (PydanticUndefined, None, {})
        assert (path in patch.sets) == given, field.dotted
    assert all(origin.span is None and origin.layer.kind == "default" for origin in patch.sets.values())


def test_every_default_is_valid() -> None:
    for path, section in schema_sections().items():
        required = [name for name, info in section.model_fields.items() if info.is_required()]
        if not required:
            assert section.model_validate(_defaults_below(path)) == section()


def _defaults_below(path: tuple[str, ...]) -> dict[str, object]:
    root: dict[str, object] = {}
    for known, origin in default_patch().sets.items():
        if known[: len(path)] == path:
            table = root
            for part in known[len(path) : -1]:
                table = table.setdefault(part, {})  # type: ignore[assignment]
            table[known[-1]] = origin.value
    return root


def test_a_renamed_key_leads_to_a_key_of_the_schema() -> None:
    known = {field.dotted for field in catalogue()} | {"extends"}
    assert {renamed.key for renamed in RENAMED.values()} - known == set()


def test_no_key_is_both_known_and_renamed_or_without_place() -> None:
    known = {field.dotted for field in catalogue()} | {".".join(path) for path in schema_sections()}
    assert known & (set(RENAMED) | set(NO_PLACE)) == set()
    assert set(RENAMED) & set(NO_PLACE) == set()


def test_sections_are_closed_strict_and_frozen() -> None:
    assert Section.model_config["extra"] == "forbid"
    assert Section.model_config["strict"]
    assert Section.model_config["frozen"]
