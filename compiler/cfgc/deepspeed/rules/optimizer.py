"""The optimizer: whether its type exists, and whether ZeRO, offloading and precision let it work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case
from cfgc.deepspeed.rules.facts import STAGE, device_key, offload_at, offload_section, precision_of, stage_at, stage_of
from cfgc.deepspeed.rules.optimizer_classes import (
    ONE_BIT,
    PARAMS,
    REMOVED_SINCE,
    TESTED,
    TYPE,
    Built,
    built,
    offloaded,
    optimizer_name,
    own_types,
)
from cfgc.deepspeed.rules.retyping import UNTESTED, fitting_optimizer, optimizer_edits
from cfgc.deepspeed.rules.torch_names import TORCH_OPTIMIZERS
from cfgc.deepspeed.wording import pair, shown
from cfgc.diagnostics.model import Edit, Fix
from cfgc.nearest import nearest

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

DISPLAYED = {
    "adam": "Adam",
    "adamw": "AdamW",
    "adagrad": "Adagrad",
    "lamb": "Lamb",
    "lion": "Lion",
    "muon": "Muon",
    "onebitadam": "OneBitAdam",
    "onebitlamb": "OneBitLamb",
    "zerooneadam": "ZeroOneAdam",
    "muadam": "MuAdam",
    "muadamw": "MuAdamW",
    "musgd": "MuSGD",
}
OTHER_NAMES = {
    "fusedadam": "Adam",
    "deepspeedcpuadam": "Adam",
    "cpuadam": "Adam",
    "fusedadamw": "AdamW",
    "cpuadamw": "AdamW",
    "adamw_torch": "AdamW",
    "adamw_torch_fused": "AdamW",
    "adamw_hf": "AdamW",
    "fusedlion": "Lion",
    "fusedlamb": "Lamb",
    "adam_w": "AdamW",
    "momentum": "SGD",
    "paged_adamw_8bit": "AdamW",
    "adamw8bit": "AdamW",
}
"""Classes, and names of other tools, that somebody may write for a type."""


def optimizer_exists(case: Case) -> Iterator[Diagnostic]:
    """CFG582: the type is DeepSpeed's own, or a class of torch.optim exactly as written."""
    name = optimizer_name(case)
    if name is None or name == "auto" or name in own_types(case) or name in TORCH_OPTIMIZERS:
        return
    removed = name.lower() in ONE_BIT and case.since(REMOVED_SINCE)
    near = None if removed else _meant(case, name)
    meant = "Adam" if removed else near or fitting_optimizer(case)
    edits = tuple(edit for edit in optimizer_edits(case, meant) if not (near and _is_unknown(case, edit)))
    own = ", ".join(f"`{DISPLAYED.get(each, each)}`" for each in own_types(case))
    note = (
        f"the 1-bit optimizers were removed in DeepSpeed {REMOVED_SINCE}"
        if removed
        else f"DeepSpeed's own are {own}, in any letters; others are classes of `torch.optim`, in exactly these letters"
    )
    yield case.error(
        "CFG582",
        f"DeepSpeed {case.release.version} has no optimizer {shown(case.text(TYPE))}",
        [At(TYPE, "removed" if removed else "unknown")],
        (note, "DeepSpeed reads the file without a word, and stops when it builds the optimizer"),
        (f"write {pair(TYPE, meant)} in `optimizer`{_besides(edits)}",),
        (Fix(edits, certain=near is not None and len(edits) == 1),),
    )


def _is_unknown(case: Case, edit: Edit) -> bool:
    """Whether it drops a parameter that no optimizer takes: that is judged by itself once the type is right."""
    known = any(edit.path[-1] in each.parameters for each in case.release.optimizers.values())
    return edit.action == "remove" and not known


def _besides(edits: Sequence[Edit]) -> str:
    """What else changes with the type."""
    dropped = [f"`{edit.path[-1]}`" for edit in edits if edit.action == "remove"]
    told = [f"`{edit.path[-1]}`" for edit in edits[1:] if edit.action == "set"]
    return (f", and leave {', '.join(dropped)} out" if dropped else "") + (
        f", and add {', '.join(told)}" if told else ""
    )


def _meant(case: Case, name: str) -> str | None:
    if name.lower() in OTHER_NAMES:
        return OTHER_NAMES[name.lower()]
    known = {each.lower(): each for each in TORCH_OPTIMIZERS} | {
        each: DISPLAYED.get(each, each) for each in own_types(case)
    }
    near = nearest(name.lower(), known)
    return known[near] if near else None


def zero_knows_optimizer(case: Case) -> Iterator[Diagnostic]:
    """CFG587: with ZeRO, the optimizer is one that it was tested with, or the file says that this is known."""
    made = built(case)
    if made is None or made.name in TESTED or not stage_of(case) or case.flag(UNTESTED):
        return
    if case.value(UNTESTED) is not False or _is_one_bit(case):
        return
    yield case.error(
        "CFG587",
        f"ZeRO was not tested with {made.name}, and stops without `{UNTESTED}`",
        [At(TYPE, made.name), stage_at(case), At(UNTESTED, "not allowed")],
        (
            "tested are Adam, AdamW, Adagrad, Lion and Muon"
            if case.since("0.17.6")
            else "tested are Adam, AdamW, Adagrad and Lion",
        ),
        (f"add {pair(UNTESTED, True)}", f"or write {pair(TYPE, 'AdamW')} in `optimizer`"),
        (Fix((case.set(UNTESTED, True),)), Fix(optimizer_edits(case, "AdamW"))),
    )


