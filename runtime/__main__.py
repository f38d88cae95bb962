"""``python -B <bundle>/runtime COMMAND``: runs the package beside this file, whatever else is installed."""

import sys

if __name__ == "__main__":
    sys.dont_write_bytecode = True  # a bundle holds what its manifest lists, also where the -B was forgotten
    from cfgc_runtime.cli import main

    sys.exit(main(sys.argv[1:]))
