"""What verifying and signing a bundle find wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cfgc.diagnostics import Diagnostic
from cfgc_runtime.manifest import READABLE, Problem

_SHOWN = 10


def not_as_compiled(bundle: Path, problems: Sequence[Problem]) -> Diagnostic:
    """CFG735: a file is not the one that was compiled, or nobody can know whether it is."""
    wanted = "put what is wanted into the spec and build again, or take the bundle from where it was compiled"
    closed, other = (any((one.kind == "unreadable") is is_closed for one in problems) for is_closed in (True, False))
    more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
    return Diagnostic(
        "CFG735",
        f"`{bundle}` is not what was compiled" if other else f"not every file of `{bundle}` can be read",
        notes=(*map(str, problems[:_SHOWN]), *more),
        helps=(*([READABLE] if closed else []), *([wanted] if other else [])),
    )


def unreadable_manifest(bundle: Path, why: str) -> Diagnostic:
    """CFG735: the manifest itself is not one."""
    return Diagnostic(
        "CFG735",
        f"`{bundle}` is not what was compiled",
        notes=(why,),
        helps=("build it again from its spec, or take the bundle from where it was compiled",),
    )


def unsigned(bundle: Path, pipeline: Path | None, is_signed: bool) -> Diagnostic:
    """CFG736: a signature was asked for, and there is none; that of ``pipeline``, around a stage, is another's."""
    if pipeline:
        other = f"cfgc verify {pipeline} --signers FILE" if is_signed else f"cfgc sign {pipeline} --key FILE"
        state = "is signed" if is_signed else "is not signed either"
        return Diagnostic(
            "CFG736",
            f"`{bundle}` is not signed by itself: it is a stage",
            notes=(f"a pipeline's signature covers every stage; `{pipeline}` {state}",),
            helps=(f"{'verify' if is_signed else 'sign'} the pipeline: `{other}`",),
        )
    return Diagnostic(
        "CFG736",
        f"`{bundle}` is not signed",
        helps=(f"whoever vouches for it signs it: `cfgc sign {bundle} --key FILE`",),
    )


def bad_signature(bundle: Path, why: str, advice: str = "") -> Diagnostic:
    """CFG737: the signature is of other bytes, of somebody else, or damaged."""
    return Diagnostic(
        "CFG737",
        f"the signature of `{bundle}` does not hold",
        notes=(why,),
        helps=(advice or "ask whoever vouches for the bundle to look at it, and to sign it again",),
    )


def cannot_ask(bundle: Path, why: str) -> Diagnostic:
    """CFG738: whether the signature holds cannot be found out here."""
    return Diagnostic("CFG738", f"the signature of `{bundle}` cannot be checked", notes=(why,))


def cannot_sign(bundle: Path, why: str, *helps: str) -> Diagnostic:
    """CFG739: no signature was made."""
    return Diagnostic("CFG739", f"`{bundle}` was not signed: {why}", helps=helps)
