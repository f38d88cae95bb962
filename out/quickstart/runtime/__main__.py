"""``python -B <bundle>/runtime COMMAND``: runs the package beside this file, whatever else is installed."""

import hashlib
import json
import sys
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERIFIER = "cfgc_runtime/manifest.py"


def check_verifier() -> None:
    """End with 65 when the module that compares all files was itself edited; it compares this one."""
    try:
        outputs = json.loads((HERE.parent / "manifest.json").read_bytes())["outputs"]
        due = outputs[f"runtime/{VERIFIER}"]["sha256"]
    except (OSError, ValueError, LookupError, TypeError):  # which it says better
        return
    if hashlib.sha256((HERE / VERIFIER).read_bytes()).hexdigest() != due:
        sys.stderr.write(f"error: the bundle {HERE.parent} is not what was compiled:\n  edited: runtime/{VERIFIER}\n")
        sys.exit(65)


def forget_cache() -> None:
    """Where the -B was forgotten: take this file's cache away, which Python has just put into the bundle."""
    cache = globals().get("__cached__")
    if cache and not sys.dont_write_bytecode:
        sys.dont_write_bytecode = True
        with suppress(OSError):
            Path(cache).unlink()
            Path(cache).parent.rmdir()


if sys.version_info < (3, 11):  # noqa: UP036 - a cluster's own may be older
    sys.stderr.write(f"error: this needs Python 3.11 or later, and {sys.executable} is {sys.version.split()[0]}\n")
    sys.exit(78)
forget_cache()
check_verifier()
from cfgc_runtime.cli import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
