"""Batch sizes that would hold, and how to let one of the three follow."""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd
from typing import TYPE_CHECKING

from cfgc.arithmetic.batch import Missing, Triple, solve_batch
from cfgc.arithmetic.divisors import divisor_above, divisor_below, nearest_divisor
from cfgc.arithmetic.of_spec import data_parallel_of

if TYPE_CHECKING:
    from cfgc.arithmetic.batch import Indivisible
    from cfgc.origin import Origin
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

NAMES = ("gradient_accumulation_steps", "micro_batch_size", "global_batch_size")
"""The one that is best left to follow comes first."""

RANKS = ("launch.nodes", "launch.gpus_per_node")

TILE = 8
"""Matrix kernels at two bytes a number work on multiples of 8 rows without padding."""


def let_one_follow(resolved: Resolved, spec: Spec) -> str:
    """How to take back one of three sizes, the one of the lowest layer; empty when none of them would follow."""
    heights = {patch.layer: height for height, patch in enumerate(resolved.graph.layers)}
    origins = {name: leaf.origin for name in NAMES if (leaf := resolved.get(f"training.{name}"))}
    fitting = [name for name in origins if _follows(spec, name)]
    if not fitting:
        return ""
    name = min(fitting, key=lambda name: heights.get(origins[name].layer, 0))
    ranks = [leaf.origin for key in RANKS if (leaf := resolved.get(key))]
    overridden = any(origin.layer.kind == "command line" for origin in (*origins.values(), *ranks))
    return _taken_back(name, origins[name], overridden)


def _follows(spec: Spec, left_out: str) -> bool:
    said = {name: None if name == left_out else getattr(spec.training, name) for name in NAMES}
    micro, accumulation = said["micro_batch_size"], said["gradient_accumulation_steps"]
    return isinstance(
        solve_batch(said["global_batch_size"], micro, accumulation, data_parallel_of(spec) or 1),
        Triple,
    )


def _taken_back(name: str, origin: Origin, overridden: bool) -> str:
    if origin.layer.kind == "command line":
        return f"or leave `training.{name}` out of the command line; it follows"
    if overridden:
        return f"or add `'~training.{name}'` to the command line; the size follows"
    below = [each for each in origin.chain() if each.layer.kind not in ("default", "spec")]
    unset = f'`unset = ["training.{name}"]` at the top of the spec; the size follows'
    if not below:
        return f"or remove `{name}`; it follows"
    return f"or remove `{name}`, and add {unset}" if origin.layer.kind == "spec" else f"or add {unset}"


def sizes_that_divide(spec: Spec, outcome: Indivisible) -> Iterator[str]:
    """The nearest sizes per rank that this global batch allows, then the nearest global sizes."""
    size, copies = spec.training.global_batch_size or 1, data_parallel_of(spec) or 1
    given = "micro_batch_size" if outcome.name == "gradient_accumulation_steps" else "gradient_accumulation_steps"
    factor = outcome.divisor // copies
    if size % copies == 0:
        near = (divisor_below(size // copies, factor), divisor_above(size // copies, factor))
        yield f"set {_either(given, *near)}"
    below = max(1, size // outcome.divisor) * outcome.divisor
    above = -(-size // outcome.divisor) * outcome.divisor
    other = "or set" if size % copies == 0 else "set"
    yield f"{other} {_either('global_batch_size', below, above)}"


def _either(name: str, first: int, second: int | None) -> str:
    return f"`{name} = {first}`" + (f" or `{second}`" if second not in (None, first) else "")


def second_size(spec: Spec, outcome: Missing) -> str:
    """A size to add when fewer than two are given."""
    copies = data_parallel_of(spec) or 1
    if "global_batch_size" in outcome.given:
        size = spec.training.global_batch_size or 1
        whole = -(-size // copies) * copies
        micro = f"add `micro_batch_size = {gcd(whole // copies, TILE)}`; the accumulation follows"
        return micro if whole == size else f"set `global_batch_size = {whole}`, and {micro}"
    if "micro_batch_size" in outcome.given:
        size = (spec.training.micro_batch_size or 1) * copies
        return f"add `global_batch_size = {size}` (no accumulation) or a multiple of it"
    if outcome.given:
        return "add `micro_batch_size = 8`; the global batch follows"
    return f"write `global_batch_size = {8 * copies}` and `micro_batch_size = 8`"


def rows_that_fill_tiles(spec: Spec, triple: Triple) -> Iterator[str]:
    """A micro batch of whole tiles that the other sizes allow, and a sequence length that does the same."""
    length, longest = spec.data.sequence_length, spec.model.max_sequence_length
    micro = _micro_of_tiles(spec, triple, TILE // gcd(length, TILE))
    if micro:
        yield f"set `micro_batch_size = {micro}`"
    above = -(-length // TILE) * TILE
    whole = above if above <= longest else longest // TILE * TILE
    if whole:
        yield f"{'or ' if micro else ''}set `sequence_length = {whole}`"


def _micro_of_tiles(spec: Spec, triple: Triple, rows: int) -> int:
    """A multiple of ``rows`` near the micro batch; 0 when the other sizes allow none."""
    said, micro = spec.training, triple.micro_batch_size
    if said.micro_batch_size is None:
        return 0
    if said.global_batch_size is None:
        return -(-micro // rows) * rows
    if said.gradient_accumulation_steps is not None:
        return 0
    per_rank = micro * triple.gradient_accumulation_steps
    return nearest_divisor(per_rank, micro, lambda divisor: divisor % rows == 0)
