"""The user's code that the bundle carries: unpacked into the run directory, where Python looks first.

Standard library only.
"""

from __future__ import annotations

import os
import shutil
import socket
import tarfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from cfgc_runtime.errors import BAD_BUNDLE, BAD_CHECKPOINT, CANNOT_WRITE, FULL, Failure, describe_os_error
from cfgc_runtime.rundir import sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cfgc_runtime.config import Package
    from cfgc_runtime.rundir import RunDirectory

NAME: Final = "package.tar"
VARIABLE: Final = "PYTHONPATH"
_DIGITS: Final = 16


def unpack(bundle: Path, package: Package, run: RunDirectory) -> None:
    """Unpack the archive of ``bundle``, unless that was done. Nodes may do so at once: one rename wins.

    Raises ``Failure`` when the archive is damaged, cannot be written here, or somebody edited what was unpacked.
    """
    if not package.sha256:
        return
    place, files = place_of(package, run), dict(_members(bundle / NAME))
    try:
        if not place.is_dir():
            _unpack(files, place)
        problems = list(_compare(files, place))
    except OSError as error:
        said = f"the bundle's {NAME} cannot be unpacked: {describe_os_error(error, place)}"
        raise Failure(BAD_CHECKPOINT if error.errno in FULL else CANNOT_WRITE, said) from None
    if problems:
        listing = "".join(f"\n  {problem}" for problem in problems)
        raise Failure(
            BAD_BUNDLE,
            f"{place} is not what the bundle's {NAME} holds:{listing}\n"
            "this is the run's own copy of your code: remove that directory and start again, which unpacks it anew",
        )


def place_of(package: Package, run: RunDirectory) -> Path:
    """Where the run has it; another package has another place."""
    return run.root.absolute() / "package" / package.sha256[:_DIGITS]


def search_path(package: Package, run: RunDirectory) -> Mapping[str, str]:
    """The variable that lets Python look in the package before it looks anywhere else; nothing without one."""
    if not package.sha256:
        return {}
    place, before = place_of(package, run), os.environ.get(VARIABLE)
    roots = [str(place / root) for root in package.roots]
    return {VARIABLE: os.pathsep.join([*roots, *([before] if before else [])])}


def _members(archive: Path) -> Iterator[tuple[str, tuple[bytes, int]]]:
    """Path, bytes and mode of each file of ``archive``."""
    try:
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                path, data = PurePosixPath(member.name), tar.extractfile(member)
                if not member.isreg() or data is None or path.is_absolute() or ".." in path.parts:
                    raise Failure(BAD_BUNDLE, f"{archive} holds {member.name!r}, which is no file of a package")
                yield member.name, (data.read(), member.mode)
    except (tarfile.TarError, FileNotFoundError, ValueError) as error:
        raise Failure(BAD_BUNDLE, f"{archive} cannot be read: {error}") from None


def _unpack(files: Mapping[str, tuple[bytes, int]], place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.{socket.gethostname()}.{os.getpid()}")
    try:
        for name, (data, mode) in files.items():
            file = temporary / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            file.chmod(mode)
        temporary.rename(place)
        sync_directory(place.parent)
    except OSError:
        if not place.is_dir():
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _compare(files: Mapping[str, tuple[bytes, int]], place: Path) -> Iterator[str]:
    for name, (data, _) in files.items():
        file = place / name
        if not file.is_file():
            yield f"missing: {name}"
        elif file.read_bytes() != data:
            yield f"edited: {name}"
    found = (path.relative_to(place).as_posix() for path in sorted(place.rglob("*.py")))
    yield from (f"added: {name}" for name in found if name not in files)
