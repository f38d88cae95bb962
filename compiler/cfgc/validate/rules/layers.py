"""Rules about what the layers of a spec make of one another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.diagnostics.model import Diagnostic, Edit, Fix, Label
from cfgc.origin import dotted

if TYPE_CHECKING:
    from cfgc.origin import Origin, Path
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec


def overlays_of_bases_agree(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG130: a base chooses an overlay, and it or a base above it sets another value, which the overlay replaces."""
    del spec
    for path, origin, below in _outranked(resolved):
        key, choice = dotted(path), origin.layer.choice
        yield Diagnostic(
            "CFG130",
            f"the overlay `{choice}`, which a base chooses, replaces the base's own `{key}`",
            Label(below.key_span, "not used") if below.key_span else None,
            tuple(_places(origin, resolved)),
            notes=("order: bases < overlays < the spec's body < command line",),
            helps=(
                f"to keep the base's value, say so in the spec: `{key} = {below.written()}`",
                "or remove it from the base",
            ),
            severity="warning",
            fixes=(Fix((Edit("set", resolved.graph.root, path, below.value),)),),
        )


def _outranked(resolved: Resolved) -> Iterator[tuple[Path, Origin, Origin]]:
    """Keys that an overlay sets and a base sets otherwise, with both places."""
    for path, leaf in resolved.leaves.items():
        origin = leaf.origin
        if origin.layer.kind != "overlay":
            continue
        below = next((found for found in origin.chain() if found.layer.kind == "base"), None)
        if below and below.value != origin.value and below.layer.name in _above_choice(resolved, origin):
            yield path, origin, below


def _above_choice(resolved: Resolved, origin: Origin) -> tuple[str, ...]:
    """The base that chose the overlay of ``origin``, and those that come after it; none when no base chose it."""
    chosen = resolved.graph.chosen.get(origin.layer.choice.partition("=")[0])
    bases = [layer.layer.name for layer in resolved.graph.layers if layer.layer.kind == "base"]
    if chosen is None or chosen.source.logical not in bases:
        return ()
    return tuple(bases[bases.index(chosen.source.logical) :])


def _places(origin: Origin, resolved: Resolved) -> Iterator[Label]:
    chosen = resolved.graph.chosen[origin.layer.choice.partition("=")[0]]
    for span, text in ((origin.key_span, "this value counts"), (chosen, "the overlay is chosen here")):
        if span:
            yield Label(span, text)
