"""What all builtins need: statuses and output that nobody can tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from overlaylint.shell.conditions import Check
from overlaylint.shell.values import Mixed, unknown

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
