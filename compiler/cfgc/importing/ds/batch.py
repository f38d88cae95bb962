"""The batch triple and the ranks of a ds_config."""

from __future__ import annotations

from collections.abc import Iterator

from cfgc.deepspeed.case import Case, path_of
from cfgc.deepspeed.config import AUTO
from cfgc.deepspeed.wording import count
from cfgc.importing.items import YOURS, Dropped, Item, Setting, came_from

TRAIN, MICRO, ACCUMULATION = "train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps"
_KEYS = {
    TRAIN: "training.global_batch_size",
    MICRO: "training.micro_batch_size",
    ACCUMULATION: "training.gradient_accumulation_steps",
}
LARGEST_NODE = 8
"""GPUs of a node when only the number of ranks is known."""


def ranks(case: Case) -> Iterator[Item]:
    """``launch.nodes`` and ``launch.gpus_per_node``."""
    world = _world_of(case)
    if world is None:
        yield Setting("launch.nodes", 1, YOURS, (), "placeholder")
        yield Setting("launch.gpus_per_node", 1, f"{YOURS} (or --world-size)", (), "placeholder")
        return
    nodes = world // LARGEST_NODE if world > LARGEST_NODE and world % LARGEST_NODE == 0 else 1
    said = (
        f"--world-size {world}" if case.world_size else f"{TRAIN} = {MICRO} × {ACCUMULATION} × {count(world, 'rank')}"
    )
    if nodes > 1:
        yield Setting("launch.nodes", nodes, f"check: {said}, as nodes of {LARGEST_NODE}", (), "doubtful")
    else:
        yield Setting("launch.nodes", 1, YOURS, (), "placeholder")
    yield Setting("launch.gpus_per_node", world // nodes, said)


def batch(case: Case) -> Iterator[Item]:
    """Two or three of the sizes: those of the file, and what DeepSpeed takes for what is missing."""
    given = _sizes(case)
    if len(given) == len(_KEYS) and _world_of(case) != given[TRAIN] / (given[MICRO] * given[ACCUMULATION]):
        ranks_text = count(case.world_size, "rank") if case.world_size else "any number of ranks"
        because = f"it is not {given[MICRO]} × {given[ACCUMULATION]} × {ranks_text}, and DeepSpeed stops at that"
        yield Dropped(path_of(TRAIN), because, given.pop(TRAIN), doubtful=True)
    yield from (Setting(_KEYS[key], size, came_from(key), (path_of(key),)) for key, size in given.items())
    yield from _unusable(case, given)
    if len(given) < 2:
        yield from _missing(case, given)


def _world_of(case: Case) -> int | None:
    """Ranks in all: what was said, else what the three sizes say; None when neither does."""
    if case.world_size is not None:
        return case.world_size
    given = _sizes(case)
    if len(given) < len(_KEYS):
        return None
    world, rest = divmod(given[TRAIN], given[MICRO] * given[ACCUMULATION])
    return world if rest == 0 else None


def _sizes(case: Case) -> dict[str, int]:
    """The sizes that the file gives as a positive number."""
    return {key: size for key in _KEYS if case.written(key) and (size := case.integer(key) or 0) > 0}


def _unusable(case: Case, given: dict[str, int]) -> Iterator[Item]:
    for key in _KEYS:
        entry = case.config.get(path_of(key))
        if key in given or entry is None or case.integer(key):
            continue
        if entry.value == AUTO or entry.value is None:
            yield Dropped(path_of(key), "the trainer fills it in; here it follows from the other two", entry.value)
        else:
            yield Dropped(path_of(key), "it is no positive number", entry.value, doubtful=True)


def _missing(case: Case, given: dict[str, int]) -> Iterator[Item]:
    if ACCUMULATION not in given:
        absent = not case.written(ACCUMULATION)
        comment = f"{ACCUMULATION} is absent: 1 in DeepSpeed" if absent else YOURS
        yield Setting(_KEYS[ACCUMULATION], 1, comment, (), "default" if absent else "placeholder")
    if TRAIN not in given and MICRO not in given:
        yield Setting(_KEYS[MICRO], 1, YOURS, (), "placeholder")
