"""`python -m overlaylint`."""

import sys

from overlaylint.cli import main

sys.exit(main())
