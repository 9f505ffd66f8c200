"""Lines and columns of a file, from byte offsets, in every unit that a reader may want.

Offsets count bytes from 0. Lines and columns count from 1. A line ends at a line feed, as
bash has it; a carriage return before it belongs to the line.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

#: How many columns a tab takes where the display width is counted.
TAB_WIDTH = 4


class LineIndex:
    """Where a file's lines begin, and the columns of its places.

    Bytes that are not UTF-8 count as one character each (`surrogateescape`). An offset
    inside a character counts as the character's start, one past the end as the end.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        at = self.data.find(b"\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.data.find(b"\n", at + 1)
        return starts

    @property
    def count(self) -> int:
        """The number of lines; what follows the last line feed counts if it is not empty."""
        starts = self._starts
        return len(starts) - (len(starts) > 1 and starts[-1] == len(self.data))

    def line(self, offset: int) -> int:
        """Return the number of the line that holds `offset`; its line feed belongs to it.

        The end of a file whose last byte is a line feed is the start of one more line, as
        editors and bash have it.
        """
        return bisect_right(self._starts, min(offset, len(self.data)))

    def span(self, line: int) -> tuple[int, int]:
        """Return the start and end of a line in bytes, without its line end."""
        start = self._starts[line - 1]
        end = self._starts[line] - 1 if line < len(self._starts) else len(self.data)
        if end > start and self.data[end - 1 : end] == b"\r":
            end -= 1
        return start, end

    def text(self, line: int) -> str:
        """Return a line without its line end."""
        start, end = self.span(line)
        return _decode(self.data[start:end])

    def byte_column(self, offset: int) -> int:
        """Return the column in bytes of UTF-8 (rdjson)."""
        return len(self._before(offset)) + 1

    def character_column(self, offset: int) -> int:
        """Return the column in Unicode code points (text, JSON, GitHub, GitLab)."""
        return len(_decode(self._before(offset))) + 1

    def utf16_column(self, offset: int) -> int:
        """Return the column in UTF-16 code units (SARIF, the language server protocol)."""
        text = _decode(self._before(offset))
        return len(text) + sum(character > "\uffff" for character in text) + 1

    def display_column(self, offset: int) -> int:
        """Return the column on a terminal, with tabs of TAB_WIDTH columns."""
        column = 0
        for character in _decode(self._before(offset)):
            column += display_width(character, column)
        return column + 1

    def _before(self, offset: int) -> bytes:
        """Return the line's bytes before `offset`, whole characters only."""
        offset = min(offset, len(self.data))
        start = self._starts[self.line(offset) - 1]
        # A continuation byte belongs to the character before it, if that is a whole one.
        for back in range(4):
            at = offset - back
            if at < start:
                break
            if not 0x80 <= self.data[at : at + 1].ljust(1)[0] <= 0xBF:
                head = _decode(self.data[at : at + 4])
                if back and head and len(_encode(head[0])) > back:
                    offset = at
                break
        return self.data[start:offset]


def display_width(character: str, column: int = 0) -> int:
    """Return how many terminal columns a character takes that starts at `column` (from 0)."""
    if character == "\t":
        return TAB_WIDTH - column % TAB_WIDTH
    if character.isascii():
        return 1
    # Not needed for most files, and never on the way to a run without findings.
    from unicodedata import category, east_asian_width

    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
