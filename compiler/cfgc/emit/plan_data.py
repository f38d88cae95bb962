"""What PLAN.md says of the data, where it is more than packed files in a random order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc.emit.markdown import code, counted, number, text

if TYPE_CHECKING:
    from cfgc.lower.plan import Data, Source

_RECORDS = {"text": "", "prompt": ", prompts and their completions", "chat": ", conversations"}


def held_out(data: Data) -> str:
    """What evaluations read."""
    own = [source.name for source in data.sources if source.split == "eval"]
    if data.target:
        return f"the split evaluation of {code(data.target)}"
    if own:
        return f"the data {', '.join(map(text, own))}"
    if data.streaming.enabled:
        return f"the first {counted(data.max_eval_samples, 'sample')} of the stream"
    return f"the {number(100 * data.eval_fraction)} % held out"


def use_of(source: Source) -> str:
    """How a source is read, after the names of its files."""
    return _RECORDS[source.format] + (", for evaluations only" if source.split == "eval" else "")


def making(data: Data) -> tuple[tuple[str, str, str], ...]:
    """A row when samples are padded, mixed or streamed."""
    ways = [] if data.packing else [_padding(data)]
    ways += [f"in order, through a buffer of {counted(data.streaming.buffer_size, 'sample')}"] * data.streaming.enabled
    if data.mixing.by == "none" and not ways:
        return ()
    return (("samples", "; ".join(ways) or "packed", _mixing(data)),)


def _padding(data: Data) -> str:
    to = "the longest of a micro batch" if data.pad_to == "longest" else f"{data.sequence_length:,} tokens"
    return f"a document each, padded on the {data.padding_side} to {to}"


def _mixing(data: Data) -> str:
    names = [source.name for source in data.sources if source.split == "train"]
    if data.mixing.by == "sizes":
        power = "" if data.mixing.exponent == 1.0 else f" to the power of {number(data.mixing.exponent)}"
        return f"mixed by the sizes of {', '.join(map(text, names))}{power}, counted at the start"
    shares = zip(names, data.mixing.shares, strict=True) if data.mixing.by == "shares" else ()
    mixed = ", ".join(f"{text(name)} {number(round(100 * share, 2))} %" for name, share in shares)
    return f"mixed: {mixed}" if mixed else ""
