"""``cfgc check`` of a ds_config: a file of anybody's, no spec needed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from cfgc.cli.checking import STDIN
from cfgc.deepspeed.case import release_numbers
from cfgc.deepspeed.checking import check_ds_config
from cfgc.deepspeed.config import AUTO
from cfgc.deepspeed.reading import MAX_BYTES
from cfgc.deepspeed.reading_errors import unreadable
from cfgc.deepspeed.releases import known_releases, newest_release, release
from cfgc.diagnostics import Diagnostic

_QUOTED_AUTO = (f'"{AUTO}"'.encode(), f"'{AUTO}'".encode())


@dataclass(frozen=True)
class Cluster:
    """What ds_configs are checked for: a release of DeepSpeed, and the ranks and device where they are known."""

    deepspeed: str
    world_size: int | None
    device: str


@dataclass(frozen=True)
class Checked:
    """What is to say of one file, and whether it leaves values to accelerate or transformers."""

    findings: tuple[Diagnostic, ...]
    auto: bool = False


def known_release(version: str | None) -> str:
    """The release asked for, or the newest known. Raises ``UsageError`` when it is not known."""
    known = known_releases()
    if version is None or version in known:
        return version or newest_release()
    try:
        wanted = release_numbers(version)
    except ValueError:
        raise click.UsageError(f"{version!r} is no release; write it as in --deepspeed {known[-1]}") from None
    below = [x for x in known if release_numbers(x) < wanted][-1:]
    above = [x for x in known if release_numbers(x) > wanted][:1]
    near = " and ".join([*below, *above])
    raise click.UsageError(
        f"DeepSpeed {version} is not known; the nearest known: {near} (of {known[0]} to {known[-1]})"
    )


def check_file(argument: str, cluster: Cluster) -> Checked:
    """What cfgc has to say of one file."""
    name = "standard input" if argument == STDIN else argument
    try:
        data = _read(argument)
    except IsADirectoryError:
        return Checked((unreadable(name, "it is a directory", ("name the file itself",)),))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Checked((unreadable(name, reason.lower()),))
    found = check_ds_config(name, data, release(cluster.deepspeed), cluster.world_size, cluster.device)
    return Checked(found, any(word in data for word in _QUOTED_AUTO))


def _read(argument: str) -> bytes:
    """One byte more than is taken, so that a file of any size is known to be too large."""
    if argument == STDIN:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    path = Path(argument)
    if path.is_fifo() or path.is_char_device():
        raise OSError("it is no regular file")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def outcome(files: int, good: int, autos: int, deepspeed: str) -> str:
    """``3 of 5 files hold for DeepSpeed 0.19.8``, and what was left open."""
    noun = "file holds" if files == 1 else "files hold"
    left = f" ({autos} with `{AUTO}`, for accelerate or transformers to fill in)" if autos else ""
    return f"{good} of {files} {noun} for DeepSpeed {deepspeed}{left}"
