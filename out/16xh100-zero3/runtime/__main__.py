"""``python -B <bundle>/runtime COMMAND``: runs the package beside this file, whatever else is installed."""

import sys

from cfgc_runtime.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
