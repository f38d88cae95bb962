"""DeepCompile's passes for tensor and sequence parallelism, and names of passes that decide nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At
from cfgc.deepspeed.rules.compiling import COMPILE, PASSES, passes_of
from cfgc.deepspeed.rules.facts import STAGE, flag_at, stage_at, stage_of, zero_name
from cfgc.deepspeed.rules.remedy import Remedy, drop, listed, put, told

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

SIZE, OVERLAP = "tensor_parallel.autotp_size", "tensor_parallel.tp_overlap_comm"
COMPILED = {1: "z1", 2: "z1", 3: "z3"}
"""What a stage is called among the passes; stage 2 has no name of its own."""


def tensor_pass_has_its_ranks(case: Case) -> Iterator[Diagnostic]:
    """CFG577: the pass for tensor parallelism needs some, whose communication is in the graph."""
    if _asked(case) != {"autotp"} or not case.since("0.19.6"):
        return
    size = case.integer(SIZE)
    if size is not None and size <= 1:
        yield case.error(
            "CFG577",
            "the pass `autotp` has no tensor parallelism to compile",
            [At(PASSES, "falls back to torch's compiler"), At(SIZE, "off")],
            ("it needs an `autotp_size` of at least 2; only DeepSpeed's log says that it falls back",),
            *told([drop(case, PASSES), put(case, SIZE, 2)]),
        )
    elif flag_at(case, OVERLAP) is True:
        yield case.error(
            "CFG577",
            f"the pass `autotp` does not work with `{OVERLAP}`",
            [At(OVERLAP, "outside of the graph"), At(PASSES, "puts the communication into the graph")],
            ("DeepSpeed stops when it compiles (NotImplementedError)",),
            *told([put(case, OVERLAP, False), drop(case, PASSES)]),
        )


def sequence_pass_has_a_stage(case: Case) -> Iterator[Diagnostic]:
    """CFG577: the pass for sequence parallelism is compiled below stage 2."""
    stage, passes = stage_of(case), _asked(case)
    if "autosp" not in passes or "autotp" in passes or stage not in (2, 3) or not case.since("0.18.9"):
        return
    yield case.error(
        "CFG577",
        f"the pass `autosp` does not work with {zero_name(stage)}",
        [At(PASSES, "falls back to torch's compiler"), stage_at(case)],
        ("it is compiled at the stages 0 and 1; only DeepSpeed's log says that it falls back",),
        *told([drop(case, PASSES), put(case, STAGE, 1)]),
    )


def passes_are_those_of_the_stage(case: Case) -> Iterator[Diagnostic]:
    """CFG577: no name of a pass changes what the stage decides."""
    stage, passes = stage_of(case), _asked(case)
    named = sorted({"z1", "z3"} & passes)
    if not named or "autotp" in passes or stage is None or not case.since("0.18.9"):
        return
    if "autosp" in passes and stage < 2:
        yield _nameless(case, named, At(PASSES, "`autosp` is compiled alone"), put(case, PASSES, ["autosp"]))
    elif "autosp" not in passes and stage in COMPILED and named != [COMPILED[stage]]:
        wrong = [name for name in named if name != COMPILED[stage]]
        yield _nameless(case, wrong, stage_at(case), put(case, PASSES, [COMPILED[stage]]))


def _nameless(case: Case, names: list[str], place: At, remedy: Remedy) -> Diagnostic:
    others = [place] if place.dotted != PASSES else []
    return case.warning(
        "CFG577",
        f"{listed(names)} of `{PASSES}` {'has' if len(names) == 1 else 'have'} no effect",
        [At(PASSES, "the stage decides what is compiled" if others else place.text), *others],
        ("DeepSpeed compiles what `autosp` or `autotp` says, else what the stage of ZeRO says",),
        *told([remedy, drop(case, PASSES)]),
    )


def _asked(case: Case) -> set[str]:
    """The passes of a DeepCompile that is on."""
    return (passes_of(case) or set()) if flag_at(case, COMPILE) is True else set()


RULES = (tensor_pass_has_its_ranks, sequence_pass_has_a_stage, passes_are_those_of_the_stage)
