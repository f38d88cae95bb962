"""The long explanation of each code, one page a code."""

from __future__ import annotations

from importlib.resources import files


def known_codes() -> tuple[str, ...]:
    """Every code that has a page, sorted."""
    pages = files("cfgc").joinpath("explanations").iterdir()
    return tuple(sorted(page.name.removesuffix(".md") for page in pages if page.name.endswith(".md")))


def titles() -> tuple[tuple[str, str], ...]:
    """Every code with the title of its page."""
    return tuple((code, title(code)) for code in known_codes())


def title(code: str) -> str:
    """What the page of ``code`` is called; empty when there is no such code."""
    return (explanation(code) or "").split("\n", 1)[0].removeprefix(f"# {code}: ")


def explanation(code: str) -> str | None:
    """The page of ``code`` (markdown), or None when there is no such code."""
    page = files("cfgc").joinpath("explanations", f"{code}.md")
    return page.read_text(encoding="utf-8") if page.is_file() else None
