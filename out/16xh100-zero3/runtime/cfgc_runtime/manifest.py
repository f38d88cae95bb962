"""The bundle's manifest: is every file the one that was compiled? Standard library only."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from cfgc_runtime.errors import BAD_BUNDLE, Failure
from cfgc_runtime.point import point_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = 1
NAME = "manifest.json"
SIGNATURE = NAME + ".sig"
"""Beside it, and in no list: whoever vouches for the bundle puts it there later."""
OWN_DIGEST = "manifest_digest"
"""Of the canonical JSON of the manifest without this key."""
LOG: Final = re.compile(r"(stages/[^/]+/)?slurm-[^/]+-\d+(_\d+)?\.out")
"""Log of a job that was submitted with plain sbatch in the bundle's directory: Slurm writes it there, none reads it."""

_SHOWN: Final = 10
_LINK: Final = "it is a link"
_ENTRY = (("sha256", str), ("size", int), ("executable", bool))


@dataclass(frozen=True)
class Manifest:
    """What a run needs to know of its bundle; the plan is that of the point, where there is one.

    ``outputs`` maps a posix path to sha256, size and executable.
    """

    experiment: str
    plan_digest: str
    bundle_digest: str
    outputs: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Problem:
    """What happened to one file since it was compiled."""

    kind: Literal["added", "missing", "edited", "unreadable", "mode"]
    name: str
    detail: str = ""

    def __str__(self) -> str:
        """One line, whatever the file is called."""
        name = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in self.name)
        return f"{self.kind}: {name}" + (f" ({self.detail})" if self.detail else "")


class NotAsCompiled(Failure):
    """The bundle's files are not those that were compiled."""

    def __init__(self, bundle: Path, problems: Sequence[Problem], advice: str) -> None:
        self.problems = tuple(problems)
        added = [problem for problem in problems if problem.kind == "added"]
        shown = [str(problem) for problem in problems if problem not in added[_SHOWN:]]
        if len(added) > _SHOWN:
            shown.insert(_SHOWN, f"and {len(added) - _SHOWN} more that were added")
        listing = "".join(f"\n  {line}" for line in shown)
        super().__init__(BAD_BUNDLE, _advised(f"the bundle {bundle} is not what was compiled:{listing}", advice))


class AnotherFormat(Failure):
    """A later cfgc wrote the bundle, in a format, ``theirs``, that is not read here."""

    def __init__(self, bundle: Path, theirs: int) -> None:
        self.theirs = theirs
        sentence = f"{bundle / NAME} has format {theirs}, this runtime reads {FORMAT}"
        super().__init__(BAD_BUNDLE, f"{sentence}\nuse the cfgc that built it, or the runtime that lies in it")


REBUILD = f"put your change into the spec and rebuild: cfgc build <spec> (it is listed in {NAME})"
AGAIN: Final = "build it again from its spec, or take the bundle from where it was compiled"
READABLE: Final = "give yourself the right to read it, or ask somebody who has it"
DELETE = "this is the run's own copy: remove that directory and start again, which copies the bundle anew"


def read_manifest(bundle: Path, advice: str = "") -> Manifest:
    """The manifest of ``bundle``. Raises ``Failure`` when there is none, or it is not as the compiler wrote it."""
    unread = AGAIN if advice == REBUILD else advice
    try:
        data = (bundle / NAME).read_bytes()
        raw = json.loads(data.decode())
        if type(raw["format"]) is not int:
            raise TypeError("the format is a number")
        if raw["format"] != FORMAT:
            raise AnotherFormat(bundle, raw["format"])
        point = point_of(bundle)
        manifest = Manifest(
            _text(raw["experiment"]),
            point.plan_digest if point else _text(raw["plan_digest"]),
            _text(raw["bundle_digest"]),
            _outputs(raw["outputs"]),
        )
        flaw = _flaw(raw, data)
    except FileNotFoundError:
        raise _failure(f"{bundle} is not a bundle: it has no {NAME}", "" if advice == REBUILD else advice) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        advised = READABLE if isinstance(error, PermissionError) else unread
        raise _failure(f"{bundle / NAME} cannot be read: {_reason(error)}", advised) from error
    if flaw:
        raise NotAsCompiled(bundle, [Problem("edited", NAME, flaw)], advice)
    return manifest


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or "the file system refused"
    if isinstance(error, UnicodeDecodeError):
        return "it is no UTF-8 text"
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON ({error})"
    return "it is nested too deeply" if isinstance(error, RecursionError) else "it is not as cfgc writes it"


