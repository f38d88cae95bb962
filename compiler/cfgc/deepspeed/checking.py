"""``cfgc check ds_config.json``, short of printing: a text is read, then judged for one release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.judge import judge_config
from cfgc.deepspeed.reading import read_config
from cfgc.diagnostics import Diagnostic, Rejected

if TYPE_CHECKING:
    from cfgc.deepspeed.table import Release


def check_ds_config(
    logical: str, data: bytes, release: Release, world_size: int | None = None, device: str = ""
) -> tuple[Diagnostic, ...]:
    """All that is to say of the ds_config ``data``, by place.

    ``world_size`` is how many ranks will train, ``device`` ``cpu`` or ``cuda``; None and empty when nobody knows.
    """
    try:
        config = read_config(logical, data)
    except Rejected as rejected:
        return rejected.diagnostics
    return judge_config(Case(config, release, world_size, device))
