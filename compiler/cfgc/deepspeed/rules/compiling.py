"""DeepCompile: its passes, and what they move off the device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, path_of
from cfgc.deepspeed.rules.facts import STAGE, device_key, flag_at, offload_at, offload_of, stage_at, stage_of, zero_name
from cfgc.deepspeed.rules.remedy import Remedy, drop, put, told

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

COMPILE, PASSES, OUTSIDE = "compile.deepcompile", "compile.passes", "compile.autoep_non_moe"
STATES, PARAMETERS, ACTIVATIONS = (f"compile.offload_{what}" for what in ("opt_states", "parameters", "activation"))
MOVED = {STATES: "optimizer states", PARAMETERS: "parameters", ACTIVATIONS: "activations"}


def deepcompile_has_a_stage(case: Case) -> Iterator[Diagnostic]:
    """CFG577: without a pass for the stage, DeepCompile falls back to torch's compiler."""
    stage, passes = stage_of(case), passes_of(case)
    if flag_at(case, COMPILE) is not True or stage is None or passes is None or {"autosp", "autotp"} & passes:
        return
    stages = (1, 2, 3) if case.since("0.17.2") else (1, 3)
    if stage in stages:
        return
    yield case.error(
        "CFG577",
        f"DeepCompile has no pass for {zero_name(stage)}",
        [At(COMPILE, "falls back to torch's compiler"), stage_at(case)],
        (f"DeepSpeed {case.release.version} compiles stages {_spoken(stages)}; for others only its log says so",),
        *told([put(case, COMPILE, False), put(case, STAGE, 3 if stage == 2 else 1)]),
    )


def _spoken(stages: tuple[int, ...]) -> str:
    return ", ".join(map(str, stages[:-1])) + f" and {stages[-1]}"


def passes_of(case: Case) -> set[str] | None:
    """The passes that are asked for; None when they are not known."""
    entry = case.config.get(path_of(PASSES))
    if entry is None or entry.value is None:
        return set()
    return {name for name in entry.value if isinstance(name, str)} if isinstance(entry.value, list) else None


def passes_go_together(case: Case) -> Iterator[Diagnostic]:
    """CFG577: tensor parallelism is compiled alone."""
    passes = passes_of(case) or set()
    others = sorted({"autosp", "z1", "z3"} & passes)
    if flag_at(case, COMPILE) is not True or "autotp" not in passes or not others or not case.since("0.19.6"):
        return
    yield case.error(
        "CFG577",
        "the pass `autotp` cannot be combined with another",
        [At(PASSES, f"with {', '.join(others)}")],
        ("DeepSpeed stops when it compiles (NotImplementedError)",),
        *told([put(case, PASSES, ["autotp"]), put(case, PASSES, others)]),
    )


def one_thing_is_offloaded(case: Case) -> Iterator[Diagnostic]:
    """CFG577: DeepCompile moves one kind of state, and not what ZeRO moves already."""
    if flag_at(case, COMPILE) is not True or stage_of(case) != 3 or not case.since("0.19.4"):
        return
    asked = [key for key in MOVED if flag_at(case, key) is True]
    if flag_at(case, STATES) is True and offload_of(case, "optimizer") in ("cpu", "nvme"):
        device = put(case, device_key("optimizer"), "none")
        place = offload_at(case, "optimizer", "ZeRO moves them already")
        yield _clash(
            case, f"`{STATES}` and ZeRO move the same", [At(STATES, "moves them"), place], drop(case, STATES), device
        )
    elif len(asked) > 1:
        names = " and ".join(MOVED[key] for key in asked)
        places = [At(key, f"moves {MOVED[key]}") for key in asked]
        yield _clash(case, f"DeepCompile cannot move {names}", places, *(drop(case, key) for key in reversed(asked)))
    elif asked and asked != [PARAMETERS] and _both_on_cpu(case):
        places = [At(asked[0], f"moves {MOVED[asked[0]]}"), offload_at(case, "param"), offload_at(case, "optimizer")]
        yield _clash(case, f"`{asked[0]}` and ZeRO's offloading exclude each other", places, drop(case, asked[0]))


def _both_on_cpu(case: Case) -> bool:
    """DeepCompile moves parameters when ZeRO offloads parameters and optimizer to the CPU."""
    return offload_of(case, "param") == "cpu" == offload_of(case, "optimizer")


def _clash(case: Case, what: str, places: list[At], *remedies: Remedy) -> Diagnostic:
    why = "each plans with all the memory there is; DeepSpeed stops when it compiles"
    return case.error("CFG577", what, places, (why,), *told(remedies))


def experts_are_compiled_around(case: Case) -> Iterator[Diagnostic]:
    """CFG577: compiling around experts is torch's compiler alone, without partitioned weights or offloading."""
    if flag_at(case, OUTSIDE) is not True:
        return
    found = next(_in_the_way(case), None)
    if found is None:
        return
    place, remedy = found
    yield case.error(
        "CFG577",
        f"`{OUTSIDE}` does not work with {place.text}",
        [At(OUTSIDE, "torch's compiler around experts"), place],
        ("DeepSpeed stops when it compiles",),
        *told([drop(case, OUTSIDE), remedy]),
    )


def _in_the_way(case: Case) -> Iterator[tuple[At, Remedy]]:
    backend, size = "expert_parallel.comm_backend", "tensor_parallel.autotp_size"
    if flag_at(case, COMPILE) is True:
        yield At(COMPILE, "DeepCompile"), put(case, COMPILE, False)
    if case.written(backend) and case.text(backend) not in (None, "comm"):
        yield At(backend, f"the backend {case.text(backend)}"), put(case, backend, "comm")
    if (case.integer(size) or 0) > 1:
        yield At(size, "tensor parallelism"), drop(case, size)
    if stage_of(case) == 3:
        yield At(STAGE, "ZeRO-3"), put(case, STAGE, 2)
    for side in ("optimizer", "param"):
        if offload_of(case, side) in ("cpu", "nvme"):
            yield offload_at(case, side, "offloading"), put(case, device_key(side), "none")


RULES = (deepcompile_has_a_stage, passes_go_together, one_thing_is_offloaded, experts_are_compiled_around)
