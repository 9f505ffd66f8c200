"""Regular expressions of `[[ text =~ expression ]]`: POSIX extended ones, as glibc has them.

Which text an expression matches is the same everywhere: the leftmost, and there the longest. What
its groups match is not, where an expression can match in more than one way; glibc doesn't follow
POSIX there, so this module builds the same automaton as glibc and walks it in the same order.
Each position is visited a fixed number of times, whatever the expression.

Text that isn't ASCII is decided only where the C and C.UTF-8 locales agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import Enum, auto
from functools import lru_cache
from typing import Final, NoReturn

from overlaylint.records import dataclass
from overlaylint.shell.patterns import CHARACTER_CLASSES, Piece, to_bytes
from overlaylint.shell.undecidable import TooExpensive, Undecidable

__all__ = ["TooExpensive", "Undecidable", "search"]

_CACHE_SIZE = 1024
_DEEPEST = 40
_MOST_NODES = 4000
_MOST_WORK = 500_000  # nodes visited, roughly
_BACKSLASH: Final = "\\"


def search(
    pieces: Iterable[Piece], text: str, *, ignore_case: bool = False
) -> tuple[str, ...] | None:
    """Return what `BASH_REMATCH` is after a match, or None if there is none.

    Quoted pieces stand for themselves. Raises `Undecidable` for expressions that bash refuses,
    and for back-references.
    """
    expression = _expression(tuple(pieces))
    if len(text) < 1000:
        return _search(expression, text, ignore_case)
    return _search.__wrapped__(expression, text, ignore_case)


@lru_cache(_CACHE_SIZE)
def _search(expression: str, text: str, ignore_case: bool) -> tuple[str, ...] | None:
    if expression.isascii() and text.isascii():
        return _program(expression, ignore_case).search(text)
    if ignore_case:
        raise Undecidable("characters outside ASCII where case is ignored")
    if any("\ud800" <= character <= "\udfff" for character in expression + text):
        raise Undecidable("a regular expression against text that is not UTF-8")
    program = _program(expression, False)
    if program.has_class:
        raise Undecidable("a character class and characters outside ASCII")
    wide = program.search(text)
    narrow = _program(to_bytes(expression), False).search(to_bytes(text))
    if narrow != (wide and tuple(map(to_bytes, wide))):
        raise Undecidable("a regular expression that depends on the locale")
    return wide


def _expression(pieces: tuple[Piece, ...]) -> str:
    """Return the expression that bash gives to the C library for these pieces."""
    if not any(is_quoted for _, is_quoted in pieces):
        return "".join([text for text, _ in pieces])
    characters = [(character, is_quoted) for text, is_quoted in pieces for character in text]
    result: list[str] = []
    position = 0
    while position < len(characters):
        character, is_quoted = characters[position]
        position += 1
        if is_quoted and character in ".[\\()*+?{|^$":
            result.append(_BACKSLASH)
        result.append(character)
        if character == "[" and not is_quoted:
            end = _bracket_end(characters, position)
            result += [character for character, _ in characters[position:end]]
            position = end
    return "".join(result)


def _bracket_end(characters: list[tuple[str, bool]], start: int) -> int:
    """Return where a bracket expression ends whose inside is at `start`, or `start` if nowhere.

    Within it, quotes mean nothing but that a bracket in them doesn't end it.
    """
    plain = "".join(["\0" if is_quoted else character for character, is_quoted in characters])
    position = start
    if plain.startswith("^", position):
        position += 1
    if plain.startswith("]", position):
        position += 1
    inner = ""
    while position < len(plain):
        if plain[position : position + 2] in ("[:", "[=", "[."):
            inner = plain[position + 1]
            position += 2
            if inner != ":" and plain.startswith("]", position):
                position += 1
        elif inner and plain.startswith(inner + "]", position):
            inner = ""
            position += 2
        elif plain[position] == "]":
            return position + 1
        else:
            position += 1
    return start


# --- the tree --------------------------------------------------------------------------------


class _Kind(Enum):
    ONE = auto()  # one character
    ANCHOR = auto()
    JOIN = auto()  # one after the other
    EITHER = auto()  # `|`, and what is optional
    STAR = auto()
    GROUP = auto()
    OPEN = auto()
    CLOSE = auto()
    END = auto()


@dataclass(eq=False, slots=True)
class _Tree:
    """A node of an expression's tree, and of the automaton, if it has a `number`."""

    kind: _Kind
    left: _Tree | None = None
    right: _Tree | None = None
    # what a character is one of, as the ends of ranges
    ranges: tuple[tuple[str, str], ...] = ()
    is_negated: bool = False
    # of an anchor: whether there must be a word before and after it, or one of `^` and `$`
    anchor: str = ""
    group: int = 0
    is_optional: bool = False
    number: int = -1
    # where a match of this node starts, and what comes after it
    first: _Tree | None = None
    next: _Tree | None = None
    size: int = 1


