"""What the load phase says about overlays."""

from __future__ import annotations

from collections.abc import Sequence

from cfgc.diagnostics import Diagnostic, Label
from cfgc.load import mending
from cfgc.nearest import clearly_nearest, nearest
from cfgc.origin import Origin, Path, Value, dotted
from cfgc.schema.catalogue import schema_sections
from cfgc.source import Span


def overlays_not_a_table(span: Span) -> Diagnostic:
    """CFG112: ``overlays`` takes ``group = "option"``."""
    return _bad_choice(span, 'remove it, or write `[overlays]\nzero = "2"`', mending.removing(span))


def overlay_not_a_name(group: str, option: Value, span: Span, home: Path = ()) -> Diagnostic:
    """CFG112: an overlay's option is a text. ``home`` is the key of the spec that ``group`` is the name of."""
    name = dotted((group,))
    inner = next(iter(option.values())) if isinstance(option, dict) and len(option) == 1 else option
    inner = inner[0] if isinstance(inner, list) and len(inner) == 1 else inner
    if isinstance(inner, str) and inner:
        return _bad_choice(span, f'write `{name} = "{inner}"`', mending.setting(span, inner))
    if home:
        return _bad_choice(span, _at_home(home), mending.moving(span, home, certain=True))
    if isinstance(option, int) and not isinstance(option, bool):
        return _bad_choice(span, f'write `{name} = "{option}"`', mending.setting(span, str(option), certain=True))
    return _bad_choice(span, f'remove it, or write `{name} = "option"`', mending.removing(span))


def _at_home(home: Path) -> str:
    return f"write `{home[-1]}` under `[{dotted(home[:-1])}]`: it is a key of the spec, and no overlay"


def _bad_choice(span: Span, text: str, fixes: mending.Fixes) -> Diagnostic:
    return Diagnostic("CFG112", 'overlays are chosen as `group = "option"`', Label(span), helps=(text,), fixes=fixes)


def unknown_group(
    group: str, groups: Sequence[str], span: Span, extra: tuple[str, ...] = (), home: Path = ()
) -> Diagnostic:
    """CFG113: no directory of overlays has this name. ``home`` is the key of the spec that it is the name of."""
    close = nearest(group, groups)
    write = f"write `{close}`" if close else _at_home(home) if home else "remove it"
    fixes = mending.removing(span)
    if close or home:
        certain = close == clearly_nearest(group, groups) if close else True
        fixes = mending.moving(span, (close,) if close else home, certain=certain)
    return Diagnostic(
        "CFG113",
        f"there is no overlay group `{group}`",
        Label(span, f"did you mean `{close}`?" if close else ""),
        notes=("groups: " + (", ".join(groups) or "none"),),
        helps=extra or (write,),
        fixes=fixes,
    )


def unknown_option(group: str, option: str, options: Sequence[str], span: Span, tried: Sequence[str]) -> Diagnostic:
    """CFG114: the group has no such overlay."""
    held = [name for name in options if option.lower().endswith(name) and not option[: -len(name)].isdigit()]
    close = max(held, key=len) if held else nearest(option, options) if len(option) > 2 else None
    write = close or next((name for name in options if option.startswith(name)), options[0])
    return Diagnostic(
        "CFG114",
        f"the overlay group `{group}` has no option `{option}`",
        Label(span, f"did you mean `{close}`?" if close else ""),
        notes=(f"options of {group}: " + ", ".join(options), "tried " + ", ".join(tried)),
        helps=(f'write `{group} = "{write}"`' + ("" if close else ", or another of the options"),),
        fixes=mending.setting(span, write, certain=close is not None and close == clearly_nearest(option, options)),
    )


def overlay_chooses_overlays(span: Span) -> Diagnostic:
    """CFG115: which overlays apply is settled before any is read."""
    return Diagnostic(
        "CFG115",
        "an overlay cannot choose overlays",
        Label(span),
        notes=("which overlays apply is settled first, over the spec, its bases and the command line",),
        helps=("remove it, and let the overlay extend the other one: `extends` takes its path",),
        fixes=mending.removing(span),
    )


def overlay_not_chosen(group: str, chosen: Sequence[str], span: Span) -> Diagnostic:
    """CFG116: an overlay is dropped that nothing chose."""
    return Diagnostic(
        "CFG116",
        f"no overlay of the group `{group}` is chosen, so there is none to drop",
        Label(span),
        notes=("chosen: " + (", ".join(chosen) or "none"),),
        helps=(
            f"`~{group}` is an overlay's group; a section goes by its keys: `~{group}.…` for each"
            if (group,) in schema_sections()
            else "remove this entry",
        ),
        fixes=mending.removing(span),
    )


def overlay_shadowed(
    choice: str, asked: Span, shadows: Sequence[tuple[Path, Span | None, Span | None, Origin]]
) -> Diagnostic:
    """CFG117: the command line picks an overlay whose values the spec's own body replaces.

    Each shadow is a key, its place in the body, its place in the overlay, and the value the overlay would give.
    """
    labels = [
        Label(span, text)
        for path, body, overlay, _ in shadows
        for span, text in ((body, f"`{dotted(path)}` of the spec wins"), (overlay, "over this"))
        if span
    ]
    return Diagnostic(
        "CFG117",
        f"the overlay `{choice}` would not have its whole effect: the spec's body sets the same keys",
        Label(asked, "chosen here"),
        tuple(labels),
        notes=("order: bases < overlays < the spec's body < command line",),
        helps=(
            "remove these keys from the spec, or give them on the command line too: "
            + " ".join(f"'{dotted(path)}={origin.written()}'" for path, _, _, origin in shadows),
        ),
    )
