"""What the files of a source are, and what is read of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.schema.data import Source as SourceSchema
from cfgc.schema.kinds import kind_of_pattern
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.rules.finding import At, error, warning

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.data import Source
    from cfgc.schema.spec import Spec
    from cfgc.validate.places import Location

SOURCES, LIMIT = "data.sources", "data.max_bad_records"
_WITH_FIELDS = ("jsonl", "parquet", "arrow", "huggingface")


def source_key(at: int, name: str) -> Location:
    """Where the key ``name`` of a source is."""
    return ("data", "sources", at, name)


def first_eval(spec: Spec) -> int:
    """Position of the first source that is never trained on; there is one."""
    return next(at for at, source in enumerate(spec.data.sources) if source.split == "eval")


def patterns_fit_the_kind(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG477, CFG479: patterns name files of the source's kind; JSON lines can be read as text, which few mean."""
    for at, source in enumerate(spec.data.sources):
        found = [(number, kind_of_pattern(pattern)) for number, pattern in enumerate(source.include or ())]
        others = [(number, kind) for number, kind in found if kind not in ("", source.kind)]
        if not others or source.kind == "huggingface":
            continue
        number, kind = others[0]
        places = [
            At(SOURCES, f"names files of kind {kind}", (at, "include", number)),
            At(SOURCES, f"read as {source.kind}", (at, "kind")),
        ]
        help_ = f'set `kind = "{kind}"` for the source `{source.name}`'
        fixes = one_fix(Remedy(resolved).set(source_key(at, "kind"), kind))
        if source.kind == "text" and kind == "jsonl":
            message = (
                f"the lines of JSON of `{source.name}` are trained on as text, braces and names of fields included"
            )
            yield warning("CFG479", message, resolved, places, (), (help_,), fixes)
        else:
            message = f"the source `{source.name}` names files of another kind"
            helps = (help_, "or name files of its kind in `include`")
            yield error("CFG477", message, resolved, places, (), helps, fixes)


def keys_of_sources_are_read(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG478: a source has no key that its kind leaves unread."""
    for at, source in enumerate(spec.data.sources):
        for key, why in _unread(source):
            if getattr(source, key) != SourceSchema.model_fields[key].default:
                yield error(
                    "CFG478",
                    f'`{key}` of the source `{source.name}` is not read where `kind = "{source.kind}"`',
                    resolved,
                    [At(SOURCES, "would be ignored", (at, key)), At(SOURCES, "the kind", (at, "kind"))],
                    (why, "what would be ignored is refused"),
                    (f"drop `{key}`",),
                    one_fix(Remedy(resolved).drop(source_key(at, key))),
                )


def _unread(source: Source) -> Iterator[tuple[str, str]]:
    if source.kind not in _WITH_FIELDS and source.format == "text":  # CFG483 has the fields of another format
        holds = "a text file is one text" if source.kind == "text" else "token files hold no text any more"
        yield "field", f"{holds}; {', '.join(_WITH_FIELDS)} have records with fields"
    if source.kind == "huggingface":
        why = "`path` is the directory of one dataset, which knows its own files"
        yield from (("include", why), ("exclude", why))
    else:
        yield "dataset_split", "only a `huggingface` dataset has splits of its own; others are files of a pattern"


def bad_records_can_come(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG480: a limit on bad records belongs to sources that can have some."""
    data = spec.data
    if data.streaming.enabled:  # refused there, whatever the sources are
        return
    if data.max_bad_records == 0 or not data.sources or any(source.kind in _WITH_FIELDS for source in data.sources):
        return
    texts = any(source.kind == "text" for source in data.sources)
    if texts and data.tokenizer.kind != "bytes":
        return
    why = "any file is good as bytes" if texts else "token files were checked when they were packed"
    yield warning(
        "CFG480",
        "`data.max_bad_records` has no effect: no record can be bad",
        resolved,
        [At(LIMIT, "has no effect"), At(SOURCES, why)],
        (),
        ("drop `max_bad_records`",),
    )
