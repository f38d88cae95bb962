"""Finds the user's own code in the project, through the reader; nothing is imported."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from cfgc.schema.catalogue import schema_fields
from cfgc.source import NotUtf8Error, decode_source
from cfgc.usercode.code import UserCode

if TYPE_CHECKING:
    from cfgc.load.reader import Reader
    from cfgc.packing.packing import Packed
    from cfgc.packing.settings import Settings
    from cfgc.resolve.resolved import Resolved
    from cfgc.source import SourceFile

Packages: TypeAlias = "dict[Settings, Packed]"

ROOTS = ("", "src/")
"""Where packages lie in a project."""


def with_user_code(reader: Reader, resolved: Resolved, packages: Packages | None = None) -> Resolved:
    """``resolved`` with the sources of what it names, as far as ``reader`` has them, and with what it packs.

    ``packages`` are those that were made for other points of a sweep.
    """
    packed = _packed(reader, resolved, packages)
    modules: dict[str, SourceFile] = {}
    for target in _targets(resolved):
        module = target.partition(":")[0]
        source = _source_of(lambda logical: _read(reader, logical), module)
        if packed and (own := _source_of(packed.files.get, module)):
            source = own
        if source is not None:
            modules[module] = source
    script = resolved.get("task.script")
    named = script.value if script and isinstance(script.value, str) else None
    found = _read(reader, posixpath.normpath(named)) if named else None
    if not (modules or found is not None or packed):
        return resolved
    return replace(resolved, code=UserCode(MappingProxyType(modules), found, packed))


def _packed(reader: Reader, resolved: Resolved, packages: Packages | None) -> Packed | None:
    kind = resolved.get("package.kind")
    if kind is None or kind.value == "none":
        return None
    from cfgc.load.project import read_project
    from cfgc.packing.packing import pack
    from cfgc.packing.settings import settings_of

    settings = settings_of(resolved, read_project(reader).out)
    if settings is None:
        return None
    made = {} if packages is None else packages
    if settings not in made:
        made[settings] = pack(reader, settings)
    return made[settings]


def _targets(resolved: Resolved) -> Iterator[str]:
    metrics = resolved.get("evaluation.metrics")
    held = metrics.value if metrics and isinstance(metrics.value, list) else []
    values = [one.get("target") for one in held if isinstance(one, dict)]
    values += [leaf.value for path in schema_fields() if path[-1] == "target" and (leaf := resolved.leaves.get(path))]
    yield from (value for value in values if isinstance(value, str) and not value.startswith("."))


def _source_of(read: Callable[[str], bytes | None], module: str) -> SourceFile | None:
    path = module.replace(".", "/")
    for logical in (f"{root}{path}{end}" for root in ROOTS for end in (".py", "/__init__.py")):
        data = read(logical)
        if data is not None:
            try:
                return decode_source(logical, data)
            except NotUtf8Error:
                return None
    return None


def _read(reader: Reader, logical: str) -> bytes | None:
    try:
        return reader.read(logical)
    except (OSError, ValueError):
        return None
