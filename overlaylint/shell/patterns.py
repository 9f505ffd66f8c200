"""Glob patterns (bash manual 3.5.8.1), as in `case`, `[[ x == y ]]`, `${x#y}` and `${x/y/z}`.

A pattern is given in pieces, because quoted text stands for itself. Most patterns are literal
text between asterisks and need nothing but string searches; those with `?(...)` and the like are
matched with sets of positions, so that no pattern can backtrack.

Where bash 5.2 has quirks (a bracket that isn't closed, `*` before a group that may be empty, how
`${x/y/z}` looks for a match first), this module follows them or raises `Undecidable`. Text that
isn't ASCII is decided only where the C and C.UTF-8 locales agree.
"""

from __future__ import annotations

import itertools
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

from overlaylint.shell.undecidable import TooExpensive, Undecidable

__all__ = [
    "Pattern",
    "Piece",
    "TooExpensive",
    "Undecidable",
    "compile_pattern",
    "has_wildcard",
    "to_bytes",
]

Piece = tuple[str, bool]
"""Text, and whether it is quoted."""

_CACHE_SIZE = 4096
_DEEPEST_GROUP = 30
_MOST_WORK = 20_000_000  # characters compared by searches, roughly
_MOST_STEPS = 2_000_000  # the same for groups, which take more time for each

_SPECIAL = re.compile(r"[*?\[\\]")
_SPECIAL_EXTENDED = re.compile(r"[*?\[\\(]")
_BACKSLASH = "\\"

# what a class of POSIX (and bash's own `ascii` and `word`) holds in ASCII
CHARACTER_CLASSES: Final[dict[str, str]] = {
    "alnum": "09AZaz",
    "alpha": "AZaz",
    "ascii": "\x00\x7f",
    "blank": "\t\t  ",
    "cntrl": "\x00\x1f\x7f\x7f",
    "digit": "09",
    "graph": "!~",
    "lower": "az",
    "print": " ~",
    "punct": "!/:@[`{~",
    "space": "\t\r  ",
    "upper": "AZ",
    "word": "09AZaz__",
    "xdigit": "09AFaf",
}


# --- what a pattern is made of --------------------------------------------------------------


class _CharacterSet:
    """One character out of `ranges` (pairs of ends), or not out of them."""

    __slots__ = ("has_class", "is_negated", "ranges")

    def __init__(self, ranges: tuple[tuple[str, str], ...], is_negated: bool, has_class: bool):
        self.ranges = ranges
        self.is_negated = is_negated
        self.has_class = has_class

    def holds(self, character: str) -> bool:
        """Whether `character` is in the set."""
        for low, high in self.ranges:
            if low <= character <= high:
                return not self.is_negated
        return self.is_negated

    @property
    def expression(self) -> str:
        """The set as a regular expression."""
        if not self.ranges:
            return "(?s:.)" if self.is_negated else "(?!)"
        body = "".join(
            re.escape(low) if low == high else f"{re.escape(low)}-{re.escape(high)}"
            for low, high in self.ranges
        )
        return f"[{'^' if self.is_negated else ''}{body}]"


class _Group:
    """`kind(alternative|...)`, where `kind` is one of `?*+@!`."""

    __slots__ = ("alternatives", "kind")

    def __init__(self, kind: str, alternatives: tuple[_Sequence, ...]) -> None:
        self.kind = kind
        self.alternatives = alternatives


_ANY: Final = 1
_STAR: Final = 2
_Node = str | int | _CharacterSet | _Group
_Sequence = tuple[_Node, ...]