_WORD: Final = (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z"))
_SPACE: Final = (("\t", "\r"), (" ", " "))
_LARGEST_COUNT: Final = 255
_COUNTS: Final = re.compile(r"([0-9]*)(,?)([0-9]*)\}")


class _Parser:
    """Parses an expression as glibc does with `REG_EXTENDED`."""

    def __init__(self, text: str, ignore_case: bool) -> None:
        self.text = text
        self.position = 0
        self.ignore_case = ignore_case
        self.groups = 0
        self.has_class = False
        self.nodes = 0

    def refuse(self) -> NoReturn:
        """Say that bash would refuse the expression, or might."""
        raise Undecidable("an odd regular expression")

    def node(self, kind: _Kind, left: _Tree | None = None, right: _Tree | None = None) -> _Tree:
        """Return a new node."""
        self.nodes += 1
        if self.nodes > _MOST_NODES:
            raise TooExpensive("a very long regular expression")
        size = 1 + (left.size if left else 0) + (right.size if right else 0)
        return _Tree(kind, left, right, size=size)

    def peek(self) -> str:
        """Return the next character, or nothing."""
        return self.text[self.position : self.position + 1]

    def parse(self) -> _Tree:
        """Return the tree of the whole."""
        tree = self.alternatives(0)
        end = self.node(_Kind.END)
        return self.node(_Kind.JOIN, tree, end) if tree else end

    def alternatives(self, depth: int) -> _Tree | None:
        """`a|b`."""
        if depth > _DEEPEST:
            raise TooExpensive("a regular expression nested too deeply")
        tree = self.branch(depth)
        while self.peek() == "|":
            self.position += 1
            tree = self.node(_Kind.EITHER, tree, self.branch(depth))
        return tree

    def branch(self, depth: int) -> _Tree | None:
        """`abc`."""
        tree: _Tree | None = None
        while (character := self.peek()) and character != "|" and not (depth and character == ")"):
            item = self.repeated(depth)
            tree = self.node(_Kind.JOIN, tree, item) if tree and item else tree or item
        return tree

    def repeated(self, depth: int) -> _Tree | None:
        """`a*`."""
        item: _Tree | None = self.item(depth)
        if item and (item.kind is _Kind.ANCHOR or item.anchor):
            # an operator after it would be an error
            return item
        while (operator := self.peek()) and operator in "*+?{":
            self.position += 1
            least, most = {"*": (0, -1), "+": (1, -1), "?": (0, 1)}.get(operator) or self.counts()
            item = self.repeat(item, least, most)
        return item

    def counts(self) -> tuple[int, int]:
        """Return the numbers of `{2,3}`; -1 means any number."""
        match = _COUNTS.match(self.text, self.position)
        if not match or match.group() == "}":
            self.refuse()
        least, comma, most = match.groups()
        if len(least) > 3 or len(most) > 3:
            raise TooExpensive("a regular expression with a large number of repetitions")
        self.position = match.end()
        first = int(least or "0")
        last = first if not comma else int(most) if most else -1
        if last >= 0 and first > last:
            self.refuse()
        if max(first, last) > _LARGEST_COUNT:
            raise TooExpensive("a regular expression with a large number of repetitions")
        return first, last

    def repeat(self, item: _Tree | None, least: int, most: int) -> _Tree | None:
        """Return a tree for so many items; glibc writes them all out.

        With an anchor among them glibc loses matches, or doesn't end.
        """
        if item is None or most == 0:
            return None
        if most != 1 and any(part.anchor for part in _postorder(item)):
            raise Undecidable("a repeated anchor in a regular expression")
        before: _Tree | None = None
        if least:
            before = item
            for _ in range(1, least):
                before = self.node(_Kind.JOIN, before, self.copy(item))
            if least == most:
                return before
            item = self.copy(item)
        if item.kind is _Kind.GROUP:
            for part in _postorder(item):
                if part.kind is _Kind.GROUP and part.group == item.group:
                    part.is_optional = True
        tree = self.node(_Kind.STAR if most < 0 else _Kind.EITHER, item)
        for _ in range(least + 1, most):
            tree = self.node(_Kind.EITHER, self.node(_Kind.JOIN, tree, self.copy(item)))
        return self.node(_Kind.JOIN, before, tree) if before else tree

    def copy(self, tree: _Tree) -> _Tree:
        """Return a copy of a tree."""
        self.nodes += tree.size
        if self.nodes > _MOST_NODES:
            raise TooExpensive("a very long regular expression")
        copies: dict[_Tree | None, _Tree] = {}
        for part in _postorder(tree):
            copies[part] = replace(
                part,
                left=copies.get(part.left),
                right=copies.get(part.right),
                # as glibc has it, whatever the reason
                is_optional=False,
            )
        return copies[tree]

    def item(self, depth: int) -> _Tree:
        """A character, an anchor, a bracket expression or a group."""
        character = self.peek()
        self.position += 1
        if character in "*+?{":
            self.refuse()
        if character == "(":
            self.groups += 1
            number = self.groups
            inside = self.alternatives(depth + 1)
            if self.peek() != ")":
                self.refuse()
            self.position += 1
            group = self.node(_Kind.GROUP, inside)
            group.group = number
            return group
        if character in "^$":
            return self.anchored(character)
        if character == "[":
            return self.bracket()
        if character == ".":
            return self.one((), is_negated=True)
        if character == _BACKSLASH:
            return self.escape(depth)
        return self.literal(character)

    def one(self, ranges: tuple[tuple[str, str], ...], *, is_negated: bool = False) -> _Tree:
        """Return a node for one character."""
        node = self.node(_Kind.ONE)
        node.ranges, node.is_negated = ranges, is_negated
        return node

    def literal(self, character: str) -> _Tree:
        """Return a node for this character."""
        if self.ignore_case:
            character = character.upper()
        return self.one(((character, character),))

    def anchored(self, anchor: str) -> _Tree:
        """Return a node for an anchor."""
        node = self.node(_Kind.ANCHOR)
        node.anchor = anchor
        return node

    def escape(self, depth: int) -> _Tree:
        """What a backslash and a character stand for."""
        character = self.peek()
        self.position += 1
        if not character:
            self.refuse()
        if character in "123456789":
            raise Undecidable("a back-reference in a regular expression")
        if character in "wWsS":
            self.has_class = True
            ranges = _WORD if character in "wW" else _SPACE
            return self.one(ranges, is_negated=character in "WS")
        if character in "bB<>":
            self.has_class = True
            if depth:
                raise Undecidable("the edge of a word in a group of a regular expression")
        # whether there is part of a word before and after
        pairs = {"b": ("01", "10"), "B": ("11", "00"), "<": ("01",), ">": ("10",)}.get(character)
        if pairs:
            first, *others = map(self.anchored, pairs)
            if not others:
                return first
            either = self.node(_Kind.EITHER, first, others[0])
            either.anchor = character
            return either
        if character in "`'":
            return self.anchored("^" if character == "`" else "$")
        return self.literal(character)

    def bracket(self) -> _Tree:
        """A bracket expression, after its `[`."""
        is_negated = self.peek() == "^"
        if is_negated:
            self.position += 1
        ranges: list[tuple[str, str]] = []
        is_first = True
        while is_first or self.peek() != "]":
            low = self.element(accepts_hyphen=is_first)
            is_first = False
            if len(low) > 1:
                ends = CHARACTER_CLASSES[low[1:]]
                ranges += [(ends[at], ends[at + 1]) for at in range(0, len(ends), 2)]
                if self.peek() == "-" and self.text[self.position + 1 : self.position + 2] != "]":
                    self.refuse()
                continue
            high = low
            if self.peek() == "-" and self.text[self.position + 1 : self.position + 2] != "]":
                self.position += 1
                high = self.element(accepts_hyphen=True)
            if len(high) > 1 or low > high:
                self.refuse()
            ranges.append((low, high))
        self.position += 1
        if not all(low.isascii() and high.isascii() for low, high in ranges):
            raise Undecidable("a bracket expression with characters outside ASCII")
        return self.one(tuple(ranges), is_negated=is_negated)

    def element(self, *, accepts_hyphen: bool) -> str:
        """Return a character of a bracket expression, or a colon and the name of a class."""
        text = self.text
        character = self.peek()
        self.position += 1
        if not character:
            self.refuse()
        following = self.peek()
        if character == "[" and following and following in ":.=":
            end = text.find(following + "]", self.position + 1)
            name = text[self.position + 1 : end]
            self.position = end + 2
            if end < 0:
                self.refuse()
            if following == ":":
                if name not in CHARACTER_CLASSES or name in ("ascii", "word"):
                    self.refuse()
                self.has_class = True
                if self.ignore_case and name in ("upper", "lower"):
                    name = "alpha"
                return ":" + name
            raise Undecidable("a collating symbol in a regular expression")
        if character == "-" and not accepts_hyphen and following != "]":
            self.refuse()
        return character.upper() if self.ignore_case else character


def _postorder(tree: _Tree) -> Iterator[_Tree]:
    """Yield the nodes of a tree, each after those below it, from left to right."""
    pending: list[tuple[_Tree, bool]] = [(tree, False)]
    while pending:
        node, is_done = pending.pop()
        if is_done:
            yield node
            continue
        pending.append((node, True))
        pending += [(child, False) for child in (node.right, node.left) if child]


# --- the automaton ---------------------------------------------------------------------------

# where a position is, for anchors
_AT_START: Final = 1
_AT_END: Final = 2
_AFTER_WORD: Final = 4
_BEFORE_WORD: Final = 8


class _Program:
    """The automaton of an expression. Sets of its nodes are integers with one bit for each."""

    def __init__(self, expression: str, ignore_case: bool) -> None:
        parser = _Parser(expression, ignore_case)
        tree = parser.parse()
        self.ignore_case = ignore_case
        self.has_class = parser.has_class
        self.groups = parser.groups
        self.same_as = _merge_groups(tree, parser.groups)
        tree = _lowered(tree)
        self.nodes = _numbered(tree)
        self.destinations = [_destinations(node) for node in self.nodes]
        self.start = _number(tree.first)
        self.end = len(self.nodes) - 1
        self.has_anchors = any(node.kind is _Kind.ANCHOR for node in self.nodes)
        self.has_edges = any(node.anchor not in ("", "^", "$") for node in self.nodes)
        self.sources: list[list[int]] = [[] for _ in self.nodes]
        for number, node in enumerate(self.nodes):
            if node.kind is not _Kind.ONE:
                for destination in self.destinations[number]:
                    self.sources[destination].append(number)
        self.accepting: dict[str, int] = {}
        self.closures: dict[tuple[int, int, bool], int] = {}
        self.moves: dict[int, int] = {}
        self.work = 0

    def spend(self, work: int) -> None:
        """Take work off the budget of one search."""
        self.work += work
        if self.work > _MOST_WORK:
            raise TooExpensive("a regular expression that takes too much work")

    def context(self, text: str, position: int) -> int:
        """Return what anchors can see at a position."""
        if not self.has_anchors:
            return 0
        result = 0
        if position == 0:
            result |= _AT_START
        elif _is_word(text[position - 1]):
            result |= _AFTER_WORD
        if position == len(text):
            result |= _AT_END
        elif _is_word(text[position]):
            result |= _BEFORE_WORD
        return result

    def accepts(self, character: str) -> int:
        """Return the nodes that take a character."""
        result = self.accepting.get(character)
        if result is None:
            result = 0
            for number, node in enumerate(self.nodes):
                if node.kind is _Kind.ONE and node.is_negated != any(
                    low <= character <= high for low, high in node.ranges
                ):
                    result |= 1 << number
            self.accepting[character] = result
        return result

    def closure(self, nodes: int, context: int, *, is_backward: bool = False) -> int:
        """Return the nodes that can be reached from some without taking a character."""
        key = (nodes, context, is_backward)
        result = self.closures.get(key)
        if result is not None:
            return result
        result = nodes
        pending = list(_bits(nodes))
        while pending:
            number = pending.pop()
            self.spend(1)
            for other in self.sources[number] if is_backward else self.destinations[number]:
                if result >> other & 1:
                    continue
                passed = self.nodes[other if is_backward else number]
                if passed.kind is _Kind.ONE or (
                    passed.kind is _Kind.ANCHOR and not _holds(passed.anchor, context)
                ):
                    continue
                result |= 1 << other
                pending.append(other)
        if len(self.closures) > _CACHE_SIZE:
            self.closures.clear()
        self.closures[key] = result
        return result

    def move(self, nodes: int) -> int:
        """Return the nodes after those of `nodes`, all of which take a character."""
        result = self.moves.get(nodes)
        if result is None:
            result = 0
            for number in _bits(nodes):
                self.spend(1)
                result |= 1 << self.destinations[number][0]
            if len(self.moves) > _CACHE_SIZE:
                self.moves.clear()
            self.moves[nodes] = result
        return result

    def backward(self, text: str, first: int, last: int, *, ends_anywhere: bool) -> list[int]:
        """Return, for each position, the nodes from which the end can be reached.

        The end is at `last`, or at any place up to it.
        """
        end = 1 << self.end
        live = self.closure(end, self.context(text, last), is_backward=True)
        result = [live]
        for position in range(last - 1, first - 1, -1):
            nodes = end if ends_anywhere else 0
            takers = self.accepts(text[position])
            self.spend(1 + takers.bit_count())
            for number in _bits(takers):
                if live >> self.destinations[number][0] & 1:
                    nodes |= 1 << number
            live = self.closure(nodes, self.context(text, position), is_backward=True)
            result.append(live)
        result.reverse()
        return result

    def forward(self, text: str, first: int) -> tuple[list[int], int]:
        """Return, for each position from `first` on, the nodes reached, and the last end."""
        live = self.closure(1 << self.start, self.context(text, first))
        result = [live]
        end = first
        for position in range(first, len(text)):
            self.spend(1)
            if live >> self.end & 1:
                end = position
            nodes = self.move(live & self.accepts(text[position]))
            if not nodes:
                return result, end
            live = self.closure(nodes, self.context(text, position + 1))
            result.append(live)
        return result, len(text) if live >> self.end & 1 else end

    def search(self, text: str) -> tuple[str, ...] | None:
        """Return the leftmost, longest match and its groups."""
        self.work = 0
        subject = text.upper() if self.ignore_case else text
        starts = self.backward(subject, 0, len(text), ends_anywhere=True)
        first = next((at for at, nodes in enumerate(starts) if nodes >> self.start & 1), -1)
        if first < 0:
            return None
        reached, last = self.forward(subject, first)
        if not self.groups:
            return (text[first:last],)
        ending = self.backward(subject, first, last, ends_anywhere=False)
        live = [before & after for before, after in zip(reached, ending, strict=False)]
        spans = self.walk(live, first, last)
        return (
            text[first:last],
            *(text[max(spans[2 * at], 0) : max(spans[2 * at + 1], 0)] for at in self.same_as[1:]),
        )

    def walk(self, live: list[int], first: int, last: int) -> list[int]:
        """Return the starts and ends of the groups on glibc's way through the live nodes."""
        spans = [-1] * (2 * self.groups + 2)
        kept = spans.copy()
        position, number = first, self.start
        visited = 0
        while True:
            self.spend(1)
            node = self.nodes[number]
            if node.kind is _Kind.OPEN:
                spans[2 * node.group] = position
                spans[2 * node.group + 1] = -1
            elif node.kind is _Kind.CLOSE:
                if spans[2 * node.group] < position:
                    spans[2 * node.group + 1] = position
                    kept = spans.copy()
                elif node.is_optional and kept[2 * node.group] != -1:
                    # a further, empty match of what is repeated counts for nothing
                    spans = kept.copy()
                else:
                    spans[2 * node.group + 1] = position
            elif node.kind is _Kind.END and position == last:
                return spans
            if node.kind is _Kind.ONE:
                number = self.destinations[number][0]
                position += 1
                visited = 0
                continue
            visited |= 1 << number
            ways = [way for way in self.destinations[number] if live[position - first] >> way & 1]
            if not ways:
                raise Undecidable("groups of a regular expression that glibc loses")
            if self.has_edges and len(ways) > 1:
                raise Undecidable("groups next to the edge of a word in a regular expression")
            # go round no loop twice
            number = ways[1] if len(ways) > 1 and visited >> ways[0] & 1 else ways[0]


def _is_word(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "_")


def _holds(anchor: str, context: int) -> bool:
    """Whether an anchor matches in a context."""
    if anchor == "^":
        return bool(context & _AT_START)
    if anchor == "$":
        return bool(context & _AT_END)
    return anchor == f"{context & _AFTER_WORD and 1}{context & _BEFORE_WORD and 1}"


def _bits(nodes: int) -> Iterator[int]:
    while nodes:
        lowest = nodes & -nodes
        yield lowest.bit_length() - 1
        nodes ^= lowest


def _merge_groups(tree: _Tree, groups: int) -> list[int]:
    """Take out groups that hold nothing but a group; return which group each is the same as."""
    same_as = list(range(groups + 1))
    gone: set[_Tree] = set()
    for node in reversed(list(_postorder(tree))):
        if node.kind is not _Kind.GROUP or node in gone:
            continue
        if node.left and node.left.kind is _Kind.GROUP:
            same_as[node.left.group] = same_as[node.group]
            gone.add(node.left)
            node.left = node.left.left
    return same_as


def _lowered(tree: _Tree) -> _Tree:
    """Replace groups by nodes that mark where they start and end."""
    for node in list(_postorder(tree)):
        if node.left and node.left.kind is _Kind.GROUP:
            node.left = _marked(node.left)
        if node.right and node.right.kind is _Kind.GROUP:
            node.right = _marked(node.right)
    return tree


def _marked(group: _Tree) -> _Tree:
    opening = _Tree(_Kind.OPEN, group=group.group, is_optional=group.is_optional)
    closing = _Tree(_Kind.CLOSE, group=group.group, is_optional=group.is_optional)
    inside = _Tree(_Kind.JOIN, group.left, closing) if group.left else closing
    return _Tree(_Kind.JOIN, opening, inside)


def _numbered(tree: _Tree) -> list[_Tree]:
    """Return the nodes of the automaton, in glibc's order, each with what comes after it."""
    nodes: list[_Tree] = []
    order = list(_postorder(tree))
    for node in order:
        if node.kind is _Kind.JOIN:
            assert node.left
            node.first = node.left.first
        else:
            node.first = node
            node.number = len(nodes)
            nodes.append(node)
    for node in reversed(order):
        if node.kind is _Kind.JOIN:
            assert node.left
            assert node.right
            node.left.next = node.right.first
            node.right.next = node.next
            continue
        for child in (node.left, node.right):
            if child:
                child.next = node if node.kind is _Kind.STAR else node.next
    return nodes


def _number(node: _Tree | None) -> int:
    assert node
    return node.number


def _destinations(node: _Tree) -> tuple[int, ...]:
    """Return where a node leads, in the order in which glibc tries it: that of the numbers."""
    if node.kind is _Kind.END:
        return ()
    if node.kind is _Kind.STAR:
        assert node.left
        return tuple(sorted({_number(node.left.first), _number(node.next)}))
    if node.kind is _Kind.EITHER:
        sides = (node.left, node.right)
        return tuple(sorted({_number(side.first if side else node.next) for side in sides}))
    return (_number(node.next),)


@lru_cache(_CACHE_SIZE)
def _program(expression: str, ignore_case: bool) -> _Program:
    return _Program(expression, ignore_case)