def _flaw(raw: Mapping[str, Any], data: bytes) -> str:
    """Why ``data``, which reads as ``raw``, are not the bytes that the compiler wrote; empty when they are."""
    if OWN_DIGEST not in raw:
        return f"it has no {OWN_DIGEST}: an older cfgc wrote it, or the line was taken out"
    for key, value in (("bundle_digest", raw["outputs"]), (OWN_DIGEST, {k: raw[k] for k in raw if k != OWN_DIGEST})):
        canonical = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
        if raw[key] != "sha256:" + hashlib.sha256(canonical).hexdigest():
            return f"its {key} does not hold"
    as_written = json.dumps(raw, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    return "" if data == as_written.encode() else "it says the same in other bytes: order, blanks or repeated keys"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} stands where text is due")
    return value


def _outputs(value: Any) -> Mapping[str, Mapping[str, Any]]:
    """``value`` if it is a table of entries with a sha256 and a size."""
    if not isinstance(value, dict):
        raise TypeError("outputs is no table")
    for name, entry in value.items():
        if not (isinstance(entry, dict) and all(isinstance(entry[key], kind) for key, kind in _ENTRY)):
            raise TypeError(f"the entry of {name} has no sha256, no size, or does not say whether it is executable")
    return value


def verify_bundle(bundle: Path, advice: str = REBUILD) -> Manifest:
    """The manifest, after every file was compared with it.

    Raises ``Failure`` that names each file that was edited, is missing or was added, and gives the ``advice``.
    """
    manifest = read_manifest(bundle, advice)
    problems = _compare(bundle, manifest)
    if problems:
        closed = all(problem.kind == "unreadable" for problem in problems)
        raise NotAsCompiled(bundle, problems, READABLE if closed else advice)
    return manifest


def _failure(sentence: str, advice: str) -> Failure:
    return Failure(BAD_BUNDLE, _advised(sentence, advice))


def _advised(sentence: str, advice: str) -> str:
    return f"{sentence}\n{advice}" if advice else sentence


def _compare(bundle: Path, manifest: Manifest) -> list[Problem]:
    found, closed = _found(bundle)
    own = [found.pop(name) for name in (NAME, SIGNATURE) if name in found]
    problems = [
        Problem("added", name, "delete it, and start Python with -B" if "/__pycache__/" in name else "")
        for name, path in found.items()
        if name not in manifest.outputs and not _is_log(name, path)
    ]
    problems += [Problem("unreadable", name, why) for name, why in closed.items()]
    problems += [Problem("edited", path.name, _LINK) for path in own if path.is_symlink()]
    for name, entry in sorted(manifest.outputs.items()):
        if name not in found and not any(Path(name).is_relative_to(folder) for folder in closed):
            problems.append(Problem("missing", name))
        elif name in found and (problem := _difference(name, found[name], entry)):
            problems.append(problem)
    due = {path.name: False for path in own} | {name: manifest.outputs[name]["executable"] for name in manifest.outputs}
    seen = {*found, *(path.name for path in own)} - {one.name for one in problems}
    return problems + _modes(bundle, {name: due[name] for name in due.keys() & seen})


def _found(bundle: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """Everything in it that is no directory, and the directories that the system does not open, with its reason.

    What is in a directory that can be listed and not entered raises nothing here.
    """
    refused: list[OSError] = []
    found: list[Path] = []
    for base, directories, names in os.walk(bundle, onerror=refused.append):
        links = [name for name in directories if os.path.islink(os.path.join(base, name))]  # noqa: PTH114, PTH118
        found += [Path(base, name) for name in (*names, *links)]
    closed = {Path(error.filename).relative_to(bundle).as_posix(): error.strerror or "" for error in refused}
    return {path.relative_to(bundle).as_posix(): path for path in sorted(found)}, closed


def _modes(bundle: Path, due: Mapping[str, bool]) -> list[Problem]:
    """Files that are executable and should not be, or the other way round.

    None where all are the same: buckets and Windows keep no modes, and `bash launch.sh` needs none.
    """
    found = {name: bool((bundle / name).stat().st_mode & stat.S_IXUSR) for name in due}
    if len(set(found.values())) == 1:
        return []
    return [
        Problem("mode", name, f"chmod {'+' if is_due else '-'}x mends it")
        for name, is_due in sorted(due.items())
        if found[name] != is_due
    ]


def _is_log(name: str, path: Path) -> bool:
    return bool(LOG.fullmatch(name)) and os.path.isfile(path) and not path.is_symlink()  # noqa: PTH113 - see _found


def _difference(name: str, path: Path, entry: Mapping[str, Any]) -> Problem | None:
    """What happened to the bytes of the file at ``path``."""
    try:
        if path.is_symlink() or not path.is_file():
            return Problem("edited", name, _LINK if path.is_symlink() else "it is no file")
        content = path.read_bytes()
    except OSError as error:
        return Problem("unreadable", name, error.strerror or "")
    same = len(content) == entry["size"] and hashlib.sha256(content).hexdigest() == entry["sha256"]
    return None if same else Problem("edited", name)