class _Parser:
    """Parses the tokens of a pattern: single characters, or a backslash with what it quotes."""

    def __init__(self, tokens: list[str], *, extended: bool, ignore_case: bool) -> None:
        self.tokens = tokens
        self.extended = extended
        self.ignore_case = ignore_case
        self.open_from = len(tokens)
        self.has_negated_close = False
        self.has_class = False

    @property
    def has_open_bracket(self) -> bool:
        """Whether the pattern has a bracket that is never closed."""
        return self.open_from < len(self.tokens)

    def sequence(self, start: int, end: int, depth: int) -> _Sequence:
        """Return the nodes of the tokens from `start` to `end`."""
        tokens, nodes = self.tokens, list[_Node]()
        text: list[str] = []
        position = start
        while position < end:
            token = tokens[position]
            position += 1
            node: _Node
            if len(token) == 2:
                token = token[1]
            elif self.extended and token in "?*+@!" and position < end and tokens[position] == "(":
                close, bars = self.group_end(position + 1, end, depth)
                edges = [position, *bars, close]
                node = _Group(
                    token,
                    tuple(
                        self.sequence(left + 1, right, depth + 1)
                        for left, right in itertools.pairwise(edges)
                    ),
                )
                _add(nodes, text, node)
                position = close + 1
                continue
            elif token == "*":
                _add(nodes, text, _STAR)
                continue
            elif token == "?":
                _add(nodes, text, _ANY)
                continue
            elif token == "[":
                found = self.bracket(position, end)
                if found:
                    node, position = found
                    _add(nodes, text, node)
                    continue
                if depth:
                    raise Undecidable("a bracket without its end in an extended pattern")
                self.open_from = min(self.open_from, position)
            elif token == _BACKSLASH:
                raise Undecidable("a pattern that ends in a backslash")
            if self.ignore_case and token.isalpha():
                lower, upper = token.lower(), token.upper()
                _add(nodes, text, _CharacterSet(((lower, lower), (upper, upper)), False, False))
            else:
                text.append(token)
        if text:
            nodes.append("".join(text))
        result = tuple(nodes)
        if self.extended and _has_quirk(result):
            raise Undecidable("an asterisk before a group that may match nothing")
        return result

    def group_end(self, start: int, end: int, depth: int) -> tuple[int, list[int]]:
        """Return where a group ends, whose inside is at `start`, and where its bars are."""
        if depth >= _DEEPEST_GROUP:
            raise TooExpensive("a pattern nested too deeply")
        tokens, bars, nested, position = self.tokens, list[int](), 0, start
        while position < end:
            token = tokens[position]
            if token == "[":
                found = self.bracket(position + 1, end)
                if not found:
                    raise Undecidable("a bracket without its end in an extended pattern")
                position = found[1]
                continue
            if token == "(":
                nested += 1
            elif token == ")":
                if not nested:
                    return position, bars
                nested -= 1
            elif token == "|" and not nested:
                bars.append(position)
            position += 1
        raise Undecidable("an extended pattern without its end")

    def bracket(self, start: int, end: int) -> tuple[_CharacterSet, int] | None:
        """Parse a bracket expression whose `[` is before `start`.

        Return the set and where it ends, or None if the bracket is never closed. Bash scans a
        bracket in one way while it looks for a match and in another once it has one; where the
        two could disagree on the end, it is not decided.
        """
        if start > self.open_from:
            return None
        tokens = self.tokens
        position = start
        is_negated = position < end and tokens[position] in ("!", "^")
        if is_negated:
            position += 1
        first = position
        ranges: list[tuple[str, str]] = []
        classes: list[str] = []
        while position < end:
            token = tokens[position]
            if token == "]" and position == first and is_negated:
                self.has_negated_close = True
            elif token == "]" and position > first:
                return self.character_set(ranges, classes, is_negated), position + 1
            following = tokens[position + 1] if position + 1 < end else ""
            if token == "[" and following in (":", "=", "."):
                close, name = self.bracket_name(position + 1, end)
                if following == ":":
                    if name not in CHARACTER_CLASSES:
                        raise Undecidable("an unknown character class")
                    classes.append(name)
                    position = close
                    continue
                if len(name) != 1 or name in ("]", "[", _BACKSLASH, following):
                    raise Undecidable("a collating symbol of more than one character")
                if following == "=":
                    # what follows it is taken as a member, even the closing bracket
                    if close >= end or tokens[close] == "]":
                        raise Undecidable("an equivalence class at the end of a bracket")
                    ranges.append((name, name))
                    position = close
                    continue
                low, position = name, close
            else:
                if token == _BACKSLASH:
                    raise Undecidable("a pattern that ends in a backslash")
                low = token[-1]
                position += 1
            if not low.isascii():
                raise Undecidable("a bracket expression with characters outside ASCII")
            high = low
            if position < end and tokens[position] == "-":
                if position + 1 >= end:
                    raise Undecidable("a range without its end")
                if tokens[position + 1] != "]":
                    high, position = self.range_end(position + 1, end)
            ranges.append((low, high))
        # bash takes the `[` as text, but not if it met something odd on the way
        if any(low != high for low, high in ranges) or classes:
            raise Undecidable("a bracket without its end")
        return None

    def bracket_name(self, start: int, end: int) -> tuple[int, str]:
        """Return what `[:name:]`, `[=c=]` or `[.c.]` names, and where it ends.

        `start` is at the character after the inner `[`.
        """
        tokens = self.tokens
        mark = tokens[start]
        for position in range(start + 1, end - 1):
            if tokens[position] == mark and tokens[position + 1] == "]":
                return position + 2, "".join(tokens[start + 1 : position])
            if tokens[position] == "]":
                break
        raise Undecidable("an odd bracket expression")

    def range_end(self, start: int, end: int) -> tuple[str, int]:
        """Return the last character of a range, and what position it ends at."""
        token = self.tokens[start]
        following = self.tokens[start + 1] if start + 1 < end else ""
        if token == _BACKSLASH:
            raise Undecidable("a pattern that ends in a backslash")
        if token == "[" and following in (":", "=", "."):
            raise Undecidable("an odd range in a bracket expression")
        if not token.isascii():
            raise Undecidable("a bracket expression with characters outside ASCII")
        return token[-1], start + 1

    def character_set(
        self, ranges: list[tuple[str, str]], classes: list[str], is_negated: bool
    ) -> _CharacterSet:
        """Return the set that a bracket expression stands for."""
        held = list[tuple[str, str]]()
        for name in classes:
            ends = CHARACTER_CLASSES[name]
            held += [(ends[at], ends[at + 1]) for at in range(0, len(ends), 2)]
        if classes:
            self.has_class = True
        if self.ignore_case:
            # a class looks at the character as it is, everything else at its lower case
            folded = [(low.lower(), high.lower()) for low, high in ranges]
            held += [
                (character, character)
                for character in map(chr, range(1, 128))
                if any(low <= character.lower() <= high for low, high in folded)
            ]
        else:
            held += [(low, high) for low, high in ranges if low <= high]
        return _CharacterSet(tuple(held), is_negated, bool(classes))


