"""The ways that a script may take: both of an unknown condition, and those that leave early.

`return`, `break`, `exit` and errors end a way before its region ends: a loop, a function, a
subshell. Such ways are kept there, and merged where they lead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from overlaylint.records import dataclass
from overlaylint.shell.calls import FAILED, Status
from overlaylint.shell.conditions import (
    Check,
    Condition,
    both,
    conjuncts,
    either,
    excluding,
    negate,
)
from overlaylint.shell.problems import ExpansionProblem, FatalProblem
from overlaylint.shell.state import State, merge
from overlaylint.shell.syntax import Source
from overlaylint.shell.undecidable import Undecidable, Unreadable
from overlaylint.shell.values import Mixed, Unknown, Value

if TYPE_CHECKING:
    from overlaylint.shell.interpreter import Interpreter

_BRANCH_STEPS = 20  # what it costs to copy and merge a state, in commands
RETURN, BREAK, CONTINUE, EXIT, DIE, DISCARD = 1, 2, 3, 4, 5, 6

# What is not part of the state and yet differs from way to way: `$_`, what is left of the input,
# and PIPESTATUS (empty where it is unknown; a status stands for just that one).
Surroundings = tuple[Value, Value | None, Status | tuple[Status, ...]]


@dataclass(slots=True)
class Exit:
    """A way that left a region early."""

    signal: int
    count: int
    status: Status
    state: State
    reason: Unknown
    surroundings: Surroundings
    message: Value

    @property
    def place(self) -> tuple[Source | None, int, int]:
        """Where the way split off."""
        return self.reason.source, self.reason.start, self.reason.end


# What a signal leaves: a loop, a subshell, a function or sourced file, or (where an expansion
# fails) a line of commands.
LOOP, SUBSHELL, FUNCTION, LINES = range(4)
_LEAVES = {RETURN: FUNCTION, BREAK: LOOP, CONTINUE: LOOP, DISCARD: LINES}


@dataclass(slots=True)
class Region:
    """What `return`, `break` or `exit` leaves: at its end the ways that left it are merged.

    `is_sourced` tells a file that is sourced from a function: `return` leaves both.
    """

    kind: int
    guards: int
    exclusions: int
    exits: list[Exit]
    is_sourced: bool = False

    @property
    def is_loop(self) -> bool:
        """Whether `break` leaves it."""
        return self.kind == LOOP

    @property
    def is_subshell(self) -> bool:
        """Whether `exit` leaves it, and no more than it."""
        return self.kind == SUBSHELL

    @property
    def is_function(self) -> bool:
        """Whether it is a function, which a loop around it is not seen from."""
        return self.kind == FUNCTION and not self.is_sourced


def branch(
    shell: Interpreter,
    condition: Condition,
    then: Callable[[], Status],
    otherwise: Callable[[], Status] | None,
) -> Status:
    """Follow both ways of an unknown condition, and merge what they come to."""
    shell.spend(_BRANCH_STEPS)
    reason = Unknown(f"it depends on `{condition}`", *tested_at(condition))
    before, surroundings = shell.state, shell.surroundings
    status = shell.status
    depth = len(shell.guards)
    first = before.copy()
    shell.guards.append(condition)
    shell.state = first
    then_status = then()
    then_exit = take_exit(shell, reason)
    then_surroundings = shell.surroundings
    first = shell.state
    shell.guards[depth:] = [negate(condition)]
    shell.state, shell.surroundings, shell.status = before, surroundings, status
    else_status = otherwise() if otherwise is not None else 0
    else_exit = take_exit(shell, reason)
    del shell.guards[depth:]
    if then_exit and else_exit:
        for taken, other, held in (
            (then_exit, else_exit, condition),
            (else_exit, then_exit, negate(condition)),
        ):
            if region_for(shell, taken.signal) is None and (
                taken is then_exit or region_for(shell, other.signal) is not None
            ):
                if region_for(shell, other.signal) is not None:
                    leave(shell, taken, (held,))
                return go_on(shell, other)
        leave(shell, then_exit, ())
        return go_on(shell, else_exit)
    if then_exit:
        leave(shell, then_exit, (condition,))
        return else_status
    if else_exit:
        shell.state, shell.surroundings = first, then_surroundings
        leave(shell, else_exit, (negate(condition),))
        return then_status
    join_surroundings(shell, then_surroundings, reason)
    shell.state = merge(first, shell.state, reason, condition)
    return _merged_status(condition, then_status, else_status)


def join_surroundings(shell: Interpreter, other: Surroundings, reason: Unknown) -> None:
    """Make unknown what differs on another way."""
    argument, input_, pipe_status = other
    if argument != shell.last_argument:
        shell.last_argument = Mixed((reason,))
    if input_ != shell.input:
        shell.input = Mixed((reason,))
    if pipe_status != shell.pipe_status:
        shell.pipe_status = ()


def take_exit(shell: Interpreter, reason: Unknown) -> Exit | None:
    """Return how the way just followed ended early, if it did."""
    if not shell.signal:
        return None
    taken = Exit(
        shell.signal,
        shell.signal_count,
        shell.signal_status,
        shell.state,
        reason,
        shell.surroundings,
        shell.signal_message,
    )
    shell.signal = 0
    return taken


def go_on(shell: Interpreter, taken: Exit) -> Status:
    """Follow a way that left early."""
    shell.state, shell.surroundings = taken.state, taken.surroundings
    shell.signal, shell.signal_count = taken.signal, taken.count
    shell.signal_status, shell.signal_message = taken.status, taken.message
    return taken.status


def leave(shell: Interpreter, taken: Exit, conditions: tuple[Condition, ...]) -> None:
    """Keep a way that left early, to be merged where it leads; what follows is without it."""
    region = region_for(shell, taken.signal)
    if region is None:
        for condition in conditions:
            shell.possible_deaths.append((condition, taken.message))
        return
    region.exits.append(taken)
    if conditions:
        held = (*shell.guards[region.guards :], *conditions)
        shell.exclusions.append(tuple(c for one in held for c in conjuncts(one)))


def region_for(shell: Interpreter, signal: int) -> Region | None:
    """Return what a signal leaves; None if it ends everything."""
    if signal == DIE:
        return None
    kind = _LEAVES.get(signal)
    for region in reversed(shell.regions):
        if region.kind in (kind, SUBSHELL):
            return region
    return None


def rejoin(shell: Interpreter, region: Region, signals: tuple[int, ...]) -> None:
    """Merge the ways that left `region` by one of `signals` into the state."""
    if not region.exits:
        return
    remaining: list[Exit] = []
    for taken in region.exits:
        if taken.signal not in signals:
            remaining.append(taken)
            continue
        # a way may have left functions on its way here
        del taken.state.scopes[len(shell.state.scopes) :]
        del taken.state.positional[len(shell.state.positional) :]
        way = Check(
            (f"the way that is taken: {taken.reason.reason}",),
            taken.reason.source,
            taken.reason.start,
            taken.reason.end,
        )
        left = take_exit(shell, taken.reason)
        if left is not None:
            # the way followed so far leads elsewhere, and this one goes on here
            leave(shell, left, (way,) if region_for(shell, left.signal) is None else ())
            shell.state, shell.status = taken.state, taken.status
            shell.surroundings = taken.surroundings
            continue
        if shell.status != taken.status:
            ends = shell.status, taken.status
            has_failed = all(isinstance(one, int) and one != 0 for one in ends)
            shell.status = FAILED if has_failed else way
        join_surroundings(shell, taken.surroundings, taken.reason)
        shell.state = merge(shell.state, taken.state, taken.reason)
    region.exits[:] = remaining


def current_guards(shell: Interpreter) -> tuple[Condition, ...]:
    """Return what must hold for the commands here to run."""
    # in order, each once
    guards: dict[Condition, None] = {}
    for guard in shell.guards:
        for condition in conjuncts(guard):
            guards[condition] = None
    for exits in shell.exclusions:
        excluded = excluding(exits, guards)
        if excluded is not None:
            guards[excluded] = None
    return tuple(guards)


def may_leave(shell: Interpreter, signal: int, status: int, reason: Unknown, message: str) -> None:
    """Note that the way followed may end here, and goes on where `signal` leads."""
    taken = Exit(
        signal, 1, status, shell.state.copy(), reason, shell.surroundings, message
    )  # fmt: skip
    leave(shell, taken, (Check((message,), reason.source, reason.start, reason.end),))


def may_give_up(shell: Interpreter, reason: Unknown) -> None:
    """Note that an expansion may fail here, and bash then gives up the line."""
    note_lost_loops(shell)
    may_leave(shell, DISCARD, 1, reason, reason.reason)


def may_leave_by_error(shell: Interpreter, status: int, reason: Unknown, message: str) -> None:
    """Note that a fatal error may be met here."""
    is_subshell = any(region.is_subshell for region in shell.regions)
    may_leave(shell, EXIT, 1 if is_subshell else status, reason, message)


def enter_region(shell: Interpreter, kind: int) -> Region:
    """Enter what a signal may leave."""
    region = Region(kind, len(shell.guards), len(shell.exclusions), [])
    shell.regions.append(region)
    return region


def leave_region(shell: Interpreter, region: Region) -> None:
    """Leave a region; ways that lead further out than it go on to where they lead."""
    shell.regions.pop()
    del shell.guards[region.guards :]
    del shell.exclusions[region.exclusions :]
    for taken in region.exits:
        outer = region_for(shell, taken.signal)
        if outer is not None:
            outer.exits.append(taken)


def give_up(shell: Interpreter, problem: ExpansionProblem) -> Status:
    """Meet an error in an expansion: bash gives up the line, or exits."""
    shell.signal_message = str(problem)
    note_lost_loops(shell)
    if isinstance(problem, FatalProblem):
        shell.signal = EXIT
        is_subshell = any(region.is_subshell for region in shell.regions)
        shell.signal_status = problem.subshell_status if is_subshell else problem.status
    else:
        shell.signal = DISCARD
        shell.signal_status = 1
    return 1


def pass_on(shell: Interpreter, undecidable: Undecidable) -> None:
    """Raise what concerns the command around the substitution that is being evaluated."""
    if shell.captures and undecidable.__class__ is Unreadable:
        raise undecidable


def note_lost_loops(shell: Interpreter) -> None:
    """Note that loops are given up: bash goes on counting them among those it is in."""
    for region in reversed(shell.regions):
        if region.is_subshell:
            return
        if region.is_loop:
            shell.has_lost_loops = True
            return


def tested_at(condition: Condition) -> tuple[Source | None, int, int]:
    """Return where a condition is tested."""
    stack = [condition]
    while stack:
        item = stack.pop()
        if isinstance(item, Check):
            return item.source, item.start, item.end
        for name in ("condition", "right", "left"):
            inside = getattr(item, name, None)
            if inside is not None:
                stack.append(inside)
    return None, 0, 0


def _merged_status(condition: Condition, then: Status, otherwise: Status) -> Status:
    """Return the status after one of two ways."""
    if then == otherwise:
        return then
    if isinstance(then, int) and isinstance(otherwise, int):
        if then == 0:
            return condition
        return negate(condition) if otherwise == 0 else FAILED
    if isinstance(otherwise, int):
        if otherwise != 0:
            return both(condition, then)  # type: ignore[arg-type]
        return either(negate(condition), then)  # type: ignore[arg-type]
    if isinstance(then, int):
        if then != 0:
            return both(negate(condition), otherwise)
        return either(condition, otherwise)
    return either(both(condition, then), both(negate(condition), otherwise))
