"""`make.defaults`: assignments in a shell's manner, with no command run (PMS 5.2.4).

It is read as Portage reads it, which is neither quite PMS nor quite bash: Python's shlex
takes words and quotes apart (portage.util.getconfig), and references are filled in
afterwards, in single quotes as well (portage.util.varexpand). Every character of a value
knows the bytes it came from.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import field

from overlaylint.overlay.text import Word, decode, encode
from overlaylint.records import dataclass

_BLANK = re.compile(r"[ \t\r\n]+|#[^\n]*\n?")
_PLAIN = re.compile(r"[0-9A-Za-z~!@$%*_:;?,./\-+{}]+")
_DOUBLE_QUOTED = re.compile(r'[^"\\]+')
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPECIAL = re.compile(r"['\"\n\\$]")
_REFERENCE = re.compile(r"[A-Za-z0-9_]*")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a value: `text`, and where in the file it was read.

    `is_literal` tells text that stands in the file as it is from what a reference brought.
    """

    text: str
    start: int
    end: int
    is_literal: bool = True


@dataclass(frozen=True, slots=True)
class Value:
    """A value with its origin, piece by piece."""

    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """The value itself."""
        return "".join(piece.text for piece in self.pieces)

    def words(self) -> Iterator[Word]:
        """Yield the value's words with the places, in bytes, that they came from.

        A word out of a reference has the reference's place.
        """
        text = self.text
        bounds = []
        at = 0
        for piece in self.pieces:
            bounds.append(at)
            at += len(piece.text)
        for match in _WORD.finditer(text):
            first = bisect_right(bounds, match.start()) - 1
            last = bisect_right(bounds, match.end() - 1) - 1
            yield Word(
                match.group(),
                _place(self.pieces[first], match.start() - bounds[first], at_end=False),
                _place(self.pieces[last], match.end() - bounds[last], at_end=True),
            )


@dataclass(frozen=True, slots=True)
class Assignment:
    """`name=value`: bytes `start` to `end` of the file at `path`."""

    name: str
    value: Value
    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Problem:
    """What Portage would refuse the file for; nothing after it counts."""

    message: str
    path: str
    start: int
    end: int


@dataclass(slots=True)
class MakeDefaults:
    """The assignments of one file or folder, in order, as far as they could be read."""

    assignments: list[Assignment] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def latest(self) -> dict[str, Assignment]:
        """Return the last assignment to each name: within one profile, it alone counts."""
        return {assignment.name: assignment for assignment in self.assignments}


def read_make_defaults(files: Mapping[str, bytes], known: MutableMapping[str, str]) -> MakeDefaults:
    """Read the files of one profile, in order.

    `known` holds the values that references may name, those of the parents; each
    assignment is added to it, as Portage's expand_map grows.
    """
    result = MakeDefaults()
    for path, data in files.items():
        try:
            for assignment in _Reader(path, data).assignments(known):
                known[assignment.name] = assignment.value.text
                result.assignments.append(assignment)
        except _Refused as refusal:
            result.problems.append(refusal.problem)
    return result