def _add(nodes: list[_Node], text: list[str], node: _Node) -> None:
    if text:
        nodes.append("".join(text))
        text.clear()
    if node is not _STAR or not nodes or nodes[-1] is not _STAR:
        nodes.append(node)


def _may_be_empty(nodes: Iterable[_Node]) -> bool:
    for node in nodes:
        if isinstance(node, _Group):
            if node.kind in "@+" and not any(map(_may_be_empty, node.alternatives)):
                return False
        elif node is not _STAR:
            return False
    return True


def _has_quirk(nodes: _Sequence) -> bool:
    """Whether `*` is before what may match nothing: bash doesn't try that at the text's end."""
    is_after_star = False
    for at, node in enumerate(nodes):
        if node is _STAR:
            is_after_star = True
        elif is_after_star:
            if node is _ANY or (isinstance(node, _Group) and node.kind in "?*"):
                continue
            if isinstance(node, _Group) and (node.kind == "!" or _may_be_empty(nodes[at:])):
                return True
            is_after_star = False
    return False


# --- matchers --------------------------------------------------------------------------------


class _Matcher(ABC):
    """Finds what matches; all positions are offsets into the text."""

    @abstractmethod
    def matches(self, text: str) -> bool:
        """Whether all of `text` matches."""

    def matches_around(self, texts: Sequence[str]) -> bool | None:
        """Whether all of a text matches that is `texts`, with anything between each two of them.

        None where that depends on what is between them.
        """
        return None

    @property
    def texts(self) -> tuple[str, ...]:
        """Texts that are in all that matches; there may be more."""
        return ()

    @abstractmethod
    def prefix(self, text: str, start: int, longest: bool) -> int:
        """Return where the part from `start` that matches ends, or -1."""

    @abstractmethod
    def suffix(self, text: str, longest: bool) -> int:
        """Return where the part to the text's end that matches starts, or -1."""

    @abstractmethod
    def finder(self, text: str) -> Callable[[int], tuple[int, int] | None]:
        """Return what finds the leftmost, and there longest, part that matches, from a place on."""


