"""The scheduler: whether its type exists, and whether its numbers make a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case
from cfgc.deepspeed.rules.facts import precision_at, precision_of, stage_at, stage_of
from cfgc.deepspeed.rules.retyping import fitting_scheduler, scheduler_edits
from cfgc.deepspeed.rules.schedule_classes import SCHEDULER_TYPE, schedule
from cfgc.deepspeed.rules.torch_names import OUT_OF_REACH, TORCH_SCHEDULERS
from cfgc.deepspeed.wording import pair, shown
from cfgc.diagnostics.model import Fix
from cfgc.nearest import nearest

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

OTHER_NAMES = {
    "cosine": "WarmupCosineLR",
    "cosinelr": "WarmupCosineLR",
    "linear": "WarmupDecayLR",
    "warmup": "WarmupLR",
    "constant": "WarmupLR",
    "constant_with_warmup": "WarmupLR",
    "warmuplinearlr": "WarmupDecayLR",
    "cosine_with_warmup": "WarmupCosineLR",
    "linear_with_warmup": "WarmupDecayLR",
    "cosineannealing": "CosineAnnealingLR",
    "warmuplinear": "WarmupDecayLR",
    "warmupcosine": "WarmupCosineLR",
    "warmupdecaycosinelr": "WarmupCosineLR",
}


def scheduler_exists(case: Case) -> Iterator[Diagnostic]:
    """CFG583: the type is DeepSpeed's own or one of torch's that a file can describe, exactly as written."""
    name = case.text(SCHEDULER_TYPE) if case.written(SCHEDULER_TYPE) else None
    if name is None or name in case.release.schedulers or name in TORCH_SCHEDULERS or not case.release.schedulers:
        return
    reason = OUT_OF_REACH.get(name, "")
    meant = "" if reason else _meant(case, name)
    version, chosen = case.release.version, meant or fitting_scheduler(case)
    edits = scheduler_edits(case, chosen)
    own = ", ".join(f"`{each}`" for each in case.release.schedulers)
    known = f"DeepSpeed's own are {own}; others are classes of `torch.optim.lr_scheduler`"
    yield case.error(
        "CFG583",
        f"a file cannot ask for {shown(name)}" if reason else f"DeepSpeed {version} has no scheduler {shown(name)}",
        [At(SCHEDULER_TYPE, "" if reason else "unknown")],
        (reason,) if reason else (known, "DeepSpeed reads the file without a word, and stops when it builds it"),
        (f"write {pair('type', chosen)} in `scheduler`",),
        (Fix(edits, certain=bool(meant) and len(edits) == 1),),
    )


def _meant(case: Case, name: str) -> str:
    """A type with nearly the name, or what another tool calls by it; empty when there is none."""
    known = (*case.release.schedulers, *TORCH_SCHEDULERS)
    meant = OTHER_NAMES.get(name.lower(), "")
    return meant if meant in known else nearest(name, known) or ""


OWN = {
    **dict.fromkeys(("CosineAnnealingLR", "CosineAnnealingWarmRestarts"), "WarmupCosineLR"),
    **dict.fromkeys(("LinearLR", "PolynomialLR"), "WarmupDecayLR"),
    **dict.fromkeys(("CyclicLR", "OneCycleLR"), "OneCycle"),
}
"""The schedule of DeepSpeed's own that is most like one of torch's; WarmupLR for others."""


def scheduler_gets_torchs_optimizer(case: Case) -> Iterator[Diagnostic]:
    """CFG588: a scheduler of torch takes an optimizer of torch, which ZeRO, fp16 and bf16 wrap."""
    made, stage, precision = schedule(case), stage_of(case), precision_of(case)
    if made is None or made.name in case.release.schedulers or stage is None or precision is None:
        return
    if stage == 0 and precision == "fp32":
        return
    own = OWN.get(made.name, "WarmupLR")
    own = own if own in case.release.schedulers else "WarmupDecayLR"
    yield case.error(
        "CFG588",
        f"{made.name} does not work with {'ZeRO' if stage else precision}",
        [At(SCHEDULER_TYPE, "a class of torch"), stage_at(case) if stage else precision_at(case)],
        ("it takes optimizers of torch alone, and DeepSpeed hands it one that wraps such an optimizer: a TypeError",),
        (f"write {pair('type', own)} in `scheduler`, with the parameters that it takes",),
        (Fix(scheduler_edits(case, own)),),
    )


RULES = (scheduler_exists, scheduler_gets_torchs_optimizer)
