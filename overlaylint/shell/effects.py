"""Which variables a function could assign, read off its text.

For functions that are known and yet not evaluated: one that calls itself under a condition that
nobody can tell, and those that a trace does not follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial

from overlaylint.records import dataclass, once_each
from overlaylint.shell.syntax import (
    Assignment,
    DoubleQuoted,
    For,
    ForArithmetic,
    Function,
    List,
    Parameter,
    Simple,
    Source,
    Subshell,
    While,
    Word,
)

_DECLARING = frozenset({"local", "declare", "typeset"})
_ASSIGNING = frozenset(
    {"export", "readonly", "read", "printf", "mapfile", "readarray", "unset", "getopts"}
)
_OPAQUE = frozenset({"eval", "source", "."})
_LEAVING = frozenset({"return", "eval", "source", "."})

# The fields of each class of nodes that may hold other nodes.
_FIELDS: dict[type, tuple[str, ...]] = {}


def assigned_names(
    function: Function, functions: Mapping[str, object]
) -> tuple[frozenset[str], bool]:
    """Return the names of variables that a call of `function` could assign.

    What it calls is looked at as well. What a function puts back to what it was is left out. The
    second value tells whether these are certainly all: it is false where a name is made at run
    time, or `eval` is used.
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


@once_each
def _own(function: Function) -> _Own:
    local: set[str] = set()
    assigned: set[str] = set()
    named: set[str] = set()  # given a value without an assignment
    called: set[str] = set()
    is_complete = True
    nodes = tuple(_nodes(function.body))
    for node in nodes:
        if isinstance(node, For):
            named.add(node.name)
        elif isinstance(node, Simple):
            is_complete &= _command(node, local, assigned, named, called)
    assigned |= named
    every = [one for node in nodes for one in _direct(node)]
    copies = {(one.name, _copied(one)) for one in every}
    # Only what is copied to another name and from there may be put back.
    plain = {name for name, other in copies if name != other and (other, name) in copies} - named
    lists = [node for node in nodes if isinstance(node, List)]
    put_back = frozenset(name for name in plain if _is_put_back(name, every, lists))
    return _Own(frozenset(assigned - local - put_back), frozenset(called), is_complete)


def _is_put_back(name: str, every: Iterable[Assignment], lists: Iterable[List]) -> bool:
    """Whether a function gives a variable, where it sets it, its old value again.

    As in `old=$IFS; IFS=:; ...; IFS=$old`, in one list of commands that is not left between.
    `every` are all its assignments, and `lists` all its lists of commands.
    """
    sets = [one for one in every if one.name == name]
    if any(one.subscript is not None for one in sets):
        return False
    for node in lists:
        direct = [list(_direct(command)) for command in node.commands]
        own = [one for found in direct for one in found]
        first = next((one for one in own if one.name == name), None)
        saved = [one for one in own if first and one.start < first.start and _copied(one) == name]
        if first is None or not saved or name == saved[-1].name:
            continue
        keeper = saved[-1].name
        last = [one for one in own if one.name == name and _copied(one) == keeper]
        if not last or any(
            one.name == keeper and saved[-1].start < one.start < last[-1].start for one in every
        ):
            continue
        between = [
            command
            for command in node.commands
            if command.start < last[-1].start and command.end > first.end
        ]
        if not any(_may_leave(command) for command in between):
            sets = [one for one in sets if not first.start <= one.start <= last[-1].start]
    return not sets


def _direct(command: object) -> Iterator[Assignment]:
    """Yield the assignments that a command is, or that it declares."""
    if not isinstance(command, Simple):
        return
    words = command.words
    if not words:
        yield from command.assignments
    elif isinstance(words[0], Word) and words[0].text in _DECLARING | _ASSIGNING:
        yield from (word for word in words[1:] if isinstance(word, Assignment))


def _copied(assignment: Assignment) -> str | None:
    """Return the variable of which an assignment gives just what it holds, None if it is none."""
    value = assignment.value
    if assignment.append or assignment.subscript or not isinstance(value, Word):
        return None
    if value.source.text.find("$", value.start, value.end) < 0:
        # Most need not be taken apart.
        return None
    parts = value.parts
    if len(parts) == 1 and isinstance(parts[0], DoubleQuoted):
        parts = parts[0].parts
    if len(parts) != 1 or not isinstance(parts[0], Parameter):
        return None
    only = parts[0]
    return None if only.prefix or only.subscript or only.operator else only.name


def _may_leave(node: object, in_loop: bool = False) -> bool:
    """Whether a command may leave the list that it is in."""
    if isinstance(node, tuple):
        return any(_may_leave(one, in_loop) for one in node)
    if isinstance(node, Simple):
        first = node.words[0] if node.words else None
        name = first.text if isinstance(first, Word) else ""
        return name is None or name in _LEAVING or (not in_loop and name in ("break", "continue"))
    in_loop = in_loop or isinstance(node, For | ForArithmetic | While)
    return any(_may_leave(one, in_loop) for one in _below(node))


def _command(
    node: Simple, local: set[str], assigned: set[str], named: set[str], called: set[str]
) -> bool:
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
        is_declared = name in _DECLARING
        for word in words[1:]:
            if isinstance(word, Assignment):
                (local if is_declared else assigned).add(word.name)
            elif word.text is None:
                return False
            elif not word.text.startswith("-"):
                (local if is_declared else named).add(word.text)
    return True


def simple_commands(function: Function) -> Iterator[Simple]:
    """Yield every simple command in a function's text, those inside of words left out."""
    return (node for node in _nodes(function.body, True) if isinstance(node, Simple))


def _nodes(root: object, in_subshells: bool = False) -> Iterator[object]:
    """Yield every node below one, without the commands inside words and in subshells."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(node)
            continue
        if isinstance(node, Subshell) and not in_subshells:
            continue
        yield node
        stack.extend(_below(node))


def _below(node: object) -> Iterator[object]:
    """Yield what the fields of a node hold; nothing of what is not looked into."""
    kind = node.__class__
    names = _FIELDS.get(kind)
    if names is None:
        found = []
        if is_dataclass(node) and not isinstance(node, Simple | Word | Source | Function):
            found = [one.name for one in fields(node)]
        names = _FIELDS[kind] = tuple(one for one in found if one not in ("source", "start", "end"))
    return map(partial(getattr, node), names)