class _Fixed:
    """Characters of a known number, between asterisks."""

    __slots__ = ("_expression", "length")

    def __init__(self, nodes: Sequence[_Node]) -> None:
        self.length = sum(len(node) if isinstance(node, str) else 1 for node in nodes)
        expression = "".join(
            re.escape(node)
            if isinstance(node, str)
            else node.expression
            if isinstance(node, _CharacterSet)
            else "(?s:.)"
            for node in nodes
        )
        self._expression = re.compile(expression)

    def _afford(self, start: int, end: int) -> None:
        if (end - start) * self.length > _MOST_WORK:
            raise TooExpensive("a long pattern against a long text")

    def fits(self, text: str, start: int) -> bool:
        return self._expression.match(text, start) is not None

    def fits_partly(self, text: str, *, at_end: bool) -> bool | None:
        """Whether a text fits that starts with `text`, or ends with it; None if it depends."""
        if len(text) < self.length:
            return None
        return self.fits(text, len(text) - self.length if at_end else 0)

    def find(self, text: str, start: int, end: int) -> int:
        self._afford(start, end)
        found = self._expression.search(text, start, end)
        return found.start() if found else -1

    def rfind(self, text: str, start: int, end: int) -> int:
        self._afford(start, end)
        match = self._expression.match
        for position in range(end - self.length, start - 1, -1):
            if match(text, position):
                return position
        return -1


class _Text:
    """Literal characters between asterisks."""

    __slots__ = ("length", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.length = len(text)

    def fits(self, text: str, start: int) -> bool:
        return text.startswith(self.text, start)

    def fits_partly(self, text: str, *, at_end: bool) -> bool | None:
        """Whether a text fits that starts with `text`, or ends with it; None if it depends."""
        longer, shorter = self.text, text
        is_whole = self.length <= len(text)
        if is_whole:
            longer, shorter = text, self.text
        if not (longer.endswith(shorter) if at_end else longer.startswith(shorter)):
            return False
        return True if is_whole else None

    def find(self, text: str, start: int, end: int) -> int:
        return text.find(self.text, start, end)

    def rfind(self, text: str, start: int, end: int) -> int:
        return text.rfind(self.text, start, end)


_Segment = _Fixed | _Text


class _Literal(_Matcher):
    """A pattern without wildcards."""

    def __init__(self, text: str) -> None:
        self.text = text

    def matches(self, text: str) -> bool:
        return text == self.text

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text,)

    def matches_around(self, texts: Sequence[str]) -> bool | None:
        position, end = len(texts[0]), len(self.text) - len(texts[-1])
        if position > end or not (self.text.startswith(texts[0]) and self.text.endswith(texts[-1])):
            return False
        for text in texts[1:-1]:
            position = self.text.find(text, position, end) + len(text)
            if position < len(text):
                return False
        return None

    def prefix(self, text: str, start: int, longest: bool) -> int:
        return start + len(self.text) if text.startswith(self.text, start) else -1

    def suffix(self, text: str, longest: bool) -> int:
        return len(text) - len(self.text) if text.endswith(self.text) else -1

    def finder(self, text: str) -> Callable[[int], tuple[int, int] | None]:
        def find(start: int) -> tuple[int, int] | None:
            found = text.find(self.text, start)
            return (found, found + len(self.text)) if found >= 0 else None

        return find


