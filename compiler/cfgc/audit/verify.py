"""Is a bundle what was compiled, and who says so? From its manifest alone: no spec, no network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cfgc.audit import verify_errors as errors
from cfgc.audit.bundle_errors import not_a_bundle
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.stages.layer import FOLDER
from cfgc_runtime.errors import Failure
from cfgc_runtime.manifest import NAME, Manifest, NotAsCompiled, Problem, verify_bundle
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
    try:
        manifest = verify_bundle(bundle)
    except NotAsCompiled as failure:
        finding = errors.not_as_compiled(bundle, [str(problem) for problem in failure.problems])
        return Verdict(bundle, problems=failure.problems, finding=finding)
    except Failure as failure:
        return Verdict(bundle, finding=errors.unreadable_manifest(bundle, str(failure).split("\n")[0]))
    try:
        return Verdict(bundle, manifest, check_signature(bundle, signers, identity))
    except Unsigned:
        finding = errors.unsigned(bundle)
    except BadSignature as failure:
        finding = errors.bad_signature(bundle, failure.why, failure.advice)
    except Failure as failure:
        finding = errors.cannot_ask(bundle, str(failure))
    return Verdict(bundle, manifest, finding=finding)


def bundles_at(place: Path) -> tuple[Path, ...]:
    """``place`` if it is a bundle, or else those below it, sorted; not those inside a bundle, nor hidden ones.

    What was a bundle and lost its manifest is one too. Raises ``Rejected`` when there is none.
    """
    if (place / NAME).exists() or _is_one(place):
        return (place,)
    found = tuple(sorted(_below(place))) if place.is_dir() else ()
    if not found:
        raise Rejected([_none_at(place)])
    return found


def _none_at(place: Path) -> Diagnostic:
    if place.is_dir():
        return not_a_bundle(str(place), f"it has no {NAME}, and no bundle is below it")
    if place.suffix == ".toml" and place.is_file():
        return not_a_bundle(str(place), "it is a spec", f"build it first, `cfgc build {place}`, and give its directory")
    return not_a_bundle(str(place), "it is a file" if os.path.lexists(place) else "there is no such directory")


def _below(place: Path) -> Iterator[Path]:
    for base, directories, _ in os.walk(place, onerror=_raise):
        directories[:] = [name for name in directories if not name.startswith(".")]
        found = {name for name in directories if _is_one(Path(base, name))}
        yield from (Path(base, name) for name in found if not Path(base, name).is_symlink())
        directories[:] = [name for name in directories if name not in found]


def _raise(error: OSError) -> None:
    raise error


def _is_one(directory: Path) -> bool:
    """Whether it holds two of the three that every bundle has: other programs call a file manifest.json too."""
    parts = ((NAME,), (_LAUNCHER,), (_RUNTIME, FOLDER))
    return sum(any((directory / name).exists() for name in names) for names in parts) > 1
