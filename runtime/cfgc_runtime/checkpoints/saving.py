"""Checkpoints: complete and verified, or not there at all.

Ranks write into ``saving-step-…``, hash and fsync what they wrote; then rank 0 adds ``complete.json`` and renames the
directory to ``step-…``. Nothing else makes a checkpoint.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import torch

from cfgc_runtime.checkpoints import complete
from cfgc_runtime.errors import BAD_CHECKPOINT, Failure
from cfgc_runtime.releases import installed_releases
from cfgc_runtime.rundir import sync_directory
from cfgc_runtime.seeding import restore_rng_state, rng_state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cfgc_runtime.collective import Ranks
    from cfgc_runtime.engine import Engine

_SAVING = "saving-"
_REPLACED = "replaced-"
_DAMAGED = "damaged-"


@dataclass(frozen=True)
class Saved:
    """What a save cost, for the progress display."""

    step: int
    bytes: int
    seconds: float


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run. ``plan_digest`` is stored and compared; ``say`` shows a line on rank 0."""

    directory: Path
    ranks: Ranks
    plan_digest: str
    zero_stage: int
    keep_last: int
    say: Callable[[str], None]

    def save(self, engine: Engine, step: int, state: Mapping[str, Any]) -> Saved:
        """Write the checkpoint of ``step``; it exists for others only once it is whole. ``state`` must be JSON."""
        started = time.monotonic()
        name = complete.name_of(step)
        temporary = self.directory / (_SAVING + name)
        engine.raw.save_checkpoint(str(self.directory), tag=temporary.name, client_state={}, save_latest=False)
        torch.save(rng_state(), temporary / f"rng-rank-{self.ranks.rank}.pt")
        own = {path.name: complete.seal(path) for path in self._own_files(temporary)}
        files = {name: entry for part in self.ranks.gather(own) for name, entry in part.items()}
        if self.ranks.rank == 0:
            if missing := complete.missing_parts(files, self.ranks.size, self.zero_stage):
                raise Failure(BAD_CHECKPOINT, f"DeepSpeed saved {temporary} without {', '.join(missing)}")
            size, releases = self.ranks.size, installed_releases()
            complete.write(temporary, complete.Complete(step, self.plan_digest, size, releases, files, state))
            self._commit(temporary, self.directory / name)
            self._prune()
        self.ranks.wait()
        return Saved(step, sum(entry["size"] for entry in files.values()), time.monotonic() - started)

    def resume(self, engine: Engine) -> complete.Complete | None:
        """Load the newest checkpoint that is whole on every rank; None when there is none yet.

        Older ones are tried, with a line that says so, when files of a newer one were damaged. Raises ``Failure``
        when checkpoints exist but none can be used.
        """
        if self.ranks.rank == 0:
            self._clean()
        found = self.ranks.first(complete.newest_first(self.directory) if self.ranks.rank == 0 else [])
        for place, (name, candidate) in enumerate(found):
            damaged = self._damaged(self.directory / name, candidate)
            if candidate is not None and not damaged:
                self._load(engine, self.directory / name, candidate)
                self._move_aside([skipped for skipped, _ in found[:place]])
                return candidate
            self.say(f"checkpoint {name} is damaged ({', '.join(damaged)}); trying the one before")
        if found:
            raise Failure(BAD_CHECKPOINT, f"no checkpoint in {self.directory} is whole; move it away to start over")
        return None

    def _load(self, engine: Engine, path: Path, candidate: complete.Complete) -> None:
        if candidate.plan_digest != self.plan_digest:
            raise Failure(BAD_CHECKPOINT, f"{path} was saved by another plan ({candidate.plan_digest})")
        if candidate.world_size != self.ranks.size:
            raise Failure(
                BAD_CHECKPOINT, f"{path} was saved by {candidate.world_size} ranks, here are {self.ranks.size}"
            )
        loaded, _ = engine.raw.load_checkpoint(str(self.directory), tag=path.name)
        if loaded is None:
            raise Failure(BAD_CHECKPOINT, f"DeepSpeed could not load {path}")
        self._compare_releases(path, candidate)
        restore_rng_state(torch.load(path / f"rng-rank-{self.ranks.rank}.pt", weights_only=True))

    def _compare_releases(self, path: Path, candidate: complete.Complete) -> None:
        for name, now in installed_releases().items():
            if (then := candidate.releases.get(name)) != now:
                self.say(f"{path.name} was saved under {name} {then}, this is {now}: the numbers may differ a little")

    def _move_aside(self, names: list[str]) -> None:
        """Damaged checkpoints no longer count as kept ones; what is left of them stays for a person to look at."""
        if self.ranks.rank != 0 or not names:
            return
        for name in names:
            aside = self.directory / (_DAMAGED + name)
            shutil.rmtree(aside, ignore_errors=True)
            (self.directory / name).rename(aside)
        self.say(f"damaged checkpoints are kept as {_DAMAGED}…, and can be deleted: {', '.join(names)}")

    def _own_files(self, path: Path) -> list[Path]:
        return [file for file in sorted(path.iterdir()) if self._owns(file.name)]

    def _owns(self, name: str) -> bool:
        return complete.owner_of(name) == self.ranks.rank

    def _damaged(self, path: Path, candidate: complete.Complete | None) -> list[str]:
        """Names of files that are not what was saved, over all ranks; each rank reads what it will load."""
        if candidate is None:
            return [complete.FILE]
        if missing := complete.missing_parts(candidate.files, candidate.world_size, self.zero_stage):
            return missing
        own = (name for name in candidate.files if self._owns(name))
        damaged = [name for name in own if not complete.is_intact(path / name, candidate.files[name])]
        return sorted(chain.from_iterable(self.ranks.gather(damaged)))

    def _commit(self, temporary: Path, final: Path) -> None:
        if final.exists():
            final.rename(self.directory / (_REPLACED + final.name))
        temporary.rename(final)
        sync_directory(self.directory)

    def _prune(self) -> None:
        for name, _ in complete.newest_first(self.directory)[self.keep_last :]:
            shutil.rmtree(self.directory / name)
        for leftover in self.directory.glob(_REPLACED + "*"):
            shutil.rmtree(leftover)

    def _clean(self) -> None:
        """Remove what a killed save left behind."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for leftover in self.directory.glob(_SAVING + "*"):
            shutil.rmtree(leftover)
        for replaced in self.directory.glob(_REPLACED + "*"):
            original = self.directory / replaced.name.removeprefix(_REPLACED)
            if original.exists():
                shutil.rmtree(replaced)
            else:
                replaced.rename(original)
