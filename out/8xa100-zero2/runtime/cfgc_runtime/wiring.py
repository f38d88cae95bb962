"""The user's own code, through the bundle's wiring.py."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import sys
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from cfgc_runtime.errors import INTERNAL, WRONG_WORLD, Failure
from cfgc_runtime.point import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "wiring.py"


@dataclass(frozen=True)
class Wiring:
    """The functions of wiring.py, each None unless the spec names one. ``modules`` are those of the user's code."""

    build_model: Callable[[], Any] | None = None
    build_data: Callable[[str], Any] | None = None
    build_optimizer: Callable[[list[dict[str, Any]]], Any] | None = None
    loss: Callable[..., Any] | None = None
    metrics: Callable[..., dict[str, Any]] | None = None
    run_task: Callable[[], object] | None = None
    modules: tuple[str, ...] = ()


NO_CODE = Wiring()
"""A spec that names none."""


def load_wiring(bundle: Path) -> Wiring:
    """What ``bundle`` says of the user's own code; nothing where it has no wiring.py.

    Modules are looked up in PYTHONPATH and among the installed packages, and last in the directory that the run was
    started in. Raises ``Failure`` when one is not there, lacks the name, or cannot be imported.
    """
    path, text = bundle / NAME, read_text(bundle, NAME)
    if text is None:
        return NO_CODE
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    module = ModuleType("cfgc_bundle_wiring")
    with as_user_code("importing the code that the spec names"):
        # Not through an import, which may leave bytecode in the bundle.
        exec(compile(text, path, "exec"), module.__dict__)
    found = {name: module.__dict__.get(name) for name in Wiring.__dataclass_fields__ if name != "modules"}
    return Wiring(**found, modules=_modules_of(module))


def _modules_of(module: ModuleType) -> tuple[str, ...]:
    """The modules that what ``module`` imported was defined in."""
    own = {"__future__", "typing", "builtins", None}
    found = {getattr(value, "__module__", None) for value in vars(module).values()} - own
    return tuple(sorted(str(name) for name in found if name != module.__name__))


@contextmanager
def as_user_code(doing: str) -> Iterator[None]:
    """An error inside becomes a ``Failure`` that says it is the user's own; the traceback is in the log."""
    try:
        yield
    except Failure:
        raise
    except ModuleNotFoundError as error:
        raise Failure(WRONG_WORLD, _not_found(error)) from None
    except Exception as error:
        traceback.print_exc()
        raise Failure(INTERNAL, f"{doing}: {type(error).__name__}: {error}{_place(error)}") from None


def _not_found(error: ModuleNotFoundError) -> str:
    """Which module is missing, where Python looked, and what to do."""
    searched = "".join(f"\n  {place or '.'}" for place in sys.path if not place.endswith((".zip", "lib-dynload")))
    top = str(error.name).partition(".")[0]
    return (
        f"there is no module {error.name}{_place(error)}; Python looked in{searched}\n"
        f"install its package ({sys.executable} -m pip install -e DIR), start the run where {top}/ lies, or set "
        f"PYTHONPATH to the directory that holds {top}/: in the shell, or as `[env.variables] PYTHONPATH` of the spec"
    )


def _place(error: BaseException) -> str:
    """File and line of the innermost frame that is the user's."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_of_user(frame.filename)]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""


def _is_of_user(file: str) -> bool:
    own = str(Path(__file__).resolve().parent)
    return not file.startswith((own, "<", os.path.dirname(os.__file__))) and "site-packages" not in file  # noqa: PTH120


def describe_modules(wiring: Wiring) -> dict[str, dict[str, str]]:
    """For run.json: file, sha256 and, where it belongs to an installed package, version of each module named.

    Of a module that is a package, or in one of the user's own, every file of that package that was imported counts.
    """
    tops = {name.partition(".")[0] for name in wiring.modules}
    packages = importlib.metadata.packages_distributions() if tops else {}
    found: dict[str, dict[str, str]] = {}
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        top = name.partition(".")[0]
        if top not in tops or not file:
            continue
        found[name] = {"file": file, "sha256": hashlib.sha256(Path(file).read_bytes()).hexdigest()}
        if packages.get(top):
            found[name]["version"] = importlib.metadata.version(packages[top][0])
    return found
