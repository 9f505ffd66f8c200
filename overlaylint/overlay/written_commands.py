"""The commands that an ebuild's own code is written with, before any of it is followed.

To follow every phase of every ebuild of an overlay takes longer than most rules do. This looks at
the syntax tree alone, and at no value and no test: whatever evaluation finds to be run is among the
commands found here. So a rule can leave out the ebuilds that have none it could ask for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import cast

from overlaylint.overlay.command_lines import AROUND, READING, SPLITTING, base_name
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.hooks import env_hooks
from overlaylint.overlay.own_code import own_functions
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass, once_each
from overlaylint.shell.syntax import (
    DoubleQuoted,
    Function,
    Opaque,
    Parameter,
    Part,
    Pipeline,
    Quoted,
    Redirection,
    Simple,
    Text,
    Word,
)

# What runs what its words say, and what runs a text that it is given.
_RUNS_WORDS = READING | AROUND.keys()
_RUNS_TEXT = READING | {"eval", "trap", "complete", "compgen"}

# What runs a text for each few lines, with an option.
_MAPPING = frozenset({"mapfile", "readarray"})
_CALLBACK = re.compile(r"-[A-Za-z0-9]*C")

# A function that defines others when it is run has one of these in its text.
_DEFINES = re.compile(r"\beval\b|(?<![\w-])function\s|(?<!=)\(\s*\)")

# What a command inside of a word begins with.
_INSIDE = re.compile(r"[$<>]\(|`")

# The fields of each class of nodes that may hold other nodes, and the types of those that can't.
_FIELDS: dict[type, tuple[str, ...]] = {}
_NO_NODES = frozenset({"str", "bool", "int", "Source", "tuple[bool, ...]", "tuple[str, ...]"})


@dataclass(frozen=True, slots=True)
class Written:
    """A command as it is written.

    `programs` are the programs and functions that it may be a call of, without folders: more than
    one where a command such as `env` runs another. `words` are the arguments, None for one that
    bash makes something of; `ends` are what they end in, as far as that is written out.
    """

    programs: frozenset[str]
    words: tuple[str | None, ...]
    ends: tuple[str, ...]


@dataclass(frozen=True)
class WrittenCode:
    """All commands that some functions may run; `is_fed` tells whether any may be given a text.

    What a pipe, a here-document or a file gives is meant, and what is written to a file.
    """

    commands: tuple[Written, ...]
    is_fed: bool


def written_code(
    ebuild: Ebuild, overlay: Repository, is_start: Callable[[str], bool]
) -> WrittenCode | None:
    """Return what an ebuild's own functions, and those of the overlay's hooks for it, may run.

    `is_start` says by its name whether a build may begin with a function. None if that may be
    any command: a name is put together, say, or sourcing the ebuild fails.
    """
    evaluation = ebuild.evaluation
    if evaluation.failure is not None or evaluation.state.havoc is not None:
        return None
    own = own_functions(ebuild)
    known: list[WrittenCode] = []
    # A hook may call what the ebuild defines, and a function of its own hides one of that name.
    for functions in (
        own,
        *(_with_hook(overlay, path, own) for path in env_hooks(overlay, ebuild)),
    ):
        code = None if functions is None else _code(functions, is_start)
        if code is None:
            return None
        known.append(code)
    commands = tuple(command for one in known for command in one.commands)
    return WrittenCode(commands, any(one.is_fed for one in known))


def _with_hook(
    overlay: Repository, path: str, own: Mapping[str, Function]
) -> Mapping[str, Function] | None:
    functions = hook_functions(overlay, path)
    return None if functions is None else {**own, **functions}


def hook_code(
    overlay: Repository, path: str, is_start: Callable[[str], bool]
) -> WrittenCode | None:
    """Return what the functions of an env hook may run; None if that may be any command."""
    functions = hook_functions(overlay, path)
    return None if functions is None else _code(functions, is_start)


@once_each
def hook_functions(overlay: Repository, path: str) -> Mapping[str, Function] | None:
    """Return the functions that an env hook defines; None if they can't all be told."""
    from overlaylint.overlay.trace import ScriptTracer

    hook = ScriptTracer(overlay, path)
    if hook.unknown is not None or hook.state.havoc is not None:
        return None
    return {name: one for name, one in hook.functions.items() if isinstance(one, Function)}


