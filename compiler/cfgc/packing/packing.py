"""Finds the files of a package, in a commit, in the project's directory, or in both, and makes them one archive."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from cfgc.load.raw import MAX_BYTES, TooLargeError
from cfgc.packing.archive import tar_of
from cfgc.packing.changes import patch_of
from cfgc.packing.patterns import fits, pattern_problem
from cfgc.packing.problems import Problem, listed
from cfgc.packing.secrets import secrets_in
from cfgc.packing.shadowing import shadowing
from cfgc.packing.tracked import Tracked, not_as_committed, read_tracked
from cfgc.packing.walking import files_of, is_link, repository_of, root_of

if TYPE_CHECKING:
    from cfgc.load.reader import Reader
    from cfgc.packing.settings import Settings

MOST_FILES = 10_000
MOST_BYTES = 1 << 26
"""Of a whole package: it is copied to every run directory."""
_ODD_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
SOURCES = "src/"
"""Where packages lie in many projects, and Python looks besides the root."""


@dataclass(frozen=True)
class Packed:
    """What goes into the bundle: the bytes of each path, the commit that they are of, and what is not as there.

    ``changed`` differ from the commit, or are not in it; ``besides`` are not git's. ``before`` holds the changed files
    as the commit has them. With ``problems``, nothing is packed.
    """

    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    commit: str = ""
    changed: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    before: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    problems: tuple[Problem, ...] = ()

    @cached_property
    def archive(self) -> bytes:
        """package.tar."""
        return tar_of(self.files)

    @cached_property
    def sha256(self) -> str:
        """The digest of the archive."""
        return hashlib.sha256(self.archive).hexdigest()

    @cached_property
    def patch(self) -> bytes:
        """package.patch: what ``changed`` changes of the commit."""
        now = {path: data for path, data in self.files.items() if path in self.changed}
        return patch_of(self.before, now)

    @property
    def roots(self) -> tuple[str, ...]:
        """Directories of the archive that Python looks in, as paths that end in ``/`` or are empty."""
        return ("", SOURCES) if any(path.startswith(SOURCES) for path in self.files) else ("",)


def pack(reader: Reader, settings: Settings) -> Packed:
    """The package, or all that is wrong with it."""
    wrong = tuple(_settings_problems(settings))
    if wrong:
        return Packed(problems=wrong)
    found = _found(reader, settings)
    if isinstance(found, Problem):
        return Packed(problems=(found,))
    problems = tuple(_problems_of(found, settings))
    return Packed(problems=problems) if problems else found


def _settings_problems(settings: Settings) -> Iterator[Problem]:
    for key in ("include", "exclude"):
        for at, pattern in enumerate(getattr(settings, key)):
            if problem := pattern_problem(pattern):
                yield Problem("CFG755", f"`{pattern}` is no pattern of a package", key, problem, inside=(at,))
    if settings.commit and not _COMMIT.fullmatch(settings.commit):
        yield Problem(
            "CFG753",
            f"`{settings.commit}` is no commit",
            "commit",
            "7 to 64 of the digits 0-9a-f are one",
            ("a branch or a tag may name another commit tomorrow, and the same input gives the same bytes",),
            ("write the digits: `git rev-parse HEAD`",),
        )
    if settings.subdirectory and (problem := pattern_problem(settings.subdirectory)):
        yield Problem("CFG755", f"`{settings.subdirectory}` is no directory of the project", "subdirectory", problem)


def _found(reader: Reader, settings: Settings) -> Packed | Problem:
    root = root_of(reader)
    if settings.kind == "files":
        names = list(files_of(reader, settings))
        return _too_many(names) or _with(Packed(), _read(reader, settings, names))
    place = repository_of(reader) or root
    if place is None:
        return Problem("CFG753", "git has no commit of the project's files", notes=("they are in no directory",))
    tracked = read_tracked(place, settings)
    if isinstance(tracked, Problem):
        return tracked
    return _of_git(reader, settings, tracked)


def _of_git(reader: Reader, settings: Settings, tracked: Tracked) -> Packed | Problem:
    if tracked.changed and not settings.with_changes:
        return not_as_committed(tracked.changed, tracked.commit)
    odd = next((one for one in tracked.entries if one.odd or one.size > MAX_BYTES), None)
    if odd is not None:
        return cannot_be_packed(odd.path, odd.odd or f"it has {odd.size:,} bytes, and {MAX_BYTES:,} are the most")
    known = {entry.path for entry in tracked.entries}
    besides = [one for one in files_of(reader, settings) if one not in known] if settings.kind == "both" else []
    if too_many := _too_many([*known, *besides]):
        return too_many
    files = tracked.contents()
    before = {path: files.pop(path) for path in tracked.changed if path in files}
    now = _read(reader, settings, [*tracked.changed, *besides], gone=True)
    base = Packed(files, tracked.commit, tracked.changed, tuple(besides), before)
    return _with(base, now)


def _with(packed: Packed, more: Mapping[str, bytes] | Problem) -> Packed | Problem:
    if isinstance(more, Problem):
        return more
    files = MappingProxyType({**packed.files, **more})
    return Packed(files, packed.commit, packed.changed, packed.besides, packed.before)


def _read(reader: Reader, settings: Settings, names: list[str], *, gone: bool = False) -> dict[str, bytes] | Problem:
    """The bytes of each; a file that is ``gone`` is left out where one may be."""
    root, found = root_of(reader), {}
    for name in names:
        logical = settings.below(name)
        if root and is_link(root, logical):
            return cannot_be_packed(name, "a link")
        try:
            data = reader.read(logical)
        except TooLargeError as error:
            return cannot_be_packed(name, f"{error}, and {MAX_BYTES:,} are the most")
        except (OSError, ValueError) as error:
            return cannot_be_packed(name, getattr(error, "strerror", None) or str(error) or type(error).__name__)
        if data is not None:
            found[name] = data
        elif not gone:
            return cannot_be_packed(name, "it is not there any more")
    return found


def _problems_of(packed: Packed, settings: Settings) -> Iterator[Problem]:
    yield from _unmatched(packed, settings)
    if (size := sum(map(len, packed.files.values()))) > MOST_BYTES:
        largest = max(packed.files, key=lambda path: len(packed.files[path]))
        yield cannot_be_packed(largest, f"the package has {size:,} bytes with it, and {MOST_BYTES:,} are the most")
    for path, data in packed.files.items():
        if _ODD_NAME.search(path):
            yield cannot_be_packed(ascii(path), "its name is no text")
        elif data.startswith(b"version https://git-lfs"):
            yield cannot_be_packed(path, "a pointer of Git LFS, and not the file itself")
    if taken := shadowing(packed.files, packed.roots):
        yield _hides(taken)
    secrets = [line for path, data in packed.files.items() for line in secrets_in(path, data)]
    if secrets:
        yield Problem(
            "CFG757",
            f"{len(secrets)} literals in the package look like secrets"
            if len(secrets) > 1
            else "a literal in the package looks like a secret",
            notes=tuple(secrets[:8]),
            helps=("read it from the environment, with its name under `[env] required`, or leave the file out",),
        )


def _unmatched(packed: Packed, settings: Settings) -> Iterator[Problem]:
    where = f"below `{settings.subdirectory}`" if settings.subdirectory else "of the project"
    known = "that git knows" if settings.kind == "git" else ""
    for at, pattern in enumerate(settings.include):
        if not any(fits(path, pattern) for path in packed.files):
            words = " ".join(filter(None, ("no file", where, known, f"matches `{pattern}`")))
            less = (f"without {listed(list(settings.exclude))}",) if settings.exclude else ()
            yield Problem("CFG755", words, "include", "nothing would be packed for it", less, inside=(at,))
    if not settings.include:
        yield Problem("CFG755", "nothing is included in the package", "include", "name what is code")


def _hides(taken: Mapping[str, str]) -> Problem:
    path, name = next(iter(taken.items()))
    more = (f"so do {listed(list(taken)[1:])}",) if len(taken) > 1 else ()
    return Problem(
        "CFG752",
        f"`{path}` hides the module `{name}` that the run needs",
        notes=("on the node Python looks in the package first, and would import this file in its place", *more),
        helps=(
            f'leave it out: `exclude = ["{path.removesuffix("__init__.py").rstrip("/")}"]`; or give it another name',
        ),
    )


def _too_many(names: list[str]) -> Problem | None:
    if len(names) <= MOST_FILES:
        return None
    return cannot_be_packed(listed(sorted(names)), f"{len(names):,} files, and {MOST_FILES:,} are the most")


def cannot_be_packed(path: str, why: str) -> Problem:
    """CFG756."""
    return Problem(
        "CFG756",
        f"`{path}` cannot be packed",
        notes=(why,),
        helps=(f'leave it out: `exclude = ["{path}"]`; what is no code lies on the node, named by its path',),
    )
