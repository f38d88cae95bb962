"""Saving and resuming, all ranks together.

Ranks write into ``saving-step-…``, hash and fsync what they wrote; then rank 0 adds ``complete.json`` and renames the
directory to ``step-…``. Nothing else makes a checkpoint.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import torch

from cfgc_runtime.checkpoints import complete, shelf
from cfgc_runtime.checkpoints.loading import load
from cfgc_runtime.errors import BAD_CHECKPOINT, Failure
from cfgc_runtime.releases import installed_releases
from cfgc_runtime.seeding import rng_state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cfgc_runtime.collective import Ranks
    from cfgc_runtime.config import Config
    from cfgc_runtime.engine import Engine
    from cfgc_runtime.values import Values


@dataclass(frozen=True)
class Saved:
    """What a save cost, for the progress display."""

    step: int
    bytes: int
    seconds: float


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run. ``values`` are stored and compared; ``say`` shows a line on rank 0."""

    directory: Path
    ranks: Ranks
    config: Config
    values: Values
    say: Callable[[str], None]

    def save(self, engine: Engine, step: int, state: Mapping[str, Any]) -> Saved:
        """Write the checkpoint of ``step``; it exists for others only once it is whole. ``state`` must be JSON."""
        started = time.monotonic()
        temporary = self.directory / (shelf.SAVING + complete.name_of(step))
        engine.raw.save_checkpoint(str(self.directory), tag=temporary.name, client_state={}, save_latest=False)
        torch.save(rng_state(), temporary / f"rng-rank-{self.ranks.rank}.pt")
        own = {path.name: complete.seal(path) for path in sorted(temporary.iterdir()) if self._owns(path.name)}
        files = {name: entry for part in self.ranks.gather(own) for name, entry in part.items()}
        if self.ranks.rank == 0:
            if missing := complete.missing_parts(files, self.ranks.size, self.config.ZERO_STAGE):
                raise Failure(BAD_CHECKPOINT, f"DeepSpeed saved {temporary} without {', '.join(missing)}")
            complete.write(temporary, self._complete(step, files, state))
            shelf.commit(self.directory, complete.name_of(step))
            shelf.prune(self.directory, self.config.CHECKPOINT.keep_last, self.config.CHECKPOINT.keep_best)
        self.ranks.wait()
        return Saved(step, sum(entry["size"] for entry in files.values()), time.monotonic() - started)

    def _complete(self, step: int, files: Mapping[str, complete.Entry], state: Mapping[str, Any]) -> complete.Complete:
        values = {kind: self.values[kind] for kind in ("numerics", "resources", "ds_config")}
        return complete.Complete(
            step, self.config.PLAN_DIGEST, self.ranks.size, installed_releases(), values, files, state
        )

    def resume(self, engine: Engine) -> complete.Complete | None:
        """Load the newest checkpoint that is whole on every rank; None when there is none yet.

        Older ones are tried, with a line that says so, when files of a newer one were damaged. Raises ``Failure``
        when checkpoints exist but none can be used, or when the plan is not the one that they were trained with.
        """
        if self.ranks.rank == 0:
            shelf.clean(self.directory)
        found = self.ranks.first(complete.newest_first(self.directory) if self.ranks.rank == 0 else [])
        for place, (name, candidate) in enumerate(found):
            damaged = self._damaged(self.directory / name, candidate)
            if candidate is not None and not damaged:
                load(engine, self.directory / name, candidate, self.config, self.values, self.ranks, self.say)
                self._move_aside([skipped for skipped, _ in found[:place]])
                return candidate
            self.say(f"checkpoint {name} is damaged ({', '.join(damaged)}); trying the one before")
        if found:
            raise Failure(BAD_CHECKPOINT, f"no checkpoint in {self.directory} is whole; move it away to start over")
        return None

    def _move_aside(self, names: list[str]) -> None:
        if self.ranks.rank == 0 and names:
            shelf.move_aside(self.directory, names)
            self.say(f"damaged checkpoints are kept as {shelf.DAMAGED}…, and can be deleted: {', '.join(names)}")

    def _owns(self, name: str) -> bool:
        """Whether this rank writes, and checks, the file; files of ranks that are no more fall to others."""
        return complete.owner_of(name) % self.ranks.size == self.ranks.rank

    def _damaged(self, path: Path, candidate: complete.Complete | None) -> list[str]:
        """Names of files that are not what was saved, over all ranks; each rank reads what it will load."""
        if candidate is None:
            return [complete.FILE]
        stage = candidate.values["resources"].get("deepspeed.zero.stage", self.config.ZERO_STAGE)
        if missing := complete.missing_parts(candidate.files, candidate.world_size, stage):
            return missing
        own = (name for name in candidate.files if self._owns(name))
        damaged = [name for name in own if not complete.is_intact(path / name, candidate.files[name])]
        return sorted(chain.from_iterable(self.ranks.gather(damaged)))
