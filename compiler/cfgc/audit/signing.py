"""Sign a bundle with a key of OpenSSH's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from cfgc.audit import verify_errors as errors
from cfgc.audit.verify import verify
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.write.errors import not_written
from cfgc.write.tree import FILE_MODE, sync
from cfgc_runtime.manifest import NAME, SIGNATURE
from cfgc_runtime.pipeline import pipeline_around
from cfgc_runtime.signature import NAMESPACE, Signature, check_signature, public_key


def sign(bundle: Path, key: Path) -> Signature:
    """Put a signature of ``bundle`` by ``key`` beside its manifest; one that was there before is replaced.

    ``key`` is a private key, or a public one whose private half an agent holds; ssh-keygen asks for a passphrase on the
    terminal. Raises ``Rejected`` when the bundle is not as compiled, or ssh-keygen refuses.
    """
    if refused := refusal(bundle):
        raise Rejected([refused])
    try:
        text = _signed(bundle, key)
    except OSError as error:
        raise Rejected([errors.cannot_sign(bundle, error.strerror or str(error))]) from None
    try:
        _write(bundle, text)
    except OSError as error:  # it names a file that nobody knows
        raise Rejected([not_written(bundle, OSError(error.errno, error.strerror))]) from None
    made = check_signature(bundle)
    assert made is not None, "it was written just now"
    return made


def refusal(bundle: Path) -> Diagnostic | None:
    """Why ``bundle`` cannot be signed, whatever the key."""
    verdict = verify(bundle)
    if verdict.manifest is None and verdict.finding:
        return verdict.finding
    whole = pipeline_around(bundle)
    if whole is None:
        return None
    why = "it is a stage, and what is added to it is added to the pipeline"
    return errors.cannot_sign(bundle, why, f"sign the pipeline, which covers every stage: `{whole}`")


def is_identity(text: str) -> bool:
    """Whether a file of signers can name it: no blank, comma, quote or pattern."""
    return bool(re.fullmatch(r"[^\s,\"#!*?]+", text)) and text.isprintable()


def allowed_signer(bundle: Path, identity: str) -> str:
    """The line that a file of allowed signers needs for the key that signed ``bundle``."""
    return f'{identity} namespaces="{NAMESPACE}" {public_key(bundle)}'


def _signed(bundle: Path, key: Path) -> bytes:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise Rejected([errors.cannot_sign(bundle, "there is no ssh-keygen here", "install OpenSSH's client")])
    if not key.is_file():
        helps = (f"make a key with `ssh-keygen -t ed25519 -f {key}`, or give the one that you sign commits with",)
        raise Rejected([errors.cannot_sign(bundle, f"there is no key `{key}`", *helps)])
    command = [program, "-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(key.absolute())]
    with (bundle / NAME).open("rb") as manifest:
        done = subprocess.run(command, stdin=manifest, stdout=subprocess.PIPE, check=False)  # it talks to the terminal
    if done.returncode != 0:
        why = f"ssh-keygen ended with exit code {done.returncode}, and said why"
        raise Rejected([errors.cannot_sign(bundle, why, f"try it alone: `ssh-keygen -Y sign -n test -f {key} FILE`")])
    return done.stdout


def _write(bundle: Path, text: bytes) -> None:
    """Whole or not at all; what is unfinished is beside the bundle, which holds nothing that is not listed."""
    descriptor, name = tempfile.mkstemp(prefix=f".{bundle.name[:80]}.sig-", dir=bundle.absolute().parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            os.fchmod(file.fileno(), FILE_MODE)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(bundle / SIGNATURE)
        sync(bundle)
    finally:
        temporary.unlink(missing_ok=True)
