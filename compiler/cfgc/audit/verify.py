"""Is a bundle what was compiled, and who says so? From its manifest alone: no spec, no network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cfgc.audit import verify_errors as errors
from cfgc.audit.bundle_errors import another_format, closed, not_a_bundle
from cfgc.audit.bundle_on_disk import unreadable
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.stages.layer import FOLDER
from cfgc_runtime.errors import Failure
from cfgc_runtime.manifest import (
    FORMAT,
    NAME,
    SIGNATURE,
    AnotherFormat,
    Manifest,
    NotAsCompiled,
    Problem,
    verify_bundle,
)
from cfgc_runtime.pipeline import pipeline_around
from cfgc_runtime.signature import BadSignature, Signature, Unsigned, check_signature

_LAUNCHER = "launch.sh"
_RUNTIME = Path("runtime", "cfgc_runtime")


@dataclass(frozen=True)
class Verdict:
    """What verifying ``bundle`` came to; it holds when there is no ``finding``.

    ``manifest`` is None where files are not as compiled; ``problems`` says what happened to them.
    """

    bundle: Path
    manifest: Manifest | None = None
    signature: Signature | None = None
    problems: tuple[Problem, ...] = ()
    finding: Diagnostic | None = None


def verify(bundle: Path, signers: Path | None = None, identity: str = "") -> Verdict:
    """Compare every file of ``bundle`` with its manifest, and look at its signature where it has one.

    With ``signers``, a file of allowed signers as ``ssh-keygen`` reads it, a signature of one of them is due; of
    ``identity``, where that is given.
    """
    if refused := unreadable(bundle):
        return Verdict(bundle, finding=refused)
    try:
        manifest = verify_bundle(bundle)
    except NotAsCompiled as failure:
        finding = errors.not_as_compiled(bundle, failure.problems)
        return Verdict(bundle, problems=failure.problems, finding=finding)
    except AnotherFormat as failure:
        return Verdict(bundle, finding=another_format(str(bundle), failure.theirs, FORMAT))
    except Failure as failure:
        return Verdict(bundle, finding=_unread(bundle, failure))
    try:
        return Verdict(bundle, manifest, check_signature(bundle, signers, identity))
    except Unsigned:
        whole = pipeline_around(bundle)
        finding = errors.unsigned(bundle, whole, whole is not None and (whole / SIGNATURE).is_file())
    except BadSignature as failure:
        finding = errors.bad_signature(bundle, failure.why, failure.advice)
    except Failure as failure:
        finding = errors.cannot_ask(bundle, str(failure))
    return Verdict(bundle, manifest, finding=finding)


def _unread(bundle: Path, failure: Failure) -> Diagnostic:
    """What is said of a manifest that is none, or that the system does not give."""
    if isinstance(cause := failure.__cause__, PermissionError):
        return closed(cause, bundle)
    return errors.unreadable_manifest(bundle, str(failure).split("\n")[0])


def bundles_at(place: Path) -> tuple[Path, ...]:
    """``place`` if it is a bundle, or else those below it, sorted; not those inside a bundle, nor hidden ones.

    What was a bundle and lost its manifest is one too; and nobody knows what a directory holds that cannot be read, so
    that it counts as one. Raises ``Rejected`` when there is none.
    """
    if os.path.exists(place / NAME) or is_bundle(place):  # noqa: PTH110 - see is_bundle
        return (place,)
    found = tuple(sorted(_below(place)))
    if not found:
        raise Rejected([_none_at(place)])
    return found


def is_bundle(directory: Path) -> bool:
    """Whether it holds two of the three that every bundle has: other programs call a file manifest.json too.

    False, and no error, for one that cannot be read.
    """
    parts = ((NAME,), (_LAUNCHER,), (_RUNTIME, FOLDER))
    return sum(any(os.path.exists(directory / name) for name in names) for names in parts) > 1  # noqa: PTH110


def _none_at(place: Path) -> Diagnostic:
    try:
        place.lstat()
    except PermissionError as error:
        return closed(error, place)
    except OSError:
        return not_a_bundle(str(place), "there is no such directory")
    if place.is_dir():
        return not_a_bundle(str(place), f"it has no {NAME}, and no bundle is below it")
    if place.suffix == ".toml" and place.is_file():
        return not_a_bundle(str(place), "it is a spec", f"build it first, `cfgc build {place}`, and give its directory")
    return not_a_bundle(str(place), "it is a file")


def _below(place: Path) -> Iterator[Path]:
    refused: list[OSError] = []
    for base, directories, _ in os.walk(place, onerror=refused.append):
        directories[:] = [name for name in directories if not name.startswith(".")]
        found = {name for name in directories if is_bundle(Path(base, name))}
        yield from (Path(base, name) for name in found if not Path(base, name).is_symlink())
        directories[:] = [name for name in directories if name not in found]
    yield from (Path(error.filename) for error in refused if isinstance(error, PermissionError))
