"""Specs with sweeps, small enough to compile in a moment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cfgc.emit.bundle import Bundle, emit_bundle
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.lower.lowering import lower_spec
from cfgc.lower.plan import AnyPlan
from cfgc.pipeline import check_spec
from cfgc.resources import shipped_dir
from cfgc.validate.checker import Checked

SHIPPED = DiskReader(Path(), shipped_dir("specs"))

TRAINING = """
extends = "cfgc:bases/tiny.toml"

[experiment]
name = "swept"

[training]
max_steps = 1000

[[data.sources]]
name = "text"
path = "data"

[overlays]
hardware = "cpu"

[launch]
gpus_per_node = 2
"""

TASK = """
[experiment]
name = "swept"

[overlays]
hardware = "cpu"

[task]
inline = "#!/bin/bash\\nexit 0\\n"
args = ["0"]
"""


def checked(text: str, *overrides: str, **files: str) -> Checked:
    """What the compiler makes of a spec; ``files`` are others of the project, by name without ``.toml``."""
    others = {f"{name.replace('__', '/')}.toml": content for name, content in files.items()}
    return check_spec(MemoryReader({"spec.toml": text, **others}, SHIPPED), "spec.toml", overrides)


def planned(text: str, *overrides: str, **files: str) -> AnyPlan:
    return lower_spec(checked(text, *overrides, **files))


def bundled(text: str, *overrides: str) -> Bundle:
    return emit_bundle(planned(text, *overrides))


def settings(text: str, *overrides: str) -> list[dict[str, str]]:
    """The settings of every point, in order."""
    return [dict(point.settings) for point in checked(text, *overrides).sweep.points]


def lines(text: str, *overrides: str) -> list[dict[str, Any]]:
    """points.jsonl."""
    return [json.loads(point.line) for point in checked(text, *overrides).sweep.points]


def grid(parameters: str, base: str = TRAINING) -> str:
    return f'{base}\n[sweep]\nmethod = "grid"\n[sweep.parameters]\n{parameters}\n'
