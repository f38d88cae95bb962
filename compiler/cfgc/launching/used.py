"""One thing that the emitted files or the runtime use of another program."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Used:
    """``since`` is the first release that is known to have ``name``.

    ``without`` says what happens on older releases when the bundle does not depend on it; empty when it does.
    """

    name: str
    since: str
    without: str = ""

    def is_newer_than(self, release: str) -> bool:
        """Whether ``release`` does not have it yet."""
        return order(release) < order(self.since)


def order(release: str) -> tuple[int, ...]:
    """Major and minor, by which releases are compared; patches add nothing that is used here."""
    return tuple(int(part) for part in release.split(".")[:2])
