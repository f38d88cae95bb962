"""Parameters of the optimizer and the scheduler, by name: those that are not taken, and those that are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case
from cfgc.deepspeed.rules.belonging import held_elsewhere, home_of, unwrapped
from cfgc.deepspeed.rules.optimizer_classes import PARAMS, TYPE, built, optimizer_name
from cfgc.deepspeed.rules.retyping import (
    example_of,
    fitting_optimizer,
    fitting_scheduler,
    optimizer_edits,
    scheduler_edits,
)
from cfgc.deepspeed.rules.schedule_classes import SCHEDULER_PARAMS, SCHEDULER_TYPE, schedule
from cfgc.deepspeed.structure.resembling import resembling
from cfgc.deepspeed.wording import pair
from cfgc.diagnostics.model import Edit, Fix
from cfgc.nearest import nearest

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

MEANT = {
    **dict.fromkeys(("learning_rate", "lr_rate", "learningrate", "base_lr", "init_lr"), "lr"),
    "epsilon": "eps",
    "adam_epsilon": "eps",
    "beta": "betas",
    "adam_betas": "betas",
    "wd": "weight_decay",
    "decay": "weight_decay",
    "weightdecay": "weight_decay",
    "weight_decay_rate": "weight_decay",
    "warmup_steps": "warmup_num_steps",
    "num_warmup_steps": "warmup_num_steps",
    "total_steps": "total_num_steps",
    "num_training_steps": "total_num_steps",
    "max_steps": "total_num_steps",
    "min_lr": "warmup_min_lr",
    "max_lr": "warmup_max_lr",
    "lr": "warmup_max_lr",
    "adamw_mode": "adam_w_mode",
    "warmup_min_lr": "warmup_min_ratio",
}
"""What other tools, or hands, call them."""

CLIPPING = ("max_grad_norm", "clip_grad", "clip_grad_norm", "gradient_clipping", "max_norm")
"""Names for the bound of the gradient norm; another rule has them."""

RATES_OF_COSINE = ("warmup_min_lr", "warmup_max_lr")
"""Rates, where WarmupCosineLR takes ratios: no name could be put in their place."""

OF_TORCH = ("foreach", "fused", "maximize", "capturable", "differentiable", "decoupled_weight_decay")


def optimizer_takes_parameters(case: Case) -> Iterator[Diagnostic]:
    """CFG584: every parameter is one that the optimizer takes."""
    made = built(case)
    if made is None or not made.takes:
        return
    for name, _ in case.config.below(("optimizer", "params")):
        if name not in made.takes and name not in CLIPPING:
            yield _not_taken(case, (PARAMS, name), (TYPE, made.name), sorted(made.takes))


def scheduler_takes_parameters(case: Case) -> Iterator[Diagnostic]:
    """CFG584: every parameter is one that the scheduler takes."""
    made = schedule(case)
    if made is None:
        return
    for name, _ in case.config.below(("scheduler", "params")):
        if name not in made.takes:
            yield _not_taken(case, (SCHEDULER_PARAMS, name), (SCHEDULER_TYPE, made.name), made.takes)


def _not_taken(case: Case, key: tuple[str, str], kind: tuple[str, str], takes: Sequence[str]) -> Diagnostic:
    (table, name), (type_key, built_name) = key, kind
    dotted = f"{table}.{name}"
    meant, home = _meant(case, table, name, takes), home_of(case, table, name)
    helps, fixes = [f"leave `{name}` out"], [Fix((case.drop(dotted),))]
    if home is not None:
        helps.insert(0, f"write it in {f'`{home}`' if home else 'the top level'}")
        fixes.insert(0, Fix((case.move(dotted, f"{home}.{name}".removeprefix(".")),), certain=not meant))
    elif (inner := unwrapped(case, table, name)) is not None:
        helps.insert(0, f"write what it holds in `{table}` itself")
        fixes.insert(0, Fix((case.set(table, inner),)))
    elif meant:
        helps.insert(0, f"call it `{meant}`")
        sure = name.lower() in MEANT or resembling(name, takes)[1]
        fixes.insert(0, Fix((case.move(dotted, f"{table}.{meant}"),), certain=sure))
    elif name in OF_TORCH and optimizer_name(case) in ("adam", "adamw") and table == PARAMS:
        helps.append(f"or add {pair('torch_adam', True)}: torch's own Adam takes it")
    return case.error(
        "CFG584",
        f"{built_name} takes no `{name}`",
        [At(dotted, "not taken"), At(type_key, f"builds {built_name}" if built_name != case.text(type_key) else "")],
        (f"it takes {', '.join(f'`{each}`' for each in takes)}", _consequence(case, table, name)),
        helps,
        fixes,
    )


def _consequence(case: Case, table: str, name: str) -> str:
    if table == SCHEDULER_PARAMS and name in RATES_OF_COSINE and case.text(SCHEDULER_TYPE) == "WarmupCosineLR":
        return f"it multiplies `{PARAMS}.lr` by ratios, and stops with a TypeError when it is given rates"
    if table == PARAMS and optimizer_name(case) == "muon":
        return "DeepSpeed drops it without a word"
    return "DeepSpeed reads the file without a word, and stops with a TypeError when it builds it"


def _meant(case: Case, table: str, name: str, takes: Sequence[str]) -> str | None:
    free = [each for each in takes if not case.written(f"{table}.{each}")]
    if ("cos_min_ratio" in takes and name in RATES_OF_COSINE) or name in OF_TORCH:
        return None
    meant = MEANT.get(name.lower().replace("-", "_"))
    return meant if meant in free else resembling(name, free)[0]


def parameters_are_there(case: Case) -> Iterator[Diagnostic]:
    """CFG586: a section names its type, and has what that type cannot do without."""
    yield from _typeless(case, "optimizer", fitting_optimizer(case), optimizer_edits)
    yield from _typeless(case, "scheduler", fitting_scheduler(case), scheduler_edits)
    made = schedule(case)
    if made is None:
        return
    if not made.has_params:
        yield _no_params(case, made.name, made.required)
        return
    for name in made.required:
        if not case.written(f"{SCHEDULER_PARAMS}.{name}") and not _misnamed(case, name, made.takes):
            yield _missing(case, made.name, name)


def _typeless(
    case: Case, section: str, example: str, edits: Callable[[Case, str], tuple[Edit, ...]]
) -> Iterator[Diagnostic]:
    """A section without a type, which DeepSpeed passes over."""
    entry, type_entry = case.config.get((section,)), case.config.get((section, "type"))
    if entry is None or not isinstance(entry.value, dict) or not entry.value or (type_entry and type_entry.value):
        return
    if any(nearest(name, ("type",)) for name, _ in case.config.below((section,)) if name != "type"):
        return  # a misspelt "type" is already said
    yield case.error(
        "CFG586",
        f"`{section}` names no `type`",
        [At(section if type_entry is None else f"{section}.type", "passed over")],
        ("DeepSpeed passes over the whole section without a word",),
        (f"add {pair('type', example)} in `{section}`", f"or leave `{section}` out"),
        (Fix(edits(case, example)), Fix((case.drop(section),))),
    )


def _no_params(case: Case, name: str, required: Sequence[str]) -> Diagnostic:
    value = {key: example_of(key) for key in required}
    return case.error(
        "CFG586",
        "`scheduler` has no `params`",
        [At(SCHEDULER_TYPE, "no `params` beside it")],
        ("DeepSpeed reads the file without a word, and stops with a TypeError when it builds the scheduler",),
        (f"add {pair('params', value)} in `scheduler`",),
        (Fix((case.set(SCHEDULER_PARAMS, value),), certain=not required),),
    )


def _missing(case: Case, scheduler: str, name: str) -> Diagnostic:
    return case.error(
        "CFG586",
        f"{scheduler} needs `{name}`",
        [At(SCHEDULER_PARAMS, f"no `{name}`"), At(SCHEDULER_TYPE)],
        ("it has no default; DeepSpeed stops with a TypeError when it builds the scheduler",),
        (f"add {pair(name, example_of(name))} in `{SCHEDULER_PARAMS}`, with your own number",),
        (Fix((case.set(f"{SCHEDULER_PARAMS}.{name}", example_of(name)),)),),
    )


def _misnamed(case: Case, name: str, takes: Sequence[str]) -> bool:
    """Whether a parameter that is not taken would be renamed to this one."""
    if held_elsewhere(case, SCHEDULER_PARAMS, name):
        return True
    others = [other for other, _ in case.config.below(("scheduler", "params")) if other not in takes]
    return any(_meant(case, SCHEDULER_PARAMS, other, takes) == name for other in others)


RULES = (optimizer_takes_parameters, scheduler_takes_parameters, parameters_are_there)
