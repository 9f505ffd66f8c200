"""Scripts of which overlaylint does not know all: what it says must hold whatever the rest is.

Two variables and two commands are unknown to it. Bash runs the same script with several values
for them, and each outcome must be one that overlaylint's answer allows.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from shell_runs import NeverMatched, Outcome, compare, evaluate, interpreter, run_bash

from overlaylint.shell.calls import Invocation, Status
from overlaylint.shell.conditions import Check
from overlaylint.shell.interpreter import Interpreter
from overlaylint.shell.values import Flag, Variable, unknown

VARIABLES = ("u", "v")  # `v` may be unset
COMMANDS = ("ask", "tell")

_TEXTS = ("", "1", "7", "a", "foo", "x y", " q ", "1.2", "a:b", "k", "p/q", "0")
_STATUSES = ("0", "1", "3")
# What is unknown is taken to be a number where one is computed with, and a name where a name is
# wanted. Where it is not, bash gives up the line.
TAKEN_FOR_GRANTED = (
    "error token is", "syntax error in expression", "arithmetic syntax error", "division by 0",
    "invalid indirect expansion", "invalid variable name", "bad array subscript",
    "substring expression < 0", "exponent less than 0", "not a valid identifier",
    "recursion level exceeded", "invalid number", "value too great for base", "numeric argument",
    "integer expression expected", "invalid arithmetic base", "invalid integer constant",
    "assignment to non-variable", "cannot assign", "shift count", "too many arguments",
    "invalid name",
)  # fmt: skip


def _unknown_command(shell: Interpreter, invocation: Invocation) -> Status:
    """Meet a command that changes nothing, and of which nothing else is known."""
    place = invocation.source, invocation.start, invocation.end
    shell.write(unknown(f"it is what `{invocation.name}` writes", *place))
    return Check((invocation.name, *invocation.arguments), *place)


def unknowing() -> Interpreter:
    """Return an interpreter to which the variables and commands are unknown."""
    shell = interpreter(
        {
            "u": Variable(unknown("u is unknown")),
            "v": Variable(unknown("v is unknown"), Flag.MAYBE_UNSET),
        }
    )
    shell.commands = dict.fromkeys(COMMANDS, _unknown_command)
    return shell


def prelude(random: Random) -> str:
    """Return commands that give the unknown variables and commands a meaning.

    The commands' answers differ from call to call.
    """
    lines = [f"u={_quoted(random)}", f"v={_quoted(random)}" if random.randrange(3) else ""]
    lines += [
        f"{name}() {{ printf %s {_quoted(random)}; return {random.choice(_STATUSES)}; }}"
        for name in COMMANDS
    ]
    return "\n".join(lines) + "\n"


def _quoted(random: Random) -> str:
    return "'" + random.choice(_TEXTS) + "'"


def disagreements(script: str, random: Random, runs: int = 3) -> tuple[list[str], int]:
    """Return where bash does what can't be, and how many of the runs could be compared."""
    compared = 0
    for _ in range(runs):
        start = prelude(random)
        ours = evaluate(script.encode(), shell=unknowing())
        try:
            theirs = run_bash(script.encode(), prelude=start)
        except NeverMatched:
            continue
        if theirs is not None:
            if any(text in theirs.errors for text in TAKEN_FOR_GRANTED):
                continue
            theirs = _without_commands(theirs)
        compared += 1
        wrong = compare(ours, theirs)
        if wrong:
            return [f"with {start!r}", *wrong], compared
    return [], compared


def _without_commands(outcome: Outcome) -> Outcome:
    return replace(outcome, functions=outcome.functions - set(COMMANDS))
