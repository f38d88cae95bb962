"""Numbers and words that a section takes as they are, and that fail or mislead when they are used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case, path_of
from cfgc.deepspeed.rules.bounds import BOUNDS, Bound
from cfgc.deepspeed.rules.choices import CHOICES, Choice
from cfgc.deepspeed.wording import either, into, leaf, pair, shown
from cfgc.diagnostics.model import Fix
from cfgc.nearest import nearest

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic


FOLDERS = ("autotuning.results_dir", "autotuning.exps_dir")


def numbers_can_be_used(case: Case) -> Iterator[Diagnostic]:
    """CFG580: a number is not below the least that works."""
    for dotted, bound in BOUNDS.items():
        number = case.number(dotted) if case.written(dotted) else None
        if number is not None and number < bound.least and _is_read(case, dotted, bound.within):
            yield _too_small(case, dotted, bound, number)


def _too_small(case: Case, dotted: str, bound: Bound, number: float) -> Diagnostic:
    meant = None if number == 0 and bound.zero_is_off else _meant(case, dotted, bound, number)
    return case.error(
        "CFG580",
        f"`{dotted}` is below {bound.least}",
        [At(dotted, f"at least {bound.least}")],
        (bound.why,),
        ("leave it out: nothing is done then" if meant is None else f"write {pair(dotted, meant)}{into(dotted)}",),
        (Fix((case.drop(dotted) if meant is None else case.set(dotted, meant),)),),
    )


def _meant(case: Case, dotted: str, bound: Bound, number: float) -> int:
    """The number without its sign, the default, or the least."""
    if number <= -max(1, bound.least) and number.is_integer():
        return int(-number)
    known = case.release.key(path_of(dotted))
    default = known.default if known else None
    if isinstance(default, int) and not isinstance(default, bool) and default >= bound.least:
        return default
    return bound.least


def words_are_known(case: Case) -> Iterator[Diagnostic]:
    """CFG581: a word is one that DeepSpeed knows."""
    for dotted, choice in CHOICES.items():
        word = case.text(dotted) if case.written(dotted) else None
        if word is not None and not _knows(choice, word) and _is_read(case, dotted, choice.within):
            yield _unknown_word(case, dotted, choice, word)


def folders_are_named(case: Case) -> Iterator[Diagnostic]:
    """CFG581: a directory that has to be named is."""
    for dotted in FOLDERS:
        if case.written(dotted) and case.text(dotted) == "":
            yield case.error(
                "CFG581",
                f"`{dotted}` is empty",
                [At(dotted, "a directory")],
                ("DeepSpeed asserts that it is not, when it reads the file",),
                (f"leave `{leaf(dotted)}` out: the default is a directory below the working one",),
                (Fix((case.drop(dotted),)),),
            )


def _knows(choice: Choice, word: str) -> bool:
    return word in choice.words or (choice.caseless and word.lower() in {known.lower() for known in choice.words})


def _unknown_word(case: Case, dotted: str, choice: Choice, word: str) -> Diagnostic:
    near = nearest(word, choice.words)
    meant = near or choice.words[0]
    return case.error(
        "CFG581",
        f"`{dotted}` does not know {shown(word)}",
        [At(dotted, f"{either(choice.words)}")],
        (choice.why,),
        (f"write {pair(dotted, meant)}{into(dotted)}",),
        (Fix((case.set(dotted, meant),), certain=near is not None),),
    )


def _is_read(case: Case, dotted: str, within: str) -> bool:
    """Whether the release reads the key, sets no limit of its own, and the section is on."""
    section, known = case.release.key(path_of(dotted)[:1]), case.release.key(path_of(dotted))
    if section is None or section.refused or (known and (known.choices or known.minimum is not None)):
        return False
    return not within or case.flag(f"{within}.enabled")


RULES = (numbers_can_be_used, words_are_known, folders_are_named)
