"""A file of ``accelerate config`` as items: its settings become the ds_config that accelerate makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from posixpath import dirname, normpath

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.config import Config, Entry, Json, Path
from cfgc.deepspeed.reading import read_config
from cfgc.deepspeed.table import Release
from cfgc.deepspeed.wording import count
from cfgc.diagnostics import Rejected
from cfgc.importing.branches import Branch, config_of, found_at, leaves, merged, placed
from cfgc.importing.from_deepspeed import from_deepspeed
from cfgc.importing.fsdp import as_zero, recomputing
from cfgc.importing.items import Dropped, Item, Raw, Setting, accounted, came_from, sources_of
from cfgc.importing.tree import Tree, read_file
from cfgc.importing.yaml_reading import Document

SECTION = "deepspeed_config"
FILE = "deepspeed_config_file"
_STAGE: Path = ("zero_optimization", "stage")

_INLINE: Mapping[str, Path] = {
    "zero_stage": ("zero_optimization", "stage"),
    "gradient_accumulation_steps": ("gradient_accumulation_steps",),
    "gradient_clipping": ("gradient_clipping",),
    "offload_optimizer_device": ("zero_optimization", "offload_optimizer", "device"),
    "offload_optimizer_nvme_path": ("zero_optimization", "offload_optimizer", "nvme_path"),
    "offload_param_device": ("zero_optimization", "offload_param", "device"),
    "offload_param_nvme_path": ("zero_optimization", "offload_param", "nvme_path"),
    "zero3_save_16bit_model": ("zero_optimization", "stage3_gather_16bit_weights_on_model_save"),
}
"""Keys of accelerate's own settings → where it writes them in the ds_config."""

_PRECISIONS = {"no": "fp32", "False": "fp32", "fp16": "fp16", "bf16": "bf16", "fp8": "bf16"}
_LAUNCHING = "the bundle's own scripts start the ranks"
_OTHER_DEVICES = "a bundle runs on GPUs or CPUs"
_IGNORED: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("compute_environment", "distributed_type", "debug", "machine_rank", "main_process_ip", "rdzv_backend"),
            *("same_network", "main_training_function", "gpu_ids", "enable_cpu_affinity", "deepspeed_hostfile"),
            *("deepspeed_config.deepspeed_multinode_launcher", "deepspeed_config.deepspeed_hostfile"),
            *("deepspeed_config.deepspeed_inclusion_filter", "deepspeed_config.deepspeed_exclusion_filter"),
            *("command_file", "commands", "mpirun_config", "num_cpu_threads_per_process"),
        ),
        _LAUNCHING,
    ),
    **dict.fromkeys(("downcast_bf16", "tpu_env", "tpu_use_cluster", "tpu_use_sudo", "ipex_config"), _OTHER_DEVICES),
    "fsdp_config.fsdp_version": "ZeRO partitions, and not FSDP",
    "deepspeed_config.zero3_init_flag": "the runtime partitions the model when it builds it at ZeRO-3",
    "deepspeed_config.deepspeed_moe_layer_cls_names": "every layer of the runtime's decoder is dense",
}


def from_accelerate(tree: Tree, document: Document, release: Release, world_size: int | None) -> tuple[Item, ...]:
    """An item for every key of the file, and of the ds_config that it names. Raises ``Rejected`` without that file."""
    root = document.root
    launch = tuple(_launch(root, world_size))
    world = world_size if world_size is not None else _number(root, "num_processes")
    config, origin = _ds_config(tree, document)
    mixed = str(_value(root, "mixed_precision"))
    case = Case(config, release, world if world and world > 0 else None)
    found = from_deepspeed(case, _PRECISIONS.get(mixed, ""))
    own = tuple(_renamed(item, origin) for item in found if not _is_launch(item))
    items = (*launch, *own, *recomputing(document.root), *_fp8(mixed))
    return (*items, *_rest(root, items))


def _ds_config(tree: Tree, document: Document) -> tuple[Config, Mapping[Path, Path]]:
    """The config that DeepSpeed gets, and the keys of the YAML file that its keys stand for."""
    named = found_at(document.root, (SECTION, FILE))
    if isinstance(named, Entry) and isinstance(named.value, str):
        return _of_file(tree, document, named), {}
    root, zero = as_zero(document.root)
    origin = dict(zero)
    for key, path in _INLINE.items():
        node = found_at(document.root, (SECTION, key))
        if isinstance(node, Entry) and node.value is not None:
            root = merged(root, placed({path[-1]: node}, path[:-1]))
            origin[path] = (SECTION, key)
    return config_of(root, document.source), origin


