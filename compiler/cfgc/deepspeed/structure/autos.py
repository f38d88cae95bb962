"""``auto``: what accelerate, transformers and Lightning put in its place, and where nobody does."""

from __future__ import annotations

import json
from collections.abc import Iterator

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.config import AUTO, Json, Path
from cfgc.deepspeed.structure import wording
from cfgc.deepspeed.structure.wording import Finding, dotted
from cfgc.deepspeed.table import MISSING, Key
from cfgc.diagnostics import Label
from cfgc.diagnostics.model import Fix
from cfgc.source import Span

_PARAMS = ("lr", "betas", "eps", "weight_decay")
_SCHEDULE = ("warmup_min_lr", "warmup_max_lr", "warmup_num_steps", "total_num_steps")
_ZERO = (
    "stage",
    "reduce_bucket_size",
    "stage3_prefetch_bucket_size",
    "stage3_param_persistence_threshold",
    "stage3_gather_16bit_weights_on_model_save",
)
_OFFLOAD = tuple((f"offload_{what}", key) for what in ("optimizer", "param") for key in ("device", "nvme_path"))

FILLED: frozenset[Path] = frozenset(
    {
        ("train_batch_size",),
        ("train_micro_batch_size_per_gpu",),
        ("gradient_accumulation_steps",),
        ("gradient_clipping",),
        ("fp16", "enabled"),
        ("bf16", "enabled"),
        ("bfloat16", "enabled"),
        *(("optimizer", "params", name) for name in _PARAMS),
        *(("scheduler", "params", name) for name in _SCHEDULE),
        *(("zero_optimization", name) for name in _ZERO),
        *(("zero_optimization", *path) for path in _OFFLOAD),
    }
)
"""Keys that accelerate or the Hugging Face Trainer fill in: ``fill_match`` in transformers' integrations/deepspeed.py,
``deepspeed_config_process`` and ``_prepare_deepspeed`` in accelerate."""


def is_auto(key: Key, value: Json) -> bool:
    """Whether ``value`` is the word that an integration replaces, and no value of the key's own."""
    return value == AUTO and AUTO not in key.choices and key.default != AUTO


def auto_findings(case: Case, key: Key, path: Path) -> Iterator[Finding]:
    """A warning where nobody fills ``auto`` in."""
    if path in FILLED:
        return
    default = (
        f"DeepSpeed takes its default, {wording.shown(key.default)}" if key.coerces else "DeepSpeed keeps the text"
    )
    usual = None if key.default is MISSING else key.default
    yield wording.said(
        "CFG559",
        path,
        f"neither accelerate nor transformers fills in `{dotted(path)}`: {default}",
        wording.entry_label(case, path),
        helps=(f"remove `{dotted(path)}`" if usual is None else f"write `{wording.pair(path[-1], usual)}`",),
        fixes=(Fix((wording.drop(case, path) if usual is None else wording.give(case, path, usual),)),),
        severity="warning",
    )


def not_plain(case: Case) -> Iterator[Finding]:
    """A warning when ``auto`` stands in a file that only DeepSpeed's own reader takes."""
    source = case.config.source
    if case.config.home or not any(entry.value == AUTO for entry in case.config.entries.values()):
        return
    try:
        json.loads(source.text)
    except ValueError as error:
        start = min(getattr(error, "pos", 0), max(len(source.text) - 1, 0))
        yield wording.said(
            "CFG558",
            (),
            "accelerate and transformers, which fill in `auto`, read plain JSON only, and this is HJSON",
            Label(Span(source, start, start + 1), "JSON ends here"),
            helps=("remove comments and trailing commas, and put every key and text in double quotes",),
            severity="warning",
        )
