"""What follows from the sources of data: shares of a mixture, and whether anything is held out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cfgc.schema.data import Source
    from cfgc.schema.spec import Spec


def shares(weights: Sequence[float], temperature: float) -> tuple[float, ...]:
    """weight^(1/temperature) over the sum of them, for each of ``weights`` (all above 0); taken over logarithms.

    A source so rare that its share is below what a float holds comes out as 0.
    """
    powers = [math.log(weight) / temperature for weight in weights]
    top = max(powers)
    raised = [math.exp(max(power - top, -745.0)) for power in powers]
    return tuple(one / math.fsum(raised) for one in raised)


def training_sources(spec: Spec) -> tuple[Source, ...]:
    """Sources that are trained on, in the order of the spec."""
    return tuple(source for source in spec.data.sources if source.split == "train")


def has_eval_sources(spec: Spec) -> bool:
    """Whether evaluations have sources of their own."""
    return any(source.split == "eval" for source in spec.data.sources)


def holds_out(spec: Spec) -> bool:
    """Whether there are samples to evaluate on."""
    return spec.data.target is not None or has_eval_sources(spec) or spec.data.eval_fraction > 0