def _code(functions: Mapping[str, Function], is_start: Callable[[str], bool]) -> WrittenCode | None:
    waiting = [name for name in functions if is_start(name)]
    # Those that a function defines when it is run are taken to be called.
    defined = [one for function in functions.values() for one in _defined(function)]
    seen: set[Function] = set()
    commands: list[Written] = []
    is_fed = False
    while waiting or defined:
        function = defined.pop() if defined else functions.get(waiting.pop())
        if function is None or function in seen:
            continue
        seen.add(function)
        own = _own_code(function)
        if own is None:
            return None
        commands += own.commands
        is_fed |= own.is_fed
        waiting += [name for command in own.commands for name in command.programs]
    return WrittenCode(tuple(commands), is_fed)


@once_each
def _defined(function: Function) -> tuple[Function, ...]:
    """Return the functions that a function defines; itself where it evaluates a text."""
    if _DEFINES.search(function.source.text, function.body_start, function.end) is None:
        return ()
    found = []
    for node in _nodes(function.body):
        if isinstance(node, Function):
            found.append(node)
        elif isinstance(node, Simple) and any(
            isinstance(word, Word) and word.literal == "eval" for word in node.words
        ):
            found.append(function)
    return tuple(found)


@once_each
def _own_code(function: Function) -> WrittenCode | None:
    """Return the commands in a function, and in those it defines."""
    commands = []
    is_fed = False
    for node in _nodes(function.body):
        if isinstance(node, Opaque):
            return None
        if isinstance(node, Simple) and node.words:
            command = _written(node)
            if command is None:
                return None
            commands.append(command)
        elif isinstance(node, Redirection):
            is_fed |= _moves_text(node)
        elif isinstance(node, Pipeline):
            is_fed |= len(node.commands) > 1
    return WrittenCode(tuple(commands), is_fed)


def _moves_text(node: Redirection) -> bool:
    """Whether a redirection gives a text, or is one from or to a file."""
    target = node.target.literal
    if (
        node.operator in (">&", "<&")
        and target is not None
        and (target.rstrip("-") or "0").isdigit()
    ):
        return False
    return target != "/dev/null"


def _written(command: Simple) -> Written | None:
    words = tuple(word for word in command.words if isinstance(word, Word))
    programs = {_program(word) for word in words[:1]}
    if not programs.isdisjoint(_RUNS_WORDS):
        programs |= {_program(word) for word in words}
        programs |= {None for word in words if SPLITTING.match(word.literal or "")}
    known = frozenset(one for one in programs if one is not None)
    if None in programs or known & _RUNS_TEXT:
        return None
    if known & _MAPPING and any(_CALLBACK.match(word.literal or "-C") for word in words[1:]):
        return None
    return Written(known, tuple(one.literal for one in words[1:]), tuple(map(_end, words[1:])))


def _program(word: Word) -> str | None:
    end = _end(word)
    return base_name(end) if word.literal is not None or "/" in end else None


def _end(word: Word) -> str:
    """Return what a word ends in, behind what bash makes something of.

    Nothing, where the word may come to more than one: the first of them may be anything then.
    """
    if word.literal is not None:
        return word.literal
    part: Word | Part = word
    while isinstance(part, Word | DoubleQuoted):
        if not part.parts or (isinstance(part, Word) and part.is_active):
            return ""
        if isinstance(part, Word) and not all(map(_is_one, part.parts)):
            return ""
        part = part.parts[-1]
    return part.text if isinstance(part, Text | Quoted) else ""


def _is_one(part: Part) -> bool:
    """Whether a part of a word adds to one word, and makes no more of them."""
    if isinstance(part, DoubleQuoted):
        return not any(isinstance(one, Parameter) and _is_list(one) for one in part.parts)
    return isinstance(part, Text | Quoted)


def _is_list(parameter: Parameter) -> bool:
    """Whether a parameter in quotes comes to a word for each element: `"$@"`, `"${a[@]}"`."""
    words = (parameter.subscript, parameter.first, parameter.second)
    texts = (parameter.name, *(word.raw for word in words if word is not None))
    return any("@" in text for text in texts) or parameter.prefix in ("!", "!names")


def _nodes(root: object) -> Iterator[object]:
    """Yield the nodes of a syntax tree, with those inside of words and of functions."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        kind = node.__class__
        if kind is tuple:
            waiting += cast("tuple[object, ...]", node)
        elif isinstance(node, Word):
            if _INSIDE.search(node.source.text, node.start, node.end):
                waiting += node.parts
        elif node is not None:
            yield node
            names = _FIELDS.get(kind)
            if names is None:
                names = _FIELDS[kind] = _below(kind)
            waiting += [getattr(node, name) for name in names]


def _below(kind: type) -> tuple[str, ...]:
    if kind is Simple:
        return ("details",)
    if kind is Function:
        return ("body",)
    return tuple(one.name for one in fields(kind) if one.type not in _NO_NODES)
