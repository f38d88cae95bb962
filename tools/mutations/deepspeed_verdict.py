"""What the installed DeepSpeed's own parser says of a ds_config: nothing, a warning in its log, or a refusal."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

from tools.mutations.subjects import Subject


class Ranks:
    """What the parser asks of ``deepspeed.comm``: this rank, and how many there are."""

    def __init__(self, world_size: int) -> None:
        self._world_size = world_size

    def get_rank(self) -> int:
        """The first."""
        return 0

    def get_world_size(self) -> int:
        """Ranks in all."""
        return self._world_size


def deepspeed_says(subject: Subject, tree: Mapping[str, Any]) -> str:
    """``refused: …`` with the kind of error, or ``accepted``. Values that are ``auto`` are dropped first."""
    from deepspeed.runtime import config as parser

    logging.disable(logging.CRITICAL)
    config = json.loads(json.dumps(without_auto(tree)))
    for key in ("train_batch_size", "train_micro_batch_size_per_gpu"):
        if tree.get(key) == "auto":
            config[key] = max(subject.world_size, 1)
            break
    try:
        with patch.object(parser, "dist", Ranks(max(subject.world_size, 1))):
            parser.DeepSpeedConfig(config)
    except Exception as error:
        return f"refused: {type(error).__name__}"
    finally:
        logging.disable(logging.NOTSET)
    return "accepted"


def without_auto(tree: Any) -> Any:
    """``tree`` without the keys that accelerate would fill in."""
    if isinstance(tree, Mapping):
        return {
            key: without_auto(value) for key, value in tree.items() if not (isinstance(value, str) and value == "auto")
        }
    return [without_auto(item) for item in tree] if isinstance(tree, list) else tree
