"""Are torch and DeepSpeed installed, and the releases that the bundle was compiled for? Standard library only."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from typing import TYPE_CHECKING

from cfgc_runtime.errors import WRONG_WORLD, Failure

if TYPE_CHECKING:
    from cfgc_runtime.config import Target


def installed_releases() -> dict[str, str]:
    """Releases of torch and DeepSpeed, without the suffix of a local build such as +cpu; none is imported."""
    found = {name: _release(name) for name in ("torch", "deepspeed")}
    return {name: release for name, release in found.items() if release}


def check_releases(target: Target) -> None:
    """Raise ``Failure`` unless DeepSpeed is the target's release and torch is of the target's series (2.13.x).

    A task of the user's own may do without DeepSpeed: its target names no release of it.
    """
    installed = installed_releases()
    wanted = {"torch": target.torch} | ({"deepspeed": target.deepspeed} if target.deepspeed else {})
    install = f"{sys.executable} -m pip install " + " ".join(f"{name}=={release}" for name, release in wanted.items())
    if missing := [name for name in wanted if name not in installed]:
        raise Failure(WRONG_WORLD, f"{sys.executable} has no {' and no '.join(missing)}: {install}")
    for name, release in wanted.items():
        same = _series(installed[name]) == _series(release) if name == "torch" else installed[name] == release
        if not same:
            raise Failure(
                WRONG_WORLD,
                f"{name} {installed[name]} is installed, the bundle was compiled for {release}: install that one "
                f"({install}), or set target.{name} in the spec and rebuild",
            )


def _release(name: str) -> str | None:
    try:
        if importlib.util.find_spec(name) is None:
            return None
        return importlib.metadata.version(name).partition("+")[0]
    except (ImportError, ValueError):  # PackageNotFoundError is an ImportError
        return None


def _series(release: str) -> list[str]:
    return release.split(".")[:2]