class _Glob(_Matcher):
    """Segments of known lengths with asterisks between them.

    The first place for each segment leaves the most room for those after it, so nothing is ever
    tried twice.
    """

    def __init__(self, nodes: _Sequence) -> None:
        parts: list[list[_Node]] = [[]]
        for node in nodes:
            if node is _STAR:
                parts.append([])
            else:
                parts[-1].append(node)
        self.is_fixed = len(parts) == 1
        self.head = _segment(parts[0])
        self.middle = [_segment(part) for part in parts[1:-1]]
        self.tail = _segment(parts[-1])

    def _inside(self, text: str, start: int, end: int) -> int:
        """Place head and middle from `start` on; return where they end, or -1."""
        if not self.head.fits(text, start):
            return -1
        position = start + self.head.length
        for segment in self.middle:
            found = segment.find(text, position, end)
            if found < 0:
                return -1
            position = found + segment.length
        return position

    def matches(self, text: str) -> bool:
        if self.is_fixed:
            return len(text) == self.head.length and self.head.fits(text, 0)
        last = len(text) - self.tail.length
        if last < 0 or not self.tail.fits(text, last):
            return False
        position = self._inside(text, 0, last)
        return 0 <= position <= last

    @property
    def texts(self) -> tuple[str, ...]:
        segments = (self.head, *self.middle, self.tail)
        return tuple(one.text for one in segments if isinstance(one, _Text))

    def matches_around(self, texts: Sequence[str]) -> bool | None:
        opening, ending = texts[0], texts[-1]
        if self.is_fixed:
            return None if sum(map(len, texts)) <= self.head.length else False
        fits_head = self.head.fits_partly(opening, at_end=False)
        last = len(ending) - self.tail.length
        fits_tail = self.tail.fits_partly(ending, at_end=True)
        if fits_head is False or fits_tail is False:
            return False
        if fits_head is None or fits_tail is None:
            return None
        # An asterisk matches whatever is unknown; the rest has to be found in what is known.
        waiting = [*texts[:-1], ending[:last]]
        position = self.head.length
        for segment in self.middle:
            while (found := segment.find(waiting[0], position, len(waiting[0]))) < 0:
                del waiting[0]
                position = 0
                if not waiting:
                    return None
            position = found + segment.length
        return True

    def prefix(self, text: str, start: int, longest: bool) -> int:
        end = len(text)
        position = self._inside(text, start, end)
        if position < 0 or self.is_fixed:
            return position
        if not self.tail.length:
            return end if longest else position
        find = self.tail.rfind if longest else self.tail.find
        found = find(text, position, end)
        return found + self.tail.length if found >= 0 else -1

    def suffix(self, text: str, longest: bool) -> int:
        position = len(text) - self.tail.length
        if position < 0 or not self.tail.fits(text, position):
            return -1
        if self.is_fixed:
            return position
        for segment in reversed(self.middle):
            position = segment.rfind(text, 0, position)
            if position < 0:
                return -1
        if not self.head.length:
            return 0 if longest else position
        find = self.head.find if longest else self.head.rfind
        return find(text, 0, position)

    def finder(self, text: str) -> Callable[[int], tuple[int, int] | None]:
        def find(start: int) -> tuple[int, int] | None:
            # If anything matches, then so does the first place where the head fits: the rest of
            # the pattern has more room there than anywhere later.
            found = self.head.find(text, start, len(text))
            if found < 0:
                return None
            end = self.prefix(text, found, True)
            return (found, end) if end >= 0 else None

        return find


def _segment(nodes: Sequence[_Node]) -> _Segment:
    if not nodes:
        return _Text("")
    if len(nodes) == 1 and isinstance(nodes[0], str):
        return _Text(nodes[0])
    return _Fixed(nodes)


class _Extended(_Matcher):
    """A pattern with groups.

    A set of positions is an integer with one bit for each. What a node does to a set doesn't
    depend on how the set came about, so each node is worked out once for a set, and no input
    makes it backtrack.
    """

    def __init__(self, nodes: _Sequence) -> None:
        self.nodes = nodes
        self.mirrored = _mirror(nodes)
        self.starts_with_star = bool(nodes) and (
            nodes[0] is _STAR or (isinstance(nodes[0], _Group) and nodes[0].kind == "*")
        )

    def matches(self, text: str) -> bool:
        return bool(_Positions(text).after(self.nodes, 1) >> len(text))

    def prefix(self, text: str, start: int, longest: bool) -> int:
        return _end(_Positions(text).after(self.nodes, 1 << start), longest)

    def suffix(self, text: str, longest: bool) -> int:
        end = _end(_Positions(text[::-1]).after(self.mirrored, 1), longest)
        return len(text) - end if end >= 0 else -1

    def finder(self, text: str) -> Callable[[int], tuple[int, int] | None]:
        # bash tries a pattern where the text ends only if it starts with an asterisk
        last = len(text) + 1 if self.starts_with_star else len(text)
        positions = _Positions(text)

        def find(start: int) -> tuple[int, int] | None:
            if not positions.after(self.nodes, (1 << last) - (1 << start)):
                return None
            for position in range(start, last):
                found = positions.after(self.nodes, 1 << position)
                if found:
                    return position, found.bit_length() - 1
            return None

        return find


def _mirror(nodes: _Sequence) -> _Sequence:
    return tuple(
        node[::-1]
        if isinstance(node, str)
        else _Group(node.kind, tuple(map(_mirror, node.alternatives)))
        if isinstance(node, _Group)
        else node
        for node in reversed(nodes)
    )


def _end(positions: int, longest: bool) -> int:
    if not positions:
        return -1
    return (positions if longest else positions & -positions).bit_length() - 1