class _Refused(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Reader:
    """Words out of one file, as shlex in POSIX mode finds them."""

    def __init__(self, path: str, data: bytes) -> None:
        self._path = path
        self._text, self._offsets = _normalised(data)
        self._size = len(data)
        if not self._text.endswith("\n"):
            # As Portage does; a backslash at the end has something to escape then.
            self._text += "\n"
            if self._offsets is not None:
                self._offsets.append(self._size)
        self._at = 0

    def assignments(self, known: Mapping[str, str]) -> Iterator[Assignment]:
        while True:
            start, word = self._next_word()
            if word is not None and _joined(word) == "export":
                start, word = self._next_word()
            if word is None:
                return
            name = _joined(word)
            equals = self._next_word()[1]
            if equals is None:
                raise self._refuse("the file ends where `=` was expected", start)
            if _joined(equals) != "=":
                raise self._refuse(f"{_joined(equals)!r} stands where `=` was expected", start)
            value = self._next_word()[1]
            if value is None:
                raise self._refuse(f"the file ends where a value for {name} was expected", start)
            if _NAME.fullmatch(name) is None:
                raise self._refuse(f"{name!r} is not the name of a variable", start)
            expanded = self._expand(value, known)
            yield Assignment(
                name, Value(expanded), self._path, self._byte(start), self._byte(self._at)
            )

    def _next_word(self) -> tuple[int, list[tuple[str, int]] | None]:
        """Return where the next word starts, and its parts: text and place of each."""
        text = self._text
        while blank := _BLANK.match(text, self._at):
            self._at = blank.end()
        start = self._at
        if start >= len(text):
            return start, None
        parts: list[tuple[str, int]] = []
        is_word = False
        while self._at < len(text):
            at = self._at
            character = text[at]
            if plain := _PLAIN.match(text, at):
                parts.append((plain.group(), at))
                self._at = plain.end()
            elif character == "'":
                end = text.find("'", at + 1)
                if end < 0:
                    raise self._refuse("a quotation is not closed", at)
                parts.append((text[at + 1 : end], at + 1))
                self._at = end + 1
            elif character == '"':
                self._double_quoted(parts)
            elif character == "\\":
                parts.append((text[at + 1], at + 1))
                self._at = at + 2
            else:
                break
            is_word = True
        if not is_word:
            # Any other character is a word of its own: `=`, but also `(` or `[`.
            parts.append((text[start], start))
            self._at = start + 1
        elif self._at < len(text) and text[self._at] == "#":
            # For shlex a comment may start in the middle of a word, where bash has none.
            end = text.find("\n", self._at)
            self._at = len(text) if end < 0 else end
        return start, parts

    def _double_quoted(self, parts: list[tuple[str, int]]) -> None:
        text = self._text
        opening = self._at
        at = opening + 1
        while at < len(text):
            if text[at] == '"':
                self._at = at + 1
                return
            if plain := _DOUBLE_QUOTED.match(text, at):
                parts.append((plain.group(), at))
                at = plain.end()
                continue
            escaped = text[at + 1 : at + 2]
            parts.append((escaped, at + 1) if escaped in ('"', "\\") else (text[at : at + 2], at))
            at += 2
        raise self._refuse("a quotation is not closed", opening)

    def _expand(self, parts: list[tuple[str, int]], known: Mapping[str, str]) -> tuple[Piece, ...]:
        """Fill in references, as portage.util.varexpand does.

        It sees what shlex left: an apostrophe that was in double quotes hides the
        references after it, and single quotes hide none. That is Portage's, not bash's.
        """
        text = _joined(parts)
        source = _Source(parts)
        pieces: list[Piece] = []
        at = 0
        is_single = is_double = False

        def literal(start: int, end: int, shown: str | None = None) -> None:
            for begin, stop in source.runs(start, end):
                part = text[begin:stop] if shown is None else shown
                first = source.place(begin)
                pieces.append(
                    Piece(part, self._byte(first), self._byte(first + stop - begin), shown is None)
                )

        while at < len(text):
            special = _SPECIAL.search(text, at)
            if special is None:
                literal(at, len(text))
                break
            literal(at, special.start())
            at = special.start()
            character = text[at]
            if character == "'":
                is_single = is_single if is_double else not is_single
                literal(at, at + 1)
                at += 1
            elif character == '"':
                is_double = is_double if is_single else not is_double
                literal(at, at + 1)
                at += 1
            elif is_single:
                literal(at, at + 1)
                at += 1
            elif character == "\n":
                literal(at, at + 1, " ")
                at += 1
            elif character == "\\":
                at = self._unescape(text, at, literal)
            else:
                end, shown = _reference(text, at, known)
                if shown is None:
                    return ()
                start = self._byte(source.place(at))
                pieces.append(Piece(shown, start, self._byte(source.place(end - 1) + 1), False))
                at = end
        return tuple(pieces)

    @staticmethod
    def _unescape(text: str, at: int, literal: Callable[[int, int], None]) -> int:
        following = text[at + 1 : at + 2]
        if following == "\n":
            return at + 2
        if following == "$":
            literal(at + 1, at + 2)
            return at + 2
        if following == "\\":
            end = at + 2
            if text[end : end + 1] in ("'", '"', "$"):
                end += 1
            literal(at + 1, end)
            return end
        literal(at, min(at + 2, len(text)))
        return at + 2

    def _refuse(self, message: str, at: int) -> _Refused:
        end = self._text.find("\n", at)
        return _Refused(
            Problem(
                message,
                self._path,
                self._byte(at),
                self._byte(len(self._text) if end < 0 else end),
            )
        )

    def _byte(self, at: int) -> int:
        return min(at, self._size) if self._offsets is None else self._offsets[at]


def _reference(text: str, at: int, known: Mapping[str, str]) -> tuple[int, str | None]:
    """Return where the reference at `$` ends and its value; None empties the whole value."""
    start = at + 1
    if start == len(text):
        return start, "$"
    is_braced = text[start] == "{"
    start += is_braced
    match = _REFERENCE.match(text, start)
    name = match.group() if match else ""
    end = start + len(name)
    if is_braced:
        if text[end : end + 1] != "}":
            return len(text), None
        end += 1
    if not name:
        return len(text), None
    return end, known.get(name, "")


class _Source:
    """Places in the joined text of a word's parts, turned back into places in the file."""

    def __init__(self, parts: list[tuple[str, int]]) -> None:
        self._begins = []
        self._places = []
        at = 0
        for part, place in parts:
            if part:
                self._begins.append(at)
                self._places.append(place)
                at += len(part)
        self._length = at

    def place(self, at: int) -> int:
        index = bisect_right(self._begins, at) - 1
        return self._places[index] + at - self._begins[index]

    def runs(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the stretches between two places that are of one piece in the file."""
        while start < end:
            index = bisect_right(self._begins, start)
            stop = self._begins[index] if index < len(self._begins) else self._length
            stop = min(stop, end)
            yield start, stop
            start = stop


def _joined(parts: list[tuple[str, int]]) -> str:
    return "".join(part for part, _ in parts)


def _place(piece: Piece, inside: int, *, at_end: bool) -> int:
    if piece.is_literal:
        # Characters beyond ASCII take several bytes.
        return piece.start + (inside if piece.text.isascii() else len(encode(piece.text[:inside])))
    return piece.end if at_end else piece.start


def _normalised(data: bytes) -> tuple[str, list[int] | None]:
    """Return text with `\\n` line ends, and the byte of each character where they differ."""
    text = decode(data)
    if text.isascii() and "\r" not in text:
        return text, None
    kept = []
    offsets = []
    at = 0
    for index, character in enumerate(text):
        if character != "\r":
            kept.append(character)
            offsets.append(at)
        elif text[index + 1 : index + 2] != "\n":
            kept.append("\n")
            offsets.append(at)
        at += len(encode(character))
    offsets.append(at)
    return "".join(kept), offsets
