"""Values of other tools as the spec has them."""

from __future__ import annotations

import re
from posixpath import basename, dirname

from cfgc.deepspeed.config import Json
from cfgc.deepspeed.wording import count
from cfgc.importing.placeholders import safe_name
from cfgc.importing.tree_keys import Ask, Convert, Converted, UnusableError
from cfgc.schema.kinds import kind_of_pattern

_PRECISIONS = {
    **dict.fromkeys(("bf16", "bf16-mixed", "bf16-true", "bfloat16"), "bf16"),
    **dict.fromkeys(("16", "16-mixed", "16-true", "fp16", "float16"), "fp16"),
    **dict.fromkeys(("32", "32-true", "fp32", "float32", "no", "false"), "fp32"),
}
_ADAMS = ("adamw", "adam_w", "fused_adam", "fusedadam", "distributed_fused_adam", "mcore_distributed_optim")
_ACTIVATIONS = {
    **dict.fromkeys(("swiglu", "fast-swiglu", "silu"), "swiglu"),
    **dict.fromkeys(("gelu", "openai-gelu", "fast-gelu"), "gelu"),
    "relu": "relu",
}
_DAYS = re.compile(r"(\d+):(\d\d):(\d\d):(\d\d)")


def precision(value: Json, ask: Ask) -> Converted | None:
    """``bf16-mixed``, 16, ``fp8``, ``no``."""
    known = _PRECISIONS.get(str(value).lower())
    if known:
        return Converted(known)
    return Converted("bf16", f"{value} is not executed by the runtime yet, and bf16 is the nearest", doubtful=True)


def optimizer(value: Json, ask: Ask) -> Converted | None:
    """Apex's and Megatron's fused Adam decay like AdamW."""
    name = str(value).lower()
    if name in _ADAMS:
        return Converted("adamw", "" if name == "adamw" else f"{value} decays its weights as AdamW does")
    if name in ("adam", "sgd", "adagrad", "lion"):
        return Converted(name)
    if name in ("lamb", "muon"):
        return Converted("adamw", f"the runtime has {value} without ZeRO only, and this is the nearest", doubtful=True)
    return Converted("adamw", f"the runtime does not have {value}, and this is the nearest", doubtful=True)


def activation(value: Json, ask: Ask) -> Converted | None:
    """Of the feed-forward layer."""
    known = _ACTIVATIONS.get(str(value).lower())
    if known:
        return Converted(known)
    near = "swiglu" if str(value).endswith("glu") else "relu" if "relu" in str(value) else "gelu"
    return Converted(near, f"the runtime does not have {value}, and this is the nearest", doubtful=True)


def steps(value: Json, ask: Ask) -> Converted | None:
    """A number of steps or passes; -1 and 0 say none."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value <= 0:
        return None
    return Converted(value)


def interval(value: Json, ask: Ask) -> Converted | None:
    """Steps between two evaluations; a float is a share of an epoch in Lightning."""
    if isinstance(value, float) and value <= 1:
        raise UnusableError(f"{value:g} is a share of an epoch, and a spec counts steps")
    return steps(value, ask)


def batches(value: Json, ask: Ask) -> Converted | None:
    """Batches of an evaluation; 1.0 is all of them."""
    if isinstance(value, float) and value <= 1:
        if value == 1:
            return Converted(0, "all of them")
        raise UnusableError(f"{value:g} is a share of the samples, and a spec counts batches")
    return Converted(value)


def all_or_some(value: Json, ask: Ask) -> Converted | None:
    """-1 means all, where a spec writes 0."""
    return Converted(0, "all of them") if value == -1 else Converted(value)


def devices(value: Json, ask: Ask) -> Converted | None:
    """A number of devices, or their list."""
    if isinstance(value, list):
        return Converted(len(value), f"{count(len(value), 'device')} of a list")
    if isinstance(value, str) and value.isdigit():
        return Converted(int(value))
    if isinstance(value, str) or value == -1:
        raise UnusableError("the number of devices is known only on the node; set `launch.gpus_per_node`")
    return Converted(value)


def accelerator(value: Json, ask: Ask) -> Converted | None:
    """Only the CPU is worth a word: which GPU it is, no file says."""
    return Converted("cpu") if value == "cpu" else None


def wall_time(value: Json, ask: Ask) -> Converted | None:
    """``DD:HH:MM:SS`` of Lightning as ``D-HH:MM:SS``."""
    found = _DAYS.fullmatch(value) if isinstance(value, str) else None
    return Converted(f"{int(found[1])}-{found[2]}:{found[3]}:{found[4]}") if found else Converted(value)


def name(value: Json, ask: Ask) -> Converted | None:
    """A name that is safe as a directory's."""
    return Converted(safe_name(str(value)))