class _Positions:
    """Sets of positions in one text."""

    def __init__(self, text: str) -> None:
        self.all = (1 << (len(text) + 1)) - 1
        self.where: dict[str, int] = {}
        for position, character in enumerate(text):
            self.where[character] = self.where.get(character, 0) | 1 << position
        self.sets: dict[_CharacterSet, int] = {}
        self.excluded: dict[tuple[_Group, int], int] = {}
        self.cost = len(text) // 32 + 20
        self.work = 0

    def spend(self, work: int) -> None:
        """Take work off the budget."""
        self.work += work
        if self.work > _MOST_STEPS:
            raise TooExpensive("an extended pattern that takes too much work")

    def after(self, nodes: _Sequence, positions: int) -> int:
        """Return where matches of `nodes` end that start at one of `positions`."""
        where = self.where
        for node in nodes:
            if not positions:
                return 0
            self.spend(self.cost)
            if isinstance(node, str):
                self.spend(self.cost * len(node))
                for character in node:
                    positions = (positions & where.get(character, 0)) << 1
            elif isinstance(node, _CharacterSet):
                held = self.sets.get(node)
                if held is None:
                    held = 0
                    for character, places in where.items():
                        if node.holds(character):
                            held |= places
                    self.sets[node] = held
                positions = (positions & held) << 1
            elif isinstance(node, _Group):
                positions = self.after_group(node, positions)
            elif node == _ANY:
                positions = (positions << 1) & self.all
            else:
                positions = self.all & -(positions & -positions)
        return positions

    def after_group(self, group: _Group, positions: int) -> int:
        """The same for a group."""
        kind = group.kind
        if kind == "!":
            result = 0
            while positions:
                start = positions & -positions
                positions ^= start
                key = (group, start.bit_length())
                self.spend(self.cost)
                found = self.excluded.get(key)
                if found is None:
                    found = self.all & -start & ~self.once(group, start)
                    self.excluded[key] = found
                result |= found
            return result
        once = self.once(group, positions)
        if kind == "@":
            return once
        if kind == "?":
            return once | positions
        result = frontier = once
        while frontier:
            frontier = self.once(group, frontier) & ~result
            result |= frontier
        return result | positions if kind == "*" else result

    def once(self, group: _Group, positions: int) -> int:
        """Return where one of the group's alternatives ends."""
        result = 0
        for alternative in group.alternatives:
            result |= self.after(alternative, positions)
        return result


# --- patterns --------------------------------------------------------------------------------


