"""The runtime's own files, byte for byte, found without importing torch."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from cfgc.resources import shipped_dir

RUNTIME = PurePosixPath("runtime")
_SUFFIXES = (".py", ".typed")


def vendored_runtime() -> Mapping[PurePosixPath, bytes]:
    """``runtime/__main__.py`` and ``runtime/cfgc_runtime/…``, sorted by path."""
    package = _package_dir()
    sources = sorted(path for path in package.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
    files = {RUNTIME / "__main__.py": (shipped_dir("runtime") / "__main__.py").read_bytes()}
    for path in sources:
        files[RUNTIME / package.name / path.relative_to(package).as_posix()] = path.read_bytes()
    return files


def _package_dir() -> Path:
    spec = find_spec("cfgc_runtime")
    assert spec is not None, "cfgc and cfgc_runtime are one distribution"
    assert spec.origin is not None, "cfgc_runtime has an __init__.py"
    return Path(spec.origin).parent
