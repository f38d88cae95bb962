"""DeepSpeed's own reading of a plan's ds_config, in this process, without ranks."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

from deepspeed import comm
from deepspeed.runtime.config import DeepSpeedConfig
from pydantic import BaseModel

from cfgc.lower.plan import Plan
from tests.deepspeed.recording import Recording


class FakeRanks:
    """What DeepSpeed asks a model-parallel unit for."""

    def __init__(self, data_parallel: int) -> None:
        self.data_parallel = data_parallel

    def get_data_parallel_world_size(self) -> int:
        """Copies of the model."""
        return self.data_parallel


def parse(plan: Plan) -> tuple[DeepSpeedConfig, set[str]]:
    """DeepSpeed's configuration of the plan's world, and every key that it asked for."""
    asked: set[str] = set()
    with mock.patch.object(comm, "get_rank", return_value=0):
        parsed = DeepSpeedConfig(Recording(dict(plan.ds_config), asked), mpu=FakeRanks(plan.topology.data_parallel))
    return parsed, asked


def is_written(plan: Plan, dotted: str) -> bool:
    """Whether ds_config has the key ``a.b.c``."""
    table: object = plan.ds_config
    for part in dotted.split("."):
        if not isinstance(table, dict) or part not in table:
            return False
        table = table[part]
    return True


def sections(parsed: DeepSpeedConfig) -> Iterator[BaseModel]:
    """Every pydantic section, nested ones too."""
    for value in vars(parsed).values():
        if isinstance(value, BaseModel):
            yield from _nested(value)


def _nested(section: BaseModel) -> Iterator[BaseModel]:
    yield section
    for name in type(section).model_fields:
        value = getattr(section, name, None)
        if isinstance(value, BaseModel):
            yield from _nested(value)