class Pattern:
    """A compiled pattern. `literal` is the text it matches, if it has no wildcard."""

    __slots__ = ("_matcher", "_narrow", "_needs_whole", "_refusals", "_wide_problem", "literal")

    literal: str | None

    def __init__(self, matcher: _Matcher, literal: str | None) -> None:
        self.literal = literal
        self._matcher = matcher
        # how to compile the pattern for a locale in which each byte is a character, if that
        # can make a difference
        self._narrow: Callable[[], Pattern] | None = None
        self._wide_problem = ""
        self._needs_whole = False
        self._refusals: dict[str, str] = {}

    def matches(self, text: str) -> bool:
        """Whether all of `text` matches (`case`, `[[ x == y ]]`)."""
        result = self._matcher.matches(text)
        if self._narrow and not text.isascii():
            _agree(result, self._for_bytes(text).matches(to_bytes(text)))
        return result

    def matches_around(self, texts: Sequence[str]) -> bool | None:
        """Whether all of a text matches that is `texts`, with anything between each two of them.

        None where that depends on what is between them, or on the locale.
        """
        if self._narrow and not all(map(str.isascii, texts)):
            return None
        return self._matcher.matches_around(texts)

    @property
    def texts(self) -> tuple[str, ...]:
        """Texts that are in all that matches; there may be more."""
        return self._matcher.texts

    def remove_prefix(self, text: str, longest: bool) -> str:
        """Return `${text#pattern}`, or `${text##pattern}` for the longest match."""
        end = self._matcher.prefix(text, 0, longest)
        result = text[end:] if end > 0 else text
        if self._narrow and not text.isascii():
            other = self._for_bytes(text).remove_prefix(to_bytes(text), longest)
            _agree(to_bytes(result), other)
        return result

    def remove_suffix(self, text: str, longest: bool) -> str:
        """Return `${text%pattern}`, or `${text%%pattern}` for the longest match."""
        start = self._matcher.suffix(text, longest)
        result = text[:start] if start >= 0 else text
        if self._narrow and not text.isascii():
            other = self._for_bytes(text).remove_suffix(to_bytes(text), longest)
            _agree(to_bytes(result), other)
        return result

    def replace(
        self, text: str, replacement: str, *, everywhere: bool, anchor: Literal["", "#", "%"]
    ) -> str:
        """Return `${text/pattern/replacement}`, `//` if `everywhere`, `/#` or `/%` by `anchor`.

        An `&` in the replacement is text, as it is with `patsub_replacement` off.
        """
        if self.literal is not None:
            return _replace_literal(self.literal, text, replacement, everywhere, anchor)
        if anchor in self._refusals:
            raise Undecidable(self._refusals[anchor])
        result = self._replace(text, replacement, everywhere, anchor)
        if self._narrow and not text.isascii():
            other = self._for_bytes(text).replace(
                to_bytes(text), to_bytes(replacement), everywhere=everywhere, anchor=anchor
            )
            _agree(to_bytes(result), other)
        return result

    def _replace(
        self, text: str, replacement: str, everywhere: bool, anchor: Literal["", "#", "%"]
    ) -> str:
        matcher = self._matcher
        if self._needs_whole:
            return replacement if matcher.matches(text) else text
        if anchor == "#":
            if not text:
                return replacement if matcher.finder(text)(0) else text
            end = matcher.prefix(text, 0, True)
            return replacement + text[end:] if end >= 0 else text
        if anchor == "%":
            start = matcher.suffix(text, True)
            return text[:start] + replacement if start >= 0 else text
        find = matcher.finder(text)
        pieces: list[str] = []
        position = work = 0
        while position < len(text) or not text:
            work += len(text) - position
            if work > _MOST_WORK:
                raise TooExpensive("a replacement that takes too much work")
            found = find(position)
            if not found:
                break
            start, end = found
            pieces += (text[position:start], replacement)
            position = end
            if not everywhere or not text:
                break
            if start == end:
                pieces.append(text[position : position + 1])
                position += 1
        return "".join(pieces) + text[position:]

    def _for_bytes(self, text: str) -> Pattern:
        """Return the pattern as the C locale has it, to be matched against `to_bytes(text)`."""
        assert self._narrow
        if self._wide_problem:
            raise Undecidable(self._wide_problem)
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise Undecidable("a pattern against text that is not UTF-8")
        return self._narrow()


def _replace_literal(
    literal: str, text: str, replacement: str, everywhere: bool, anchor: Literal["", "#", "%"]
) -> str:
    if anchor == "#":
        return replacement + text[len(literal) :] if text.startswith(literal) else text
    if anchor == "%":
        if not text.endswith(literal):
            return text
        return text[: len(text) - len(literal)] + replacement
    if not literal:
        return text
    return text.replace(literal, replacement, -1 if everywhere else 1)


def _agree(wide: object, narrow: object) -> None:
    if wide != narrow:
        raise Undecidable("a pattern that depends on the locale")


