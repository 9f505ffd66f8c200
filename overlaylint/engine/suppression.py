"""Findings that a comment in the overlay suppresses: `# overlaylint: ignore[rule] -- reason`.

The comment stands on the line of the finding, or alone on the line above it; other such
comments may stand in between. Inside a command of several lines, where no comment can be,
the command's last line and the line above its first will do. `ignore-file[...]`, above the
first line that is no comment, holds for the whole file. The reason is required: without
one a comment suppresses nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from overlaylint.finding import Finding, Span
from overlaylint.lines import LineIndex
from overlaylint.overlay.files import role_of
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.shell import Script

#: What every such comment holds; a file without it needs no second look.
MARK = b"overlaylint:"

_MARK = re.compile(rb"#[ \t]*overlaylint:")
_DIRECTIVE = re.compile(
    rb"#[ \t]*overlaylint:[ \t]*(?P<verb>[^\[\s]*)[ \t]*"
    rb"(?:\[(?P<names>[^\]]*)\](?P<tail>.*))?"
)
_REASON = re.compile(rb"[ \t]*--[ \t]*(?P<reason>\S.*)")
_NAME = re.compile(rb"[^,\s]+")

# A comment of a file that is no script: Portage takes a word that starts with `#` for the
# start of one, kernel configs and unit files a line that does.
_COMMENT = re.compile(rb"(?:^|(?<=[ \t]))#[^\n]*", re.MULTILINE)
_WITHOUT_COMMENTS = (".patch", ".diff", ".xml", ".json", ".md", ".gz", ".xz", ".bz2", "/Manifest")
_LIKE_SCRIPTS = ("make.defaults", "make.conf")


@dataclass(frozen=True, slots=True)
class Named:
    """One name between the brackets, and its place."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment that is meant to suppress.

    `span` is the comment from its `#` on, `line` its line. `fault` says what is wrong with
    it, in which case it suppresses nothing. The rest is filled in when the run is over:
    `used` are the rules that it suppressed a finding of, `judged` those that had their say
    about the file, `known` every rule that there is.
    """

    span: Span
    line: int
    names: tuple[Named, ...]
    reason: str
    is_for_file: bool
    is_alone: bool
    fault: str = ""
    used: frozenset[str] = frozenset()
    judged: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    edit_span: Span = field(default_factory=lambda: Span(""))
    """What goes if the whole comment is removed: with the blanks before it, or the line."""

    def is_for(self, rule: str) -> bool:
        """Whether the comment is sound, and names the rule."""
        return not self.fault and any(named.name == rule for named in self.names)


class FileSuppressions:
    """The suppressing comments of one file, and which of them hold for a place in it."""

    def __init__(self, path: str, index: LineIndex) -> None:
        self.path = path
        self.index = index

    @cached_property
    def all(self) -> tuple[Suppression, ...]:
        """Every comment with the mark in it, in order."""
        if MARK not in self.index.data or self.path.endswith(_WITHOUT_COMMENTS):
            return ()
        return tuple(self._read(start, end) for start, end in self._comments())

    def of(self, finding: Finding) -> Suppression | None:
        """Return the comment that suppresses a finding in this file, or None."""
        found = [one for one in self.all if one.is_for(finding.rule)]
        if not found:
            return None
        lines = self._lines_of(finding.span)
        for one in found:
            if one.is_for_file or one.line in lines:
                return one
        return None

    @cached_property
    def _script(self) -> Script | None:
        is_script = role_of(self.path).is_script or self.path.endswith(_LIKE_SCRIPTS)
        if not is_script:
            return None
        from overlaylint.shell import parse

        return parse(self.index.data, self.path)

    def _comments(self) -> Iterator[tuple[int, int]]:
        script = self._script
        if script is not None:
            places = [(comment.start, comment.end) for comment in script.comments]
        else:
            places = [match.span() for match in _COMMENT.finditer(self.index.data)]
        for start, end in places:
            mark = _MARK.search(self.index.data, start, end)
            if mark:
                yield mark.start(), end

    @cached_property
    def _first_line_of_code(self) -> int:
        for line in range(1, self.index.count + 1):
            start, end = self.index.span(line)
            text = self.index.data[start:end].strip()
            if text and not text.startswith(b"#"):
                return line
        return self.index.count + 1

    def _read(self, start: int, end: int) -> Suppression:
        data = self.index.data
        line = self.index.line(start)
        line_start, line_end = self.index.span(line)
        end = min(end, line_end)
        before = data[line_start:start]
        # A comment may say something of its own before the mark.
        is_alone = not before.strip() or before.lstrip().startswith(b"#")
        match = _DIRECTIVE.match(data, start, end)
        assert match is not None
        names = tuple(
            Named(name.group().decode("utf-8", "replace"), self._span(name.start(), name.end()))
            for name in (_NAME.finditer(data, *match.span("names")) if match["names"] else ())
        )
        reason = _REASON.match((match["tail"] or b"").rstrip(b" \t"))
        is_for_file = match["verb"] == b"ignore-file"
        fault = ""
        if match["verb"] not in (b"ignore", b"ignore-file"):
            fault = "it is neither `ignore[...]` nor `ignore-file[...]`"
        elif not names:
            fault = "it names no rule between brackets"
        elif reason is None:
            fault = "it gives no reason"
        elif is_for_file and line >= self._first_line_of_code:
            fault = "`ignore-file` stands below the first line that is no comment"
        if is_alone and not before.strip():
            edit_span = self._span(line_start, min(line_end + 1, len(data)))
        else:
            edit_span = self._span(line_start + len(before.rstrip()), end)
        return Suppression(
            span=self._span(start, end),
            line=line,
            names=names,
            reason=reason["reason"].decode("utf-8", "replace") if reason else "",
            is_for_file=is_for_file,
            is_alone=is_alone,
            fault=fault,
            edit_span=edit_span,
        )

    def _span(self, start: int, end: int) -> Span:
        return Span(self.path, start, end)

    def _lines_of(self, span: Span) -> frozenset[int]:
        """Return the lines on which a comment holds for a place."""
        start, end = span.start, max(span.start, span.end - 1)
        ranges = [(self.index.line(start), self.index.line(end))]
        script = self._script
        if script is not None:
            command = _command_at(script, start)
            if command is not None:
                last = max(command[0], command[1] - 1)
                ranges.append((self.index.line(command[0]), self.index.line(last)))
        lines: set[int] = set()
        for first, last in ranges:
            lines.update((first, last))
            above = first - 1
            while above >= 1 and above in self._lines_alone:
                lines.add(above)
                above -= 1
        return frozenset(lines)

    @cached_property
    def _lines_alone(self) -> frozenset[int]:
        return frozenset(one.line for one in self.all if one.is_alone)


def _command_at(script: Script, offset: int) -> tuple[int, int] | None:
    """Return the span of the simple command, or the test, that holds a place."""
    commands = _simple_commands(script)
    at = bisect_left(commands, (offset + 1,)) - 1
    if at >= 0 and commands[at][0] <= offset < commands[at][1]:
        return commands[at]
    return None


def _simple_commands(script: Script) -> list[tuple[int, int]]:
    """Return the spans of the commands that hold no other, in order."""
    from overlaylint.shell.syntax import innermost_commands

    return sorted((node.start, node.end) for node in innermost_commands(script))
