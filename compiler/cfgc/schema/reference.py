"""The spec reference as Markdown, from the schema itself."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill
from typing import TYPE_CHECKING

from pydantic_core import PydanticUndefined

from cfgc.schema.catalogue import SchemaField, catalogue, schema_sections
from cfgc.schema.describe import describe_type
from cfgc.schema.field import meta_of
from cfgc.schema.lookup import section_at
from cfgc.schema.renamed import NO_PLACE, RENAMED
from cfgc.validate.supported import CODES
from cfgc.validate.values import toml_text

if TYPE_CHECKING:
    from cfgc.origin import Path
    from cfgc.schema.field import Section

_INTRODUCTION = """\
# Spec reference

Every key of a spec, generated from the schema (`pytest tests/unit/schema --update-golden`). The schema is closed: any
other key is an error.

A key's class says what a change of it changes: **numerics** the loss curve, **resources** what the run needs,
**logistics** only how it is run ([classes](classes.md)). *Required* keys have no default; a default of – means that the
value is derived from other keys or that the feature is off. Keys marked † are known but not executed by the runtime
yet: any value besides those listed as working is refused.
{codes}

Keys of the language itself: `extends`, `unset`, `append` and `[overlays]`.
"""


def render_reference() -> str:
    """The whole page, a newline at the end."""
    codes = fill(f"`cfgc explain` has {', '.join(f'{code} ({family})' for family, (code, _) in CODES.items())}.", 120)
    return "\n".join([_INTRODUCTION.format(codes=codes), *_tables(), *_other_names()]) + "\n"


def _tables() -> Iterator[str]:
    fields: dict[Path, list[SchemaField]] = {}
    for field in catalogue():
        fields.setdefault(field.path[:-1], []).append(field)
    for path, section in schema_sections().items():
        if path in fields:
            yield from _table(f"`[{'.'.join(path)}]`" if path else "Top level", section, fields[path])
        for field in fields.get(path, []):
            element = section_at(field.path)
            if element:
                infos = element.model_fields.items()
                inner = [SchemaField((*field.path, name), info, meta_of(info)) for name, info in infos]
                yield from _table(f"`[[{field.dotted}]]`", element, inner)


def _table(title: str, section: type[Section], fields: list[SchemaField]) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"{(section.__doc__ or '').strip().splitlines()[0]}\n"
    yield "| key | value | default | meaning | class | because |\n| --- | --- | --- | --- | --- | --- |"
    yield from (_row(field) for field in fields)
    yield ""


def _row(field: SchemaField) -> str:
    mark = " †" if field.meta.later else ""
    name, meta = f"`{field.path[-1]}`{mark}", field.meta
    cells = (name, _value(field), _default(field), field.doc, field.field_class, meta.why)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _value(field: SchemaField) -> str:
    later = field.meta.later
    works = [toml_text(value) for value in later.works if value not in (None, ())] if later else []
    return describe_type(field) + (f"; works: {', '.join(works)}" if works else "")


def _default(field: SchemaField) -> str:
    if field.default is PydanticUndefined:
        return "*required*"
    if field.default in (None, {}):
        return "–"
    return f"`{toml_text(field.default)}`"


def _other_names() -> Iterator[str]:
    yield "## Names of other systems\n"
    yield "Refused with `CFG303`, which says what to write.\n"
    yield "| there | here |\n| --- | --- |"
    yield from (f"| `{old}` | `{renamed.key}` |" for old, renamed in RENAMED.items())
    yield "\nWithout counterpart, refused with `CFG304`:\n"
    yield "| there | why |\n| --- | --- |"
    yield from (f"| `{old}` | {why} |" for old, why in NO_PLACE.items())
