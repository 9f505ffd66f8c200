"""Dependency strings as trees with their conditions (PMS 8.2): *DEPEND, LICENSE, RESTRICT ...

Places are character offsets in the string that was given, which is usually a variable's
evaluated value.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import Enum
from functools import lru_cache

from overlaylint.overlay.atom import Atom, AtomError, parse_atom
from overlaylint.records import dataclass

#: Deeper nesting is refused; the deepest in ::gentoo is below ten.
DEEPEST = 100

_TOKEN = re.compile(r"\S+")
_CONDITION = re.compile(r"(?P<not>!?)(?P<flag>[A-Za-z0-9][A-Za-z0-9+_@-]*)\?")


class DependencyError(ValueError):
    """The string is malformed at `start` to `end`; the message is one line."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = end


class Operator(Enum):
    """What a group asks of its children."""

    ALL_OF = "("
    ANY_OF = "||"
    EXACTLY_ONE_OF = "^^"
    AT_MOST_ONE_OF = "??"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One word: an atom, a licence, a flag or an address, with its place.

    `rename` is the name behind `->` in SRC_URI.
    """

    text: str
    start: int
    end: int
    rename: str | None = None

    def atom(self, eapi: str | None = None) -> Atom:
        """Return the atom that the word writes. Raises AtomError where it is none."""
        return parse_atom(self.text, eapi)


@dataclass(frozen=True, slots=True)
class Group:
    """`( ... )`, or `|| ( ... )` and its like.

    A choice of one thing is none (PMS 8.2.3): it has the operator `ALL_OF`, unless conditions
    may leave nothing of that thing.
    """

    operator: Operator
    children: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Conditional:
    """`flag? ( ... )` or `!flag? ( ... )`."""

    flag: str
    is_negated: bool
    children: tuple[Node, ...]
    start: int
    end: int

    def holds(self, use: Collection[str]) -> bool:
        """Whether the children count where these flags are on."""
        return (self.flag in use) is not self.is_negated


Node = Leaf | Group | Conditional


@dataclass(frozen=True, slots=True)
class Dependency:
    """A whole string, taken apart."""

    text: str
    children: tuple[Node, ...]

    def leaves(self) -> Iterator[tuple[Leaf, tuple[Group | Conditional, ...]]]:
        """Yield each word with what it stands in, outermost first."""
        return _leaves(self.children, ())

    def active(self, use: Collection[str]) -> Iterator[tuple[Leaf, tuple[Group, ...]]]:
        """Yield each word that counts where these flags are on, with the groups around it."""
        for leaf, around in self.leaves():
            if all(node.holds(use) for node in around if isinstance(node, Conditional)):
                yield leaf, tuple(node for node in around if isinstance(node, Group))

    def unconditional(self) -> Iterator[Leaf]:
        """Yield each word that always counts: in no condition, and in no choice."""
        for leaf, around in self.leaves():
            if all(isinstance(node, Group) and node.operator is Operator.ALL_OF for node in around):
                yield leaf

    def flags(self) -> frozenset[str]:
        """Return the USE flags that conditions ask about."""
        return frozenset(
            node.flag
            for _, around in self.leaves()
            for node in around
            if isinstance(node, Conditional)
        )


@dataclass(slots=True)
class _Open:
    """A group whose closing parenthesis has not come yet."""

    start: int
    operator: Operator | None
    condition: tuple[str, bool] | None
    children: list[Node]


@lru_cache(maxsize=4096)
def parse_dependency(text: str, *, has_arrows: bool = False) -> Dependency:
    """Take a dependency string apart, or raise DependencyError.

    `has_arrows` tells that `->` renames, as in SRC_URI. Whether a word is a valid atom is
    not looked at here.
    """
    stack = [_Open(0, None, None, [])]
    prefix: re.Match[str] | None = None
    tokens = list(_TOKEN.finditer(text))
    index = 0
    while index < len(tokens):
        token = tokens[index]
        index += 1
        word = token.group()
        if word == "(":
            stack.append(_opened(prefix, token))
            prefix = None
            if len(stack) > DEEPEST:
                raise DependencyError("groups are nested too deeply", token.start(), token.end())
            continue
        if prefix is not None:
            message = f"{prefix.group()!r} is not followed by `(`"
            raise DependencyError(message, prefix.start(), prefix.end())
        if word == ")":
            if len(stack) == 1:
                raise DependencyError("`)` without `(`", token.start(), token.end())
            closed = stack.pop()
            if not closed.children:
                # PMS lets a group be empty, but Portage does not.
                raise DependencyError("a group is empty", closed.start, token.end())
            stack[-1].children.append(_closed(closed, token.end()))
        elif word in ("||", "^^", "??") or word.endswith("?"):
            prefix = token
        elif "(" in word.partition("[")[0] or ")" in word.partition("[")[0]:
            message = f"blanks are missing around a parenthesis in {word!r}"
            raise DependencyError(message, token.start(), token.end())
        else:
            rename = None
            end = token.end()
            if has_arrows and index + 1 < len(tokens) and tokens[index].group() == "->":
                rename = tokens[index + 1].group()
                end = tokens[index + 1].end()
                index += 2
            stack[-1].children.append(Leaf(word, token.start(), end, rename))
    if prefix is not None:
        message = f"{prefix.group()!r} is not followed by `(`"
        raise DependencyError(message, prefix.start(), prefix.end())
    if len(stack) > 1:
        raise DependencyError("`(` without `)`", stack[-1].start, stack[-1].start + 1)
    return Dependency(text, tuple(stack[0].children))


def parse_packages(text: str, eapi: str) -> Dependency:
    """Take a list of packages apart (RDEPEND and its like): each word has to be an atom.

    Raises DependencyError where one is none in that EAPI, and for `^^ ( )` and `?? ( )`, which
    only REQUIRED_USE has.
    """
    found = parse_dependency(text)
    for token in _TOKEN.finditer(text):
        if token.group() in ("^^", "??"):
            message = f"it has no {token.group()} ( )"
            raise DependencyError(message, token.start(), token.end())
    for leaf, _ in found.leaves():
        try:
            leaf.atom(eapi)
        except AtomError as error:
            message = f"`{leaf.text}` is no package in EAPI {eapi}: {error}"
            raise DependencyError(message, leaf.start, leaf.end) from error
    return found


def _opened(prefix: re.Match[str] | None, token: re.Match[str]) -> _Open:
    if prefix is None:
        return _Open(token.start(), Operator.ALL_OF, None, [])
    word = prefix.group()
    if word in ("||", "^^", "??"):
        return _Open(prefix.start(), Operator(word), None, [])
    match = _CONDITION.fullmatch(word)
    if match is None:
        raise DependencyError(f"{word!r} is not a condition", prefix.start(), prefix.end())
    return _Open(prefix.start(), None, (match["flag"], bool(match["not"])), [])


_CHOICES = (Operator.ANY_OF, Operator.EXACTLY_ONE_OF)


def _closed(group: _Open, end: int) -> Node:
    children = tuple(group.children)
    if group.condition is not None:
        return Conditional(*group.condition, children, group.start, end)
    operator = group.operator or Operator.ALL_OF
    if operator in _CHOICES and len(children) == 1 and not _may_vanish(children[0]):
        operator = Operator.ALL_OF
    return Group(operator, children, group.start, end)


def _may_vanish(node: Node) -> bool:
    """Whether all that a node has stands under conditions."""
    if isinstance(node, Group):
        return all(map(_may_vanish, node.children))
    return isinstance(node, Conditional)


def _leaves(
    children: tuple[Node, ...], around: tuple[Group | Conditional, ...]
) -> Iterator[tuple[Leaf, tuple[Group | Conditional, ...]]]:
    for child in children:
        if isinstance(child, Leaf):
            yield child, around
        else:
            yield from _leaves(child.children, (*around, child))
