"""Where a key stands in a text that cfgc is given."""

from __future__ import annotations

from collections.abc import Iterator

from cfgc.deepspeed.reading import parse_config
from cfgc.load.spans import locate
from cfgc.source import SourceFile
from tools.mutations.subjects import Where


def extents(kind: str, text: str, where: Where) -> Iterator[tuple[int, int]]:
    """Start and end of the name and of the value of the key ``where``; of the header when it is a table."""
    if kind == "ds_config":
        entry = parse_config(SourceFile("ds_config.json", text)).get(tuple(str(part) for part in where))
        for span in (entry.key, entry.span) if entry else ():
            if span:
                yield span.start, span.end
        return
    places = locate(text)
    for at, place in places.values.items():
        if at[: len(where)] == where:
            yield place.key
            yield place.value
    if where in places.headers:
        yield places.headers[where]
