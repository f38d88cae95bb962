"""manifest.json: what went in, what came out, and the digests of both and of itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Set
from dataclasses import asdict
from pathlib import PurePosixPath

from cfgc import __version__
from cfgc.emit.canonical import digest_of, readable
from cfgc.emit.package import container_entry, package_entry
from cfgc.lower.plan import AnyPlan, Json

FORMAT = 1
NAME = "manifest.json"


def manifest_json(
    plan: AnyPlan, plan_digest: str, files: Mapping[PurePosixPath, bytes], executable: Set[PurePosixPath]
) -> str:
    """The text of manifest.json for the other ``files`` of the bundle."""
    review = plan.review
    outputs = {path.as_posix(): output_of(data, path in executable) for path, data in sorted(files.items())}
    return sealed(
        {
            "format": FORMAT,
            "cfgc_version": __version__,
            "experiment": plan.experiment.name,
            "root": review.root,
            "targets": asdict(plan.target),
            "plan_digest": plan_digest,
            "bundle_digest": digest_of(outputs),
            "inputs": [{"path": item.logical, "sha256": item.sha256} for item in review.inputs],
            "overlays": dict(review.overlays),
            "overrides": review.overrides,
            "raw_keys": review.raw_keys,
            **({"points": len(plan.sweep.points)} if plan.sweep.points else {}),
            **package_entry(plan),
            **container_entry(plan),
            "outputs": outputs,
        }
    )


def sealed(manifest: Mapping[str, object]) -> str:
    """The text of ``manifest`` with its own digest; the runtime refuses it in any other bytes."""
    return readable({**manifest, "manifest_digest": digest_of(manifest)})


def output_of(data: bytes, executable: bool) -> dict[str, Json]:
    """What the manifest says of one file."""
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "executable": executable}
