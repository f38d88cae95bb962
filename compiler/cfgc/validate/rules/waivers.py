"""``[checks] allow``: which findings may pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic
from cfgc.diagnostics.explain import known_codes
from cfgc.origin import dotted
from cfgc.validate.places import key_label, value_label
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.schema_errors import bad_length

if TYPE_CHECKING:
    from cfgc.origin import Path
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec

OF_RULES = frozenset(
    f"CFG{number}"
    for number in (
        130,
        *(415, 416, 417, 419, 426, 427, 428, 430, 431, 434, 435, 436, 437, 438, 446, 479, 480),
        494,
        *(501, 505, 506, 509, 511, 512, 513, 514, 515, 525),
        *(603, 607, 609, 610, 611, 612, 615, 617, 618, 621, 622, 623, 624),
        *(636, 639, 640, 641, 642, 645, 648),
    )
)
"""Codes of this phase that are warnings; all its others are errors."""

OF_RAW_KEYS = frozenset(
    f"CFG{number}" for number in (530, 532, 537, 538, 539, 547, 550, 555, 557, 558, 559, 562, 567, 592, 597)
)
"""What is warned of in a ds_config.json, and so in ``[deepspeed.raw]``; where one is an error, it stays one."""

WARNINGS = OF_RULES | OF_RAW_KEYS
"""Every code that can be waived."""


def waived_codes_exist(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG448, CFG449, CFG310: a waiver names a warning that cfgc has, and says why it may pass."""
    for code, reason in spec.checks.allow.items():
        path = ("checks", "allow", code)
        if code not in known_codes():
            yield _unknown(code, path, resolved)
        elif code not in WARNINGS:
            yield _of_an_error(code, path, resolved)
        elif not reason.strip():
            yield _without_reason(code, path, resolved)


def _unknown(code: str, path: Path, resolved: Resolved) -> Diagnostic:
    digits = re.search(r"\d{3}", code)
    close = f"CFG{digits.group()}" if digits else ""
    meant = close if close in known_codes() and close != code else ""
    copy = "copy the code from the warning itself, where it is in brackets: `warning[CFG431]`"
    return Diagnostic(
        "CFG448",
        f"there is no code `{code}` to waive",
        key_label(resolved, path, f"did you mean `{meant}`?" if meant else "unknown code"),
        helps=(f"write `{meant}`" if meant in WARNINGS else f"remove it, or {copy}",),
        fixes=one_fix(Remedy(resolved).move(path, (*path[:-1], meant)), certain=True)
        if meant in WARNINGS
        else one_fix(Remedy(resolved).take_back(path)),
    )


def _of_an_error(code: str, path: Path, resolved: Resolved) -> Diagnostic:
    return Diagnostic(
        "CFG449",
        f"`{code}` is an error, and errors cannot be waived",
        key_label(resolved, path, ""),
        notes=("a spec with an error does not run, or not as it says; only of a warning can the author know better",),
        helps=(f"remove it, and change what {code} is about: `cfgc explain {code}`",),
        fixes=one_fix(Remedy(resolved).take_back(path)),
    )


def _without_reason(code: str, path: Path, resolved: Resolved) -> Diagnostic:
    label = value_label(resolved, path, "empty")
    why = "the run is a smoke test"
    write = f'say why it may pass, such as `{code} = "{why}"`'
    found = bad_length(dotted(path), label, "some text", (), (write,))
    return replace(found, fixes=one_fix(Remedy(resolved).set(path, why)))