def recomputing(value: Json, ask: Ask) -> Converted | None:
    """Megatron's granularity: ``full``, ``selective``."""
    if value == "full" or isinstance(value, bool):
        return Converted(bool(value))
    return Converted(True, f"{value} recomputes a part of each layer, the runtime the whole layer", doubtful=True)


def kept(value: Json, ask: Ask) -> Converted | None:
    """The best checkpoints become the newest ones."""
    many = 0 if value == -1 else value
    return Converted(many, "these are the newest; `keep_best` keeps those of the lowest held-out loss", doubtful=True)


def switch(value: Json, ask: Ask) -> Converted | None:
    """What is off in every spec that says nothing of it."""
    return Converted(True) if value is True else None


def wandb_key(value: Json, ask: Ask) -> Converted | None:
    """What W&B reads its key from, to be set where the run starts."""
    return Converted(["WANDB_API_KEY"]) if value is True else None


def where(other: str) -> Convert:
    """A value that means something only where the key ``other`` is on."""
    return lambda value, ask: Converted(value) if ask(other) is True else None


def sources(value: Json, ask: Ask) -> Converted | None:
    """A path, or several, as trees of files or single ones."""
    paths = [item for item in value if isinstance(item, str)] if isinstance(value, list) else [value]
    if not paths or not all(isinstance(path, str) for path in paths):
        raise UnusableError("it names no files")
    found = [_source(path) for path in paths]
    kinds = " and ".join(dict.fromkeys(str(source.get("kind", "text")) for source in found))
    return Converted(found, f"read as {kinds}; see `kind` and data.tokenizer", doubtful=True)


def _source(path: str) -> dict[str, Json]:
    leaf = basename(path.rstrip("/"))
    stem, dot, _ = leaf.partition(".")
    found: dict[str, Json] = {"name": safe_name(stem), "path": (dirname(path) or ".") if dot else path}
    kind: dict[str, Json] = {"kind": known} if (known := kind_of_pattern(leaf)) else {}
    return {**found, **kind, "include": [leaf]} if dot else {**found, **kind}


def strategy(value: Json, ask: Ask) -> Converted | None:
    """``steps`` says that an interval holds, which says it itself; anything else is another unit."""
    if value in ("steps", True):
        return None
    raise UnusableError(f"{value} is another unit than steps")


def first_beta(value: Json, ask: Ask) -> Converted | None:
    """``beta1`` and ``beta2`` are one pair."""
    second = ask("training.beta2")
    return Converted([value, 0.999 if second is None else second], "with beta2")


def offload_to_host(value: Json, ask: Ask) -> Converted | None:
    """``cpu_offload``: the optimizer's state."""
    return Converted("cpu") if value is True else None


def offload_parameters(value: Json, ask: Ask) -> Converted | None:
    """``cpu_offload`` at ZeRO-3: the parameters too."""
    return (
        Converted("cpu", "at ZeRO-3 the parameters too") if value is True and ask("deepspeed.zero_stage") == 3 else None
    )


def flash(value: Json, ask: Ask) -> Converted | None:
    """sdpa uses a flash kernel where there is one."""
    return Converted("sdpa", "it uses a flash kernel where there is one") if value is True else None


SAME: Convert | None = None
