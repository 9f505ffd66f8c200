"""The state of a shell: variables in their scopes, functions, parameters and options.

Where a condition is unknown both ways are followed, each on a copy of the state, and the copies
are merged afterwards: what differs between them is unknown from then on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from operator import is_

from overlaylint.records import dataclass
from overlaylint.shell.conditions import Condition, both, negate
from overlaylint.shell.syntax import Function
from overlaylint.shell.values import (
    ATTRIBUTES,
    MAYBE_ARRAY,
    Flag,
    Mixed,
    Unknown,
    Value,
    Variable,
    join,
    pieces_of,
)

Output = list[str | Unknown]

# All that is known of output that several commands write at the same time, in any order.
BESIDE = Unknown("it is written beside what other commands write")

# Where a function's scope keeps the options that it puts back (`local -`): no parameter's name.
OPTIONS_KEPT = " -"


@dataclass(frozen=True, slots=True)
class Positional:
    """The positional parameters; `rest` is set where more may follow, and nobody knows how many."""

    words: tuple[Value, ...] = ()
    rest: Unknown | None = None


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A variable that was assigned, and of whose name only the form is known.

    `depth` is the number of scopes at which it ends, 0 if it outlives them. `there` are variables
    of that form which were there before: others that are assigned meanwhile may be this one.
    """

    names: re.Pattern[str]
    value: Mixed
    depth: int
    there: frozenset[str]


class State:
    """What running a command can change. `copy` is cheap: values are never changed in place."""

    __slots__ = (
        "functions", "havoc", "options", "output", "positional", "scopes", "shell_options",
        "unnamed",
    )  # fmt: skip

    def __init__(self) -> None:
        self.scopes: list[dict[str, Variable]] = [{}]
        self.functions: dict[str, Function | Unknown] = {}
        self.positional: list[Positional] = [Positional()]
        self.options: frozenset[str] = frozenset()  # `shopt`
        self.shell_options: frozenset[str] = frozenset()  # `set`, by letter
        self.output: Output | None = None  # what a command substitution has caught so far
        self.unnamed: tuple[Unnamed, ...] = ()
        self.havoc: Unknown | None = None  # why every name not assigned since is unknown

    def copy(self) -> State:
        """Return a state that can be changed without changing this one."""
        other = State.__new__(State)
        other.scopes = [scope.copy() for scope in self.scopes]
        other.functions = self.functions.copy()
        other.positional = self.positional.copy()
        other.options = self.options
        other.shell_options = self.shell_options
        other.output = None if self.output is None else self.output.copy()
        other.unnamed = self.unnamed
        other.havoc = self.havoc
        return other

    def option(self, name: str) -> bool | None:
        """Tell whether a shell option (`shopt`) is on; None where that is unknown."""
        if name in self.options:
            return True
        return None if f"?{name}" in self.options else False

    def find(self, name: str) -> Variable | None:
        """Return the variable that `name` means here: the innermost scope's (dynamic scope)."""
        for scope in reversed(self.scopes):
            variable = scope.get(name)
            if variable is not None:
                return variable
        return None

    def make_unknown(self, reason: Unknown) -> None:
        """Forget everything that a command of unknown effect could have changed.

        Variables with `Flag.KEPT` stay.
        """
        for scope in self.scopes:
            for name, variable in scope.items():
                if variable.flags & Flag.KEPT:
                    continue
                scope[name] = Variable(
                    Mixed((reason,)),
                    variable.flags | Flag.MAYBE_UNSET,
                    reason.source,
                    reason.start,
                    reason.end,
                )
        for name in self.functions:
            self.functions[name] = reason
        self.havoc = reason
        self.positional[-1] = Positional((), reason)


def merge(left: State, right: State, reason: Unknown, condition: Condition | None = None) -> State:
    """Return the state after one of two ways was taken; `left` is changed into it.

    What they disagree on is unknown, for `reason`. `left` was taken if `condition` holds.
    """
    for index, scope in enumerate(left.scopes):
        alone = Flag.MAYBE_UNSET | Flag.PERHAPS_OUTER if index else Flag.MAYBE_UNSET
        _merge_scope(scope, right.scopes[index], reason, condition, alone)
    # `dict`'s own methods: whoever watches what is looked at (see `eclass_effects`) need not know
    # of what both ways have in common
    if not dict.__eq__(left.functions, right.functions):
        for name in dict.keys(left.functions) | dict.keys(right.functions):
            if dict.get(left.functions, name) is not dict.get(right.functions, name):
                _look(left.functions, name)
                _look(right.functions, name)
                left.functions[name] = reason
    for index, positional in enumerate(left.positional):
        if positional != right.positional[index]:
            left.positional[index] = Positional((), reason)
    if left.options != right.options:
        left.options = merged_options(left.options, right.options)
    if left.shell_options != right.shell_options:
        left.shell_options = merged_options(left.shell_options, right.shell_options)
    if BESIDE in (left.output or ()) or BESIDE in (right.output or ()):
        left.output = [BESIDE]
    elif left.output is not None and right.output is not None and left.output != right.output:
        common: Output = []
        for one, other in zip(left.output, right.output, strict=False):
            if one != other:
                break
            common.append(one)
        left.output = common if common and common[-1] == reason else [*common, reason]
    left.unnamed += tuple(one for one in right.unnamed if one not in left.unnamed)
    left.havoc = left.havoc or right.havoc
    return left


