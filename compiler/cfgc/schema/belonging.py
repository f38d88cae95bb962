"""Keys that belong to some kinds of their table only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc.schema.catalogue import schema_fields

if TYPE_CHECKING:
    from cfgc.origin import Path
    from cfgc.resolve.resolved import Resolved


def belongs(path: Path, resolved: Resolved) -> bool:
    """Whether the key at ``path``, or the free table that holds it, is read for the kind that its table is of."""
    fields = schema_fields()
    known = next((path[:length] for length in range(len(path), 0, -1) if path[:length] in fields), None)
    only = fields[known].meta.only if known else None
    if known is None or only is None:
        return True
    discriminator = (*known[:-1], only.key)
    leaf = resolved.leaves.get(discriminator)
    return (leaf.value if leaf else fields[discriminator].default) in only.kinds
