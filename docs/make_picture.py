"""Draw what `overlaylint check fixtures/overlay` prints on a terminal: `make picture`.

rich draws it. A test holds the picture to what is printed today.
"""

from __future__ import annotations

import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "check.svg"
_WIDTH = 100
# rich's drawing names fonts on somebody else's server. Any fixed font of the reader's will do.
_FONTS = re.compile(r"@font-face \{.*?\n *\}\n", re.DOTALL)


def picture() -> str:
    """Return the drawing of a real run."""
    program = Path(sys.executable).parent / "overlaylint"
    ran = subprocess.run(
        [program, "check", "--color", "always", "fixtures/overlay"],
        cwd=ROOT,
        env={"COLUMNS": str(_WIDTH), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    console = Console(record=True, width=_WIDTH, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(ran.stdout))
    drawn = console.export_svg(title="overlaylint check fixtures/overlay", unique_id="overlaylint")
    return _FONTS.sub("", drawn)


if __name__ == "__main__":
    PICTURE.write_text(picture())
