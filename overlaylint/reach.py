"""What is reached from something, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Thing = TypeVar("Thing")


def reached(
    start: Iterable[Thing], leads_to: Callable[[frozenset[Thing]], Iterable[Thing]]
) -> frozenset[Thing]:
    """Return `start` with all that it leads to, through others too.

    `leads_to` is called with what was reached last, and may return what is reached already.
    """
    found: set[Thing] = set()
    last = frozenset(start)
    while last:
        found |= last
        last = frozenset(leads_to(last)) - found
    return frozenset(found)
