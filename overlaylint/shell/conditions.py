"""What a call stands under: tests whose outcome static evaluation can't tell.

A condition is a small boolean expression. Its leaves are USE flags and other checks, which are
named by the words that were tested and the place where they stand. Conditions are looked up again
and again while a phase is traced, so each keeps its hash.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import field
from typing import Any

from overlaylint.records import dataclass
from overlaylint.shell.syntax import Source
from overlaylint.shell.values import Value


def _hash_of(parts: Callable[[Any], object]) -> Callable[[Any], int]:
    """Return a `__hash__`: that of some of an object's parts, made once and kept in `kept_hash`."""

    def hash_(of: Any) -> int:
        try:
            kept: int = of.kept_hash
        except AttributeError:
            kept = of.kept_hash = hash(parts(of))
        return kept

    return hash_


@dataclass(frozen=True, slots=True)
class UseFlag:
    """`use name` succeeds."""

    name: str

    def __str__(self) -> str:
        return f"use {self.name}"


@dataclass(frozen=True, slots=True)
class Check:
    """A command or a test succeeds; `words` is what was tested, as far as it is known.

    Two checks are the same if they stand at the same place and test the same words.
    """

    words: tuple[Value, ...]
    source: Source | None = field(default=None, compare=False)
    start: int = 0
    end: int = 0
    # tells apart what stands for conditions that are too large to be kept (see `both`)
    whole: int = field(default=0, repr=False)
    kept_hash: int = field(init=False, repr=False, compare=False)

    __hash__ = _hash_of(lambda self: (self.words, self.start, self.end, self.whole))

    def __str__(self) -> str:
        return " ".join(str(word) for word in self.words)


@dataclass(frozen=True, slots=True)
class Not:
    """`condition` does not hold."""

    condition: Condition
    kept_hash: int = field(init=False, repr=False, compare=False)

    __hash__ = _hash_of(lambda self: ("not", self.condition))

    def __str__(self) -> str:
        return f"not ({self.condition})"


@dataclass(frozen=True, slots=True)
class Both:
    """Both hold."""

    left: Condition
    right: Condition
    size: int = field(default=2, repr=False, compare=False)
    kept_hash: int = field(init=False, repr=False, compare=False)

    __hash__ = _hash_of(lambda self: (self.left, self.right))

    def __str__(self) -> str:
        return f"{self.left} and {self.right}"


Condition = UseFlag | Check | Not | Both

_MOST_TESTS = 200


def negate(condition: Condition) -> Condition:
    """Return the condition that holds where `condition` does not."""
    return condition.condition if isinstance(condition, Not) else Not(condition)


def both(left: Condition, right: Condition) -> Condition:
    """Return the condition that holds where both do.

    One of very many tests is no longer kept, but a check that stands for it: conditions share
    parts, and what takes one apart would meet these again and again.
    """
    if left == right:
        return left
    size = _size(left) + _size(right)
    if size > _MOST_TESTS:
        first = next(leaves(left))
        place = (first.source, first.start, first.end) if isinstance(first, Check) else (None, 0, 0)
        return Check((f"{first}, and many more tests",), *place, hash((left, right)))
    return Both(left, right, size)


def either(left: Condition, right: Condition) -> Condition:
    """Return the condition that holds where one of them does."""
    return left if left == right else negate(both(negate(left), negate(right)))


def _size(condition: Condition) -> int:
    """Return of how many tests a condition is made."""
    if isinstance(condition, Not):
        condition = condition.condition
    return condition.size if isinstance(condition, Both) else 1


def conjuncts(condition: Condition) -> Iterable[Condition]:
    """Split a condition into those that must all hold."""
    if isinstance(condition, Both):
        yield from conjuncts(condition.left)
        yield from conjuncts(condition.right)
    else:
        yield condition


def leaves(condition: Condition) -> Iterator[UseFlag | Check]:
    """Yield the flags and tests that a condition is made of."""
    if isinstance(condition, Not):
        yield from leaves(condition.condition)
    elif isinstance(condition, Both):
        yield from leaves(condition.left)
        yield from leaves(condition.right)
    else:
        yield condition


def holds(condition: Condition, decide: Callable[[UseFlag | Check], bool | None]) -> bool | None:
    """Return whether a condition holds, if `decide` tells of its leaves; None if it doesn't."""
    if isinstance(condition, Not):
        inside = holds(condition.condition, decide)
        return None if inside is None else not inside
    if isinstance(condition, Both):
        left = holds(condition.left, decide)
        if left is False:
            return False
        right = holds(condition.right, decide)
        if right is False:
            return False
        return True if left and right else None
    return decide(condition)


def any_true(answers: Iterable[bool | None]) -> bool | None:
    """Return whether one of several answers is yes; None if that hangs on those that are None."""
    found = set(answers)
    return True if True in found else None if None in found else False


def all_true(answers: Iterable[bool | None]) -> bool | None:
    """Return whether all of several answers are yes; None if that hangs on those that are None."""
    found = set(answers)
    return False if False in found else None if None in found else True


def excluding(conditions: Iterable[Condition], known: Container[Condition]) -> Condition | None:
    """Return what must hold so that not all of `conditions` do, under which a way left early.

    What is `known` to hold is left out. None where nothing more must: one of them is known not to
    hold, or all are known to, and what follows is never run.
    """
    whole: Condition | None = None
    for condition in conditions:
        if condition in known:
            continue
        if negate(condition) in known:
            return None
        whole = condition if whole is None else both(whole, condition)
    return None if whole is None else negate(whole)
