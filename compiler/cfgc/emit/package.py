"""What a bundle says of the user's code that it carries: the archive, the manifest's entry, PLAN.md's section."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cfgc.emit.markdown import code, counted, disk, table
from cfgc.packing.archive import NAME as ARCHIVE
from cfgc.packing.changes import NAME as PATCH

if TYPE_CHECKING:
    from cfgc.lower.plan import AnyPlan, Archive, Container

_SHOWN = 20
"""Files that PLAN.md lists; manifest.json has all."""
_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})$")


def package_files(archive: Archive) -> dict[PurePosixPath, bytes]:
    """The archive and, where something is not as committed, the patch."""
    patch = {PurePosixPath(PATCH): archive.patch} if archive.changed else {}
    return {PurePosixPath(ARCHIVE): archive.data, **patch}


def package_entry(plan: AnyPlan) -> dict[str, object]:
    """``package`` of manifest.json; nothing without one."""
    archive = plan.archive
    if not plan.package.sha256:
        return {}
    of_git = {"commit": archive.commit, "repository": archive.repository, "changed": archive.changed}
    return {
        "package": {
            "kind": archive.kind,
            "archive": ARCHIVE,
            "sha256": plan.package.sha256,
            "subdirectory": archive.subdirectory,
            **(of_git if archive.commit else {}),
            **({"patch": PATCH} if archive.changed else {}),
            **({"besides": archive.besides} if archive.kind == "both" else {}),
            "files": {path: sha256 for path, sha256, _ in archive.files},
        }
    }


def container_entry(plan: AnyPlan) -> dict[str, object]:
    """``container`` of manifest.json; nothing without one. The digest is empty where the image has none in its name."""
    container = plan.slurm.container
    if container.kind == "none":
        return {}
    said = {"kind": container.kind, "image": container.image, "digest": digest_of_image(container)}
    return {"container": said}


def digest_of_image(container: Container) -> str:
    """``sha256:…`` of ``registry/name@sha256:…``, which can mean one image only; empty for any other name."""
    found = _DIGEST.search(container.image)
    return found[1] if found else ""


def package_section(plan: AnyPlan) -> list[str]:
    """PLAN.md: which code runs, and where it is from."""
    if not plan.package.sha256:
        return []
    files = plan.archive.files
    shown = [(code(path), code(sha256[:12]), disk(size)) for path, sha256, size in files[:_SHOWN]]
    more = [] if len(files) <= _SHOWN else ["", f"And {counted(len(files) - _SHOWN, 'more file')}, in manifest.json."]
    listing = table(("file", "sha256", "size"), shown)
    return ["## Package", "", *table(("what", "value"), _rows(plan)), "", *listing, *more]


def _rows(plan: AnyPlan) -> Iterator[tuple[str, str]]:
    archive = plan.archive
    size = disk(sum(size for _, _, size in archive.files))
    below = f" below {code(archive.subdirectory)}" if archive.subdirectory else ""
    yield "archive", f"{code(ARCHIVE)}: {counted(len(archive.files), 'file')}{below}, {size}"
    yield "sha256", code(plan.package.sha256)
    if archive.commit:
        where = f" of {code(archive.repository)}" if archive.repository else ""
        yield "commit", f"{code(archive.commit)}{where}"
        yield "since the commit", _changes(archive)
    if archive.besides:
        yield "not in git", _listed(archive.besides)
    yield "on the node", "unpacked once into the run directory; Python looks there first"


def _changes(archive: Archive) -> str:
    return f"changed: {_listed(archive.changed)}; {code(PATCH)} says how" if archive.changed else "nothing has changed"


def _listed(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else ""
    return ", ".join(map(code, paths[:_SHOWN])) + more


def unusual_code(archive: Archive) -> Iterator[str]:
    """What a reviewer should know of a package."""
    if archive.changed:
        yield f"{counted(len(archive.changed), 'packed file')} in no commit as packed: {_listed(archive.changed)}"
    if archive.besides:
        yield f"{counted(len(archive.besides), 'packed file')} that git does not know: {_listed(archive.besides)}"
