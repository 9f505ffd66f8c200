"""systemd unit files: INI with repeated keys, continued lines and drop-ins (systemd.syntax(7))."""

from __future__ import annotations

import re
from collections.abc import Iterable

from overlaylint.overlay.text import Word, decode, encode
from overlaylint.records import dataclass

_LINE = re.compile(rb"[^\n]*\n?")
_SECTION = re.compile(r"\[(?P<name>[^\[\]]+)\]")
# Escaped quotation marks are not known here: in lists of units there are none.
_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|\S+")


@dataclass(frozen=True, slots=True)
class Setting:
    """One `Key=value` of a section. The place is the assignment's, continued lines included.

    `value` has a blank where a line is continued; an empty one takes back what was said
    before, where the key is a list.
    """

    section: str
    key: str
    value: str
    path: str
    start: int
    end: int
    words: tuple[Word, ...] = ()
    """The value's words without quotes, each with its own place."""


@dataclass(frozen=True, slots=True)
class UnitProblem:
    """A line that systemd passes over with a warning."""

    message: str
    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit, or a drop-in of one; or a unit with its drop-ins, see `with_drop_ins`."""

    settings: tuple[Setting, ...] = ()
    problems: tuple[UnitProblem, ...] = ()

    def all(self, section: str, key: str) -> tuple[Setting, ...]:
        """Return each assignment to a key, in order."""
        return tuple(
            setting for setting in self.settings if (setting.section, setting.key) == (section, key)
        )

    def list(self, section: str, key: str) -> tuple[Setting, ...]:
        """Return the assignments to a list key that count: those after the last empty one."""
        found: list[Setting] = []
        for setting in self.all(section, key):
            if setting.value:
                found.append(setting)
            else:
                found.clear()
        return tuple(found)

    def words(self, section: str, key: str) -> tuple[Word, ...]:
        """Return the words of a list key: the units of `WantedBy=`, `Also=` and so on."""
        return tuple(word for setting in self.list(section, key) for word in setting.words)

    def value(self, section: str, key: str) -> str | None:
        """Return the value of a key that is no list: the last one counts."""
        found = self.all(section, key)
        return found[-1].value if found else None

    def with_drop_ins(self, drop_ins: Iterable[Unit]) -> Unit:
        """Return the unit with drop-ins applied, which are to be in the order of their names."""
        settings, problems = list(self.settings), list(self.problems)
        for drop_in in drop_ins:
            settings += drop_in.settings
            problems += drop_in.problems
        return Unit(tuple(settings), tuple(problems))


def parse_unit(data: bytes, path: str = "") -> Unit:
    """Read a unit file. Nothing in it is refused; what systemd warns of is in `problems`."""
    settings = []
    problems = []
    section = ""
    for start, end, text, places in _logical_lines(data):
        header = _SECTION.fullmatch(text.strip())
        if header is not None:
            section = header["name"]
            continue
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            problems.append(UnitProblem("this is no `Key=value`", path, start, end))
        elif not section:
            problems.append(UnitProblem("this stands before any section", path, start, end))
        else:
            words = _words(value, places[len(key) + 1 :])
            settings.append(Setting(section, key.strip(), value.strip(), path, start, end, words))
    return Unit(tuple(settings), tuple(problems))


def _logical_lines(data: bytes) -> Iterable[tuple[int, int, str, list[int]]]:
    """Yield each line with its continuations: place, text, and the byte of each character."""
    text = ""
    places: list[int] = []
    start: int | None = None
    for match in _LINE.finditer(data):
        raw = match.group().rstrip(b"\r\n")
        if not match.group():
            break
        line = decode(raw)
        # A comment between continued lines does not end them (systemd.syntax(7)).
        if line.lstrip().startswith(("#", ";")):
            continue
        if start is None:
            if not line.strip():
                continue
            start = match.start()
        is_continued = line.endswith("\\")
        shown = f"{line[:-1]} " if is_continued else line
        text += shown
        places += _byte_places(shown, match.start())
        if not is_continued:
            yield start, match.start() + len(raw), text, places
            text, places, start = "", [], None
    if start is not None:
        yield start, len(data), text, places


def _byte_places(text: str, start: int) -> list[int]:
    if text.isascii():
        return list(range(start, start + len(text)))
    places = []
    for character in text:
        places.append(start)
        start += len(encode(character))
    return places


def _words(value: str, places: list[int]) -> tuple[Word, ...]:
    found = []
    for match in _WORD.finditer(value):
        word = match.group()
        if len(word) >= 2 and word[0] in "\"'" and word[-1] == word[0]:
            word = word[1:-1]
        last = match.end() - 1
        end = places[last] + len(encode(value[last]))
        found.append(Word(word, places[match.start()], end))
    return tuple(found)
