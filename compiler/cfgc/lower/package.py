"""The plan of the package: its digest for the run, its bytes and where they are from for the bundle."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cfgc.lower.plan_code import NO_ARCHIVE, NO_PACKAGE, Archive, Package

if TYPE_CHECKING:
    from cfgc.schema.spec import AnySpec
    from cfgc.usercode.code import UserCode


def package(code: UserCode) -> Package:
    """What the runtime unpacks."""
    packed = code.packed
    return Package(packed.sha256, packed.roots) if packed else NO_PACKAGE


def archive(spec: AnySpec, code: UserCode) -> Archive:
    """What the bundle carries of it."""
    packed, said = code.packed, spec.package
    if packed is None:
        return NO_ARCHIVE
    files = ((path, hashlib.sha256(data).hexdigest(), len(data)) for path, data in sorted(packed.files.items()))
    return Archive(
        kind=said.kind,
        commit=packed.commit,
        repository=said.repository,
        subdirectory=said.subdirectory.strip("/"),
        changed=packed.changed,
        besides=packed.besides,
        files=tuple(files),
        data=packed.archive,
        patch=packed.patch,
    )