def _of_file(tree: Tree, document: Document, named: Entry) -> Config:
    """The file beside the YAML file, or else below the root of the tree, where accelerate is usually started."""
    beside = normpath(f"{dirname(document.source.logical)}/{named.value}".lstrip("/"))
    for logical in dict.fromkeys((beside, normpath(named.value))):
        try:
            if tree.read(logical) is not None:
                return read_config(logical, read_file(tree, logical, named.span))
        except OSError:
            continue
    read_file(tree, named.value, named.span)
    raise Rejected([])


def _launch(root: Branch, world_size: int | None) -> Iterator[Item]:
    nodes = _number(root, "num_machines") or 1
    processes = world_size if world_size is not None else _number(root, "num_processes")
    yield from (Setting("launch.nodes", nodes, came_from(key), ((key,),)) for key in ("num_machines",) if key in root)
    if processes and processes % nodes == 0:
        said = f"--world-size {world_size}" if world_size is not None else came_from("num_processes, over all machines")
        yield Setting("launch.gpus_per_node", processes // nodes, said, (("num_processes",),))
    elif processes:
        because = f"{count(processes, 'rank')} cannot be shared among {nodes} machines"
        yield Dropped(("num_processes",), because, processes, doubtful=True)
    port = _number(root, "main_process_port")
    if port:
        yield Setting("launch.master_port", port, came_from("main_process_port"), (("main_process_port",),))
    if _value(root, "use_cpu") is True:
        yield Setting("overlays.hardware", "cpu", came_from("use_cpu"), (("use_cpu",),))


def _fp8(mixed: str) -> Iterator[Item]:
    if mixed == "fp8":
        because = "the runtime computes in fp32, bf16 and fp16; bf16 is the nearest"
        yield Dropped(("mixed_precision",), because, mixed, doubtful=True)


def _is_launch(item: Item) -> bool:
    return isinstance(item, Setting) and item.key.startswith("launch.")


def _renamed(item: Item, origin: Mapping[Path, Path]) -> Item:
    """The item with the keys of the YAML file, as its sources and in its comment."""
    if isinstance(item, Raw):
        return item
    if isinstance(item, Dropped):
        below = [written for path, written in origin.items() if path[: len(item.path)] == item.path]
        return replace(item, path=below[0]) if below else item
    sources = tuple(origin.get(source, source) for source in item.sources)
    if item.comment == "from mixed_precision":
        sources = (*sources, ("mixed_precision",))
    comment = item.comment
    for path, written in origin.items():
        whole = rf"(?<![\w.]){re.escape('.'.join(path))}(?![\w.])"
        comment = re.sub(whole, ".".join(written), comment)
    if origin.get(_STAGE, (SECTION,))[0] != SECTION and set(sources) & set(origin.values()):
        same = f"; ZeRO-{item.value} partitions the same" if item.key == "deepspeed.zero.stage" else ""
        return replace(item, sources=sources, comment=f"check: {comment}{same}", grade="doubtful")
    return replace(item, sources=sources, comment=comment)


def _rest(root: Branch, items: tuple[Item, ...]) -> Iterator[Item]:
    sources = sources_of(item for item in items if not isinstance(item, Raw))
    for path, entry in leaves(root):
        if accounted(path, sources) or path == (SECTION, FILE):
            continue
        dotted = ".".join(path)
        if dotted in _IGNORED or path[0] in _IGNORED:
            yield Dropped(path, _IGNORED.get(dotted) or _IGNORED[path[0]], entry.value)
        elif entry.value in (None, {}, [], False, "no"):
            yield Dropped(path, "it changes nothing", entry.value)
        else:
            yield Dropped(path, "a spec has nothing like it", entry.value, doubtful=True)


def _value(root: Branch, key: str) -> Json:
    node = root.get(key)
    return node.value if isinstance(node, Entry) else None


def _number(root: Branch, key: str) -> int | None:
    value = _value(root, key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
