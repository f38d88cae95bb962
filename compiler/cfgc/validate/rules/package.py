"""``[package]``: what is to be packed can be, and what runs is in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.usercode.calls import named_calls
from cfgc.validate.rules.finding import At, error

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec


def package_can_be_made(_: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG752, CFG753, CFG754, CFG755, CFG756, CFG757: files are as in git, each can be packed, none is secret."""
    packed = resolved.code.packed
    for problem in packed.problems if packed else ():
        places = [At(f"package.{problem.key}", problem.text, problem.inside)]
        yield error(problem.code, problem.message, resolved, places, problem.notes, problem.helps)


def repository_is_an_address(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG751: others find the repository too."""
    place = spec.package.repository
    if "\\" in place or place.startswith(("/", "~", ".", "file:")):
        yield error(
            "CFG751",
            "`package.repository` is a path of this machine",
            resolved,
            [At("package.repository", "nobody else finds it here")],
            ("it tells people where the commit can be had, and goes into the bundle",),
            ("write the address that others clone, such as `https://example.org/team/code`, or leave it out",),
        )


def package_has_its_digest(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG759: the archive is the one that the spec was written for."""
    wanted, packed = spec.package.sha256, resolved.code.packed
    if wanted is None or packed is None or packed.problems or packed.sha256 == wanted:
        return
    yield error(
        "CFG759",
        "the package is not the one that the spec names",
        resolved,
        [At("package.sha256", "another digest")],
        (f"what is packed has the sha256 {packed.sha256}",),
        ("pack what was packed then (`commit`), or drop `sha256`",),
    )


def targets_are_packed(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG758: a module of the project that the run imports is in its package."""
    packed = resolved.code.packed
    if packed is None or packed.problems:
        return
    for call in {call.module: call for call in reversed(tuple(named_calls(spec)))}.values():
        source = resolved.code.modules.get(call.module)
        if source is None or source.logical in packed.files:
            continue
        yield error(
            "CFG758",
            f"`{call.module}` is in the project, and not in the package",
            resolved,
            [At(".".join(map(str, call.location[:2])) + ".target", f"found in {source.logical}")]
            if call.role != "metric"
            else [At("evaluation.metrics", f"found in {source.logical}", (call.location[2], "target"))],
            ("on the node it would be imported from wherever Python finds it, or not at all",),
            ("let `include` match it, and `exclude` not",),
        )
