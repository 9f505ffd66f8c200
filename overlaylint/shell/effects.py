"""Which variables a function could assign, read off its text.

For functions that are known and yet not evaluated: one that calls itself under a condition that
nobody can tell, and those that a trace does not follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, fields, is_dataclass
from functools import partial

from overlaylint.records import dataclass, once_each
from overlaylint.shell.syntax import (
    AndOr,
    Arithmetic,
    ArithmeticExpansion,
    Assignment,
    Background,
    CommandSubstitution,
    Coprocess,
    Element,
    For,
    ForArithmetic,
    Function,
    List,
    Opaque,
    Parameter,
    Piece,
    Pipeline,
    ProcessSubstitution,
    Redirection,
    Refused,
    Simple,
    Subshell,
    Test,
    Word,
)

_LOCAL = frozenset({"local", "declare", "typeset"})
_DECLARING = _LOCAL | {"export", "readonly"}
_READING = frozenset({"read", "mapfile", "readarray", "getopts", "unset", "wait"})
_OPAQUE = frozenset({"eval", "source", ".", "trap"})

# What is assigned though nothing names it.
_UNNAMED: Mapping[str, tuple[str, ...]] = {
    "read": ("REPLY",),
    "mapfile": ("MAPFILE",),
    "readarray": ("MAPFILE",),
    "getopts": ("OPTIND", "OPTARG"),
    "cd": ("PWD", "OLDPWD"),
    "pushd": ("PWD", "OLDPWD"),
    "popd": ("PWD", "OLDPWD"),
}

# The fields of nodes that hold arithmetic: a subscript is taken for it.
_ARITHMETIC: Mapping[type, tuple[str, ...]] = {
    Arithmetic: ("expression",),
    ArithmeticExpansion: ("expression",),
    Assignment: ("subscript",),
    Element: ("key",),
    ForArithmetic: ("initial", "condition", "step"),
    Parameter: ("subscript",),
}
_NUMERIC = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})

_NAME = re.compile(r"[A-Za-z_]\w*")
_OPERAND = re.compile(r"(?:-\w*?[apv])?([A-Za-z_]\w*)")  # `name`, `name=value`, `-aname`
_IN_EXPRESSION = re.compile(r"(?<![\w$#{])[A-Za-z_]\w*")
_ASSIGNS = re.compile(r"(?<![=!<>])=(?!=)|<<=|>>=|\+\+|--")

# The fields of each class of nodes that may hold other nodes.
_FIELDS: dict[type, tuple[str, ...]] = {}


def assigned_names(
    function: Function, functions: Mapping[str, object]
) -> tuple[frozenset[str], bool]:
    """Return the names of variables that a call of `function` could assign.

    What it calls is looked at as well. The second value tells whether these are certainly all: it
    is false where a name is made at run time, or `eval` is used. The text of variables is not
    looked at, which arithmetic would evaluate, and a command whose name is unknown is taken for a
    program.
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
        waiting += own.inner
        for name in own.called & functions.keys():
            called = functions[name]
            if isinstance(called, Function):
                waiting.append(called)
            else:
                is_complete = False
    return frozenset(names), is_complete


@dataclass(slots=True)
class _Own:
    """What a function itself assigns, the commands that it calls by name, and what it defines."""

    assigned: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    inner: list[Function] = field(default_factory=list)
    is_complete: bool = True


@once_each
def _own(function: Function) -> _Own:
    own = _Own()
    _look(own, function.body, set())
    return own


