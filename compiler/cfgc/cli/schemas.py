"""``cfgc schema``: JSON Schemas for editors."""

from __future__ import annotations

import json
from pathlib import Path

from cfgc.cli.writing import writing
from cfgc.resources import shipped_dir

NOT_GROUPS = {"bases", "examples"}
"""Directories of shipped specs that hold no overlays."""


def spec_schema() -> str:
    """The JSON Schema of specs, with the overlays that are shipped; a newline at the end."""
    from cfgc.schema.json_schema import json_schema

    folders = sorted(folder for folder in shipped_dir("specs").iterdir() if folder.name not in NOT_GROUPS)
    groups = {folder.name: sorted(file.stem for file in folder.glob("*.toml")) for folder in folders}
    return _text(json_schema({group: options for group, options in groups.items() if options}))


def config_schema(version: str) -> str:
    """The JSON Schema of a ds_config for one release."""
    from cfgc.deepspeed.json_schema import ds_config_schema
    from cfgc.deepspeed.releases import release

    return _text(ds_config_schema(release(version)))


def write_schema(text: str, out: Path) -> None:
    """Write ``text``; directories on the way are made."""
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8", newline="\n")


def _text(schema: object) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
