"""``export``: one checkpoint, verified, into a directory that is complete or absent."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from cfgc_runtime.config import load_config
from cfgc_runtime.errors import CANNOT_WRITE, USAGE, Failure
from cfgc_runtime.export import llama
from cfgc_runtime.export.shards import write_shards
from cfgc_runtime.export.source import choose, read_weights
from cfgc_runtime.rundir import sync_directory, write_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cfgc_runtime.config import Config
    from cfgc_runtime.export.source import Source, Weights

Format: TypeAlias = Literal["auto", "huggingface", "safetensors"]
Precision: TypeAlias = Literal["", "fp32", "bf16", "fp16"]
DTYPES: Final = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
SHARD_BYTES: Final = 5 * 10**9
_UNITS: Final = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


@dataclass(frozen=True)
class Export:
    """What to export, and how. ``dtype`` empty is the precision of training; ``best`` is by held-out loss."""

    path: Path
    out: Path
    format: Format = "auto"
    dtype: Precision = ""
    step: int | None = None
    best: bool = False
    shard_bytes: int = SHARD_BYTES


def size_of(text: str) -> int | None:
    """Bytes of ``5GB`` or ``512MiB``; None for what is no size."""
    found = re.fullmatch(r"(\d+)\s*([A-Za-z]*)", text.strip())
    return int(found[1]) * _UNITS.get(found[2].upper(), 0) or None if found else None


def export_checkpoint(wanted: Export, report: Callable[[int, int], None]) -> str:
    """Write what is ``wanted``; one line that says what it is. Raises ``Failure``; nothing is left behind then.

    ``report`` is told bytes done and bytes in all.
    """
    if wanted.out.exists():
        raise Failure(CANNOT_WRITE, f"{wanted.out} exists already; name a new directory, or remove it")
    source = choose(wanted.path, wanted.step, wanted.best)
    config = load_config(source.run.bundle / "config.py")
    form = _form(wanted, config)
    source.verify()
    temporary = wanted.out.with_name(f".{wanted.out.name}.{os.getpid()}")
    temporary.mkdir(parents=True)
    try:
        size, note = _write(temporary, source, config, form, wanted, report)
        for file in temporary.iterdir():
            shutil.copymode(temporary / "config.json", file)  # safetensors lets nobody else read what it writes
        temporary.rename(wanted.out)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_directory(wanted.out.parent)
    return (
        f"{config.EXPERIMENT.name} step {source.found.step:,} → {wanted.out} "
        f"({form}, {wanted.dtype or config.PRECISION}, {size / 1e6:,.1f} MB)" + (f"; {note}" if note else "")
    )


def _form(wanted: Export, config: Config) -> Literal["huggingface", "safetensors"]:
    model = config.MODEL
    fits = model.kind == "huggingface" or (model.kind == "decoder" and llama.is_llama(model))
    if wanted.format == "huggingface" and not fits:
        raise Failure(
            USAGE, "transformers has no model that computes what this one does; export it with --format safetensors"
        )
    return "huggingface" if fits and wanted.format != "safetensors" else "safetensors"


def _write(
    directory: Path, source: Source, config: Config, form: str, wanted: Export, report: Callable[[int, int], None]
) -> tuple[int, str]:
    """Bytes of weights, and a note on the tokenizer."""
    import torch

    from cfgc_runtime.export.huggingface import write_pretrained
    from cfgc_runtime.export.tokenizer import write_tokenizer

    name = DTYPES[wanted.dtype or config.PRECISION]
    dtype: torch.dtype = getattr(torch, name)
    weights = read_weights(source, config.ZERO_STAGE)
    model = config.MODEL
    if form == "safetensors":
        write_json(directory / "config.json", {"model": _plain(model), "dtype": name, "step": source.found.step})
        return write_shards(directory, _untied(weights, config), dtype, wanted.shard_bytes, report), ""
    tokenizer = write_tokenizer(directory, config)
    if model.kind == "huggingface":
        return write_pretrained(directory, weights, model, dtype, wanted.shard_bytes, report), tokenizer.note
    assert model.kind == "decoder", "no other kind is exported for transformers"
    write_json(directory / "config.json", llama.llama_config(model, name, tokenizer.end))
    renamed = {llama.llama_name(name): weight for name, weight in _untied(weights, config).items()}
    return write_shards(directory, renamed, dtype, wanted.shard_bytes, report), tokenizer.note


def _untied(weights: Weights, config: Config) -> Weights:
    """Without the output layer that is the embedding."""
    if config.MODEL.kind != "decoder" or not config.MODEL.tie_embeddings:
        return weights
    return {name: weight for name, weight in weights.items() if name != "head.weight"}


def _plain(value: Any) -> Any:
    """A value of config.py as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return {name: _plain(item) for name, item in vars(value).items()} if hasattr(value, "__dict__") else value
