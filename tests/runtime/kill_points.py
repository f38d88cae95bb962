"""Runs each scenario again and again, and kills it at another moment each time: before every single change of the disk.

Writes one JSON line for each death: the scenario, what was about to happen, and what a later start found. Argument: an
empty directory.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

from cfgc.emit.canonical import digest_of
from cfgc.emit.manifest import sealed
from cfgc_runtime.bundle_copy import take_bundle
from cfgc_runtime.checkpoints import complete, universal
from cfgc_runtime.manifest import verify_bundle
from cfgc_runtime.rundir import RunDirectory
from tests.runtime.fake_saves import OneRank, Saves

if TYPE_CHECKING:
    from collections.abc import Callable

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "test.half"}


def die_before(change: int, below: Path, notes: int, full: bool) -> None:
    """SIGKILL this process before its ``change``-th change below ``below``, or let it fail on a ``full`` disk.

    ``notes`` is told which change it was.
    """
    seen = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        path = str(arguments[0]) if arguments else ""
        if (event in CHANGES or writes) and (str(below) in path or not path.startswith("/")):  # rmtree's are relative
            seen += 1
            if seen == change:
                os.write(notes, f"{event} {path.removeprefix(str(below)).removeprefix('/')}".encode())
                if full:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def in_child(work: Callable[[], object]) -> int:
    """The exit code of ``work`` in a process of its own, negative for a signal."""
    if pid := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        work()
    except BaseException as error:  # the parent must not run on here
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(74 if isinstance(error, OSError) and error.errno == errno.ENOSPC else 1)
    os._exit(0)


def deaths(
    root: Path, name: str, prepare: Callable[[Path], None], act: Callable[[Path], object], full: bool = False
) -> None:
    """Every death of ``act`` in a directory that ``prepare`` filled; what is found afterwards is printed."""
    for change in range(1, 10_000):
        directory = root / f"{name}-{change:03d}"
        prepare(directory)
        reads, notes = os.pipe()

        def killed(change: int = change, directory: Path = directory, notes: int = notes) -> None:
            die_before(change, directory, notes, full)
            act(directory)

        code = in_child(killed)
        os.close(notes)
        what = os.read(reads, 1000).decode()
        os.close(reads)
        found = FOUND[name](directory)
        print(json.dumps({"scenario": name, "code": code, "before": what, **found}), flush=True)
        shutil.rmtree(directory)
        if code == 0:
            return


def two_saved(directory: Path) -> None:
    """Step 4 is the best one, 8 the newest."""
    saves = Saves(directory, keep_last=1, keep_best=1)
    saves.save(4, loss=1.0)
    saves.save(8, loss=2.0)


def save_next(directory: Path) -> None:
    Saves(directory, keep_last=1, keep_best=1).save(12, loss=3.0)


def save_again(directory: Path) -> None:
    Saves(directory, keep_last=1, keep_best=1).save(8, loss=2.0)


def two_damaged(directory: Path) -> None:
    """A killed save and a killed deletion beside two damaged checkpoints, one of which was damaged before."""
    saves = Saves(directory, keep_last=0)
    saves.save(2, 4, 8, 12)
    saves.file(12).write_text("1")
    saves.file(8, complete.FILE).write_text("{}")
    shutil.copytree(directory / "step-00000008", directory / "damaged-step-00000008")
    shutil.copytree(directory / "step-00000012", directory / "saving-step-00000016")
    (directory / "step-00000002").rename(directory / "replaced-step-00000002")


def resumed(directory: Path) -> dict[str, Any]:
    """What the next start makes of it, and whether saving goes on."""
    again = Saves(directory, keep_last=3)
    step = again.resume()
    whole = [name for name, found in complete.newest_first(directory) if found]
    found = {"step": step, "names": again.names(), "whole": whole}
    again.save(20)
    return found | {"next": Saves(directory, keep_last=3).resume()}


def one_saved(directory: Path) -> None:
    Saves(directory).save(4)


def convert(directory: Path) -> Path:
    """Convert with a stand-in for DeepSpeed's program."""

    def program(command: list[str], **_: object) -> SimpleNamespace:
        out = Path(command[-1])
        for name in ("zero/weight/fp32.pt", "zero/weight/exp_avg.pt", "mp_rank_00_model_states.pt"):
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_text(name)
        return SimpleNamespace(returncode=0, stderr="")

    [(name, found)] = complete.newest_first(directory)
    assert found is not None
    ranks: Any = OneRank()
    with mock.patch.object(universal, "subprocess", SimpleNamespace(run=program)):
        return universal.converted(directory / name, found, ranks)


def converted(directory: Path) -> dict[str, Any]:
    """A later start converts again, or takes what is whole."""
    Saves(directory).resume()
    path = convert(directory)
    files = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    return {"files": files, "names": Saves(directory).names()}


def small_bundle(bundle: Path, timeout: int) -> Path:
    """The smallest one that can be staged."""
    bundle.mkdir(exist_ok=True)
    values = {"numerics": {}, "resources": {}, "logistics": {"launch.timeout": timeout}, "ds_config": {}}
    (bundle / "values.json").write_text(json.dumps(values))
    (bundle / "config.py").write_text(f"TIMEOUT = {timeout}\n")
    contents = {file.name: file.read_bytes() for file in bundle.iterdir() if file.name != "manifest.json"}
    outputs = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "executable": False}
        for name, content in contents.items()
    }
    manifest = {"format": 1, "experiment": "tiny", "plan_digest": f"sha256:{timeout}", "outputs": outputs}
    (bundle / "manifest.json").write_text(sealed({**manifest, "bundle_digest": digest_of(outputs)}))
    return bundle


def staged(directory: Path) -> None:
    bundle = small_bundle(directory.parent / "old", 1)
    directory.mkdir()
    take_bundle(bundle, RunDirectory(directory), verify_bundle(bundle))


def exchange(directory: Path) -> str:
    other = small_bundle(directory.parent / "new", 2)
    return take_bundle(other, RunDirectory(directory), verify_bundle(other))


def exchanged(directory: Path) -> dict[str, Any]:
    """A later start has the new bundle, and the old one beside it."""
    exchange(directory)
    kept = {name: verify_bundle(directory / name).plan_digest for name in ("bundle", "bundle-001")}
    return {"kept": kept, "names": sorted(path.name for path in directory.iterdir())}


FOUND = dict.fromkeys(("save", "full", "save-again", "resume"), resumed)
FOUND |= {"convert": converted, "exchange": exchanged}


def main(root: Path) -> None:
    deaths(root, "save", two_saved, save_next)
    deaths(root, "full", two_saved, save_next, full=True)
    deaths(root, "save-again", two_saved, save_again)
    deaths(root, "resume", two_damaged, lambda directory: Saves(directory, keep_last=3).resume())
    deaths(root, "convert", one_saved, convert)
    deaths(root, "exchange", staged, exchange)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
