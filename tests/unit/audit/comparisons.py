"""Bundles in memory, and what is said to differ between them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from cfgc.audit.bundle_on_disk import BundleOnDisk, bundle_in_memory, read_bundle
from cfgc.audit.comparing import Change, Comparison, compare_bundles
from cfgc.audit.facts import Fact
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir

SHIPPED = DiskReader(shipped_dir("specs"), shipped_dir("specs"))
SPEC = """
extends = "cfgc:examples/quickstart.toml"
[experiment]
name = "a"
[training]
max_steps = 240
warmup_steps = "${training.max_steps // 24}"
"""

STOPPING = SPEC.replace("[training]", "[training]\nearly_stopping.patience = 2")
STOPPING += "[evaluation]\nevery_steps = 20\nmax_batches = 4\n"
"""One rank judges 4 batches of 4."""


def compiled(text: str, *overrides: str, name: str = "a.toml", **files: str) -> BundleOnDisk:
    reader = MemoryReader({name: text, "cfgc.toml": "", **files}, SHIPPED)
    return bundle_in_memory(compile_spec(reader, name, overrides), " ".join((name, *overrides)))


PLAIN = compiled(SPEC)


def compared(*overrides: str) -> Comparison:
    return compare_bundles(PLAIN, compiled(SPEC, *overrides))


def edited(bundle: BundleOnDisk, files: Mapping[str, str], manifest: Mapping[str, Any] | None = None) -> BundleOnDisk:
    """``bundle`` as another compiler had written it: with these texts, and a manifest that lists them."""
    said = {name: {"sha256": "0", "size": 0, "executable": False} for name in files}
    whole = {**bundle.manifest, "outputs": {**bundle.outputs, **said}, "bundle_digest": "other", **(manifest or {})}
    texts = {**files, "manifest.json": json.dumps(whole)}
    return read_bundle(
        {**bundle.files, **{PurePosixPath(name): text.encode() for name, text in texts.items()}}, "edited"
    )


def by_key(comparison: Comparison) -> dict[str, Change]:
    return {change.key: change for change in comparison.changes}


def about(comparison: Comparison, subject: str) -> Fact:
    [found] = [fact for fact in comparison.facts if fact.subject == subject]
    return found