def _look(mapping: Mapping[str, object], name: str) -> None:
    """Look at a value, or its absence, for whoever watches: the outcome depends on it."""
    mapping.get(name)


def options_text(options: frozenset[str]) -> str:
    """Return options as one text, where a value stands for them; `options_of` undoes it."""
    return ",".join(sorted(options))


def options_of(text: str) -> frozenset[str]:
    """Return the options that a text of `options_text` stands for."""
    return frozenset(filter(None, text.split(",")))


def merged_options(left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
    """Return the options after one of two ways: one that may be on has a `?` before its name."""
    doubtful = {name.lstrip("?") for name in left ^ right}
    return frozenset(
        {name for name in left & right if name not in doubtful} | {f"?{name}" for name in doubtful}
    )


def _merge_scope(
    scope: dict[str, Variable],
    other: dict[str, Variable],
    reason: Unknown,
    condition: Condition | None,
    alone: int,
) -> None:
    """Merge the variables of `other` into `scope`; `alone` marks those of one way only."""
    # as in `merge`: only where the two differ is either looked at, and most often they do not
    if all(map(is_, dict.values(scope), dict.values(other))) and [*dict.keys(scope)] == [
        *dict.keys(other)
    ]:
        return
    differing = [
        name for name, variable in dict.items(scope) if dict.get(other, name) is not variable
    ]
    added = dict.keys(other) - dict.keys(scope)
    for name in differing:
        variable, there = scope[name], other.get(name)
        if there is None:
            scope[name] = _alone(name, variable, reason, alone)
        else:
            scope[name] = _merged(variable, there, reason, condition)
    for name in added:
        _look(scope, name)
        scope[name] = _alone(name, other[name], reason, alone)


def _alone(name: str, variable: Variable, reason: Unknown, alone: int) -> Variable:
    """Return a variable that is set on one way only."""
    if name == OPTIONS_KEPT:  # the same where there are some
        return replace(variable, flags=variable.flags | alone)
    flags = doubtful(variable.flags, 0) | alone
    return Variable(Mixed((reason,)), flags, variable.source, variable.start, variable.end)


def _merged(
    left: Variable, right: Variable, reason: Unknown, condition: Condition | None
) -> Variable:
    """Return a variable that both ways have."""
    flags = left.flags if left.flags == right.flags else doubtful(left.flags, right.flags)
    value = left.value
    if (left.flags ^ right.flags) & Flag.PROPAGATED:
        # one of two variables will be assigned to when the function ends
        value = Mixed((reason,))
        flags |= Flag.MAYBE_UNSET
    elif not _same(value, right.value):
        if (
            isinstance(value, str | Mixed)
            and isinstance(right.value, str | Mixed)
            and not flags & MAYBE_ARRAY
        ):
            value = _chosen(value, right.value, reason, condition)
        else:
            value = Mixed((reason,))
            flags |= Flag.MAYBE_UNSET
    elif flags == left.flags:
        return left
    return Variable(value, flags, left.source, left.start, left.end)


_EITHER = Flag.MAYBE_UNSET | Flag.TEMPORARY | Flag.PROPAGATED | Flag.PERHAPS_OUTER


def doubtful(left: int, right: int) -> int:
    """Return the attributes after one of two ways: certain ones, and those that it may have."""
    certain = left & right & ATTRIBUTES
    possible = (left | right | left >> Flag.DOUBT | right >> Flag.DOUBT) & ATTRIBUTES & ~certain
    others = (left | right) & _EITHER | left & right & Flag.KEPT
    return certain | possible << Flag.DOUBT | others


def _same(left: object, right: object) -> bool:
    """Tell whether two values are certainly the same text."""
    if left.__class__ is Mixed:
        return left == right and left.is_symbolic
    return left == right


_MOST_CHOICES = 6


def _chosen(left: Value, right: Value, reason: Unknown, condition: Condition | None) -> Value:
    """Return a value that is `left` or `right`: the choices are kept while they are few."""
    if condition is not None:
        choices = (*_choices(left, condition), *_choices(right, negate(condition)))
        if len(choices) <= _MOST_CHOICES and all(isinstance(text, str) for _, text in choices):
            whole = replace(reason, choices=choices)
            return Mixed((whole,))
    return _common(left, right, reason)


def _choices(value: Value, condition: Condition) -> tuple[tuple[Condition, str], ...]:
    """Return what a value may be, given `condition`; nothing that counts if that is open."""
    if isinstance(value, str):
        return ((condition, value),)
    if len(value.parts) == 1 and value.unknown.choices:
        return tuple((both(condition, inner), text) for inner, text in value.unknown.choices)
    return ((condition, None),) * (_MOST_CHOICES + 1)  # type: ignore[return-value]


def _common(left: Value, right: Value, reason: Unknown) -> Value:
    """Return what two values have in common at their start, then an unknown piece.

    `x` on one way and `x y` on the other is `x` and something unknown.
    """
    if left == right:
        return left
    pieces: list[str | Unknown] = []
    for one, other in zip(pieces_of(left), pieces_of(right), strict=False):
        if one == other and (isinstance(one, str) or one.symbol):
            pieces.append(one)
            continue
        if isinstance(one, str) and isinstance(other, str):
            length = 0
            for length, (a, b) in enumerate(zip(one, other, strict=False)):  # noqa: B007
                if a != b:
                    break
            else:
                length = min(len(one), len(other))
            pieces.append(one[:length])
        break
    return join([*pieces, reason])
