"""What cannot be compared."""

from __future__ import annotations

from collections.abc import Sequence

from cfgc.diagnostics import Diagnostic


def pipeline_and_run(pipeline: str, stages: Sequence[str], run: str) -> Diagnostic:
    """CFG744: a pipeline has stages, and a run has values."""
    return Diagnostic(
        "CFG744",
        f"`{pipeline}` is a pipeline and `{run}` is a run: they have nothing in common that could be compared",
        notes=(f"the stages of the pipeline are {', '.join(stages)}",),
        helps=("compare the run with the bundle of one stage: `OUT/stages/NAME`",),
    )


def not_as_compiled(name: str, files: Sequence[str]) -> Diagnostic:
    """CFG745: what the bundle says of itself and what it would run are no longer tied together."""
    more = f" and {len(files) - 5} more" if len(files) > 5 else ""
    return Diagnostic(
        "CFG745",
        f"the bundle `{name}` is not what was compiled",
        notes=(f"not as its manifest says: {', '.join(files[:5])}{more}",),
        helps=("see what was edited with `cfgc build --check`, or take the bundle as it was committed: `REV:PATH`",),
    )


def no_such_side(name: str, why: str) -> Diagnostic:
    """CFG746: neither a bundle, nor a spec, nor anything in a revision."""
    return Diagnostic(
        "CFG746",
        f"`{name}` is nothing that can be compared: {why}",
        helps=("give a bundle's directory, a spec (.toml), or either in a revision of git: `REV:PATH`",),
    )
