"""The compiler for training runs: a TOML experiment spec in, a self-contained launch bundle out.

The names here are the library; ``cfgc.api`` says what each does. They are imported when one is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, without the time to import typing

__version__ = "0.1.0"

__all__ = [
    "Bundle", "BundleOnDisk", "Comparison", "Diagnostic", "Drift", "Label", "Outcome", "Rejected", "Verdict",
    "__version__", "check_build", "check_ds_config", "check_spec", "compare", "compile_spec", "read_bundle",
    "render_text", "verify_bundle", "write_bundle",
]  # fmt: skip

if TYPE_CHECKING:
    from cfgc.api import (
        Bundle,
        BundleOnDisk,
        Comparison,
        Diagnostic,
        Drift,
        Label,
        Outcome,
        Rejected,
        Verdict,
        check_build,
        check_ds_config,
        check_spec,
        compare,
        compile_spec,
        read_bundle,
        render_text,
        verify_bundle,
        write_bundle,
    )
else:

    def __getattr__(name: str) -> object:
        if name in __all__:
            from cfgc import api

            return getattr(api, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
