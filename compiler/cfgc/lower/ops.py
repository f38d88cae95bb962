"""DeepSpeed's ops that are compiled on a node before its ranks start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfgc.lower.plan import Json

_QUANTIZED = ("zero_quantized_weights", "zero_quantized_nontrainable_weights", "zero_quantized_gradients")


def ops_of(asked: tuple[str, ...], ds_config: Mapping[str, Json]) -> tuple[str, ...]:
    """Those that the spec asks for and those that DeepSpeed will load for ``ds_config``, by name.

    None for the optimizers: those of a bundle are torch's own, offloaded or not.
    """
    return tuple(sorted({*asked, *_loaded(ds_config)}))


def _loaded(ds_config: Mapping[str, Json]) -> Iterator[str]:
    zero = ds_config.get("zero_optimization")
    if not isinstance(zero, Mapping):
        return
    if any(zero.get(key) for key in _QUANTIZED):
        yield "quantizer"
    if zero.get("zenflow"):
        yield "cpu_adam"
