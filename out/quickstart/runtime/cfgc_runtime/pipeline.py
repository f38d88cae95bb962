"""The pipeline that a bundle is a stage of. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cfgc_runtime.manifest import NAME, verify_bundle

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER: Final = "stages"


def verify_around(bundle: Path) -> None:
    """Compare the files of the pipeline around ``bundle`` with its manifest, if it is a stage where it was compiled.

    Nothing else looks at its scripts and its PLAN.md. Raises ``Failure`` when they are not as compiled.
    """
    whole = bundle.absolute().parents[1]
    if bundle.absolute().parent.name == _FOLDER and (whole / NAME).is_file():
        verify_bundle(whole)