def to_bytes(text: str) -> str:
    """Return `text` with a character for each byte of its UTF-8, as the C locale sees it."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


_cache: dict[tuple[tuple[Piece, ...], bool, bool], Pattern] = {}


def compile_pattern(
    pieces: Iterable[Piece], *, extended: bool, ignore_case: bool = False
) -> Pattern:
    """Return the pattern that `pieces` stand for.

    `extended` is `shopt extglob` (always on in `[[ ]]`), `ignore_case` is `shopt nocasematch`.
    An unquoted backslash, which an expansion can bring in, quotes the next character. Raises
    `Undecidable` for the few patterns with which bash does what can't be told.
    """
    key = (tuple(pieces), extended, ignore_case)
    pattern = _cache.get(key)
    if pattern is None:
        pattern = _compile(*key, is_narrow=False)
        if len(_cache) >= _CACHE_SIZE:
            _cache.clear()
        _cache[key] = pattern
    return pattern


def has_wildcard(pieces: Iterable[Piece], extended: bool) -> bool:
    """Whether pathname expansion would look for files with a word of these pieces (3.5.8)."""
    special = _SPECIAL_EXTENDED if extended else _SPECIAL
    pieces = tuple(pieces)
    if not any(not is_quoted and special.search(text) for text, is_quoted in pieces):
        return False
    tokens = _tokens(pieces)
    is_open = False
    for position, token in enumerate(tokens):
        if token in ("*", "?"):
            return True
        if token == "[":
            is_open = True
        elif token == "]":
            if is_open:
                return True
        elif token == "/":
            is_open = False
        elif extended and token in ("+", "@", "!") and tokens[position + 1 : position + 2] == ["("]:
            return True
    return False


def _tokens(pieces: tuple[Piece, ...]) -> list[str]:
    """Return the characters of a pattern, each with a backslash before it if it is quoted."""
    tokens: list[str] = []
    for number, (text, is_quoted) in enumerate(pieces):
        if is_quoted:
            tokens += ["\\" + character for character in text]
        elif _BACKSLASH not in text:
            tokens += text
        else:
            position = 0
            while position < len(text):
                length = 1
                if text[position] == _BACKSLASH:
                    length = 2
                    if position + 1 == len(text) and any(
                        later for later, _ in pieces[number + 1 :]
                    ):
                        raise Undecidable("a pattern with a backslash where an expansion ends")
                tokens.append(text[position : position + length])
                position += length
    return tokens


def _compile(
    pieces: tuple[Piece, ...], extended: bool, ignore_case: bool, *, is_narrow: bool
) -> Pattern:
    special = _SPECIAL_EXTENDED if extended else _SPECIAL
    if not any(not is_quoted and special.search(text) for text, is_quoted in pieces):
        literal = "".join([text for text, _ in pieces])
        if not ignore_case or not any(map(str.isalpha, literal)):
            return Pattern(_Literal(literal), literal)
    tokens = _tokens(pieces)
    if ignore_case and not all(map(str.isascii, tokens)):
        raise Undecidable("characters outside ASCII where case is ignored")
    parser = _Parser(tokens, extended=extended, ignore_case=ignore_case)
    nodes = parser.sequence(0, len(tokens), 0)
    matcher: _Matcher
    literal_text: str | None = None
    if all(isinstance(node, str) for node in nodes):
        literal_text = "".join(node for node in nodes if isinstance(node, str))
        matcher = _Literal(literal_text)
    elif any(isinstance(node, _Group) for node in nodes):
        matcher = _Extended(nodes)
    else:
        matcher = _Glob(nodes)
    refusals = _refusals(parser, nodes)
    pattern = Pattern(matcher, None if refusals else literal_text)
    pattern._refusals = refusals  # noqa: SLF001 - of this module
    pattern._needs_whole = (  # noqa: SLF001
        # bash takes the last asterisk for a wildcard, and looks for a match of the whole
        tokens[0] == "*" and tokens[-1] == "\\*" and not (extended and tokens[1] == "(")
    )
    if not is_narrow and (
        ignore_case or not all(isinstance(node, str) or node is _STAR for node in nodes)
    ):
        _prepare_narrow(pattern, pieces, extended, ignore_case)
        if ignore_case:
            pattern._wide_problem = "characters outside ASCII where case is ignored"  # noqa: SLF001
        elif parser.has_class:
            pattern._wide_problem = "a character class and characters outside ASCII"  # noqa: SLF001
    return pattern


def _prepare_narrow(
    pattern: Pattern, pieces: tuple[Piece, ...], extended: bool, ignore_case: bool
) -> None:
    def narrow() -> Pattern:
        return _compile(
            tuple([(to_bytes(text), is_quoted) for text, is_quoted in pieces]),
            extended,
            ignore_case,
            is_narrow=True,
        )

    pattern._narrow = narrow  # noqa: SLF001


def _refusals(parser: _Parser, nodes: _Sequence) -> dict[str, str]:
    """Return why a pattern is refused for `${x/y/z}`, by the anchor.

    Before bash looks for the place of a match it puts asterisks around the pattern, to see
    whether there is one at all, and counts its characters, to see whether all matches have the
    same length. Both go wrong now and then.
    """
    if parser.has_open_bracket or parser.has_negated_close:
        return dict.fromkeys(("", "#", "%"), "an odd bracket in a pattern that is replaced")
    refusals: dict[str, str] = {}
    if parser.extended:
        first = nodes[0]
        if parser.tokens[0] == "(":
            reason = "a replaced pattern that starts with a parenthesis"
            refusals = {"": reason, "%": reason}
        elif _has_quirk((_STAR, *nodes)):
            refusals["%"] = "a replaced group at the end that may match nothing"
            if not (isinstance(first, _Group) and first.kind in "@+!"):
                refusals[""] = "a replaced group that may match nothing"
    return refusals
