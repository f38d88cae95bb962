"""Parsing with the installed DeepSpeed, without its checks of one key against another."""

from __future__ import annotations

import contextlib
import enum
import logging
from collections.abc import Iterator
from typing import Any
from unittest import mock

from deepspeed.runtime import config as config_module
from deepspeed.runtime.config import DeepSpeedConfig
from deepspeed.runtime.config_utils import DeepSpeedConfigModel

from .recording import Path

MARK = "cfgc_section"


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One rank, no batch sizes derived, no key held against another, nothing logged, while this lasts."""
    alone_with: list[tuple[Any, str, Any]] = [
        (DeepSpeedConfig, "_configure_train_batch_size", lambda _: None),
        (DeepSpeedConfig, "_do_error_check", lambda _: None),
        (config_module.dist, "get_rank", lambda: 0),
        (config_module.dist, "get_world_size", lambda *_: 1),
    ]
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.ExitStack() as patches:
            for owner, name, work in alone_with:
                patches.enter_context(mock.patch.object(owner, name, work))
            yield
    finally:
        logging.disable(before)


def parse(config: dict[str, Any]) -> Any:
    """The config as DeepSpeed parses it."""
    return DeepSpeedConfig(config)


def refusal(config: dict[str, Any]) -> Exception | None:
    """Why DeepSpeed stops at the config, or None."""
    try:
        parse(config)
    except Exception as error:  # DeepSpeed raises of every kind
        return error
    return None


def nested(path: Path, value: Any) -> dict[str, Any]:
    """A config that holds one key."""
    for name in reversed(path):
        value = {name: value}
    return dict(value)


def sections_of_models(config: dict[str, Any]) -> dict[Path, type[Any]]:
    """Which model each table of ``config`` fills: a mark goes along, and is taken out when a model is made."""
    found: dict[Path, type[Any]] = {}
    base = next(one for one in DeepSpeedConfigModel.__mro__ if one.__name__ == "BaseModel")

    def noting(begin: Any) -> Any:
        def begun(self: Any, *args: Any, **data: Any) -> None:
            for name in [name for name in data if name == MARK]:
                found[tuple(data.pop(name).split("."))] = type(self)
            begin(self, *args, **data)

        return begun

    with contextlib.ExitStack() as patches:
        for owner in (DeepSpeedConfigModel, base):
            patches.enter_context(mock.patch.object(owner, "__init__", noting(owner.__init__)))
        for name, content in config.items():
            refusal(_marked({name: content}, ()))
    return found


def _marked(config: dict[str, Any], path: Path) -> dict[str, Any]:
    marked = {k: _marked(v, (*path, k)) if isinstance(v, dict) else v for k, v in config.items()}
    return {**marked, MARK: ".".join(path)} if path else marked


def attributes(value: Any, depth: int = 5) -> dict[Path, Any]:
    """Every JSON value that hangs on a parsed config, by the names that lead to it."""
    found: dict[Path, Any] = {}
    for name, held in _members(value):
        if isinstance(held, enum.Enum):
            found[(name,)] = held.value
        elif held is None or isinstance(held, bool | int | float | str | list | tuple):
            found[(name,)] = list(held) if isinstance(held, list | tuple) else held
        elif depth and name != "_param_dict":
            found.update({(name, *path): deeper for path, deeper in attributes(held, depth - 1).items()})
    return found


def _members(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(str(key), held) for key, held in value.items()]
    if type(value).__module__.startswith("deepspeed"):
        return list(vars(value).items())
    return []
