"""What a variable or a word comes to: text, or text with unknown pieces in it.

A value is a `str` where it is known. Where it is not, it is a `Mixed`, whose parts are known
text and `Unknown` pieces, each with the reason and the place where it became so. An unknown
piece is never guessed, and everything that depends on it is unknown as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from overlaylint.records import dataclass
from overlaylint.shell.syntax import Source

if TYPE_CHECKING:
    from overlaylint.shell.conditions import Condition


@dataclass(frozen=True, slots=True)
class Unknown:
    """A piece of text that static evaluation can't tell.

    `symbol` is set where the piece has a name by which it is the same wherever it stands
    (`D` for `${D}`). `is_word` marks what is never empty and never splits, such as a
    path that the package manager sets. `is_many` marks an unquoted expansion that may come to any
    number of words. `pattern` is the text of a word's wildcards, which stand for files.
    `choices` are the texts that it may be, where there are only these, each with its condition.
    `opening` is what it starts with for certain, if it has a symbol.
    """

    reason: str
    source: Source | None = None
    start: int = 0
    end: int = 0
    symbol: str = ""
    is_word: bool = False
    is_many: bool = False
    pattern: str = ""
    choices: tuple[tuple[Condition, str], ...] = ()
    opening: str = ""


@dataclass(frozen=True, slots=True)
class Mixed:
    """Text with at least one unknown piece in it; no two known pieces are neighbours."""

    parts: tuple[str | Unknown, ...]

    @property
    def unknown(self) -> Unknown:
        """The first unknown piece."""
        for part in self.parts:
            if part.__class__ is Unknown:
                return part
        raise AssertionError("a Mixed value has an unknown piece")

    @property
    def head(self) -> str:
        """The known text that it starts with."""
        first = self.parts[0]
        return first if isinstance(first, str) else ""

    @property
    def tail(self) -> str:
        """The known text that it ends in."""
        last = self.parts[-1]
        return last if isinstance(last, str) else ""

    @property
    def texts(self) -> tuple[str, ...]:
        """The known texts between which its unknown pieces stand; there are at least two."""
        texts = [""]
        for part in self.parts:
            if isinstance(part, str):
                texts[-1] += part
            else:
                texts[-1] += part.opening if part.symbol else ""
                texts.append("")
        return tuple(texts)

    @property
    def is_many(self) -> bool:
        """Whether it may come to any number of words."""
        return any(part.__class__ is Unknown and part.is_many for part in self.parts)

    @property
    def is_nonempty(self) -> bool:
        """Whether it certainly is not the empty string."""
        return any(part != "" if isinstance(part, str) else part.is_word for part in self.parts)

    @property
    def is_symbolic(self) -> bool:
        """Whether an equal value is certainly the same text: all its unknown pieces are named."""
        return all(isinstance(part, str) or part.symbol for part in self.parts)

    def __str__(self) -> str:
        return "".join(
            part if isinstance(part, str) else part.pattern or f"${{{part.symbol or '?'}}}"
            for part in self.parts
        )


Value = str | Mixed


def unknown(
    reason: str,
    source: Source | None = None,
    start: int = 0,
    end: int = 0,
    *,
    symbol: str = "",
    is_word: bool = False,
    opening: str = "",
) -> Mixed:
    """Return a value of which nothing is known but how it starts."""
    piece = Unknown(reason, source, start, end, symbol, is_word, opening=opening)
    return Mixed((piece,))


def join(pieces: Iterable[str | Unknown]) -> Value:
    """Return the value that consists of `pieces`."""
    parts: list[str | Unknown] = []
    text: list[str] = []
    for piece in pieces:
        if piece.__class__ is str:
            text.append(piece)
        else:
            if text:
                known = "".join(text)
                if known:
                    parts.append(known)
                text.clear()
            parts.append(piece)
    if not parts:
        return "".join(text)
    known = "".join(text)
    if known:
        parts.append(known)
    return Mixed(tuple(parts))


def pieces_of(value: Value) -> tuple[str | Unknown, ...]:
    """Return the pieces that a value consists of."""
    return (value,) if isinstance(value, str) else value.parts


def concatenate(*values: Value) -> Value:
    """Return the values one after another."""
    if all(value.__class__ is str for value in values):
        return "".join(values)  # type: ignore[arg-type]
    return join(piece for value in values for piece in pieces_of(value))


def as_many(value: Mixed) -> Mixed:
    """Mark the unknown pieces of an unquoted expansion that may split into words, or vanish."""
    if all(part.__class__ is str or part.is_word for part in value.parts):  # type: ignore[union-attr]
        return value
    return Mixed(
        tuple(
            _many(part) if isinstance(part, Unknown) and not part.is_word else part
            for part in value.parts
        )
    )


# No blank, and nothing that stands for other text among files.
_WORD = re.compile(r"[\w./+:@%,=-]+", re.ASCII)


def _many(part: Unknown) -> Unknown:
    """Mark a piece, unless it is one of several texts that are each one word.

    A choice between a word and nothing is kept, for where it is the name of a command.
    """
    texts = [text for _, text in part.choices]
    words = [text for text in texts if _WORD.fullmatch(text)]
    if words and len(words) == len(texts):
        return part
    is_open = len(words) + texts.count("") < len(texts)
    return replace(part, is_many=True, choices=() if is_open else part.choices)


def as_one(value: Value) -> Value:
    """Undo `as_many`: the value is one word now."""
    if value.__class__ is str or not value.is_many:  # type: ignore[union-attr]
        return value
    return Mixed(
        tuple(
            replace(part, is_many=False, choices=())
            if isinstance(part, Unknown) and part.is_many
            else part
            for part in value.parts  # type: ignore[union-attr]
        )
    )


class Flag:
    """A variable's attributes (bash manual 4.2, `declare`), as bits: plain numbers, for speed."""

    NONE = 0
    EXPORTED = 1
    READONLY = 2
    INTEGER = 4
    LOWERCASE = 8
    UPPERCASE = 16
    REFERENCE = 32
    INDEXED = 64
    ASSOCIATIVE = 128
    MAYBE_UNSET = 256  # not bash's: set on one way here and not on the other
    KEPT = 512  # not bash's: a command of unknown effect is taken to leave it alone
    CAPITALIZED = 1024
    TEMPORARY = 2048  # given to one command: `NAME=value command`
    PROPAGATED = 4096  # a temporary one that was exported: it outlives the function
    PERHAPS_OUTER = 8192  # not bash's: local on one way, and on the other an outer variable
    DOUBT = 16  # shifted left by this, a bit stands for an attribute that it may have


