"""The signature of a bundle, in ``manifest.json.sig``: made and checked by OpenSSH's ssh-keygen. Standard library only.

The manifest holds the digest of every file, so that a signature of its bytes is one of the whole bundle.
"""

from __future__ import annotations

import base64
import binascii
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cfgc_runtime.errors import BAD_BUNDLE, Failure
from cfgc_runtime.manifest import NAME as MANIFEST
from cfgc_runtime.manifest import READABLE
from cfgc_runtime.manifest import SIGNATURE as NAME
from cfgc_runtime.pipeline import pipeline_around
from cfgc_runtime.signers import find_signers, why_not_allowed

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACE: Final = "cfgc-bundle"
"""What ssh-keygen mixes into the signature, so that none of git's or of a mail's can stand for it."""
_BEGIN: Final = "-----BEGIN SSH SIGNATURE-----"
_END: Final = "-----END SSH SIGNATURE-----"
_WIDTH: Final = 70
_MAGIC: Final = b"SSHSIG\x00\x00\x00\x01"
_LARGEST: Final = 65_536


@dataclass(frozen=True)
class Signature:
    """A signature that holds. ``signer`` is its key's owner, where a file of signers says so.

    ``key`` is as ssh-keygen calls it, ``ED25519 key SHA256:…``; empty where there is no ssh-keygen to ask.
    """

    key: str
    signer: str = ""

    def __str__(self) -> str:
        if not self.key:
            return "signed, which was not checked: there is no ssh-keygen here"
        whose = (
            f"by {self.signer} ({self.key})" if self.signer else f"with {self.key} (--signers FILE says whose it is)"
        )
        return f"signed {whose}"


class Unsigned(Failure):
    """There is no signature, and one was asked for."""


class BadSignature(Failure):
    """The signature is damaged, of other bytes, or of nobody who may sign: ``why``.

    ``advice`` is what helps where signing again would not.
    """

    def __init__(self, bundle: Path, why: str, advice: str = "") -> None:
        self.why = why
        self.advice = advice
        super().__init__(BAD_BUNDLE, f"the signature {bundle / NAME} does not hold: {why}")


def check_signature(bundle: Path, signers: Path | None = None, identity: str = "") -> Signature | None:
    """The signature of ``bundle``; None where there is none and nobody asked for one.

    ``signers`` is an allowed-signers file (``man ssh-keygen``): the key must stand in it, as ``identity``'s where that
    is given. Without it all that is checked is that the signature is of this manifest. Raises ``Failure``.
    """
    if signers is not None:
        find_signers(signers)
    if not os.path.lexists(bundle / NAME):
        if signers is None:
            return None
        whole = pipeline_around(bundle)
        why = f"it is a stage, and a signature is of the pipeline: verify {whole}" if whole else f"it has no {NAME}"
        raise Unsigned(BAD_BUNDLE, f"{bundle} is not signed: {why}")
    read_blob(bundle)
    program = shutil.which("ssh-keygen")
    if program is None:
        if signers is None:
            return Signature("")
        raise Failure(BAD_BUNDLE, "there is no ssh-keygen here, which checks signatures: install OpenSSH's client")
    key = _key_of(program, bundle)
    return Signature(key) if signers is None else Signature(key, _signer_of(program, bundle, key, signers, identity))


def read_blob(bundle: Path) -> bytes:
    """What the text of the signature holds. Raises ``BadSignature`` unless it is just as ssh-keygen writes it."""
    path = bundle / NAME
    if path.is_symlink() or not path.is_file():
        raise BadSignature(bundle, "it is a link, or no file")
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST)
    except OSError as error:
        raise BadSignature(bundle, f"it cannot be read: {error.strerror or error}", READABLE) from None
    try:
        blob = base64.b64decode("".join(text.decode("ascii").splitlines()[1:-1]), validate=True)
    except (ValueError, binascii.Error):
        raise BadSignature(bundle, "it is no signature of ssh-keygen") from None
    if text.decode() != armored(blob) or not blob.startswith(_MAGIC):
        raise BadSignature(bundle, "it is not as ssh-keygen writes it")
    return blob


def armored(blob: bytes) -> str:
    """The text of a signature, as ssh-keygen writes it."""
    code = base64.b64encode(blob).decode()
    return "\n".join([_BEGIN, *(code[at : at + _WIDTH] for at in range(0, len(code), _WIDTH)), _END, ""])


def public_key(bundle: Path) -> str:
    """The key that signed, as a file of signers names it: ``ssh-ed25519 AAAA…``."""
    blob = read_blob(bundle)
    key = _text_at(blob, len(_MAGIC))
    return f"{_text_at(key, 0).decode('ascii', 'replace')} {base64.b64encode(key).decode()}"


def _text_at(data: bytes, start: int) -> bytes:
    """The string of SSH's wire format there: four bytes say how long it is."""
    return data[start + 4 : start + 4 + int.from_bytes(data[start : start + 4], "big")]


def _key_of(program: str, bundle: Path) -> str:
    """Which key signed this manifest. Raises ``BadSignature`` when none did."""
    done = _asked(program, bundle, "check-novalidate", "-n", NAMESPACE)
    if done.returncode != 0:
        raise BadSignature(bundle, f"it is not of this {MANIFEST} ({_last_line(done)})")
    return done.stdout.strip().rpartition(" with ")[2]


def _signer_of(program: str, bundle: Path, key: str, signers: Path, identity: str) -> str:
    """Who of ``signers`` signed. Raises ``BadSignature`` when nobody did."""
    file = str(signers.absolute())
    found = _asked(program, bundle, "find-principals", "-f", file)
    said = found.stderr
    for name in [identity] if identity else found.stdout.splitlines():
        asked = _asked(program, bundle, "verify", "-n", NAMESPACE, "-f", file, "-I", name)
        if asked.returncode == 0:
            return name
        said += asked.stderr
    whose = f"{identity}'s in {signers}" if identity else f"of a signer whom {signers} allows for {NAMESPACE}"
    raise BadSignature(bundle, *why_not_allowed(signers, key, whose, said))


def _asked(program: str, bundle: Path, question: str, *words: str) -> subprocess.CompletedProcess[str]:
    """What ssh-keygen says of the signature and the manifest's bytes."""
    with (bundle / MANIFEST).open("rb") as manifest:
        return subprocess.run(
            [program, "-Y", question, *words, "-s", str((bundle / NAME).absolute())],
            stdin=manifest,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    return ((done.stderr + done.stdout).strip().splitlines() or ["ssh-keygen says no more"])[-1]
