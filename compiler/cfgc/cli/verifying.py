"""``cfgc verify`` and ``cfgc sign``: is a bundle what was compiled, and who says so?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cfgc.cli import EXIT_BAD_BUNDLE, EXIT_OK
from cfgc.cli.report import print_diagnostics, say, summary

if TYPE_CHECKING:
    from cfgc.audit.verify import Verdict
    from cfgc.diagnostics import Diagnostic

_PLACE = click.Path(path_type=Path, readable=False)  # what cannot be read is refused with the exit code of a bundle
_places = click.argument("bundles", nargs=-1, required=True, type=_PLACE, metavar="BUNDLE|TREE...")


@click.command()
@_places
@click.option("--signers", type=click.Path(path_type=Path), metavar="FILE", help="Who may sign; one of them must have.")
@click.option("--identity", default="", metavar="NAME", help="Which of them.")
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text")
def verify(bundles: tuple[Path, ...], signers: Path | None, identity: str, output_format: str) -> int:
    """Compare every file of bundles with their manifests, and check their signatures.

    Needs no spec and no network. Of another directory, every bundle below it is taken. FILE is an allowed-signers file
    of OpenSSH, as git uses it (man ssh-keygen). On a machine without cfgc: python -B BUNDLE/runtime verify.

    Exit code 65: a bundle is not as compiled, or not signed as asked for.
    """
    from cfgc.audit.verify import bundles_at
    from cfgc.audit.verify import verify as verdict_on
    from cfgc.diagnostics import Rejected
    from cfgc_runtime.errors import Failure
    from cfgc_runtime.signers import find_signers

    if identity and signers is None:
        raise click.UsageError("--identity is one of a file of signers: give it with --signers FILE")
    try:
        if signers is not None:
            find_signers(signers)
        places = [place for given in bundles for place in bundles_at(given)]
    except Failure as failure:
        raise click.UsageError(str(failure)) from failure
    except Rejected as rejected:
        return _refused(rejected.diagnostics)
    verdicts = [verdict_on(place, signers, identity) for place in places]
    if output_format == "json":
        click.echo(json.dumps({"format": 1, "bundles": [_data(one) for one in verdicts]}, indent=2))
    else:
        _print(verdicts)
    good = sum(one.finding is None for one in verdicts)
    say(f"{good} of {len(verdicts)} {'bundle holds' if len(verdicts) == 1 else 'bundles hold'}")
    return EXIT_OK if good == len(verdicts) else EXIT_BAD_BUNDLE


@click.command()
@_places
@click.option("--key", required=True, type=click.Path(path_type=Path), metavar="FILE", help="A key of ssh-keygen.")
@click.option("--identity", default="", metavar="NAME", help="Print the line for a file of signers that allows NAME.")
def sign(bundles: tuple[Path, ...], key: Path, identity: str) -> int:
    """Sign bundles with a key of OpenSSH: their manifests, which hold the digest of every file.

    The signature is manifest.json.sig in the bundle. Building the same bytes again keeps it. A public key works where
    an agent holds the private one, as does a key on a security token. All are verified before the first is signed.

    Exit code 65: a bundle is not as compiled, and none was signed.
    """
    from cfgc.audit.signing import allowed_signer, is_identity, refusal
    from cfgc.audit.signing import sign as sign_bundle
    from cfgc.audit.verify import bundles_at
    from cfgc.diagnostics import Rejected

    if identity and not is_identity(identity):
        raise click.BadParameter(f"{identity!r} is no name or address such as ann@example.org", param_hint="--identity")
    try:
        places = [place for given in bundles for place in bundles_at(given)]
        if refused := [finding for place in places if (finding := refusal(place))]:
            raise Rejected(refused)
        for place in places:
            say(f"{place}: signed with {sign_bundle(place, key).key}")
    except Rejected as rejected:
        return _refused(rejected.diagnostics)
    say(f"{len(places)} {'bundle' if len(places) == 1 else 'bundles'} signed")
    if identity:
        click.echo(allowed_signer(places[0], identity))
    return EXIT_OK


def _print(verdicts: list[Verdict]) -> None:
    from cfgc.diagnostics.text import printable

    print_diagnostics([one.finding for one in verdicts if one.finding], "text")
    for one in verdicts:
        if one.finding is None and (manifest := one.manifest):
            said = f"{len(manifest.outputs)} files are as compiled ({manifest.bundle_digest})"
            click.echo(f"{printable(str(one.bundle))}: {said}, {one.signature or 'not signed'}")


def _data(verdict: Verdict) -> dict[str, object]:
    """One verdict for machines; ``code`` is null where everything holds."""
    manifest, signature, finding = verdict.manifest, verdict.signature, verdict.finding
    return {
        "bundle": str(verdict.bundle),
        "experiment": manifest.experiment if manifest else None,
        "plan_digest": manifest.plan_digest if manifest else None,
        "bundle_digest": manifest.bundle_digest if manifest else None,
        "code": finding.code if finding else None,
        "message": "; ".join((finding.message, *finding.notes)) if finding else "",
        "problems": [{"kind": one.kind, "file": one.name, "detail": one.detail} for one in verdict.problems],
        "signature": {"key": signature.key, "signer": signature.signer} if signature else None,
    }


def _refused(findings: Sequence[Diagnostic]) -> int:
    from cfgc.cli.refusing import refusal_code

    print_diagnostics(findings, "text")
    say(summary(findings))
    return refusal_code(findings)
