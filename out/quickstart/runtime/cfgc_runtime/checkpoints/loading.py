"""From a whole checkpoint into the engine, as it is or converted for other ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from cfgc_runtime.checkpoints.universal import converted, load_universal
from cfgc_runtime.errors import BAD_CHECKPOINT, Failure
from cfgc_runtime.guard import check_changes, summary
from cfgc_runtime.releases import installed_releases
from cfgc_runtime.seeding import derive_seed, restore_rng_state, seed_rank
from cfgc_runtime.values import compare

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cfgc_runtime.checkpoints.complete import Complete
    from cfgc_runtime.collective import Ranks
    from cfgc_runtime.config import Config
    from cfgc_runtime.engine import Engine
    from cfgc_runtime.values import Difference, Values


def load(
    engine: Engine,
    path: Path,
    found: Complete,
    config: Config,
    values: Values,
    ranks: Ranks,
    say: Callable[[str], None],
) -> None:
    """Load the checkpoint in ``path`` on every rank. Raises ``Failure`` when the plan may not go on from it."""
    changes = _changes(path, found, config, values)
    settings = _settings(engine)
    moved = found.world_size != ranks.size or any(one.lays_out for one in changes)
    if moved and config.ZERO_STAGE:
        sizes = f"by {found.world_size} rank{'' if found.world_size == 1 else 's'}, this run has {ranks.size}"
        cause = sizes if found.world_size != ranks.size else "with other offloading or cuts"
        say(f"{path.name} was saved {cause}: converting it once")
        load_universal(engine, converted(path, found, ranks), path)
    else:
        _load_direct(engine, path)
    _apply(engine, settings)
    if moved:
        seed_rank(derive_seed(config.EXPERIMENT.seed, "moved", found.step), ranks.rank)
    else:
        restore_rng_state(torch.load(path / f"rng-rank-{ranks.rank}.pt", weights_only=True))
    if changes:
        say(f"since {path.name} was saved: {summary(changes)}")
    for name, now in installed_releases().items():
        if (then := found.releases.get(name)) != now:
            say(f"{path.name} was saved under {name} {then}, this is {now}: the numbers may differ a little")


def _changes(path: Path, found: Complete, config: Config, values: Values) -> list[Difference]:
    if found.plan_digest == config.PLAN_DIGEST:
        return []
    without = {**values, "logistics": {}}
    changes = [one for one in compare({**found.values, "logistics": {}}, without) if one.kind != "logistics"]
    check_changes(changes, values, BAD_CHECKPOINT, str(path), state_is_saved=True)
    return changes


def _settings(engine: Engine) -> list[dict[str, Any]]:
    """Each parameter group's settings as the plan has them; the count of steps is state, which some keep there."""
    groups: list[dict[str, Any]] = engine.raw.optimizer.param_groups
    return [{key: value for key, value in group.items() if key not in ("params", "step")} for group in groups]


def _apply(engine: Engine, settings: list[dict[str, Any]]) -> None:
    """Undo that DeepSpeed loads settings too: the plan's count, and ZeRO 3 gives every group those of the first."""
    for group, own in zip(engine.raw.optimizer.param_groups, settings, strict=True):
        group.update(own)


def _load_direct(engine: Engine, path: Path) -> None:
    try:
        loaded, _ = engine.raw.load_checkpoint(str(path.parent), tag=path.name)
    except (RuntimeError, KeyError, ValueError, IndexError) as error:
        raise Failure(BAD_CHECKPOINT, f"{path} does not fit the model or the optimizer of this plan: {error}") from None
    if loaded is None:
        raise Failure(BAD_CHECKPOINT, f"DeepSpeed could not load {path}")
