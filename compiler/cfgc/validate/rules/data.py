"""The order of the samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.validate.rules.finding import At, warning

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

SEED, SHUFFLE = "data.shuffle_seed", "data.shuffle"


def shuffle_seed_is_read(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG419: a seed of the order belongs to an order that is random."""
    seed = spec.data.shuffle_seed
    if spec.data.shuffle or seed in (None, spec.experiment.seed):
        return
    yield warning(
        "CFG419",
        "`data.shuffle_seed` has no effect without shuffling",
        resolved,
        [At(SEED, "has no effect"), At(SHUFFLE, "samples keep the order of the files")],
        (),
        ("drop `shuffle_seed`, or set `shuffle = true`",),
    )
