"""What is left of a ds_config: kept raw where DeepSpeed still reads it and the spec leaves it alone, else dropped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.config import AUTO, Entry, Json, Path
from cfgc.diagnostics.masking import secret_kind
from cfgc.importing.fitting import unfit
from cfgc.importing.items import Dropped, Item, Raw, accounted, sources_of
from cfgc.validate.rules.raw_keys import OWNED


def rest(case: Case, items: Iterable[Item]) -> Iterator[Item]:
    """An item for every key that ``items`` do not account for; one for a table that is dropped as a whole."""
    sources = sources_of(items)
    done = set(sources)
    used = {path[:length] for path in sources for length in range(1, len(path))}
    for path, entry in case.config.entries.items():
        if accounted(path, done) or (_is_table(entry.value) and (path in used or not _useless(case, path))):
            continue
        done.add(path)
        yield _judged(case, path, entry)


def _is_table(value: Json) -> bool:
    return isinstance(value, dict) and bool(value)


def _useless(case: Case, path: Path) -> bool:
    """Whether nothing in the table can be used."""
    return bool(_unread(case, path) or _decided(path))


def _judged(case: Case, path: Path, entry: Entry) -> Item:
    value = entry.value
    because = _unread(case, path) or _decided(path)
    if because:
        return Dropped(path, because, value, doubtful=not _is_off(path, value))
    if value in (None, {}, AUTO):
        why = 'it is "auto", which the trainer fills in' if value == AUTO else "it says nothing"
        return Dropped(path, why, value)
    if _secret(path[-1], value):
        return Dropped(path, "it looks like a credential; name it in `env.required`", "…", doubtful=True)
    if because := unfit(value):
        return Dropped(path, f"a value of a spec {because}", value, doubtful=True)
    return Raw(path, value)


def _unread(case: Case, path: Path) -> str:
    """Why the release does not read the key; empty when it does."""
    version = case.release.version
    for length in range(1, len(path) + 1):
        part = path[:length]
        key = case.release.key(part)
        if key is None:
            closed = length > 1 and (above := case.release.key(part[:-1])) is not None and above.closed
            return f"DeepSpeed {version} " + ("stops at a key that it does not know" if closed else "ignores it")
        if key.refused:
            return f"DeepSpeed {version} stops at it: {key.refused}"
        if key.free:
            return ""
    return ""


def _decided(path: Path) -> str:
    """Which key of the spec decides it; empty when none does."""
    for length in range(1, len(path) + 1):
        dotted = ".".join(path[:length])
        if dotted in OWNED:
            return f"`{OWNED[dotted]}` decides it" if OWNED[dotted] else "every bundle decides it by itself"
    return ""


def _is_off(path: Path, value: Json) -> bool:
    """Whether leaving it out changes nothing."""
    if isinstance(value, dict):
        switch = value.get("enabled")
        return switch in (False, AUTO) or all(_is_off((*path, key), inner) for key, inner in value.items())
    return value in (False, None, 0, AUTO) or (path[-1].endswith("_size") and value == 1)


def _secret(name: str, value: Json) -> bool:
    if isinstance(value, str):
        return secret_kind(name, value) is not None
    if isinstance(value, list):
        return any(_secret(name, item) for item in value)
    if isinstance(value, Mapping):
        return any(_secret(str(key), item) for key, item in value.items())
    return False
