"""A Hydra tree, and an Ava tree, as items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from posixpath import basename

from cfgc.deepspeed.config import Json
from cfgc.deepspeed.wording import count
from cfgc.importing.ava_table import AVA
from cfgc.importing.ava_table import IGNORED as AVA_IGNORED
from cfgc.importing.branches import Branch, leaves
from cfgc.importing.fitting import fitting
from cfgc.importing.hydra.guesses import guess
from cfgc.importing.hydra.resolving import Resolver
from cfgc.importing.hydra.table import HYDRA, IGNORED
from cfgc.importing.items import YOURS, Dropped, Item, Setting
from cfgc.importing.names import dropped_as
from cfgc.importing.tree_keys import Reading, tree_items

_SIZES = ("training.global_batch_size", "training.micro_batch_size", "training.gradient_accumulation_steps")

_DEFAULTS = (
    ("training.precision", "fp32", "Lightning trains in fp32"),
    ("training.gradient_clipping", 0.0, "Lightning does not clip"),
    ("training.optimizer.betas", [0.9, 0.999], "torch's default"),
    ("training.optimizer.weight_decay", 0.01, "the default of torch's AdamW"),
)
"""Key, value and whose default it is."""
STAGE = "deepspeed.zero.stage"
_NO_ADAMS = ("sgd", "adagrad", "lion")


def from_hydra(root: Branch, world_size: int | None) -> tuple[Item, ...]:
    """An item for every key of the composed tree."""
    items = fitting(tree_items(Reading(root, Resolver(root), HYDRA, IGNORED, guess)))
    return _settled((*items, *_defaults_of_torch(items)), world_size)


def _defaults_of_torch(items: Sequence[Item]) -> Iterator[Item]:
    """What Lightning and torch do when the tree does not say, and a spec that leaves it out does not."""
    said = {item.key: item.value for item in items if isinstance(item, Setting)}
    unread, kind = ("training.optimizer.betas", "training.optimizer.weight_decay"), said.get("training.optimizer.type")
    for key, value, comment in _DEFAULTS:
        if key not in said and not (key in unread and kind in _NO_ADAMS):
            yield _left_out(key, value, comment, items)
    if kind in _NO_ADAMS and unread[1] not in said:
        yield _left_out(unread[1], 0.0, "no decay is usual", items)
    if kind == "lion" and unread[0] not in said:
        yield _left_out(unread[0], [0.9, 0.99], "the default of Lion's authors", items)
    if "training.scheduler.type" not in said:
        yield Setting("training.scheduler.type", "constant", f"check: the schedule is {YOURS}", (), "doubtful")


def _left_out(key: str, value: Json, comment: str, items: Sequence[Item]) -> Setting:
    """The default of the tool, to be looked at when the tree says something that could not be kept."""
    dropped = dropped_as(key, items)
    if dropped:
        return Setting(key, value, f"check: {dropped} could not be kept; {comment}", (), "doubtful")
    return Setting(key, value, f"the tree does not say: {comment}", (), "default")


def from_ava(root: Branch, world_size: int | None, layers: Sequence[str], hardware: Sequence[str]) -> tuple[Item, ...]:
    """An item for every key of the merged files. ``hardware`` are the overlays that a file's name may stand for."""
    items = fitting(tree_items(Reading(root, Resolver(root), AVA, AVA_IGNORED)))
    return (*_settled(items, world_size), *_named_hardware(layers, hardware))


def _named_hardware(layers: Sequence[str], hardware: Sequence[str]) -> Iterator[Item]:
    """``hardware/a100_80gb.yaml`` stands for the overlay of that name."""
    for layer in layers:
        name = basename(layer).rpartition(".")[0].replace("_", "-").lower()
        if name in hardware:
            yield Setting("overlays.hardware", name, f"from the name of {layer}")


def _settled(items: Sequence[Item], world_size: int | None) -> tuple[Item, ...]:
    """The items, without what contradicts others, and with what follows from them."""
    items = tuple(_without_package(_one_length(items)))
    said = {item.key: item for item in items if isinstance(item, Setting)}
    if "launch.gpus_per_node" not in said:
        items = (*items, *_ranks(said, world_size))
    if "training.precision" in said and said["training.precision"].value == "fp16" and STAGE not in said:
        items = (*items, Setting(STAGE, 1, "fp16 is trained with ZeRO only (CFG528)"))
    items = _consistent_batch(items, world_size)
    return (*items, *_missing(items))


