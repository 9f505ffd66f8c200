"""`python -m overlaylint`."""

import os
import sys

# `python -m` looks for modules in the working folder first, which may well be an overlay.
# Nothing may be imported from there.
if not sys.flags.safe_path and sys.path and sys.path[0] == os.getcwd():  # noqa: PTH109
    del sys.path[0]

from overlaylint.cli import run

run()
