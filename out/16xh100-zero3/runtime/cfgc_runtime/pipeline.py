"""The pipeline that a bundle is a stage of. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cfgc_runtime.manifest import NAME, verify_bundle

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER: Final = "stages"


def pipeline_around(bundle: Path) -> Path | None:
    """The pipeline that ``bundle`` is a stage of, where it was compiled; None for any other bundle."""
    place = bundle if bundle.parts[-2:-1] == (_FOLDER,) else bundle.absolute()
    whole = place.parent.parent
    return whole if place.parent.name == _FOLDER and (whole / NAME).is_file() else None


def verify_around(bundle: Path) -> None:
    """Compare the files of the pipeline around ``bundle`` with its manifest, if it is a stage where it was compiled.

    Nothing else looks at its scripts and its PLAN.md. Raises ``Failure`` when they are not as compiled.
    """
    if whole := pipeline_around(bundle):
        verify_bundle(whole)
