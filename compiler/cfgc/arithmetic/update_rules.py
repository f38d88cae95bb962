"""What is known of each update rule."""

from __future__ import annotations

UNUSED = {
    "sgd": ("betas", "eps"),
    "adamw": ("momentum",),
    "adam": ("momentum",),
    "fused_adam": ("momentum",),
    "lamb": ("momentum",),
    "lion": ("eps", "momentum"),
    "adagrad": ("betas", "momentum"),
    "target": ("betas", "eps", "momentum"),
}
"""Keys that an update rule does not have."""

WHOLE_WEIGHTS = {
    "lamb": "scales each layer's update by the norms of its weights and of the update",
    "muon": "makes the update of each matrix orthogonal",
}
"""Update rules that see a parameter as a whole."""
