"""Redirections (bash manual 3.6): where a command reads, and where what it writes goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from overlaylint.shell import expansion
from overlaylint.shell.calls import Redirect
from overlaylint.shell.conditions import Check
from overlaylint.shell.state import BESIDE
from overlaylint.shell.syntax import Redirection, Source
from overlaylint.shell.values import Mixed, Unknown, Value, concatenate, pieces_of, unknown

if TYPE_CHECKING:
    from overlaylint.shell.interpreter import Interpreter

# where what is written goes: the output of the innermost command substitution (or of the script),
# that of one around it, a file or a terminal, or nobody knows where
OUTPUT, OUTER, ELSEWHERE, UNKNOWN = range(4)
SINKS = {1: OUTPUT, 2: ELSEWHERE}
STANDARD_INPUT = frozenset({"/dev/stdin", "/dev/fd/0"})
_CERTAIN_FILES = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/2"})


def redirects(shell: Interpreter, redirections: tuple[Redirection, ...]) -> tuple[Redirect, ...]:
    """Return redirections with their targets expanded."""
    return tuple(
        Redirect(item.descriptor, item.operator, expansion.value_of(shell, item.target))
        for item in redirections
    )


# files that stand for a descriptor
_OTHER_ENDS = {"/dev/stdout": 1, "/dev/fd/1": 1, "/dev/stderr": 2, "/dev/fd/2": 2}


@contextmanager
def redirected(shell: Interpreter, redirects: tuple[Redirect, ...]) -> Iterator[None]:
    """Evaluate with input and output redirected."""
    shell.spend(6)
    saved = shell.sinks, shell.input, shell.outlets
    kept, shell.is_keeping = shell.kept, False
    sinks = dict(shell.sinks)
    is_input = False
    for item in redirects:
        operator, target = item.operator, item.target
        default = 0 if operator[0] == "<" else 1
        number = int(item.descriptor) if item.descriptor.isdigit() else default
        if item.descriptor.startswith("{"):
            name = item.descriptor[1:-1]
            place = place_of(target)
            shell.assign(name, unknown("it is a file descriptor's number", *place), *place)
            continue
        if operator in (">&", "<&"):
            duplicate(sinks, operator, item.descriptor, number, target)
            is_input = is_input or (number == 0 and target != "0")
            if number == 0 and target != "0":
                shell.input = unknown("it is read from another descriptor")
        elif operator in ("&>", "&>>"):
            sinks[1] = sinks[2] = _sink_of(sinks, target)
        elif operator[0] == ">":
            sinks[number] = _sink_of(sinks, target)
        elif number == 0:
            is_input = True
            if operator == "<<<":
                shell.input = concatenate(target, "\n")
            elif operator in ("<<", "<<-"):
                shell.input = target
            else:
                shell.input = content(shell, target)
        else:
            sinks[number] = ELSEWHERE
    shell.sinks = sinks
    if shell.is_tracing:
        shell.outlets = _outlets(shell.outlets, redirects)
    try:
        yield
    finally:
        if shell.is_keeping or kept != shell.kept:
            _keep(shell, is_input=is_input)
        else:
            shell.sinks, shell.outlets = saved[0], saved[2]
            if is_input:
                shell.input = saved[1]


def _keep(shell: Interpreter, *, is_input: bool) -> None:
    """Leave redirections as they are: those of `exec`, and with them what is around it."""
    if not shell.is_keeping or shell.guards or shell.exclusions:
        # the shell may go on with others, here or on another way
        shell.sinks = dict.fromkeys(shell.sinks, UNKNOWN)
    if is_input:
        shell.input = unknown("`exec` may have changed what is read")
    shell.kept += shell.is_keeping
    shell.is_keeping = False


def _outlets(
    outlets: Mapping[int, Redirect], redirects: tuple[Redirect, ...]
) -> Mapping[int, Redirect]:
    """Return which redirection leads a descriptor's output into a file, after some more."""
    found: dict[int, Redirect | None] = dict(outlets)
    for item in redirects:
        operator, target = item.operator, item.target
        if operator[0] not in ">&" or item.descriptor.startswith("{"):
            continue
        number = int(item.descriptor) if item.descriptor.isdigit() else 1
        other = target.rstrip("-") if isinstance(target, str) and operator == ">&" else ""
        one = item if is_of_file(item) else None
        if other.isdigit():
            one = found.get(int(other))
        elif target in _OTHER_ENDS:
            one = found.get(_OTHER_ENDS[str(target)])
        found[number] = one
        if operator in ("&>", "&>>"):
            found[2] = one
    return {number: one for number, one in found.items() if one is not None}


