"""Globs over values that may be known in part: yes, no, or it can't be told.

A glob is as in fnmatch: `*` is any text, `?` one character, `[...]` one of some. `${NAME}` in it
stands for that variable where the value has it as a symbol (`${D}`, `${FILESDIR}`). `${ED}` and
`${D}` are the same, as there is no prefix.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import product

from overlaylint.overlay.eapi import SAME_PLACE
from overlaylint.records import dataclass
from overlaylint.shell.values import Mixed, Unknown, Value, join, pieces_of
from overlaylint.syntax import each

# More texts than these that one value may come to are not looked at one by one.
_MOST_CHOICES = 64

# What the package manager sets to a path of its own, which no glob can be meant to guess.
_PATHS = frozenset({"D", "ED", "S", "WORKDIR", "FILESDIR", "DISTDIR", "T", "ROOT", "EROOT"})

_TOKEN = re.compile(r"\$\{(?P<symbol>\w+)\}|(?P<set>\[[!^]?\]?[^\]]*\])|(?P<one>.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Symbol:
    name: str


class _Hole:
    """An unknown piece of text."""


_STAR = "*"
_HOLE = _Hole()


def matches_any(globs: str | Iterable[str], text: str) -> bool:
    """Whether one of some globs matches a text."""
    names = each(globs) if isinstance(globs, str) else globs
    return any(fnmatchcase(text, glob) for glob in names)


def matches(glob: str, value: Value) -> bool | None:
    """Return whether a glob matches all of a value; None where that can't be told."""
    answers = {_matches(glob, one) for one in _possible(value)}
    return answers.pop() if len(answers) == 1 else None


def _possible(value: Value) -> Iterator[Value]:
    """Yield the values that a value may be, where its pieces are one of a few texts each."""
    pieces = pieces_of(value)
    ways: list[tuple[str | Unknown, ...]] = []
    count = 1
    for piece in pieces:
        choices: tuple[str | Unknown, ...] = (piece,)
        if isinstance(piece, Unknown) and piece.choices:
            choices = tuple(dict.fromkeys(text for _, text in piece.choices))
        count *= len(choices)
        ways.append(choices)
    if count > _MOST_CHOICES:
        yield value
        return
    for way in product(*ways):
        yield join(way)


def _matches(glob: str, value: Value) -> bool | None:
    if isinstance(value, str) and "${" not in glob:
        return fnmatchcase(value, glob)
    pattern = list(_tokens(glob))
    text = list(_text(value))
    if _certainly(pattern, text):
        return True
    return None if _possibly(pattern, text) else False


def _tokens(glob: str) -> Iterator[str | _Symbol]:
    for match in _TOKEN.finditer(glob):
        yield _symbol(match["symbol"]) if match["symbol"] else match.group()


def _symbol(name: str) -> _Symbol:
    return _Symbol(SAME_PLACE.get(name, name))


def _text(value: Value) -> Iterator[str | _Symbol | _Hole]:
    for piece in pieces_of(value):
        if isinstance(piece, str):
            yield from piece
        elif piece.symbol and not piece.is_many:
            yield _symbol(piece.symbol)
        else:
            yield _HOLE


def _certainly(pattern: Sequence[str | _Symbol], text: Sequence[str | _Symbol | _Hole]) -> bool:
    """Whether the glob matches whatever the unknown pieces are: only `*` can hold one."""
    reached = {0}
    reached = _after_stars(pattern, reached)
    for token in text:
        following: set[int] = set()
        for at in reached:
            if at < len(pattern) and pattern[at] == _STAR:
                following.add(at)
            elif at < len(pattern) and _is_same(pattern[at], token):
                following.add(at + 1)
        reached = _after_stars(pattern, following)
    return len(pattern) in reached


def _possibly(pattern: Sequence[str | _Symbol], text: Sequence[str | _Symbol | _Hole]) -> bool:
    """Whether the glob may match for some texts in place of the unknown pieces."""
    reached = _after_stars(pattern, {0})
    for token in text:
        following: set[int] = set()
        for at in reached:
            if isinstance(token, _Hole) or (
                isinstance(token, _Symbol) and token.name not in _PATHS
            ):
                # It may be empty, or any text: whatever the glob has from here on.
                following.update(range(at, len(pattern) + 1))
            elif at < len(pattern) and pattern[at] == _STAR:
                following.add(at)
            elif at < len(pattern) and _is_same(pattern[at], token):
                following.add(at + 1)
        reached = _after_stars(pattern, following)
    return len(pattern) in reached


def _after_stars(pattern: Sequence[str | _Symbol], reached: set[int]) -> set[int]:
    """Return the places in the glob that can be stood at, since `*` may match nothing."""
    found = set(reached)
    for at in reached:
        while at < len(pattern) and pattern[at] == _STAR:
            at += 1
            found.add(at)
    return found


def _is_same(pattern: str | _Symbol, token: str | _Symbol | _Hole) -> bool:
    if isinstance(pattern, _Symbol) or not isinstance(token, str):
        return pattern == token
    return fnmatchcase(token, pattern)


def words_of(value: Value) -> tuple[tuple[Value, ...], bool]:
    """Return the words of a value, and whether there may be others.

    A word that touches an unknown piece is known in part; what such a piece holds may be any
    number of words, unless it never splits.
    """
    words: list[Value] = []
    pieces: list[str | Unknown] = []
    is_open = False
    for piece in pieces_of(value):
        if isinstance(piece, Unknown):
            pieces.append(piece)
            is_open = is_open or not piece.is_word
            continue
        first, *others = re.split(r"[ \t\n]+", piece)
        pieces.append(first)
        for other in others:
            words.append(join(pieces))
            pieces = [other]
    words.append(join(pieces))
    return tuple(word for word in words if word != ""), is_open


def reason_of(value: Value) -> str:
    """Return why a value is not known."""
    return value.unknown.reason if isinstance(value, Mixed) else "it is known"
