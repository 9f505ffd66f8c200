"""Lines and words of the small text files of a repository, each with its place in bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from overlaylint.records import dataclass

_LINE = re.compile(rb"[^\r\n]+")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Word:
    """A word, and the bytes `start` to `end` (exclusive) of the file that it stands in."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is neither empty nor a comment, and its place without the line end."""

    words: tuple[Word, ...]
    start: int
    end: int

    @property
    def text(self) -> str:
        """The words with one space between them, as Portage's grabfile has them."""
        return " ".join(word.text for word in self.words)


def decode(data: bytes) -> str:
    """Return text that can be turned back into the same bytes, UTF-8 or not."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Return the bytes that `decode` made `text` from."""
    return text.encode("utf-8", "surrogateescape")


def split_lines(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each line that is not empty, without its line end.

    A carriage return ends a line, as it does where Python (and so Portage) reads text.
    """
    for match in _LINE.finditer(data):
        yield match.start(), match.end()


def split_words(data: bytes, start: int, end: int) -> tuple[Word, ...]:
    """Return the words between two places, up to one that starts with `#`."""
    raw = data[start:end]
    text = decode(raw)
    is_plain = raw.isascii()
    found = []
    for match in _WORD.finditer(text):
        word = match.group()
        if word.startswith("#"):
            break
        at = start + (match.start() if is_plain else len(encode(text[: match.start()])))
        found.append(Word(word, at, at + (len(word) if is_plain else len(encode(word)))))
    return tuple(found)


def lines(data: bytes) -> Iterator[Line]:
    """Yield each line that says something, as Portage's grabfile and grabdict read them.

    A word that starts with `#` ends a line, wherever it stands (portage(5)).
    """
    for start, end in split_lines(data):
        words = split_words(data, start, end)
        if words:
            yield Line(words, start, end)
