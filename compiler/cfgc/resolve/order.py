"""In which order references can be evaluated, and where they go round in circles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cfgc.origin import Path
from cfgc.source import Span


@dataclass(frozen=True)
class Link:
    """One reference: the key that makes it, the key that it needs, and how to find where it is written."""

    source: Path
    target: Path
    locate: Callable[[], Span | None]

    @property
    def span(self) -> Span | None:
        """Where it is written; None in a default."""
        return self.locate()


def evaluation_order(links: Mapping[Path, Sequence[Link]]) -> tuple[list[Path], list[list[Link]]]:
    """Every key of ``links`` after all keys that it needs, and each circle as its links.

    Keys that are no key of ``links`` need nothing.
    """
    order: list[Path] = []
    circles: list[list[Link]] = []
    done: set[Path] = set()
    for start in links:
        if start not in done:
            _visit(start, links, done, order, circles)
    return order, circles


def _visit(
    start: Path,
    links: Mapping[Path, Sequence[Link]],
    done: set[Path],
    order: list[Path],
    circles: list[list[Link]],
) -> None:
    """Depth first, without recursion: a chain of references can be as long as the spec."""
    road: list[Link] = []
    active = {start: 0}
    waiting = [iter(links[start])]
    while waiting:
        link = next(waiting[-1], None)
        if link is None:
            waiting.pop()
            key = road.pop().target if road else start
            active.pop(key)
            done.add(key)
            order.append(key)
        elif link.target in active:
            circles.append([*road[active[link.target] :], link])
        elif link.target in links and link.target not in done:
            road.append(link)
            active[link.target] = len(road)
            waiting.append(iter(links[link.target]))
