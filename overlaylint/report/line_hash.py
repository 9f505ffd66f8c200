"""The hash by which GitHub's code scanning knows the line of an alert again.

It is worked out as `hash` in github/codeql-action's `src/fingerprints.ts` does, because its
upload step compares: it warns of each result that brings another value, and fills in what is
missing. An upload without that step needs the value here, or alerts appear twice.
"""

from __future__ import annotations

from array import array
from functools import cached_property

#: Characters from the start of a line that go into its hash, blanks and tabs not counted.
BLOCK = 100

_END_OF_FILE = "\uffff"
_FACTOR = 37
_BLANKS = str.maketrans("", "", " \t")


class LineHashes:
    """The hashes of the lines of one file."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def of(self, line: int) -> str:
        """Return the hash of a line (from 1), and which of the lines of that hash it is."""
        window = self._windows[min(line, len(self._windows)) - 1]
        value = 0
        for unit in self._units(window):
            value = (value * _FACTOR + unit) % 2**64
        count = self._windows[:line].count(window)
        return f"{value:x}:{count}"

    @cached_property
    def _windows(self) -> list[str]:
        """What goes into the hash of each line: the text from its start on, cut to BLOCK."""
        text = self._data.decode("utf-8", "replace")
        text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_BLANKS)
        lines = f"{text}{_END_OF_FILE}".split("\n")
        windows: list[str] = []
        after = ""
        for line in reversed(lines):
            # A character beyond UTF-16's first plane counts as two, so this may be too long.
            after = f"{line}\n{after}"[:BLOCK] if windows else line[:BLOCK]
            windows.append(after)
        windows.reverse()
        return windows

    def _units(self, window: str) -> list[int]:
        units = array("H", window.encode("utf-16-le", "surrogatepass"))[:BLOCK]
        return [*units, *[0] * (BLOCK - len(units))]
