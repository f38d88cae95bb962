"""The optimizers and schedulers of torch that a ds_config can name, and what they take; compared with torch by tests.

DeepSpeed looks a type that is not its own up in ``torch.optim``, or ``torch.optim.lr_scheduler``, exactly as it is
written, and hands the parameters on.
"""

from __future__ import annotations

from collections.abc import Mapping

_COMMON = ("lr", "weight_decay", "foreach", "maximize", "differentiable")
_ADAM = (*_COMMON, "betas", "eps", "amsgrad", "capturable", "fused")

TORCH_OPTIMIZERS: Mapping[str, tuple[str, ...]] = {
    "ASGD": (*_COMMON, "lambd", "alpha", "t0", "capturable"),
    "Adadelta": (*_COMMON, "rho", "eps", "capturable"),
    "Adafactor": ("lr", "beta2_decay", "eps", "d", "weight_decay", "foreach", "maximize"),
    "Adagrad": (*_COMMON, "lr_decay", "initial_accumulator_value", "eps", "fused"),
    "Adam": (*_ADAM, "decoupled_weight_decay"),
    "AdamW": _ADAM,
    "Adamax": (*_COMMON, "betas", "eps", "capturable"),
    "LBFGS": ("lr", "max_iter", "max_eval", "tolerance_grad", "tolerance_change", "history_size", "line_search_fn"),
    "Muon": ("lr", "weight_decay", "momentum", "nesterov", "ns_coefficients", "eps", "ns_steps", "adjust_lr_fn"),
    "NAdam": (*_COMMON, "betas", "eps", "momentum_decay", "decoupled_weight_decay", "capturable"),
    "RAdam": (*_COMMON, "betas", "eps", "decoupled_weight_decay", "capturable"),
    "RMSprop": (*_COMMON, "alpha", "eps", "momentum", "centered", "capturable"),
    "Rprop": ("lr", "etas", "step_sizes", "capturable", "foreach", "maximize", "differentiable"),
    "SGD": (*_COMMON, "momentum", "dampening", "nesterov", "fused"),
    "SparseAdam": ("lr", "betas", "eps", "maximize"),
}
"""Names and parameters of torch 2.13; earlier releases know fewer."""

TORCH_SCHEDULERS: Mapping[str, tuple[str, ...]] = {
    "ConstantLR": ("factor", "total_iters", "last_epoch"),
    "CosineAnnealingLR": ("T_max", "eta_min", "last_epoch"),
    "CosineAnnealingWarmRestarts": ("T_0", "T_mult", "eta_min", "last_epoch"),
    "CyclicLR": (
        *("base_lr", "max_lr", "step_size_up", "step_size_down", "mode", "gamma", "scale_fn", "scale_mode"),
        *("cycle_momentum", "base_momentum", "max_momentum", "last_epoch"),
    ),
    "ExponentialLR": ("gamma", "last_epoch"),
    "LinearLR": ("start_factor", "end_factor", "total_iters", "last_epoch"),
    "MultiStepLR": ("milestones", "gamma", "last_epoch"),
    "OneCycleLR": (
        *("max_lr", "total_steps", "epochs", "steps_per_epoch", "pct_start", "anneal_strategy", "cycle_momentum"),
        *("base_momentum", "max_momentum", "div_factor", "final_div_factor", "three_phase", "last_epoch"),
    ),
    "PolynomialLR": ("total_iters", "power", "last_epoch"),
    "StepLR": ("step_size", "gamma", "last_epoch"),
}
"""Those that JSON can describe and that step without an argument."""

TORCH_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "CosineAnnealingLR": ("T_max",),
    "CosineAnnealingWarmRestarts": ("T_0",),
    "CyclicLR": ("base_lr", "max_lr"),
    "ExponentialLR": ("gamma",),
    "MultiStepLR": ("milestones",),
    "OneCycleLR": ("max_lr",),
    "StepLR": ("step_size",),
}
"""Parameters without a default."""

OUT_OF_REACH: Mapping[str, str] = {
    "LambdaLR": "it takes a function, which JSON cannot hold",
    "MultiplicativeLR": "it takes a function, which JSON cannot hold",
    "ChainedScheduler": "it takes other schedulers, which JSON cannot hold",
    "SequentialLR": "it takes other schedulers, which JSON cannot hold",
    "ReduceLROnPlateau": "its step needs a loss, and is given the batch size: the rate falls and falls",
}
"""Schedulers of torch that exist and that no ds_config can use, and why."""
