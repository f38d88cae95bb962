"""Steps, tokens and hours."""

from __future__ import annotations


def steps_from_epochs(epochs: int, samples: int, global_batch_size: int) -> int:
    """Whole optimizer steps in ``epochs`` passes over ``samples``; each pass leaves out a last, smaller batch."""
    return epochs * (samples // global_batch_size)


def tokens_per_step(global_batch_size: int, sequence_length: int) -> int:
    """Tokens that one optimizer step sees."""
    return global_batch_size * sequence_length


def rank_hours(world: int, seconds: int) -> float:
    """What a run may cost at its time limit: GPU-hours, or on CPUs process-hours."""
    return world * seconds / 3600
