"""Overlays picked on the command line must have their effect."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cfgc.diagnostics import Diagnostic
from cfgc.load import overlay_errors
from cfgc.load.directives import patch_of
from cfgc.load.files import SpecFile
from cfgc.load.overlays import Choice
from cfgc.origin import Layer, Path
from cfgc.patch import Patch, apply, leaves_of


def shadows(
    root: SpecFile, overlays: Sequence[tuple[Choice, Sequence[SpecFile]]], decided: Collection[Path]
) -> list[Diagnostic]:
    """An error for each overlay of the command line whose values the body of ``root`` replaces by other ones.

    Keys that the command line itself decides do not count.
    """
    body = patch_of(root.document, root.directives, Layer("spec")).sets
    found: list[Diagnostic] = []
    for choice, files in overlays:
        if not choice.on_command_line:
            continue
        tree = leaves_of(Patch())
        for spec in files:
            tree = apply(patch_of(spec.document, spec.directives, Layer("overlay")), tree)
        hidden = [
            (path, body[path].key_span, origin.key_span, origin)
            for path, origin in tree.items()
            if path in body and path not in decided and body[path].value != origin.value
        ]
        if hidden:
            found.append(overlay_errors.overlay_shadowed(str(choice), choice.span, hidden))
    return found
