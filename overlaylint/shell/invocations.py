"""What all builtins need: statuses and output that nobody can tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from overlaylint.shell.conditions import Check
from overlaylint.shell.values import Mixed, Value, unknown

if TYPE_CHECKING:
    from overlaylint.shell.calls import Invocation, Status
    from overlaylint.shell.interpreter import Interpreter


def check(invocation: Invocation) -> Check:
    """Return the condition that a command succeeds."""
    return Check(
        (invocation.name, *invocation.arguments),
        invocation.source,
        invocation.start,
        invocation.end,
    )


def problem(shell: Interpreter, invocation: Invocation, reason: str) -> Status:
    """A use of a builtin that is not evaluated: everything may have changed."""
    shell.lose(
        invocation.source, invocation.start, invocation.end, f"`{invocation.name}`: {reason}"
    )
    return check(invocation)


def is_many(values: Iterable[object]) -> bool:
    """Tell whether one of the words may be any number of words."""
    return any(isinstance(value, Mixed) and value.is_many for value in values)


def written(invocation: Invocation) -> Mixed:
    """Return what a command writes where that is unknown."""
    return unknown(
        f"it is what `{invocation.name}` writes",
        invocation.source,
        invocation.start,
        invocation.end,
    )


def unknown_output(shell: Interpreter, invocation: Invocation) -> Status:
    """A builtin that writes what nobody can tell."""
    shell.write(written(invocation))
    return check(invocation)


def read_options(
    words: list[Value], with_value: str, without: str
) -> tuple[dict[str, Value], list[Value]] | int | None:
    """Read options; return them with the words after them, a status, or None if undecided."""
    options: dict[str, Value] = {}
    while words:
        word = words[0]
        if isinstance(word, Mixed):
            return (options, words) if word.head and word.head[0] != "-" else None
        if len(word) < 2 or word[0] != "-":
            break
        words.pop(0)
        if word == "--":
            break
        index = 1
        while index < len(word):
            letter = word[index]
            index += 1
            if letter in without:
                options[letter] = ""
            elif letter in with_value:
                if index < len(word):
                    options[letter] = word[index:]
                elif words:
                    options[letter] = words.pop(0)
                else:
                    return 2
                break
            else:
                return 2
    return options, words
