"""What the schema check says, one constructor a code."""

from __future__ import annotations

from cfgc.diagnostics import Diagnostic, Label
from cfgc.diagnostics.model import Fix

Fixes = tuple[Fix, ...]


def unknown_key(
    key: str, place: Label | None, notes: tuple[str, ...], helps: tuple[str, ...], fixes: Fixes
) -> Diagnostic:
    """A key that the schema does not have."""
    return Diagnostic("CFG301", f"unknown key `{key}`", place, notes=notes, helps=helps, fixes=fixes)


def missing_key(key: str, place: Label, doc: str, example: str, fixes: Fixes) -> Diagnostic:
    """A key that every spec needs."""
    return Diagnostic("CFG302", f"missing required key `{key}`", place, notes=(doc,), helps=(example,), fixes=fixes)


def renamed_key(old: str, new: str, place: Label | None, reason: str, write: str, fixes: Fixes) -> Diagnostic:
    """A key that has another name here."""
    notes = (reason,) if reason else ()
    return Diagnostic("CFG303", f"`{old}` is called `{new}` here", place, notes=notes, helps=(write,), fixes=fixes)


def no_place(old: str, place: Label | None, reason: str, fixes: Fixes) -> Diagnostic:
    """A key of another system that has no counterpart."""
    message = f"`{old}` has no counterpart here"
    return Diagnostic("CFG304", message, place, notes=(reason,), helps=("remove it",), fixes=fixes)


def wrong_type(
    key: str, wanted: str, place: Label | None, notes: tuple[str, ...], helps: tuple[str, ...]
) -> Diagnostic:
    """A value of another type."""
    return Diagnostic("CFG305", f"`{key}` wants {wanted}", place, notes=notes, helps=helps)


def out_of_range(
    key: str, place: Label | None, limits: str, notes: tuple[str, ...], helps: tuple[str, ...]
) -> Diagnostic:
    """A number outside the range of its key."""
    return Diagnostic("CFG306", f"`{key}` is out of range", place, notes=(f"allowed: {limits}", *notes), helps=helps)


def bad_choice(
    key: str, place: Label | None, choices: str, helps: tuple[str, ...], notes: tuple[str, ...]
) -> Diagnostic:
    """A value that is not one of the choices."""
    return Diagnostic(
        "CFG307", f"`{key}` is not one of its choices", place, notes=(f"choices: {choices}", *notes), helps=helps
    )


def bad_duration(key: str, place: Label | None, notes: tuple[str, ...], helps: tuple[str, ...]) -> Diagnostic:
    """Text that is no duration."""
    general = 'write hours, minutes and seconds `"24:00:00"`, a unit `"90min"`, or a number of seconds'
    return Diagnostic("CFG308", f"`{key}` is not a duration", place, notes=notes, helps=(*helps, general))


def bad_size(key: str, place: Label | None, notes: tuple[str, ...], helps: tuple[str, ...]) -> Diagnostic:
    """Text that is no size."""
    general = 'write a number and a unit, `"80GiB"` (1024³ each) or `"80GB"` (1000³ each)'
    return Diagnostic("CFG309", f"`{key}` is not a size", place, notes=notes, helps=(*helps, general))


def bad_length(
    key: str, place: Label | None, wanted: str, notes: tuple[str, ...], helps: tuple[str, ...]
) -> Diagnostic:
    """An array or text with too few or too many elements."""
    return Diagnostic("CFG310", f"`{key}` wants {wanted}", place, notes=notes, helps=helps)


def control_character(key: str, place: Label | None, character: str, write: str) -> Diagnostic:
    """Text with a newline or another control character."""
    notes = (f"it holds {character}; the value is written to scripts and reports, one line each",)
    return Diagnostic("CFG311", f"`{key}` must be one line of plain text", place, notes=notes, helps=(write,))


def bad_name(key: str, place: Label | None, helps: tuple[str, ...]) -> Diagnostic:
    """A name that is not safe as a directory."""
    notes = ("letters, digits, `_`, `.` and `-`; at most 64; neither `-` nor `.` first, no `.` last",)
    return Diagnostic("CFG312", f"`{key}` is not usable as a directory name", place, notes=notes, helps=helps)


def bad_word(key: str, place: Label | None, write: tuple[str, ...], instead: tuple[str, ...]) -> Diagnostic:
    """A value that would not survive as an ``#SBATCH`` option."""
    notes = (
        "it becomes an option of `#SBATCH`, where nothing is quoted",
        "not allowed: spaces, quotes, `$`, backslashes, a dash at the start",
    )
    general = "write the value itself, as the site's documentation spells it"
    helps = (*write, general, *instead)
    return Diagnostic("CFG313", f"`{key}` is not a single plain word", place, notes=notes, helps=helps)


def bad_path(key: str, place: Label | None, notes: tuple[str, ...], helps: tuple[str, ...]) -> Diagnostic:
    """A value that is no path of the node."""
    return Diagnostic("CFG314", f"`{key}` is not a path of the node", place, notes=notes, helps=helps)


def literal_secret(key: str, place: Label | None, kind: str, variable: str, fixes: Fixes) -> Diagnostic:
    """A value that looks like a credential."""
    return Diagnostic(
        "CFG315",
        f"`{key}` holds what looks like {kind}",
        place,
        notes=(
            "a bundle is committed and shared, so a secret in it is lost",
            "if it was real, revoke it: this file may have been read",
        ),
        helps=(
            f'name the variable instead: `required = ["{variable}"]` under `[env]`, and set it where the run starts',
        ),
        fixes=fixes,
    )


def bad_variable(key: str, place: Label | None, helps: tuple[str, ...]) -> Diagnostic:
    """A name that no environment variable can have."""
    notes = ("letters, digits and `_`, no digit first",)
    return Diagnostic("CFG316", f"`{key}` is not the name of an environment variable", place, notes=notes, helps=helps)


def bad_store(key: str, place: Label | None) -> Diagnostic:
    """A place where MLflow cannot keep runs, or one that says a password."""
    return Diagnostic(
        "CFG498",
        f"`{key}` is not a place where MLflow can keep runs",
        place,
        notes=(
            "http and https are tracking servers, `file:///…` a directory, `databricks` the workspace of its profile",
            "MLflow reads MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD and MLFLOW_TRACKING_TOKEN by itself",
        ),
        helps=(
            (
                'write the address alone, such as `uri = "https://mlflow.example.org"`; and name the variable that '
                'holds the secret: `required = ["MLFLOW_TRACKING_TOKEN"]` under `[env]`'
            ),
            "or leave it out: the runs are kept below the run directory",
        ),
    )


def bad_target(key: str, place: Label | None, helps: tuple[str, ...]) -> Diagnostic:
    """A name of the user's own code that Python could not import anywhere."""
    return Diagnostic("CFG470", f"`{key}` does not name a function of a module", place, helps=helps)


def bad_argument(key: str, place: Label | None) -> Diagnostic:
    """An argument that no call can have."""
    return Diagnostic(
        "CFG476",
        f"`{key}` holds what no call can be given",
        place,
        notes=("arguments become `name=value` in wiring.py",),
        helps=("give integers, floats, texts, booleans, arrays and tables, under names that Python takes",),
    )
