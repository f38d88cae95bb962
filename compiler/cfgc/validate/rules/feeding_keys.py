"""Keys of ``[data]`` that have no part in how samples are made, drawn or read ahead."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import TYPE_CHECKING

from cfgc.arithmetic.data import has_eval_sources
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.rules.feeding import MIXING, STREAMING
from cfgc.validate.rules.finding import At, error, is_default
from cfgc.validate.rules.sources import SOURCES, first_eval, source_key

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.diagnostics.model import Fix
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec


def loader_keys_are_read(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG483: reading ahead needs workers, and page-locked memory a GPU."""
    said = spec.data
    if said.num_workers == 0:
        by = At("data.num_workers", "0: the training process reads")
        yield from _unread(resolved, spec, by, ("prefetch_factor", "persistent_workers"), "set `num_workers = 2`")
    if spec.hardware.device == "cpu":
        by = At("hardware.device", "ranks compute where batches are made")
        yield from _unread(resolved, spec, by, ("pin_memory",), "")


def sample_keys_are_read(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG483: keys of one way to make or draw samples have no part in another."""
    said = spec.data
    if said.packing:
        by = At("data.packing", "samples are cut from documents in a row, none is padded")
        yield from _unread(resolved, spec, by, ("padding_side", "pad_to", "truncation"), "set `packing = false`")
    if not said.streaming.enabled:
        by = At(STREAMING, "samples are found by index")
        yield from _unread(resolved, spec, by, ("streaming.buffer_size",), "set `streaming.enabled = true`")
    elif not said.shuffle:
        by = At("data.shuffle", "records keep their order")
        yield from _unread(resolved, spec, by, ("streaming.buffer_size",), "set `shuffle = true`")
    if said.streaming.enabled:
        by = At(STREAMING, "the first bad record ends the run")
        yield from _unread(resolved, spec, by, ("max_bad_records",), "set `streaming.enabled = false`")
    if not said.mixing.enabled:
        by = At(MIXING, "sources are read one after the other")
        yield from _unread(resolved, spec, by, ("mixing.temperature",), "set `mixing.enabled = true`")
    if has_eval_sources(spec) and said.eval_fraction > 0:
        by = At(SOURCES, "held out as a whole", (first_eval(spec), "split"))
        yield from _unread(resolved, spec, by, ("eval_fraction",), "")
    if said.chat_template is not None and all(source.format != "chat" for source in said.sources):
        by = At(SOURCES, "no source is conversations")
        yield from _unread(resolved, spec, by, ("chat_template",), 'set `format = "chat"` on a source')


def source_keys_are_read(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG483: a source has a weight in a mixture only, and the fields of its format."""
    for at, source in enumerate(spec.data.sources):
        if source.weight is not None and source.split == "eval":
            yield _unread_of_source(resolved, at, "weight", At(SOURCES, "never drawn for training", (at, "split")), "")
        elif source.weight is not None and not spec.data.mixing.enabled:
            by = At(MIXING, "sources are read one after the other")
            yield _unread_of_source(resolved, at, "weight", by, "set `mixing.enabled = true`")
        for name, form, usual in _FIELDS:
            if getattr(source, name) != usual and source.format != form:
                by = At(SOURCES, f"a record is {_RECORDS[source.format]}", (at, "format"))
                yield _unread_of_source(resolved, at, name, by, f'set `format = "{form}"`')


_FIELDS = (
    ("field", "text", "text"),
    ("prompt_field", "prompt", "prompt"),
    ("completion_field", "prompt", "completion"),
    ("messages_field", "chat", "messages"),
)
_RECORDS = {"text": "text", "prompt": "a prompt and its completion", "chat": "a conversation"}


def _unread(resolved: Resolved, spec: Spec, by: At, names: tuple[str, ...], instead: str) -> Iterator[Diagnostic]:
    """A finding for each key ``names`` below data that is not as the schema gives it."""
    for name in names:
        key = f"data.{name}"
        if not is_default(key, attrgetter(name)(spec.data)):
            leaf = name.rpartition(".")[2]
            yield _nobody_reads(resolved, key, leaf, [At(key, "has no effect"), by], instead)


def _unread_of_source(resolved: Resolved, at: int, name: str, by: At, instead: str) -> Diagnostic:
    places = [At(SOURCES, "has no effect", (at, name)), by]
    fixes = one_fix(Remedy(resolved).drop(source_key(at, name)))
    return _nobody_reads(resolved, f"{SOURCES}[{at}].{name}", name, places, instead, fixes)


def _nobody_reads(
    resolved: Resolved, key: str, leaf: str, places: list[At], instead: str, fixes: tuple[Fix, ...] = ()
) -> Diagnostic:
    drop = f"drop `{leaf}`"
    helps = (f"{drop}, or {instead}",) if instead else (drop,)
    return error("CFG483", f"nothing reads `{key}`", resolved, places, (), helps, fixes)
