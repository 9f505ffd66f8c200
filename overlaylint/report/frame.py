"""A code frame: the lines around a finding, with marks under its places.

Only text is made here. Everything from the overlay passes through `visible_character`, so
that a frame holds no control characters but the colours asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from overlaylint.lines import LineIndex, display_width
from overlaylint.records import dataclass
from overlaylint.report.escape import visible, visible_character
from overlaylint.report.style import Style

#: Lines shown before and after the primary place.
_CONTEXT = 2
#: Of a place of many lines, so many are shown at each end.
_MOST_LINES = 4
#: Characters of a line that are looked at; a file may have one line of 10 MB.
_LONGEST_LINE = 400
#: Columns kept before a place where the line is too long to be shown whole.
_LEAD = 24


@dataclass(frozen=True, slots=True)
class Label:
    """A place in the file, `start` to `end` in bytes, and what is said of it."""

    start: int
    end: int
    message: str = ""
    is_primary: bool = False


@dataclass(frozen=True, slots=True)
class _Mark:
    """A part of one line to be underlined: characters `start` to `end` (from 0)."""

    start: int
    end: int
    label: Label


def frame(index: LineIndex, labels: Sequence[Label], style: Style, width: int) -> list[str]:
    """Return the lines of a frame around `labels`, all of which lie in the one file."""
    marks: dict[int, list[_Mark]] = {}
    shown: set[int] = set()
    for label in labels:
        first, last = _lines_of(index, label)
        for line in _ends(first, last):
            marks.setdefault(line, []).append(_mark(index, label, line, first))
            shown.add(line)
        if label.is_primary:
            shown.update(range(max(1, first - _CONTEXT), first))
            shown.update(range(last + 1, min(index.count, last + _CONTEXT) + 1))
    gutter = len(str(max(shown)))
    bar = style.gutter("|")
    lines = [f"{' ' * gutter} {bar}"]
    previous = None
    for line in sorted(shown):
        if previous is not None and line == previous + 2:
            lines += _line(index, line - 1, [], gutter, style, width)
        elif previous is not None and line > previous + 1:
            lines.append(style.gutter("..."))
        lines += _line(index, line, marks.get(line, []), gutter, style, width)
        previous = line
    lines.append(f"{' ' * gutter} {bar}")
    return lines


def _lines_of(index: LineIndex, label: Label) -> tuple[int, int]:
    first = min(index.line(label.start), index.count)
    last = min(index.line(max(label.start, label.end - 1)), index.count)
    return first, last


def _ends(first: int, last: int) -> Iterable[int]:
    if last - first < 2 * _MOST_LINES:
        return range(first, last + 1)
    return (*range(first, first + _MOST_LINES), *range(last - _MOST_LINES + 1, last + 1))


def _mark(index: LineIndex, label: Label, line: int, first: int) -> _Mark:
    text_start, text_end = index.span(line)
    start = index.character_column(label.start) - 1 if line == first else None
    if start is None or label.start > text_end:
        text = index.text(line)
        start = len(text) if label.start > text_end else len(text) - len(text.lstrip())
    end_offset = min(label.end, text_end)
    end = index.character_column(max(end_offset, text_start)) - 1
    return _Mark(start, max(end, start + 1), label)


def _line(
    index: LineIndex, line: int, marks: list[_Mark], gutter: int, style: Style, width: int
) -> list[str]:
    """Return a line of the file, and the lines under it that mark places in it."""
    room = max(width - gutter - 4, 40)
    # Where the line is far too long, only what is around the first place is decoded.
    from_character = 0
    text = index.text(line)
    if len(text) > _LONGEST_LINE or sum(map(_width, text)) > room:
        first = min((mark.start for mark in marks), default=0)
        from_character = max(0, first - _LEAD) if first > room - _LEAD else 0
    cells: list[str] = []
    columns = [0]
    for character in text[from_character : from_character + _LONGEST_LINE]:
        cell = " " * _width(character, columns[-1]) if character == "\t" else None
        cell = cell if cell is not None else visible_character(character)
        end = columns[-1] + sum(display_width(one) for one in cell)
        if end > room:
            break
        cells.append(cell)
        columns.append(end)
    lead = "..." if from_character else ""
    tail = "..." if from_character + len(cells) < len(text) else ""
    number = style.gutter(f"{line:>{gutter}} |")
    shown = f"{lead}{''.join(cells)}{tail}".rstrip()
    lines = [f"{number} {shown}".rstrip()]
    blank = f"{' ' * gutter} {style.gutter('|')}"
    for mark in sorted(marks, key=lambda one: (one.start, not one.label.is_primary)):
        start = min(max(mark.start - from_character, 0), len(cells))
        end = min(max(mark.end - from_character, start), len(cells))
        at = len(lead) + columns[start]
        length = max(columns[end] - columns[start], 1)
        sign = ("^" if mark.label.is_primary else "-") * length
        is_last_line = line == min(
            index.line(max(mark.label.start, mark.label.end - 1)), index.count
        )
        message = f" {visible(mark.label.message)}" if mark.label.message and is_last_line else ""
        paint = style.primary if mark.label.is_primary else style.secondary
        lines.append(f"{blank} {' ' * at}{paint(sign + message)}")
    return lines


def _width(character: str, column: int = 0) -> int:
    if character == "\t":
        return display_width(character, column)
    return sum(display_width(one) for one in visible_character(character))