def _look(own: _Own, node: object, local: set[str]) -> None:
    """Note what a node and those below it assign; `local` are variables that are local by now."""
    if isinstance(node, tuple):
        for one in node:
            _look(own, one, local)
        return
    if isinstance(node, Subshell | Background | CommandSubstitution | ProcessSubstitution | Piece):
        return  # these change nothing outside
    if isinstance(node, Function):
        own.inner.append(node)
    elif isinstance(node, Coprocess):
        own.assigned |= {node.name, f"{node.name}_PID"} - local
    elif isinstance(node, List):
        _look(own, node.commands, set(local))  # a declaration counts to the end of its list
    elif isinstance(node, AndOr | Pipeline):
        first, *others = node.commands
        _look(own, first, local if isinstance(node, AndOr) or not others else set(local))
        for one in others:
            _look(own, one, set(local))  # it may not be run
    elif isinstance(node, Word):
        text = node.source.text
        if text.find("$", node.start, node.end) >= 0 and _ASSIGNS.search(
            text, node.start, node.end
        ):
            _look(own, node.parts, local)
    elif isinstance(node, Simple):
        _look(own, (*node.assignments, *node.words, *node.redirections), local)
        if node.words:
            _command(own, node.words, local)
        else:
            own.assigned |= {one.name for one in node.assignments} - local
    else:
        given = _given(node)
        own.assigned |= given - local
        is_indirect = isinstance(node, Parameter) and node.prefix == "!"
        own.is_complete &= not isinstance(node, Opaque | Refused) and not (given and is_indirect)
        for word in _expressions(node):
            _expression(own, word.raw, local)
        for one in _below(node):
            _look(own, one, local)


def _given(node: object) -> set[str]:
    """Return what a node assigns by itself, arithmetic left out."""
    if isinstance(node, For):
        return {node.name, "REPLY"} if node.is_select else {node.name}
    if isinstance(node, Redirection) and node.descriptor.startswith("{"):
        return {node.descriptor.strip("{}").partition("[")[0]}
    if isinstance(node, Parameter) and node.operator in ("=", ":="):
        return {node.name}
    return {"BASH_REMATCH"} if isinstance(node, Test) and node.operator == "=~" else set()


def _expressions(node: object) -> Iterable[Word]:
    """Return what a node evaluates as arithmetic."""
    names = _ARITHMETIC.get(node.__class__, ())
    if isinstance(node, Parameter) and node.operator == ":":
        names += ("first", "second")  # a substring's
    elif isinstance(node, Test) and node.operator in _NUMERIC:
        names = ("left", "right")
    words = map(partial(getattr, node), names)
    return (word for word in words if word is not None)


def _expression(own: _Own, text: str, local: set[str]) -> None:
    """Note what an arithmetic expression assigns: any name in one that assigns may be meant."""
    if _ASSIGNS.search(text):
        own.is_complete &= "$" not in text and "`" not in text
        own.assigned |= {*_IN_EXPRESSION.findall(text)} - local


def _command(own: _Own, words: tuple[Word | Assignment, ...], local: set[str]) -> None:
    """Note what a command assigns and calls."""
    texts = [one.name if isinstance(one, Assignment) else one.text for one in words]
    while texts and texts[0] in ("command", "builtin"):
        del texts[0]
    name, operands = texts[0] if texts else None, texts[1:]
    if name is None:
        return
    own.called.add(name)
    own.assigned |= {*_UNNAMED.get(name, ())} - local
    if name in _OPAQUE or name.startswith("-"):
        own.is_complete = False
    elif name == "let":
        for word in words:
            if isinstance(word, Word):
                _expression(own, word.raw, local)
    elif name == "printf":
        if operands and (operands[0] is None or operands[0].startswith("-v")):
            _operands(own, name, operands[:2], local)
    elif name in _DECLARING | _READING:
        _operands(own, name, operands, local)


def _operands(own: _Own, name: str, operands: list[str | None], local: set[str]) -> None:
    """Note what a builtin assigns, or makes local, whose operands are names."""
    found = {match[1] for text in operands if text and (match := _OPERAND.match(text))}
    options = "".join(text for text in operands if text and text[0] in "-+")
    own.is_complete &= None not in operands
    if name not in _LOCAL or "g" in options:
        own.assigned |= found - local
    elif not set(options) & set("fFp"):  # else it only shows what there is
        own.is_complete &= "n" not in options
        local |= found


def _below(node: object) -> Iterator[object]:
    """Yield what the fields of a node hold."""
    kind = node.__class__
    names = _FIELDS.get(kind)
    if names is None:
        found = [one.name for one in fields(node)] if is_dataclass(node) else []
        names = _FIELDS[kind] = tuple(one for one in found if one not in ("source", "start", "end"))
    return map(partial(getattr, node), names)