def _one_length(items: Sequence[Item]) -> tuple[Item, ...]:
    """Steps go before passes over the data, whose number of samples a spec has to know."""
    said = {item.key for item in items if isinstance(item, Setting)}
    if "training.max_steps" in said:
        return tuple(_without(items, "training.max_epochs", "`training.max_steps` says how long the run is", False))
    if "data.max_train_samples" not in said:
        because = "passes need the number of samples; set `training.max_steps`, or `data.max_train_samples` with it"
        return tuple(_without(items, "training.max_epochs", because, True))
    return tuple(items)


def _without_package(items: Iterable[Item]) -> Iterator[Item]:
    """What another tool packs is beside that tool's files, and not beside this spec."""
    for item in items:
        if isinstance(item, Setting) and item.key.startswith("package.") and item.sources:
            yield Dropped(item.sources[0], "say in `[package]` what of your project is packed", item.value, True)
        else:
            yield item


def _without(items: Iterable[Item], key: str, because: str, doubtful: bool) -> Iterator[Item]:
    for item in items:
        if isinstance(item, Setting) and item.key == key:
            yield Dropped(item.sources[0], because, item.value, doubtful)
        else:
            yield item


def _ranks(said: dict[str, Setting], world_size: int | None) -> Iterator[Item]:
    """``launch.gpus_per_node``: what was said, else what the batch sizes say."""
    if world_size is not None:
        nodes = world_size // 8 if world_size > 8 and world_size % 8 == 0 else 1
        if nodes > 1 and "launch.nodes" not in said:
            yield Setting("launch.nodes", nodes, f"check: --world-size {world_size}, as nodes of 8", (), "doubtful")
        yield Setting("launch.gpus_per_node", world_size // nodes, f"--world-size {world_size}")
        return
    sizes = [said[key].value for key in _SIZES if key in said]
    if len(sizes) == len(_SIZES) and all(isinstance(size, int) and size > 0 for size in sizes):
        world, rest = divmod(sizes[0], sizes[1] * sizes[2])
        if world and not rest:
            yield Setting(
                "launch.gpus_per_node",
                world,
                f"check: {sizes[0]} is {sizes[1]} × {sizes[2]} × {count(world, 'rank')}",
                (),
                "doubtful",
            )
            return
    yield Setting("launch.gpus_per_node", 1, f"{YOURS} (or --world-size)", (), "placeholder")


def _consistent_batch(items: Sequence[Item], world_size: int | None) -> tuple[Item, ...]:
    """Without the global size where all three are given and do not fit the ranks."""
    said = {item.key: item.value for item in items if isinstance(item, Setting)}
    sizes = [said.get(key) for key in _SIZES]
    ranks = [said.get("launch.nodes", 1), said.get("launch.gpus_per_node")]
    if not all(isinstance(number, int) for number in (*sizes, *ranks)):
        return tuple(items)
    whole, micro, accumulation = (int(size or 0) for size in sizes)
    world = int(ranks[0] or 1) * int(ranks[1] or 1)
    if whole == micro * accumulation * world:
        return tuple(items)
    because = f"it is not {micro} × {accumulation} × {count(world, 'rank')}"
    return tuple(_without(items, _SIZES[0], because, doubtful=True))


def _missing(items: Sequence[Item]) -> Iterator[Item]:
    """Two of the batch sizes, and lengths that fit each other."""
    said = {item.key: item for item in items if isinstance(item, Setting)}
    if sum(key in said for key in _SIZES) < 2:
        if _SIZES[1] not in said and _SIZES[0] not in said:
            yield Setting(_SIZES[1], 1, YOURS, (), "placeholder")
        if _SIZES[2] not in said:
            yield Setting(_SIZES[2], 1, YOURS, (), "placeholder")
    longest, sample = said.get("model.max_sequence_length"), said.get("data.sequence_length")
    if longest and not sample:
        text = "${model.max_sequence_length}"
        yield Setting("data.sequence_length", text, "samples are as long as the model reads", (), "default", True)
    elif sample and not longest:
        text = "${data.sequence_length}"
        yield Setting("model.max_sequence_length", text, "the model reads whole samples", (), "default", True)


def has_interpolation(root: Branch) -> bool:
    """Whether any text of the tree has ``${``."""
    return any(isinstance(entry.value, str) and "${" in entry.value for _, entry in leaves(root))