def duplicate(
    sinks: dict[int, int], operator: str, descriptor: str, number: int, target: Value
) -> None:
    """Carry out `>&` or `<&` (3.6.8, 3.6.9)."""
    if isinstance(target, Mixed):
        sinks[number] = UNKNOWN
        if not descriptor:
            sinks[2] = UNKNOWN
    elif target.rstrip("-").isdigit():
        other = int(target.rstrip("-"))
        sinks[number] = sinks.get(other, ELSEWHERE)
        if target.endswith("-") and other != number:
            sinks[other] = ELSEWHERE
    elif target == "-" or descriptor or operator == "<&":
        sinks[number] = ELSEWHERE
    else:
        sinks[1] = sinks[2] = _sink_of(sinks, target)


def descriptors(shell: Interpreter) -> set[str]:
    """Return what may stand after `>&`."""
    return {"0", "-", *map(str, shell.sinks)}


def opens(shell: Interpreter, redirects: tuple[Redirect, ...]) -> Check | None:
    """Return the condition under which all redirections succeed; None if they certainly do."""
    for item in redirects:
        target = item.target
        if item.operator in ("<<", "<<-", "<<<") or target in _CERTAIN_FILES:
            continue
        if item.operator in (">&", "<&") and target in descriptors(shell):
            continue
        if isinstance(target, Mixed) and target.unknown.symbol in shell.processes:
            continue
        return Check((item.operator, target), *place_of(target))
    return None


def content(shell: Interpreter, target: Value) -> Value:
    """Return what a file holds: known of /dev/null and process substitutions only."""
    if target == "/dev/null":
        return ""
    if target in STANDARD_INPUT and shell.input is not None:
        return shell.input
    if isinstance(target, Mixed) and len(target.parts) == 1:
        symbol = target.unknown.symbol
        known = shell.processes.get(symbol)
        if known is not None:
            return known
    return unknown("it is read from a file")


def write_to(shell: Interpreter, sink: int, value: Value) -> None:
    """Write to where a descriptor leads."""
    output = shell.state.output
    if output is None or output == [BESIDE]:
        return
    if sink == OUTPUT:
        pieces = pieces_of(value)
        if output and isinstance(output[-1], Unknown) and not output[-1].symbol:
            # after what is unknown, more of it tells nothing
            while pieces and isinstance(pieces[0], Unknown) and not pieces[0].symbol:
                pieces = pieces[1:]
        output.extend(pieces)
        shell.spend(1)
    elif sink == OUTER:
        shell.has_spilt = True
    elif sink == UNKNOWN:
        output.append(Unknown("it is unknown where a command's output goes"))
        shell.has_spilt = True


def place_of(value: Value) -> tuple[Source, int, int]:
    """Return where a value became unknown."""
    if isinstance(value, Mixed):
        piece = value.unknown
        if piece.source is not None:
            return piece.source, piece.start, piece.end
    return Source(""), 0, 0


def is_of_file(redirect: Redirect) -> bool:
    """Whether a redirection is one from or to a file that may be anywhere."""
    target = redirect.target
    if redirect.operator in ("<<", "<<-", "<<<"):
        return False
    if redirect.operator in (">&", "<&"):
        return isinstance(target, str) and not target.rstrip("-").isdigit() and target != "-"
    if isinstance(target, str):
        return not target.startswith("/dev/")
    return not target.unknown.symbol.startswith("<(")


def _sink_of(sinks: dict[int, int], target: Value) -> int:
    """Return where what is written to a file goes."""
    if target in ("/dev/stdout", "/dev/fd/1"):
        return sinks[1]
    if target in ("/dev/stderr", "/dev/fd/2"):
        return sinks.get(2, ELSEWHERE)
    if isinstance(target, Mixed) and not target.is_nonempty:
        return UNKNOWN
    return ELSEWHERE
