"""Characters that look like ASCII and are not: letters of other alphabets, typographic quotes, odd spaces."""

from __future__ import annotations

import unicodedata

_LETTERS = dict(
    zip(
        "авеёіјкмнорѕстухԁցһӏԛԝАВЕІЈКМНОРЅСТУХΑΒΕΖΗΙΚΜΝΟΡΤΥΧανορ",
        "abeeijkmhopsctyxdghlqwABEIJKMHOPSCTYXABEZHIKMNOPTYXavop",
        strict=True,
    )
)
_MARKS = {
    "“": '"',
    "”": '"',
    "„": '"',
    "«": '"',
    "»": '"',
    "‘": "'",
    "’": "'",
    "–": "-",
    "—": "-",
    "−": "-",
    "…": "...",
    "＝": "=",
}
_ALIKE = str.maketrans(_LETTERS | _MARKS)


def as_ascii(text: str) -> str:
    """``text`` with what looks like ASCII made so, and invisible characters and accents left out."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", text.translate(_ALIKE))
    return "".join(c for c in plain if unicodedata.category(c) not in {"Cf", "Mn"})


def odd_character(text: str) -> str | None:
    """What the first character of ``text`` that is not ASCII is; None when there is none."""
    character = next((c for c in text if not c.isascii()), None)
    if character is None:
        return None
    name = unicodedata.name(character, "without a name")
    shown = f"`{character}`" if character.isprintable() and not character.isspace() else "an invisible character"
    return f"{shown} is U+{ord(character):04X} ({name.lower()})"
