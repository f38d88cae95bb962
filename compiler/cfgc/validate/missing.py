"""Keys that a spec must give and does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cfgc.diagnostics import Diagnostic, Label
from cfgc.origin import dotted as quoted
from cfgc.schema.catalogue import schema_sections
from cfgc.schema.lookup import field_at, section_at
from cfgc.validate.places import Location, first_line, header_label, leaf_at, value_label
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.schema_errors import missing_key

if TYPE_CHECKING:
    from cfgc.resolve.resolved import Resolved

VALUES: Mapping[str, Any] = {
    "experiment.name": "my-run",
    "model.hidden_size": 768,
    "model.num_layers": 12,
    "model.num_heads": 12,
    "data.sources.name": "text",
    "data.sources.path": "data",
    "data.sources": [{"name": "text", "path": "data", "include": ["*.txt"]}],
    "data.tokenizer.path": "tokenizer",
    "task.checkpoint": "runs/my-run",
}
"""What a fix gives a required key."""

EXAMPLES = {
    "experiment.name": '`name = "my-run"` under `[experiment]`',
    "model.hidden_size": '`hidden_size = 768` under `[model]`, or start from `extends = "cfgc:bases/small.toml"`',
    "model.num_layers": '`num_layers = 12` under `[model]`, or start from `extends = "cfgc:bases/small.toml"`',
    "model.num_heads": '`num_heads = 12` under `[model]`, or start from `extends = "cfgc:bases/small.toml"`',
    "data.sources.name": '`name = "text"`',
    "data.sources.path": '`path = "data"`',
    "task.checkpoint": '`checkpoint = "${stages.NAME.checkpoint}"` under `[task]` in a pipeline, or the path of a run',
    "data.tokenizer.path": '`path = "tokenizer"` under `[data.tokenizer]`',
    "data.sources": 'the files to train on:\n[[data.sources]]\nname = "text"\npath = "data"\ninclude = ["*.txt"]',
}
"""The same in words."""


START = """extends = "cfgc:bases/small.toml"

[overlays]
hardware = "a100-80gb"

[experiment]
name = "my-run"

[[data.sources]]
name = "text"
path = "data"
include = ["*.txt"]"""
"""The shortest spec that can be built."""


def says_nothing(resolved: Resolved) -> Diagnostic | None:
    """CFG317: the finding about a spec without a single key, which lacks everything; None for any other spec."""
    root = resolved.graph.root
    if any(line.strip() and not line.strip().startswith("#") for line in root.text.split("\n")):
        return None
    return Diagnostic("CFG317", "the spec is empty", Label(first_line(root)), helps=(f"start with\n{START}",))


def missing_keys(resolved: Resolved, location: Location) -> Iterator[Diagnostic]:
    """One finding for the missing key, or for each required key of a missing table."""
    section = section_at(location)
    if section is None or location not in schema_sections():
        yield _missing(resolved, location)
        return
    for name, info in section.model_fields.items():
        if info.is_required():
            yield from missing_keys(resolved, (*location, name))


def _missing(resolved: Resolved, location: Location) -> Diagnostic:
    key = dotted(location)
    info = field_at(location)
    name = location[-1]
    plain = ".".join(part for part in location if isinstance(part, str))
    example = EXAMPLES.get(plain, f"`{name} = …`")
    edits = Remedy(resolved).set(location, VALUES[plain]) if plain in VALUES else ()
    fixes = one_fix(edits)
    doc = info.description or "" if info else ""
    return missing_key(key, _place(resolved, location), doc[:1].lower() + doc[1:].rstrip("."), f"add {example}", fixes)


def _place(resolved: Resolved, location: Location) -> Label:
    parent = location[:-1]
    if leaf_at(resolved, parent):
        label = value_label(resolved, parent, f"without `{location[-1]}`")
        if label:
            return label
    removed = resolved.removed.get(tuple(str(part) for part in location))
    if removed and removed.span:
        return Label(removed.span, "unset here, and it has no default")
    name = "[[data.sources]]" if location == ("data", "sources") else location[-1]
    return header_label(resolved, parent, f"no `{name}` here")


def dotted(location: Location) -> str:
    """``("data", "sources", 0, "path")`` as ``data.sources[0].path``."""
    text = ""
    for part in location:
        key = "" if isinstance(part, int) else quoted((part,))
        text += f"[{part}]" if isinstance(part, int) else f".{key}" if text else key
    return text