ARRAYS = Flag.INDEXED | Flag.ASSOCIATIVE
ATTRIBUTES = 0xFF | Flag.CAPITALIZED
MAYBE_ARRAY = ARRAYS | ARRAYS << Flag.DOUBT
DOUBTS = (ATTRIBUTES & ~Flag.EXPORTED) << Flag.DOUBT
"""What a variable may be beyond what is certain, as far as it changes an assignment."""


Elements = dict[int | str, Value]
"""An array's elements by number, or an associative array's by key."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable: its value, and where it was last assigned.

    `value` is None where the variable was declared and has no value. An array's elements are a
    mapping that is never changed once it is here; an array of which nothing is known is a `Mixed`
    with the flag of its kind.
    """

    value: Value | Elements | None
    flags: int = 0
    source: Source | None = None
    start: int = 0
    end: int = 0


# bash keeps the keys of an associative array in this many chains (assoc.h, since 5.1), and
# lists them chain by chain, the newest of a chain first
_BUCKETS = 1024


def associative_order(keys: Iterable[int | str]) -> list[str]:
    """Return keys, given in the order of their insertion, as bash lists them."""
    ordered = [str(key) for key in keys]
    if len(ordered) < 2:
        return ordered
    buckets: dict[int, list[str]] = {}
    for key in ordered:
        hash_ = 2166136261
        for byte in key.encode("utf-8", "surrogateescape"):
            hash_ = (hash_ * 16777619 & 0xFFFFFFFF) ^ byte
        buckets.setdefault(hash_ & (_BUCKETS - 1), []).insert(0, key)
    return [key for index in sorted(buckets) for key in buckets[index]]
