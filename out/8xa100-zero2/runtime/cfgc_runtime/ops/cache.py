"""Where built code lies on a node, and how several runs use it at once. Standard library only.

Below ``launch.ops_cache`` this user has a directory for each set of versions::

    cfgc-ops-UID/KEY/ops/NAME     built once and whole
    cfgc-ops-UID/KEY/triton       Triton's own cache, and torch.compile's beside it: made for many writers
    cfgc-ops-UID/KEY/used/…       a copy of ops for each running attempt

torch builds an extension under a lock that is a file, which a killed process leaves behind for every later one to wait
for. So no two attempts share the directory in which torch locks: each has a copy, which goes with it.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import stat
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cfgc_runtime.errors import CANNOT_WRITE, Failure, describe_os_error

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK: Final = ".lock"
_CHOICES: Final = ("CXX", "CC", "CFLAGS", "CXXFLAGS", "LDFLAGS", "CUDA_HOME", "TORCH_CUDA_ARCH_LIST")
"""Variables that change what a compiler makes."""


@dataclass(frozen=True)
class OpsCache:
    """The directory of one set of versions."""

    path: Path

    @property
    def ops(self) -> Path:
        """Whole builds, each a directory named after its extension."""
        return self.path / "ops"

    @property
    def building(self) -> Path:
        """The lock of whoever builds."""
        return self.path / ".building"

    def has(self, op: str) -> bool:
        """Whether ``op`` of DeepSpeed is here, or came with DeepSpeed's installation."""
        return is_whole(self.ops / op) or self._installed(op).exists()

    def note(self, op: str, place: Path) -> None:
        """Remember that loading ``op`` built nothing in ``place``."""
        if not (place / op).exists():
            self._installed(op).touch()

    def _installed(self, op: str) -> Path:
        return self.path / f"installed-{op}"

    def environment(self, used: Path) -> dict[str, str]:
        """What tells torch, Triton and torch.compile where to build."""
        return {
            "TORCH_EXTENSIONS_DIR": str(used),
            "TRITON_CACHE_DIR": str(self.path / "triton"),
            "TORCHINDUCTOR_CACHE_DIR": str(self.path / "inductor"),
        }

    def place(self, name: str) -> Path:
        """Where the copy called ``name`` is."""
        return self.path / "used" / name

    @contextmanager
    def copy(self, name: str) -> Iterator[Path]:
        """A copy of the ops for one attempt on this node; what it built besides is kept when it ends."""
        place = self.place(name)
        with self._taken(place):
            self.fill(place)
            try:
                yield place
            finally:
                self.keep(place)
                shutil.rmtree(place, ignore_errors=True)

    @contextmanager
    def _taken(self, place: Path) -> Iterator[None]:
        """A new ``place`` that nobody removes while this process lives."""
        place.parent.mkdir(exist_ok=True)
        with (self.path / ".taking").open("w") as turn, ExitStack() as held:
            fcntl.flock(turn, fcntl.LOCK_EX)
            _remove_unused(place.parent)
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            fcntl.flock(held.enter_context((place / _LOCK).open("w")), fcntl.LOCK_EX)
            fcntl.flock(turn, fcntl.LOCK_UN)
            yield

    def fill(self, place: Path) -> None:
        """Copy the ops that ``place`` has not; with their times, so that nothing is built again."""
        for op in filter(is_whole, self.ops.glob("[!.]*")):
            if not (place / op.name).exists():
                shutil.copytree(op, place / op.name)

    def keep(self, place: Path) -> None:
        """Take what was built in ``place`` and is not here yet. A full disk costs the next start a build, not this."""
        with suppress(OSError):
            self.ops.mkdir(exist_ok=True)
            for built in filter(is_whole, place.glob("[!.]*")):
                if not is_whole(self.ops / built.name):
                    self._publish(built)

    def _publish(self, built: Path) -> None:
        part, target = self.ops / f".{built.name}.{os.getpid()}", self.ops / built.name
        try:
            shutil.copytree(built, part)
            shutil.rmtree(target, ignore_errors=True)  # what a cleaner of /tmp has left of it
            part.rename(target)  # fails when another one was ready first, which is as good
        finally:
            shutil.rmtree(part, ignore_errors=True)


def open_cache(parent: Path) -> OpsCache:
    """The cache below ``parent`` for what is installed here. Raises ``Failure`` when it is not this user's alone."""
    own = parent / f"cfgc-ops-{os.getuid()}"
    try:
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = own.lstat()
        path = own / cache_key()
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise _unusable(own, describe_os_error(error, own)) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise _unusable(own, "somebody else owns it or may write to it, and could put code there")
    return OpsCache(path)


def cache_key() -> str:
    """Names what built code depends on: releases for people, the rest as a digest."""
    releases = {
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "torch": _release("torch"),
        "cuda": _cuda(),
        "deepspeed": _release("deepspeed"),
        "triton": _release("triton"),
    }
    machine = [platform.machine(), *_lines(Path("/proc/cpuinfo"), "flags", "Features"), *_gpus()]
    chosen = [f"{name}={os.environ.get(name, '')}" for name in _CHOICES]
    digest = hashlib.sha256("\n".join([sys.prefix, *machine, *chosen]).encode("utf-8", "surrogateescape"))
    words = [f"{name}{release}" for name, release in releases.items() if release]
    return re.sub(r"[^\w.+-]", "_", "-".join([*words, digest.hexdigest()[:12]]))


def is_whole(build: Path) -> bool:
    """Whether ``build`` is an extension, and not what a build left that was cut off in the middle."""
    return any(build.glob("*.so")) and not (build / "lock").exists()


def _remove_unused(parent: Path) -> None:
    """Copies of attempts that were killed."""
    for lock in parent.glob(f"*/{_LOCK}"):
        with suppress(OSError), lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)


def _unusable(place: Path, reason: str) -> Failure:
    return Failure(
        CANNOT_WRITE,
        f"built code cannot be kept in {place} ({reason}); name a directory of this node in launch.ops_cache and "
        "rebuild",
    )


def _release(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _cuda() -> str:
    """The CUDA that torch was built with, without importing torch."""
    found = importlib.util.find_spec("torch")
    if found is None or not found.origin:
        return ""
    stated = _lines(Path(found.origin).with_name("version.py"), "cuda")
    said = re.search(r"= *'([\d.]+)'", stated[0]) if stated else None
    return said[1] if said else ""


def _gpus() -> list[str]:
    files = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    return sorted({line for file in files for line in _lines(file, "Model")})


def _lines(path: Path, *starts: str) -> list[str]:
    """The first line of ``path`` that begins with one of ``starts``, if any."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return next(([line.strip()] for line in file if line.startswith(starts)), [])
    except OSError:
        return []
