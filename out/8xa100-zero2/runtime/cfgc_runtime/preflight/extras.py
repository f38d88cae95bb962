"""Packages and files that only some plans need, looked for where every rank would look later. Standard library only."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Final

from cfgc_runtime.environment import DISTRIBUTIONS
from cfgc_runtime.errors import NO_INPUT, WRONG_WORLD, Failure
from cfgc_runtime.preflight.finding import Finding, error, from_failure
from cfgc_runtime.rundir import expand
from cfgc_runtime.trackers.opening import libraries_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cfgc_runtime.config import Config, NodePath, Task

_OF_SOURCES: Final = {"parquet": "pyarrow", "arrow": "pyarrow", "huggingface": "datasets"}


def libraries(config: Config) -> Iterator[Finding]:
    """Each library that the model, the data or a tracker is read or written with; none is imported."""
    for name, key in sorted(set(_needed(config))):
        if not _is_installed(name):
            install = f"{sys.executable} -m pip install {DISTRIBUTIONS.get(name, name)}"
            yield error(WRONG_WORLD, f"{sys.executable} has no {name}, which {key} needs: {install}")


def files(config: Config) -> Iterator[Finding]:
    """The tokenizer and the model's directory."""
    if config.DATA.sources and config.DATA.tokenizer.kind != "bytes":
        yield from _is_there("data.tokenizer.path", config.DATA.tokenizer.path)
    if config.MODEL.kind == "huggingface" and not config.MODEL.config:
        yield from _is_there("model.path", config.MODEL.path)
    if config.WEIGHTS.path:
        yield from _is_there("task.checkpoint" if config.WORK == "evaluate" else "model.weights", config.WEIGHTS)


def paths(task: Task) -> Iterator[Finding]:
    """What an export reads and is written with; each path that a task is told can be said here."""
    if task.kind == "export":
        yield from _is_there("task.checkpoint", task.checkpoint)
        if not _is_installed("safetensors"):
            install = f"{sys.executable} -m pip install safetensors"
            yield error(WRONG_WORLD, f"{sys.executable} has no safetensors, which an export needs: {install}")
    for _, path in task.paths:
        try:
            expand(path)
        except Failure as failure:
            yield from_failure(failure)


def _needed(config: Config) -> Iterator[tuple[str, str]]:
    if config.MODEL.kind == "huggingface":
        yield "transformers", 'model.kind = "huggingface"'
    if config.DATA.sources and config.DATA.tokenizer.kind != "bytes":
        yield config.DATA.tokenizer.kind, f'data.tokenizer.kind = "{config.DATA.tokenizer.kind}"'
    for source in config.DATA.sources:
        if source.kind in _OF_SOURCES:
            yield _OF_SOURCES[source.kind], f"data source `{source.name}` ({source.kind})"
    for name in libraries_of(config.TRACKING):
        yield name, f"tracking.{name}"


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _is_there(key: str, path: NodePath) -> Iterator[Finding]:
    try:
        place = expand(path)
    except Failure as failure:
        yield from_failure(failure)
        return
    if not place.exists():
        yield error(NO_INPUT, f"{key}: {place} is not on this machine")