def _is_one_bit(case: Case) -> bool:
    return optimizer_name(case) in ONE_BIT


def optimizer_works_here(case: Case) -> Iterator[Diagnostic]:
    """CFG588: the optimizer can do what the rest of the file asks of it."""
    made = built(case)
    if made is not None:
        yield from _no_amsgrad(case, made)
        yield from _lamb(case, made)
        yield from _one_bit_with_zero(case)
        yield from _muon_at_three(case)
        yield from _cannot_step(case, made)
        yield from _states_in_two_formats(case, made)


def _no_amsgrad(case: Case, made: Built) -> Iterator[Diagnostic]:
    key = f"{PARAMS}.amsgrad"
    if made.name not in ("FusedAdam", "DeepSpeedCPUAdam", "FusedLamb") or not case.flag(key):
        return
    fixes = [Fix((case.drop(key),))]
    helps = ["leave `amsgrad` out"]
    if made.name != "FusedLamb":
        helps.append(f"or add {pair('torch_adam', True)} in `{PARAMS}`: torch's own Adam has it")
        fixes.append(Fix((case.set(f"{PARAMS}.torch_adam", True),)))
    yield case.error(
        "CFG588", f"{made.name} has no AMSGrad", [At(key), At(TYPE, f"builds {made.name}")], (), helps, fixes
    )


def _lamb(case: Case, made: Built) -> Iterator[Diagnostic]:
    if optimizer_name(case) not in ("lamb", "onebitlamb"):
        return
    if precision_of(case) == "fp16" and case.number("fp16.loss_scale"):
        yield case.error(
            "CFG588",
            "Lamb needs a dynamic loss scale",
            [At("fp16.loss_scale", "a fixed one"), At(TYPE, "Lamb")],
            ("DeepSpeed asserts it at the start",),
            ('write `"loss_scale": 0` in `fp16`, which makes it dynamic',),
            (Fix((case.set("fp16.loss_scale", 0),)),),
        )
    if offloaded(case) and made.name == "FusedLamb":
        yield case.error(
            "CFG588",
            "Lamb works on the GPU, and its states are offloaded",
            [offload_at(case, "optimizer"), At(TYPE, "a kernel of the GPU only")],
            ("Adam, AdamW, Adagrad and Lion have a version for the CPU",),
            ("leave `offload_optimizer` out of `zero_optimization`", 'or write `"type": "AdamW"` in `optimizer`'),
            (Fix((_not_offloaded(case),)), Fix(optimizer_edits(case, "AdamW"))),
        )


def _not_offloaded(case: Case) -> Edit:
    section = offload_section("optimizer")
    return case.drop(section) if case.written(section) else case.set(device_key("optimizer"), "none")


def _one_bit_with_zero(case: Case) -> Iterator[Diagnostic]:
    if not _is_one_bit(case) or not stage_of(case):
        return
    yield case.error(
        "CFG588",
        "the 1-bit optimizers do not work with ZeRO",
        [At(TYPE, "compresses gradients itself"), stage_at(case)],
        ("DeepSpeed asserts it at the start",),
        ('write `"type": "Adam"` in `optimizer`', 'or `"stage": 0` in `zero_optimization`'),
        (Fix((case.set(STAGE, 0),)), Fix(optimizer_edits(case, "Adam"))),
    )


def _muon_at_three(case: Case) -> Iterator[Diagnostic]:
    if optimizer_name(case) != "muon" or stage_of(case) != 3 or case.since("0.18.9"):
        return
    yield case.error(
        "CFG588",
        f"Muon does not work at ZeRO-3 in DeepSpeed {case.release.version}",
        [At(TYPE, "Muon"), At(STAGE, "ZeRO-3")],
        ("DeepSpeed asserts it at the start; 0.18.9 is the first release that does both",),
        ('write `"stage": 2` in `zero_optimization`', "or take DeepSpeed 0.18.9"),
        (Fix((case.set(STAGE, 2),)),),
    )


def _cannot_step(case: Case, made: Built) -> Iterator[Diagnostic]:
    reasons = {
        "torch.optim.LBFGS": "its step needs a function that computes the loss, and DeepSpeed gives it none",
        "torch.optim.SparseAdam": "it takes sparse gradients alone, and DeepSpeed's are dense",
    }
    if made.name not in reasons:
        return
    yield case.error(
        "CFG588",
        f"{made.name} does not work with DeepSpeed",
        [At(TYPE, "stops in the first step")],
        (reasons[made.name],),
        (f"write {pair(TYPE, 'AdamW')} in `optimizer`{_besides(optimizer_edits(case, 'AdamW'))}",),
        (Fix(optimizer_edits(case, "AdamW")),),
    )


def _states_in_two_formats(case: Case, made: Built) -> Iterator[Diagnostic]:
    in_fp32, in_bf16 = f"{PARAMS}.fp32_optimizer_states", "bf16.bf16_optimizer_states"
    if made.name != "DeepSpeedCPUAdam" or not case.flag(in_fp32) or not case.flag(in_bf16):
        return
    yield case.error(
        "CFG588",
        "Adam's states cannot be fp32 and bf16",
        [At(in_fp32, "overridden"), At(in_bf16, "decides")],
        ("DeepSpeed says so in its log, and keeps them in bf16",),
        (f"leave `fp32_optimizer_states` out of `{PARAMS}`", f"or write {pair(in_bf16, False)} in `bf16`"),
        (Fix((case.drop(in_fp32),)), Fix((case.set(in_bf16, False),))),
    )


RULES = (optimizer_exists, zero_knows_optimizer, optimizer_works_here)
