"""Small bundles, and what is on disk."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePosixPath

from cfgc.emit.bundle import Bundle


def bundle_of(root: str = "spec.toml", **files: str) -> Bundle:
    """A bundle whose manifest is as the writer needs it; ``__`` in a name is a slash, ``_`` a dot."""
    named = {name.replace("__", "/").replace("_", "."): text.encode() for name, text in files.items()}
    outputs = {name: {"sha256": hashlib.sha256(text).hexdigest()} for name, text in named.items()}
    manifest = {"format": 1, "root": root, "bundle_digest": "sha256:0", "outputs": outputs}
    data = {PurePosixPath(name): content for name, content in named.items()}
    data[PurePosixPath("manifest.json")] = json.dumps(manifest).encode()
    return Bundle("b", data, frozenset({PurePosixPath("launch.sh")}))


def content(directory: Path) -> dict[str, str]:
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_text() for path in files}


def expected(bundle: Bundle) -> dict[str, str]:
    return {str(path): data.decode() for path, data in bundle.files.items()}


def names(directory: Path) -> list[str]:
    """Everything in ``directory``, hidden names too."""
    return sorted(path.name for path in directory.iterdir())
