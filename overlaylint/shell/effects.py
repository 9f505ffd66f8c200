"""Which variables a function could assign, read off its text.

For the one case in which a function is not evaluated although it is known: it calls itself
under a condition that nobody can tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache

from overlaylint.shell.syntax import Assignment, For, Function, Simple, Source, Word

_DECLARING = frozenset({"local", "declare", "typeset"})
_ASSIGNING = frozenset(
    {"export", "readonly", "read", "printf", "mapfile", "readarray", "unset", "getopts"}
)
_OPAQUE = frozenset({"eval", "source", "."})


def assigned_names(
    function: Function, functions: Mapping[str, object]
) -> tuple[frozenset[str], bool]:
    """Return the names of variables that a call of `function` could assign.

    What it calls is looked at as well. The second value tells whether these are certainly all:
    it is false where a name is made at run time, or `eval` is used.
    """
    names: set[str] = set()
    is_complete = True
    seen: set[Function] = set()
    waiting = [function]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        own = _own(current)
        names |= own.assigned
        is_complete &= own.is_complete
        called = (functions.get(name) for name in own.called)
        waiting += [one for one in called if isinstance(one, Function)]
    return frozenset(names), is_complete


@dataclass(frozen=True, slots=True)
class _Own:
    """What a function itself assigns, and the commands that it calls by name."""

    assigned: frozenset[str]
    called: frozenset[str]
    is_complete: bool


@lru_cache(maxsize=16384)
def _own(function: Function) -> _Own:
    local: set[str] = set()
    assigned: set[str] = set()
    called: set[str] = set()
    is_complete = True
    for node in _nodes(function.body):
        if isinstance(node, For):
            assigned.add(node.name)
        elif isinstance(node, Simple):
            is_complete &= _command(node, local, assigned, called)
    return _Own(frozenset(assigned - local), frozenset(called), is_complete)


def _command(node: Simple, local: set[str], assigned: set[str], called: set[str]) -> bool:
    """Note what a simple command assigns; return whether that can be told."""
    words = node.words
    if not words:
        assigned.update(assignment.name for assignment in node.assignments)
        return True
    first = words[0]
    name = first.text if isinstance(first, Word) else None
    if name is None or name in _OPAQUE:
        return name is None  # an unknown program changes no variable
    called.add(name)
    if name in _DECLARING or name in _ASSIGNING:
        target = local if name in _DECLARING else assigned
        for word in words[1:]:
            if isinstance(word, Assignment):
                target.add(word.name)
            elif word.text is None:
                return False
            elif not word.text.startswith("-"):
                target.add(word.text)
    return True


def _nodes(root: object) -> Iterator[object]:
    """Yield every node below one, the commands inside words left out."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(node)
            continue
        yield node
        if is_dataclass(node) and not isinstance(node, Simple | Word | Source | Function):
            stack.extend(getattr(node, item.name) for item in fields(node))
