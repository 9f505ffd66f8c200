"""Where the tables and keys of a TOML file stand: tomllib tells values, but no places."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

_ENDS = ("]", "}", '"""', "'''")
# More lines than these that may end one statement are not tried.
_MOST_TRIES = 200

Keys = tuple[str | int, ...]
"""The way to a value: keys, and places in lists, as in `("policy", 0, "name")`."""


@lru_cache(maxsize=4)
def statement_lines(text: str) -> Mapping[Keys, int]:
    """Return the line (from 1) on which each table and key of a valid TOML text begins.

    Keys inside an inline table stand on the line of its statement.
    """
    found: dict[Keys, int] = {}
    counts: dict[Keys, int] = {}
    table: Keys = ()
    for line, statement in _statements(text):
        parsed = tomllib.loads(statement)
        if not statement.lstrip().startswith("["):
            _add(found, table, parsed, line)
            continue
        table, value = _header(parsed, counts)
        is_in_list = statement.lstrip().startswith("[[")
        if is_in_list:
            counts[table] = counts.get(table, -1) + 1
            found.setdefault(table, line)
            table = (*table, counts[table])
        assert value in ({}, [{}])
        found.setdefault(table, line)
    return found


def line_of(lines: Mapping[Keys, int], keys: Keys) -> int | None:
    """Return the line of a value, or of the innermost statement around it that is known."""
    for end in range(len(keys), 0, -1):
        if keys[:end] in lines:
            return lines[keys[:end]]
    return None


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield each statement with its first line: the shortest run of lines that is valid TOML.

    One that takes too long to put together, and what is behind it, is left out.
    """
    waiting: list[str] = []
    first = 0
    tries = 0
    for number, line in enumerate(text.split("\n"), 1):
        if not waiting:
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            first, tries = number, 0
        waiting.append(line)
        # A statement goes on to the end of a list, a table or a string in three quotes.
        if first != number and not any(end in line for end in _ENDS):
            continue
        tries += 1
        if tries > _MOST_TRIES:
            return
        statement = "\n".join(waiting)
        try:
            tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            # A list, or a string in three quotes, that goes on.
            continue
        yield first, statement
        waiting.clear()


def _header(parsed: Mapping[str, Any], counts: Mapping[Keys, int]) -> tuple[Keys, Any]:
    """Return the way to the table that a header opens, in the newest entry of each list."""
    keys: Keys = ()
    value: Any = parsed
    while isinstance(value, dict) and value:
        ((key, value),) = value.items()
        if keys in counts:
            keys = (*keys, counts[keys])
        keys = (*keys, key)
    return keys, value


def _add(found: dict[Keys, int], above: Keys, value: Any, line: int) -> None:
    """Note a statement's keys, those of the tables inside it too."""
    # Not by recursion: a dotted key may have a thousand parts.
    waiting = [(above, value)]
    while waiting:
        keys, outer = waiting.pop()
        items: Iterable[tuple[str | int, Any]] = ()
        if isinstance(outer, dict):
            items = outer.items()
        elif isinstance(outer, list):
            items = enumerate(outer)
        for key, inner in items:
            found.setdefault((*keys, key), line)
            waiting.append(((*keys, key), inner))
