"""Static evaluation of bash: what a script's commands do to variables and functions.

Nothing is run: a command that is neither a function, a builtin nor one of the `commands` that
the caller gives is reported to the caller, and its effect is unknown. Where the outcome of a
condition is unknown both ways are followed, and what differs between them is unknown after it.

The state is bash's own (dynamic scopes, positional parameters, options). Every evaluation has a
budget of steps and of text, so that any script ends quickly.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import IntEnum
from functools import partial, wraps
from typing import Any, Protocol, TypeVar, cast

from overlaylint.records import dataclass
from overlaylint.shell import expansion
from overlaylint.shell.braces import TooManyWords, expand_braces
from overlaylint.shell.conditions import (
    Check,
    Condition,
    both,
    conjuncts,
    either,
    excluding,
    negate,
)
from overlaylint.shell.effects import assigned_names
from overlaylint.shell.expansion import BadSubscript, ExpansionProblem, FatalProblem
from overlaylint.shell.state import (
    Output,
    Positional,
    State,
    doubtful,
    merge,
    options_of,
    options_text,
)
from overlaylint.shell.syntax import (
    AndOr,
    Arithmetic,
    Assignment,
    Background,
    Case,
    CaseArm,
    Command,
    CommandSubstitution,
    Conditional,
    Coprocess,
    DoubleQuoted,
    Element,
    For,
    ForArithmetic,
    Function,
    Group,
    If,
    List,
    Opaque,
    Parameter,
    Part,
    Pipeline,
    ProcessSubstitution,
    Quoted,
    Redirected,
    Redirection,
    Script,
    Simple,
    Source,
    Subshell,
    Text,
    While,
    Word,
)
from overlaylint.shell.undecidable import Undecidable, Unreadable
from overlaylint.shell.values import (
    ARRAYS,
    DOUBTS,
    Elements,
    Flag,
    Mixed,
    Unknown,
    Value,
    Variable,
    as_many,
    as_one,
    concatenate,
    join,
    pieces_of,
    unknown,
)

# A status is a number, or the condition under which it is 0.
Status = int | Condition

MAXIMUM_STEPS = 200_000
MAXIMUM_TEXT = 1 << 20  # characters of one value
MAXIMUM_CALLS = 120  # functions, sourced files and substitutions within each other
_FIXPOINT_ROUNDS = 12
_OPEN_ROUNDS = 4  # how many rounds a loop is followed that it may have been left in
_BRANCH_STEPS = 20  # what it costs to copy and merge a state, in commands
_RECURSIONS = 2  # how often a function is followed into itself under an unknown condition

# The interpreter recurses as the script does; its own bounds are well below this one.
sys.setrecursionlimit(max(sys.getrecursionlimit(), 12_000))

RETURN, BREAK, CONTINUE, EXIT, DIE, DISCARD = 1, 2, 3, 4, 5, 6


class Exhausted(Exception):
    """The budget of an evaluation is spent: everything is unknown."""


_Run = TypeVar("_Run", bound=Callable[..., Status])


def _giving_up(run: _Run) -> _Run:
    """Make a method that evaluates a command give up the line where an expansion fails."""

    @wraps(run)
    def guarded(shell: Interpreter, node: object) -> Status:
        try:
            return run(shell, node)
        except ExpansionProblem as problem:
            return shell.give_up(problem)
        except Undecidable as undecidable:
            shell.pass_on(undecidable)
            shell.may_give_up(Unknown(undecidable.reason))
            shell.lose(Source(""), 0, 0, undecidable.reason)
            return Check((undecidable.reason,))

    return cast(_Run, guarded)


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirection of a call, with what its target comes to."""

    descriptor: str
    operator: str
    target: Value


class Failing(IntEnum):
    """What comes of it where a command fails, as it is written around the command."""

    UNASKED = 0
    """Nothing looks at its status."""
    IGNORED = 1
    """Its status is put aside on purpose: `! command`."""
    GOES_ON = 2
    """What follows is another way to go on: `command || other`, `if command`."""
    ENDS = 3
    """What follows ends the script, or fails itself: `command || die`, `command || return 1`."""


@dataclass(frozen=True, slots=True)
class Call:
    """A command that a script would run.

    `guards` must all hold for it to run; what is known to hold is not among them. `stack` names the
    functions that it is called through, outermost first. `input` is what it would read, where
    that is known. `is_dead` marks a call behind `if false`, which never runs. `failing` is what
    the innermost list, `if` or loop makes of its failure, be the call in a function there.

    A file that a compound command, an assignment or a command that is not noted is redirected from
    or to, and the one of `$(< file)`, are noted as redirections of `:`.
    """

    name: Value
    arguments: tuple[Value, ...]
    source: Source
    start: int
    end: int
    guards: tuple[Condition, ...] = ()
    stack: tuple[str, ...] = ()
    redirections: tuple[Redirect, ...] = ()
    environment: tuple[tuple[str, Value], ...] = ()
    input: Value | None = None
    is_function: bool = False
    is_dead: bool = False
    failing: Failing = Failing.UNASKED

    @property
    def place(self) -> tuple[Source, int, int]:
        """The file and the span of the command."""
        return self.source.place(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Assigned:
    """An assignment among the words of `declare` and the like, with its value expanded."""

    name: str
    subscript: Word | None
    value: Value
    append: bool

    @property
    def text(self) -> Value:
        """The word that it is."""
        subscript = "" if self.subscript is None else f"[{self.subscript.raw}]"
        return concatenate(f"{self.name}{subscript}{'+' if self.append else ''}=", self.value)


@dataclass(slots=True)
class Invocation:
    """A command that is being evaluated: what a builtin gets to see.

    `operands` are its arguments with the assignments among them.
    """

    name: str
    arguments: list[Value]
    operands: list[Value | Assigned]
    source: Source
    start: int
    end: int
    input: Value | None = None
    has_environment: bool = False  # whether assignments stand before it


Builtin = Callable[["Interpreter", Invocation], Status]


class Files(Protocol):
    """What is known of files while a script is evaluated; None where nothing is."""

    def matching(self, pattern: Value, *, extended: bool, hidden: bool) -> Sequence[Value] | None:
        """Return the files that a word with wildcards stands for, sorted.

        A backslash in `pattern` quotes. `extended` is `shopt extglob`, `hidden` is `dotglob`.
        """
        ...

    def test(self, operator: str, path: Value) -> bool | None:
        """Return whether `test operator path` holds (6.4), for the operators about one file."""
        ...


# What is not part of the state and yet differs from way to way: `$_`, what is left of the input,
# and PIPESTATUS (empty where it is unknown; a status stands for just that one).
_Surroundings = tuple[Value, Value | None, Status | tuple[Status, ...]]


@dataclass(slots=True)
class _Exit:
    """A way that left a region early."""

    signal: int
    count: int
    status: Status
    state: State
    reason: Unknown
    surroundings: _Surroundings
    message: Value

    @property
    def place(self) -> tuple[Source | None, int, int]:
        """Where the way split off."""
        return self.reason.source, self.reason.start, self.reason.end


# What a signal leaves: a loop, a subshell, a function or sourced file, or (where an expansion
# fails) a line of commands.
_LOOP, _SUBSHELL, _FUNCTION, _LINES = range(4)
_LEAVES = {RETURN: _FUNCTION, BREAK: _LOOP, CONTINUE: _LOOP, DISCARD: _LINES}


@dataclass(slots=True)
class _Region:
    """What `return`, `break` or `exit` leaves: at its end the ways that left it are merged."""

    kind: int
    guards: int
    exclusions: int
    exits: list[_Exit]

    @property
    def is_loop(self) -> bool:
        """Whether `break` leaves it."""
        return self.kind == _LOOP

    @property
    def is_subshell(self) -> bool:
        """Whether `exit` leaves it, and no more than it."""
        return self.kind == _SUBSHELL

    @property
    def is_function(self) -> bool:
        """Whether `return` leaves it."""
        return self.kind == _FUNCTION


class Interpreter:
    """Evaluates commands on a state.

    `commands` are what the package manager defines, by name: shell functions to bash, so a
    script's own functions take precedence over them, and they over bash's builtins. `calls`, if
    it is a list, is given every command that is run; `on_assign` is told of every assignment.
    """

    def __init__(
        self,
        *,
        commands: Mapping[str, Builtin],
        builtins: Mapping[str, Builtin],
        variables: Mapping[str, Variable] | None = None,
    ) -> None:
        self.commands = commands
        self.builtins = builtins
        self.state = State()
        if variables:
            self.state.scopes[0].update(variables)
        self.status: Status = 0
        self.substituted: Status = 0  # the status of the last command substitution
        self.pipe_status: Status | tuple[Status, ...] = 0
        self.last_argument: Value = unknown("$_ is what the shell was started as")
        self.signal = 0
        self.signal_count = 0
        self.signal_status: Status = 0
        self.signal_message: Value = ""
        self.sinks: dict[int, int] = _SINKS  # where what is written to a descriptor goes
        self.has_spilt = False  # whether something was written to an outer substitution's output
        self.input: Value | None = None
        self.processes: dict[
            str, Value
        ] = {}  # what a process substitution's file holds, by its symbol
        self.guards: list[Condition] = []
        self.exclusions: list[tuple[Condition, ...]] = []
        self.regions: list[_Region] = []
        self.stack: list[str] = []
        self.callers: tuple[str, ...] = ("source", "main")  # what FUNCNAME ends in
        self.steps = 0
        self.depth = 0
        self.possible_deaths: list[tuple[Condition, Value]] = []
        self.calls: list[Call] | None = None
        self.is_tracing = False  # in a trace, a command that nobody knows is taken for a program
        self.on_assign: Callable[[str, Variable], None] | None = None
        # told of the words of `name=(...)`, each by itself, where the array may be unknown
        self.on_elements: Callable[[str, Sequence[Value], tuple[Source, int, int]], None] | None
        self.on_elements = None
        self.files: Files | None = None
        self.when_missing: Builtin = _missing
        # what a name holds that was never assigned
        self.environment: Callable[[str], Value | None] = lambda _: None
        # evaluates a call that is all a command substitution runs: all that it changes is thrown
        # away; None where that is to be called like any other
        self.call_alone: Callable[[Interpreter, Invocation], Status | None] | None = None
        self.alone: Simple | None = None  # the only command of the innermost substitution
        # how often something was looked at that is neither in the state nor an argument
        self.looks_outside = 0
        self.finds_programs: bool | None = None  # False where PATH holds no program at all
        self.has_script = False  # whether bash was given a file: `$-` holds what `set` takes then
        # whether no file where the script runs is called like an array's element, as in `name[0]`
        self.elements_are_no_files = False
        self.function_scopes: list[int] = []
        self.environments: list[bool] = []
        self.is_dead = False
        self.captures = 0  # command substitutions that are being evaluated
        self.has_lost_loops = False  # whether an error in an expansion gave up a loop
        self.silent = _SILENT  # commands that are no calls worth noting
        self.compatibility = 52  # BASH_COMPAT: the version of bash that is imitated, without dot

    # --- budget and unknowns ---

    @property
    def writes_to_substitution_only(self) -> bool:
        """Whether all output goes where a command substitution's goes by itself."""
        return self.sinks == _SINKS

    def spend(self, steps: int) -> None:
        """Count steps; raise Exhausted when too many were taken."""
        self.steps += steps
        if self.steps > MAXIMUM_STEPS:
            raise self.exhausted("it takes too many steps")

    def exhausted(self, reason: str) -> Exhausted:
        """Return the error of a script that asks for too much."""
        return Exhausted(reason)

    def unknown(
        self,
        reason: str,
        source: Source,
        start: int,
        end: int,
        *,
        symbol: str = "",
        is_word: bool = False,
    ) -> Mixed:
        """Return an unknown value."""
        return unknown(reason, source, start, end, symbol=symbol, is_word=is_word)

    def value_unknown(
        self, reason: str, source: Source, start: int, end: int, *causes: object
    ) -> Mixed:
        """Return an unknown value that follows from another one: the first cause is kept."""
        for cause in causes:
            values = cause if isinstance(cause, list) else [cause]
            for value in values:
                if isinstance(value, Mixed):
                    first = value.unknown
                    return unknown(first.reason, first.source, first.start, first.end)
        return unknown(reason, source, start, end)

    # --- variables ---

    def find(self, name: str) -> Variable | None:
        """Return a variable, with references (`declare -n`) followed."""
        variable = self.state.find(name)
        if variable is None:
            return self.dynamic(name)
        rounds = 0
        while variable is not None and variable.flags & Flag.REFERENCE:
            rounds += 1
            target = variable.value
            if target is None:
                return None
            if not isinstance(target, str) or rounds > 16 or "[" in target:
                return Variable(unknown("it refers to an unknown variable"), Flag.MAYBE_UNSET)
            variable = self.state.find(target)
        return variable

    def dynamic(self, name: str) -> Variable | None:
        """Return an array that bash itself keeps."""
        if name == "FUNCNAME":
            if not self.function_scopes:  # bash has it only while a function runs
                return None
            self.looks_outside += 1
            names: Elements = dict(enumerate([*reversed(self.stack), *self.callers]))
            return Variable(names, Flag.INDEXED)
        if name == "PIPESTATUS":
            self.looks_outside += 1
            pipe_status = self.pipe_status
            if not isinstance(pipe_status, tuple):
                pipe_status = (pipe_status,)
            if not pipe_status:
                return Variable(unknown("it depends on which way was taken"), Flag.INDEXED)
            statuses: Elements = {
                index: str(status)
                if isinstance(status, int)
                else unknown(f"it depends on `{status}`")
                for index, status in enumerate(pipe_status)
            }
            return Variable(statuses, Flag.INDEXED)
        if name == "BASH_VERSINFO":
            # EAPI 8 asks for bash 5.0, EAPI 9 for 5.3, and there is no bash 6
            minor = unknown("the version of bash differs from machine to machine", is_word=True)
            return Variable({0: "5", **dict.fromkeys(range(1, 6), minor)}, Flag.INDEXED)
        if name in ("BASH_SOURCE", "BASH_LINENO", "DIRSTACK", "GROUPS", "BASH_ARGV", "BASH_ARGC"):
            return Variable(unknown(f"{name} differs from machine to machine"), Flag.INDEXED)
        return None

    def special(self, name: str) -> Value | None:
        """Return a parameter that no variable stands for; None if it is not set (3.4)."""
        if name.isdigit():
            positional = self.state.positional[-1]
            index = int(name)
            if index == 0:
                return unknown("$0 is the shell's own name", is_word=True)
            if index <= len(positional.words):
                return positional.words[index - 1]
            return None if positional.rest is None else Mixed((positional.rest,))
        if name == "#":
            positional = self.state.positional[-1]
            return (
                str(len(positional.words)) if positional.rest is None else Mixed((positional.rest,))
            )
        if name == "?":
            status = self.status
            return (
                str(status)
                if isinstance(status, int)
                else unknown(f"it depends on `{status}`", is_word=True)
            )
        if name == "_":
            self.looks_outside += 1
            return self.last_argument
        if name == "FUNCNAME" and self.function_scopes and self.stack:
            return self.stack[-1]  # the first element: a function's own name
        if name == "-":
            options = self.state.shell_options
            # which letters there are depends on how bash was started
            return unknown(
                "$- differs from run to run",
                symbol=LETTERS_SET + options_text(options) if self.has_script else "",
                is_word=options.isdisjoint(("no braces", "?no braces")),
            )
        if name in _CHANGING:
            return unknown(f"${name} differs from run to run", is_word=name != "!")
        dynamic = self.dynamic(name)
        if dynamic is not None:
            value = dynamic.value
            return value.get(0) if isinstance(value, dict) else value
        value = self.inherited(name)
        if value is None and self.state.havoc is not None:
            return Mixed((self.state.havoc,))
        return value

    def inherited(self, name: str) -> Value | None:
        """Return what a name holds that was not assigned, or not where its name was known."""
        for one in self.state.unnamed:
            if one.names.fullmatch(name):
                return one.value
        return self.environment(name)

    def ifs(self) -> Value | None:
        """Return IFS; None for its default."""
        variable = self.state.find("IFS")
        if variable is None or isinstance(variable.value, dict):
            return None
        value = variable.value
        return None if value == expansion.DEFAULT_IFS else value

    def function_scope(self) -> int:
        """Return the number of the innermost function's scope."""
        return self.function_scopes[-1] if self.function_scopes else 0

    def has_environment(self) -> bool:
        """Tell whether the innermost function was called with assignments before its name."""
        return bool(self.environments) and self.environments[-1]

    def names_with(self, prefix: str) -> list[Value]:
        """Return the names of the variables that start with `prefix` (`${!prefix*}`)."""
        names = {name for scope in self.state.scopes for name in scope if name.startswith(prefix)}
        if not prefix.isidentifier():
            return []  # `${!a*@}`: a star and more
        if (
            any(
                (variable := self.state.find(name)) is not None
                and variable.flags & Flag.MAYBE_UNSET
                for name in names
            )
            or self.state.havoc is not None
            or self.state.unnamed
        ):
            return [as_many(unknown("it is unknown which of them are set"))]
        return [
            name
            for name in sorted(names)
            if (v := self.state.find(name)) is None or v.value is not None
        ]

    def flag_letters(self, variable: Variable) -> str | None:
        """Return a variable's attributes as `declare -p` shows them; None if they are unknown."""
        if variable.flags >> Flag.DOUBT:
            return None
        letters = (
            (Flag.INDEXED, "a"),
            (Flag.ASSOCIATIVE, "A"),
            (Flag.INTEGER, "i"),
            (Flag.REFERENCE, "n"),
            (Flag.READONLY, "r"),
            (Flag.EXPORTED, "x"),
            (Flag.CAPITALIZED, "c"),
            (Flag.LOWERCASE, "l"),
            (Flag.UPPERCASE, "u"),
        )
        return "".join(letter for flag, letter in letters if variable.flags & flag)

    def scope_of(self, name: str) -> dict[str, Variable]:
        """Return the scope that an assignment to `name` changes."""
        for scope in reversed(self.state.scopes):
            if name in scope:
                return scope
        return self.state.scopes[0]

    def store(
        self, name: str, variable: Variable, scope: dict[str, Variable] | None = None
    ) -> None:
        """Put a variable into the scope where it belongs."""
        if variable.flags & Flag.PERHAPS_OUTER:
            self.disturb_outer(name, variable, self.scope_of(name) if scope is None else scope)
        (self.scope_of(name) if scope is None else scope)[name] = variable
        if self.on_assign is not None:
            self.on_assign(name, variable)

    def disturb_outer(self, name: str, variable: Variable, scope: dict[str, Variable]) -> None:
        """Make the outer variable unknown, where it may be the one that is changed."""
        reason = Unknown(
            f"it is unknown whether `{name}` is local",
            variable.source,
            variable.start,
            variable.end,
        )
        scopes = self.state.scopes
        for number in range(len(scopes) - 1, -1, -1):
            if scopes[number] is scope:
                break
        else:
            return
        for outer in reversed(scopes[:number]):
            hidden = outer.get(name)
            if hidden is None and outer is not scopes[0]:
                continue
            flags = doubtful(hidden.flags if hidden is not None else 0, variable.flags)
            flags = (flags | Flag.MAYBE_UNSET) & ~Flag.KEPT
            outer[name] = Variable(
                Mixed((reason,)), flags, variable.source, variable.start, variable.end
            )
            if not flags & Flag.PERHAPS_OUTER or hidden is None:
                return

    def resolve(self, name: str) -> str | None:
        """Follow references; None if nobody knows where they lead."""
        for _ in range(16):
            variable = self.state.find(name)
            if variable is None or not variable.flags & Flag.REFERENCE:
                return name
            if not isinstance(variable.value, str):
                return None if variable.value is not None else name
            name = variable.value
        return None

    def assign(
        self, name: str, value: Value, source: Source, start: int, end: int, *, append: bool = False
    ) -> None:
        """Assign a scalar: `name=value` or `name+=value` (3.4)."""
        if name == "_":
            self.last_argument = value  # until the next command is done
            return
        current = self.state.find(name)
        flags = 0
        if current is not None:
            flags = current.flags & ~Flag.MAYBE_UNSET
            if flags & ~Flag.EXPORTED:
                if flags & Flag.REFERENCE:
                    target = self.resolve(name)
                    if target is None:
                        self.lose(
                            source, start, end, "the variable that a reference names is unknown"
                        )
                        return
                    if target != name:
                        self.assign_subscript_text(target, value, source, start, end, append=append)
                        return
                if flags & Flag.READONLY:
                    self.read_only(name, source, start, end)
                    return
                if flags & DOUBTS:
                    self.assign_doubtful(name, current, source, start, end)
                    return
                if flags & ARRAYS:
                    key: int | str = "0" if flags & Flag.ASSOCIATIVE else 0
                    self.assign_element(name, key, value, source, start, end, append=append)
                    return
                assert not isinstance(current.value, dict)
                value = self.transformed(
                    flags, current.value, value, (source, start, end), append=append
                )
                append = False
            if append and current.value is not None and not isinstance(current.value, dict):
                value = concatenate(current.value, value)
        elif append:
            if self.state.havoc is not None:
                value = concatenate(Mixed((self.state.havoc,)), value)
            else:
                before = self.inherited(name)
                if before is not None:
                    value = concatenate(before, value)
        if value.__class__ is str and len(value) > MAXIMUM_TEXT:
            raise self.exhausted("a value is too long")
        self.store(name, Variable(value, flags, source, start, end))

    def assign_doubtful(
        self, name: str, current: Variable, source: Source, start: int, end: int
    ) -> None:
        """Assign to a variable that may be an array, or have attributes that change a value."""
        if (current.flags >> Flag.DOUBT) & (Flag.READONLY | Flag.REFERENCE):
            raise self.exhausted(f"{name} may be readonly, or refer to another variable")
        value = unknown(f"the attributes of {name} are unknown", source, start, end)
        self.store(name, Variable(value, current.flags & ~Flag.MAYBE_UNSET, source, start, end))

    def transformed(
        self,
        flags: int,
        current: Value | None,
        value: Value,
        place: tuple[Source, int, int],
        *,
        append: bool,
    ) -> Value:
        """Return what a variable with these attributes comes to when `value` is assigned to it."""
        if flags & Flag.INTEGER:
            return self.integer(current, value, *place, append=append)
        if append and current is not None:
            value = concatenate(current, value)
        if flags & (Flag.LOWERCASE | Flag.UPPERCASE | Flag.CAPITALIZED):
            return expansion.in_case(self, flags, value, *place)
        return value

    def integer(
        self,
        current: Value | None,
        value: Value,
        source: Source,
        start: int,
        end: int,
        *,
        append: bool,
    ) -> Value:
        """Return what is assigned to a variable with the integer attribute."""
        if not append:
            current = None
        if not isinstance(value, str) or isinstance(current, Mixed):
            return self.value_unknown(
                "it is computed from an unknown value", source, start, end, value, current
            )
        text = f"({current or 0}) + ({value or 0})" if append else value
        word = Word(self.made(text), 0, len(text))
        try:
            result = expansion.computed(self, source, word, text)
        except ExpansionProblem as problem:
            raise FatalProblem(str(problem)) from problem
        return result

    def read_only(self, name: str, source: Source, start: int, end: int) -> None:
        """An assignment to a readonly variable: bash gives up the line."""
        raise ExpansionProblem(f"{name}: readonly variable")

    def assign_subscript_text(
        self,
        target: str,
        value: Value,
        source: Source,
        start: int,
        end: int,
        *,
        append: bool = False,
    ) -> None:
        """Assign to `name` or `name[subscript]`, given as text."""
        name, bracket, rest = target.partition("[")
        if not bracket:
            self.assign(name, value, source, start, end, append=append)
            return
        from overlaylint.shell.syntax import Context, encode

        text = encode(rest.removesuffix("]"))
        word = Word(self.made(text), 0, len(text), Context.OPERAND)
        self.assign_subscript(name, word, value, source, start, end, append=append)

    def assign_subscript(
        self,
        name: str,
        subscript: Word | None,
        value: Value,
        source: Source,
        start: int,
        end: int,
        *,
        append: bool = False,
    ) -> None:
        """Assign to an array's element, or to a scalar if there is no subscript."""
        if subscript is None:
            self.assign(name, value, source, start, end, append=append)
            return
        target = self.resolve(name)
        if target is None or "[" in target:
            self.lose(source, start, end, "the element that a reference names is unknown")
            return
        variable = self.state.find(target)
        is_associative = variable is not None and variable.flags & Flag.ASSOCIATIVE
        if not is_associative and subscript.raw in ("@", "*"):
            raise BadSubscript
        key = expansion.subscript_key(self, subscript, variable)
        self.assign_element(target, key, value, source, start, end, append=append)

    def assign_element(
        self,
        name: str,
        key: int | str | Mixed,
        value: Value,
        source: Source,
        start: int,
        end: int,
        *,
        append: bool = False,
    ) -> None:
        """Assign one element of an array."""
        variable = self.state.find(name)
        flags = (variable.flags if variable is not None else 0) & ~Flag.MAYBE_UNSET
        if flags & Flag.READONLY:
            self.read_only(name, source, start, end)
            return
        if variable is not None and flags & DOUBTS:
            self.assign_doubtful(name, variable, source, start, end)
            return
        current = variable.value if variable is not None else self.inherited(name)
        if variable is None and self.state.havoc is not None:
            current = Mixed((self.state.havoc,))
        if not flags & ARRAYS:
            flags |= Flag.INDEXED
            if isinstance(current, str):
                current = {0: current}
        elements = self.element_assigned(
            current, flags, key, value, (source, start, end), append=append
        )
        self.store(name, Variable(elements, flags, source, start, end))

    def element_assigned(
        self,
        current: Value | Elements | None,
        flags: int,
        key: int | str | Mixed,
        value: Value,
        place: tuple[Source, int, int],
        *,
        append: bool,
    ) -> Mixed | Elements:
        """Return an array after an assignment to one of its elements."""
        if isinstance(current, Mixed):
            return current
        if isinstance(key, Mixed):
            return self.value_unknown(
                "an element with an unknown subscript was assigned", *place, key
            )
        assert not isinstance(current, str)
        elements: Elements = {} if current is None else dict(current)
        if isinstance(key, int) and key < 0:
            key += expansion.last_index(elements) + 1
            if key < 0:
                raise BadSubscript
        if key == "":
            raise BadSubscript
        elements[key] = self.transformed(flags, elements.get(key), value, place, append=append)
        self.spend(len(elements) // 64)
        return elements

    def assign_compound(
        self,
        name: str,
        elements: tuple[Element, ...],
        flags: int,
        source: Source,
        start: int,
        end: int,
        *,
        append: bool,
        scope: dict[str, Variable] | None = None,
        is_declared: bool = False,
    ) -> None:
        """Assign `name=(...)` (6.7), in a `declare` or the like or by itself."""
        target = self.resolve(name)
        if target is None or "[" in target:
            raise self.exhausted(f"`{name}` refers to what can't be told")
        variable = self.state.find(target) if scope is None else scope.get(target)
        flags |= (variable.flags if variable is not None else 0) & ~Flag.MAYBE_UNSET
        flags &= ~(Flag.INDEXED << Flag.DOUBT)
        if not flags & Flag.ASSOCIATIVE:
            flags |= Flag.INDEXED
        if flags & Flag.READONLY:
            self.read_only(target, source, start, end)
            return
        if variable is not None and flags & DOUBTS:
            self.assign_doubtful(target, variable, source, start, end)
            return
        current = variable.value if variable is not None else self.inherited(target)
        if variable is None and self.state.havoc is not None and scope is None:
            current = Mixed((self.state.havoc,))
        if isinstance(current, str):
            current = {"0": current} if flags & Flag.ASSOCIATIVE else {0: current}
        place = source, start, end
        try:
            words = self.compound_words(elements, flags, is_declared=is_declared)
            if append:
                # expanding the words may have changed the array
                changed = self.state.find(target) if scope is None else scope.get(target)
                if changed is not None and changed is not variable:
                    current = changed.value
                    if isinstance(current, str):
                        current = {0: current}
        except ExpansionProblem:
            # it has become an array all the same; expanding the words may have changed it
            changed = self.state.find(target) if scope is None else scope.get(target)
            if changed is not None and changed is not variable:
                current = changed.value
                if isinstance(current, str):
                    current = {0: current}
            self.store(target, Variable(current or {}, flags, *place), scope)
            raise
        if self.on_elements is not None and words.__class__ is list:
            self.on_elements(target, [word for _, word, _ in words], place)
        value: Elements | Mixed
        if words.__class__ is Mixed or (append and isinstance(current, Mixed)):
            lost = words if words.__class__ is Mixed else current
            value = self.value_unknown("its elements are unknown", *place, lost)
        else:
            earlier = current if isinstance(current, dict) else {}
            result: Elements = dict(earlier) if append else {}
            if append or not flags & Flag.ASSOCIATIVE:
                earlier = result
            elif isinstance(current, Mixed) and any(one.append for one in elements):
                raise Undecidable("an element is added to one that is unknown")
            try:
                value = self.fill(result, earlier, words, flags, place)  # type: ignore[arg-type]
            except ExpansionProblem:
                self.store(target, Variable(result, flags, *place), scope)
                raise
        self.store(target, Variable(value, flags, *place), scope)

    def compound_words(
        self, elements: tuple[Element, ...], flags: int, *, is_declared: bool
    ) -> list[tuple[Word | Value | None, Value, bool]] | Mixed:
        """Expand the words of a compound assignment, all before the first is assigned.

        Each comes with its subscript, and whether it is appended.
        """
        words: list[tuple[Word | Value | None, Value, bool]] = []
        is_associative = flags & Flag.ASSOCIATIVE
        expand = expansion.unsplit if is_associative else expansion.value_of
        takes_pairs = is_associative and bool(elements) and elements[0].key is None
        for element in elements:
            if element.key is not None:
                made = [] if is_associative else self.braced_elements(element)
                if made:
                    words += [(None, word, False) for word in made]
                    continue
                if is_associative and not takes_pairs:
                    key = expand(self, element.key)
                    # where the key is empty, bash does not come to the value
                    is_skipped = key == "" and not is_declared
                    value = "" if is_skipped else expand(self, element.value)
                    words.append((key, value, element.append))
                    continue
                if not is_associative:
                    self.check_element(element.value)
                value = expand(self, element.value)
                if takes_pairs:
                    operator = "]+=" if element.append else "]="
                    value = concatenate("[", expand(self, element.key), operator, value)
                    words.append((None, value, False))
                else:
                    words.append((element.key, value, element.append))
            elif is_associative:
                words.append((None, expand(self, element.value), False))
            else:
                for field in expansion.fields(self, (element.value,)):
                    words.append((None, field, False))
        lost = next((w for _, w, _ in words if w.__class__ is Mixed and w.is_many), None)
        if lost is None or is_associative:
            return words
        for subscript, _, _ in words:
            if isinstance(subscript, Word):
                expansion.subscript_key(self, subscript, None)  # which may assign something
        return lost

    def check_element(self, word: Word) -> None:
        """Leave open what a list comes to: bash joins it by IFS or by blanks, as it is written."""
        raw = word.source.text[word.start : word.end]
        if "$" in raw and ("@" in raw or "*" in raw) and self.ifs() is not None:
            raise Undecidable("a list in an array's element where IFS was changed")

    def braced_elements(self, element: Element) -> list[Value]:
        """Return the words that braces make of `[key]=value`: these are no assignments any more.

        Nothing is returned where there are no braces to expand.
        """
        key, value = element.key, element.value
        assert key is not None
        if "{" not in value.source.text[key.start : value.end]:
            return []
        whole = Word(value.source, key.start - 1, value.end)
        operator = "+=" if element.append else "="
        parts = (Quoted("["), *key.parts, Quoted("]"), Text(operator), *value.parts)
        whole.__dict__["parts"] = parts
        alternatives = list(expansion.brace_alternatives(self, whole))
        made: list[Value] = []
        if len(alternatives) > 1:
            for word in alternatives:
                expansion.expand_parts(self, word, word.parts, made)
        return made

    def fill(
        self,
        result: Elements,
        earlier: Elements,
        words: list[tuple[Word | Value | None, Value, bool]],
        flags: int,
        place: tuple[Source, int, int],
    ) -> Elements | Mixed:
        """Return an array with the words of a compound assignment added to it.

        `[key]+=value` is added to the element of `earlier`: in an associative array that is the
        one before the assignment, however often the key is given.
        """
        if flags & Flag.ASSOCIATIVE and words and words[0][0] is None:
            # bash takes the words as keys and values in turn
            for position in range(0, len(words), 2):
                key = words[position][1]
                if isinstance(key, Mixed):
                    return key
                if not key:
                    continue  # bash only complains
                value = words[position + 1][1] if position + 1 < len(words) else ""
                result[key] = self.transformed(flags, None, value, place, append=False)
            return result
        index = expansion.last_index(result) + 1
        for subscript, value, append in words:
            if subscript is None:
                if flags & Flag.ASSOCIATIVE:
                    continue  # bash only complains
                found: int | str | Mixed = index
            else:
                if not isinstance(subscript, Word):
                    found = subscript
                elif subscript.raw in ("@", "*", ""):
                    continue  # bash only complains
                else:
                    text = expansion.value_of(self, subscript)
                    if text == "":
                        continue  # bash only complains
                    found = expansion.subscript_number(self, subscript, text)
                if isinstance(found, Mixed):
                    return self.value_unknown("an element's subscript is unknown", *place, found)
                if isinstance(found, int) and found < 0:
                    found += expansion.last_index(result) + 1
                    if found < 0:
                        continue
                if found == "":
                    continue
            assert not isinstance(found, Mixed)
            result[found] = self.transformed(flags, earlier.get(found), value, place, append=append)
            if isinstance(found, int):
                index = found + 1
        self.spend(len(result) // 16)
        return result

    def perform(self, assignment: Assignment, source: Source) -> None:
        """Carry out an assignment statement."""
        value = assignment.value
        if isinstance(value, tuple):
            self.assign_compound(
                assignment.name,
                value,
                0,
                source,
                assignment.start,
                assignment.end,
                append=assignment.append,
            )
            return
        text = expansion.value_of(self, value)
        self.assign_subscript(
            assignment.name,
            assignment.subscript,
            text,
            source,
            assignment.start,
            assignment.end,
            append=assignment.append,
        )

    def unset_variable(self, name: str) -> None:
        """Unset a variable: the innermost one of its name (`unset -v`)."""
        local = self.function_scope()
        scopes = self.state.scopes
        for number in range(len(scopes) - 1, -1, -1):
            scope = scopes[number]
            if name in scope:
                if scope[name].flags & Flag.PERHAPS_OUTER:
                    self.disturb_outer(name, scope[name], scope)
                if number == local and number > 0:
                    # a local variable stays local, without a value
                    variable = scope[name]
                    scope[name] = Variable(None, 0, variable.source, variable.start, variable.end)
                else:
                    del scope[name]
                    if number == 0 and (self.state.havoc is not None or self.inherited(name)):
                        scope[name] = Variable(None)
                return
        if self.state.havoc is not None or self.inherited(name) is not None:
            scopes[0][name] = Variable(None)

    def lose(self, source: Source, start: int, end: int, reason: str) -> None:
        """Something of unknown effect happens here: everything may have changed."""
        self.state.make_unknown(Unknown(reason, source, start, end))
        self.write(unknown(reason, source, start, end))
        if self.input is not None:
            self.input = unknown(reason, source, start, end)

    def made(self, text: str) -> Source:
        """Return a source for text that the script made itself."""
        return Source(text)

    # --- expansions that need commands ---

    def alternatives(self, word: Word) -> Sequence[tuple[Part, ...]]:
        """Return a word's parts after brace expansion (3.5.1)."""
        known = word.__dict__.get("_alternatives")
        if known is None:
            if word.has_odd_braces:
                raise Undecidable("braces after quotes in an expansion in quotes")
            try:
                known = expand_braces(word.parts, 5_000)
            except TooManyWords:
                raise self.exhausted("a brace expansion makes too many words") from None
            word.__dict__["_alternatives"] = known
            self.spend(len(known))
        return known

    def file_names(self, word: Word, pattern: Value, plain: Value) -> list[Value]:
        """Return what a word with wildcards comes to: most often it is unknown which files are."""
        found = self.known_files(pattern, plain)
        if found is not None:
            return found
        if self.state.option("failglob") is not False:
            reason = Unknown(
                "it depends on which files there are", word.source, word.start, word.end
            )
            self.may_leave(DISCARD, 1, reason, "no match")
        pieces: list[str | Unknown] = []
        for piece in pieces_of(pattern):
            if isinstance(piece, str):
                pieces.append(
                    Unknown(
                        "it depends on which files there are",
                        word.source,
                        word.start,
                        word.end,
                        pattern=piece,
                        is_many=True,
                    )
                )
            else:
                pieces.append(piece)
        return [join(pieces)]

    def known_files(self, pattern: Value, plain: Value) -> list[Value] | None:
        """Return what a word with wildcards comes to, if the files that it may mean are known."""
        options = [
            self.state.option(name)
            for name in ("extglob", "dotglob", "nullglob", "failglob", "nocaseglob", "globstar")
        ]
        if self.files is None or None in options or any(options[3:]):
            return None
        if "?f" in self.state.shell_options:
            return None
        extended, hidden, vanishes = (bool(option) for option in options[:3])
        found = self.files.matching(pattern, extended=extended, hidden=hidden)
        if found is None:
            return None
        self.spend(len(found))
        return list(found) or ([] if vanishes else [plain])

    def substitute(self, part: CommandSubstitution) -> Value:
        """Return what a command substitution writes, without its last line ends."""
        value = self.capture(part.body)
        self.substituted = self.status
        if value.__class__ is str:
            return value.rstrip("\n") if value else value
        *before, last = value.parts  # type: ignore[union-attr]
        if isinstance(last, str):
            last = last.rstrip("\n")
            if last:
                return join([*before, last])
            *before, last = before
        assert isinstance(last, Unknown)
        if last.choices:
            choices = tuple((one, text.rstrip("\n")) for one, text in last.choices)
            last = replace(last, choices=choices)
        has_text = last.is_word or (last.choices and all(text for _, text in last.choices))
        previous = before[-1] if before else ""
        if not has_text and isinstance(previous, str) and previous.endswith("\n"):
            # it may be empty, and then the line ends before it are left out too
            before[-1] = previous.rstrip("\n")
            last = replace(last, symbol="", pattern="", choices=())
        return join([*before, last])

    def capture(self, body: Command) -> Value:
        """Return what a command writes, run in a subshell."""
        if isinstance(body, List) and body.commands and isinstance(body.commands[-1], Opaque):
            raise Unreadable(body.commands[-1].reason)  # bash finds the error only now
        content = self.read_file(body)
        if content is not None:
            return content
        had_spilt, self.has_spilt = self.has_spilt, False
        is_alone = isinstance(body, List) and len(body.commands) == 1
        self.captures += 1
        try:
            with self.subshell(output=[]) as shell_state:
                self.alone = cast(Simple, body.commands[0]) if is_alone else None  # type: ignore[union-attr]
                self.status = (
                    self.run(body) if not (isinstance(body, List) and not body.commands) else 0
                )
                self.end_subshell()
                shell_state.append(self.state.output or [])
        finally:
            self.captures -= 1
        if self.has_spilt:
            self.write(unknown("it is what a command in a substitution writes elsewhere"))
        self.has_spilt = self.has_spilt or had_spilt
        return join(shell_state[0])

    def read_file(self, body: Command) -> Value | None:
        """Return what `$(< file)` comes to; None if the substitution is another one."""
        if not isinstance(body, List) or len(body.commands) != 1:
            return None
        command = body.commands[0]
        if not isinstance(command, Simple):
            return None
        details = command.details
        if details.words or details.assignments or len(details.redirections) != 1:
            return None
        redirection = details.redirections[0]
        if redirection.operator != "<" or redirection.descriptor not in ("", "0"):
            return None
        redirect = self.redirects(details.redirections)[0]
        self.record_files((redirect,), command.source, command.start, command.end)
        self.status = self.opens((redirect,)) or 0
        return self.content(redirect.target)

    def process_substitution(self, part: ProcessSubstitution) -> Value:
        """Return the file that stands for a process, with what it would hold if that is known."""
        content: Value = ""
        if part.direction == "<":
            content = self.capture(part.body)
        else:
            with self.subshell(output=None):
                self.run(part.body)
                self.end_subshell()
        symbol = f"<({part.start})"
        self.processes[symbol] = content
        return unknown(
            "it is a file that bash makes up",
            part.source,
            part.start,
            part.end,
            symbol=symbol,
            is_word=True,
        )

    @contextmanager
    def subshell(self, *, output: Output | None) -> Iterator[list[Output]]:
        """Evaluate on a copy of the state that is thrown away afterwards."""
        self.depth += 1
        if self.depth > MAXIMUM_CALLS:
            raise self.exhausted("it nests too deeply")
        self.spend(2)
        saved, sinks = self.state, self.sinks
        self.state = saved.copy()
        if output is not None:
            self.state.output = output
            self.sinks = {
                number: _OUTER if sink == _OUTPUT else sink for number, sink in sinks.items()
            }
            self.sinks[1] = _OUTPUT
        region = self.enter_region(_SUBSHELL)
        last_argument, pipe_status = self.last_argument, self.pipe_status
        box: list[Output] = []
        try:
            yield box
        finally:
            self.regions.pop()
            del self.guards[region.guards :]
            del self.exclusions[region.exclusions :]
            self.state, self.sinks = saved, sinks
            self.last_argument, self.pipe_status = last_argument, pipe_status
            self.depth -= 1

    def end_subshell(self) -> None:
        """Merge the ways that left a subshell early."""
        if self.signal and self.signal != DIE:
            self.status = self.signal_status
            self.signal = 0
        self.rejoin(self.regions[-1], (RETURN, BREAK, CONTINUE, EXIT, DISCARD))

    # --- unknown conditions ---

    def branch(
        self,
        condition: Condition,
        then: Callable[[], Status],
        otherwise: Callable[[], Status] | None,
    ) -> Status:
        """Follow both ways of an unknown condition, and merge what they come to."""
        self.spend(_BRANCH_STEPS)
        reason = Unknown(f"it depends on `{condition}`", *_place(condition))
        before, surroundings = self.state, self.surroundings
        status = self.status
        depth = len(self.guards)
        first = before.copy()
        self.guards.append(condition)
        self.state = first
        then_status = then()
        then_exit = self.take_exit(reason)
        then_surroundings = self.surroundings
        first = self.state
        self.guards[depth:] = [negate(condition)]
        self.state, self.surroundings, self.status = before, surroundings, status
        else_status = otherwise() if otherwise is not None else 0
        else_exit = self.take_exit(reason)
        del self.guards[depth:]
        if then_exit and else_exit:
            for taken, other, held in (
                (then_exit, else_exit, condition),
                (else_exit, then_exit, negate(condition)),
            ):
                if self.region_for(taken.signal) is None and (
                    taken is then_exit or self.region_for(other.signal) is not None
                ):
                    if self.region_for(other.signal) is not None:
                        self.leave(taken, (held,))
                    return self.go_on(other)
            self.leave(then_exit, ())
            return self.go_on(else_exit)
        if then_exit:
            self.leave(then_exit, (condition,))
            return else_status
        if else_exit:
            self.state, self.surroundings = first, then_surroundings
            self.leave(else_exit, (negate(condition),))
            return then_status
        self.join_surroundings(then_surroundings, reason)
        self.state = merge(first, self.state, reason, condition)
        return _merged_status(condition, then_status, else_status)

    @property
    def surroundings(self) -> _Surroundings:
        """What is not part of the state and yet differs from way to way."""
        return self.last_argument, self.input, self.pipe_status

    @surroundings.setter
    def surroundings(self, value: _Surroundings) -> None:
        self.last_argument, self.input, self.pipe_status = value

    def join_surroundings(self, other: _Surroundings, reason: Unknown) -> None:
        """Make unknown what differs on another way."""
        argument, input_, pipe_status = other
        if argument != self.last_argument:
            self.last_argument = Mixed((reason,))
        if input_ != self.input:
            self.input = Mixed((reason,))
        if pipe_status != self.pipe_status:
            self.pipe_status = ()

    def take_exit(self, reason: Unknown) -> _Exit | None:
        """Return how the way just followed ended early, if it did."""
        if not self.signal:
            return None
        taken = _Exit(
            self.signal,
            self.signal_count,
            self.signal_status,
            self.state,
            reason,
            self.surroundings,
            self.signal_message,
        )
        self.signal = 0
        return taken

    def go_on(self, taken: _Exit) -> Status:
        """Follow a way that left early."""
        self.state, self.surroundings = taken.state, taken.surroundings
        self.signal, self.signal_count = taken.signal, taken.count
        self.signal_status, self.signal_message = taken.status, taken.message
        return taken.status

    def leave(self, taken: _Exit, conditions: tuple[Condition, ...]) -> None:
        """Keep a way that left early, to be merged where it leads; what follows is without it."""
        region = self.region_for(taken.signal)
        if region is None:
            for condition in conditions:
                self.possible_deaths.append((condition, taken.message))
            return
        region.exits.append(taken)
        if conditions:
            held = (*self.guards[region.guards :], *conditions)
            self.exclusions.append(tuple(c for one in held for c in conjuncts(one)))

    def region_for(self, signal: int) -> _Region | None:
        """Return what a signal leaves; None if it ends everything."""
        if signal == DIE:
            return None
        kind = _LEAVES.get(signal)
        for region in reversed(self.regions):
            if region.kind in (kind, _SUBSHELL):
                return region
        return None

    def rejoin(self, region: _Region, signals: tuple[int, ...]) -> None:
        """Merge the ways that left `region` by one of `signals` into the state."""
        if not region.exits:
            return
        remaining: list[_Exit] = []
        for taken in region.exits:
            if taken.signal not in signals:
                remaining.append(taken)
                continue
            # a way may have left functions on its way here
            del taken.state.scopes[len(self.state.scopes) :]
            del taken.state.positional[len(self.state.positional) :]
            way = Check(
                (f"the way that is taken: {taken.reason.reason}",),
                taken.reason.source,
                taken.reason.start,
                taken.reason.end,
            )
            left = self.take_exit(taken.reason)
            if left is not None:
                # the way followed so far leads elsewhere, and this one goes on here
                self.leave(left, (way,) if self.region_for(left.signal) is None else ())
                self.state, self.status = taken.state, taken.status
                self.surroundings = taken.surroundings
                continue
            if self.status != taken.status:
                self.status = way
            self.join_surroundings(taken.surroundings, taken.reason)
            self.state = merge(self.state, taken.state, taken.reason)
        region.exits[:] = remaining

    def current_guards(self) -> tuple[Condition, ...]:
        """Return what must hold for the commands here to run."""
        # in order, each once
        guards: dict[Condition, None] = {}
        for guard in self.guards:
            for condition in conjuncts(guard):
                guards[condition] = None
        for exits in self.exclusions:
            excluded = excluding(exits, guards)
            if excluded is not None:
                guards[excluded] = None
        return tuple(guards)

    # --- commands ---

    def run(self, command: Command) -> Status:
        """Evaluate a command; return its status."""
        return _RUN[command.__class__](self, command)

    def run_list(self, node: List) -> Status:
        """Evaluate commands one after another."""
        status: Status = 0
        for command in node.commands:
            status = self.status = _RUN[command.__class__](self, command)
            if self.signal:
                break
        return status

    def run_and_or(self, node: AndOr) -> Status:
        """Evaluate `&&` and `||`."""
        first_call = self.call_count
        status = self.status = self.run(node.commands[0])
        return self.and_or_from(node, 0, status, first_call)

    def and_or_from(self, node: AndOr, index: int, status: Status, first_call: int) -> Status:
        """Evaluate the rest of a list of `&&` and `||`, after the command at `index`.

        The calls of the list are those noted since `first_call`.
        """
        while index < len(node.operators):
            if self.signal:
                return status
            operator = node.operators[index]
            index += 1
            following = node.commands[index]
            if isinstance(status, int):
                if (status == 0) == (operator == "&&"):
                    status = self.status = self.run(following)
                elif self.is_tracing and _is_constant(node.commands[index - 1]):
                    self.run_dead(following)
                continue
            condition = status if operator == "&&" else negate(status)

            taken, skipped = (0, 1) if operator == "&&" else (1, 0)
            then = partial(self.run_after, taken, following)
            if operator == "||" and self.calls is not None:
                then = partial(self.run_failing, then, first_call, len(self.calls))
            status = self.status = self.branch(condition, then, partial(int, skipped))
            if operator == "&&" and isinstance(status, int) and status != 0:
                # it fails both ways, but nobody knows with which status the first command did
                status = self.status = both(condition, negate(condition))
        return status

    def run_dead(self, command: Command) -> None:
        """Note the calls of a command that can never run (`if false`)."""
        if self.calls is None:
            return
        self.is_dead, was_dead = True, self.is_dead
        with self.subshell(output=[]):
            self.run(command)
            self.signal = 0
        self.is_dead = was_dead

    def run_after(self, status: int, command: Command) -> Status:
        """Evaluate a command with `$?` set."""
        self.status = status
        return self.run(command)

    # what comes of a call's failure

    @property
    def call_count(self) -> int:
        """How many calls are noted so far."""
        return 0 if self.calls is None else len(self.calls)

    def run_failing(self, run: Callable[[], Status], start: int, end: int) -> Status:
        """Follow a way that is taken after calls, and note what it says of their failure."""
        status = run()
        self.note_failing(start, end, Failing.ENDS if self.is_failing else Failing.GOES_ON)
        return status

    @property
    def is_failing(self) -> bool:
        """Whether the way followed has just ended in a failure."""
        leaves = self.signal in (RETURN, EXIT) and self.signal_status != 0
        return self.signal == DIE or leaves

    def note_failing(self, start: int, end: int, failing: Failing) -> None:
        """Note what comes of the failure of some of the calls: what is nearest to them counts."""
        calls = self.calls
        if calls is None:
            return
        for index in range(start, end):
            known = calls[index].failing
            if known <= Failing.IGNORED:
                calls[index] = replace(calls[index], failing=failing)

    def run_pipeline(self, node: Pipeline) -> Status:
        """Evaluate a pipeline: each command in a subshell of its own."""
        commands = node.commands
        first_call = self.call_count
        status = self.run(commands[0]) if len(commands) == 1 else self.piped(node)
        if node.is_negated and not self.signal:
            self.note_failing(first_call, self.call_count, Failing.IGNORED)
            return int(status == 0) if isinstance(status, int) else negate(status)
        return status

    def piped(self, node: Pipeline) -> Status:
        """Evaluate commands joined by pipes."""
        commands = node.commands
        rest = self.input
        statuses: list[Status] = []
        outer, sinks = self.state.output, self.sinks
        for position, command in enumerate(commands[:-1]):
            with self.subshell(output=[]) as box:
                if node.pipes_stderr[position]:
                    self.sinks[2] = _OUTPUT
                self.status = self.run(command)
                self.end_subshell()
                box.append(self.state.output or [])
            if position == 0:
                rest = self.input
            statuses.append(self.status)
            if self.signal:
                self.input = rest
                return self.status
            self.input = join(box[0])
        in_shell = self.state.option("lastpipe")
        if in_shell is None:
            raise self.exhausted("whether `lastpipe` is on is unknown")
        if in_shell:
            statuses.append(self.run(commands[-1]))
        else:
            with self.subshell(output=None) as box:
                self.state.output, self.sinks = outer, sinks
                if outer is not None:
                    self.state.output = outer.copy()
                self.status = self.run(commands[-1])
                self.end_subshell()
                box.append(self.state.output or [])
            statuses.append(self.status)
            if outer is not None and not self.signal:
                self.state.output = box[0]
        self.input = rest
        self.pipe_status = tuple(statuses)
        if self.signal:
            return statuses[-1]
        letters = self.state.shell_options
        if "?|" in letters:
            return Check(("pipefail",), self.source_of(node), node.start, node.end)
        if "|" in letters:
            return _last_failure(statuses)
        return statuses[-1]

    def run_background(self, node: Background) -> Status:
        """Evaluate a command that runs beside the script."""
        with self.subshell(output=None):
            self.run(node.command)
            self.end_subshell()
        return 0

    def run_group(self, node: Group) -> Status:
        """Evaluate `{ ... }`."""
        return self.run_list(node.body)

    def run_subshell(self, node: Subshell) -> Status:
        """Evaluate `( ... )`: what it changes is lost, what it writes is not."""
        outer = self.state.output
        with self.subshell(output=None) as box:
            self.status = self.run_list(node.body)
            self.end_subshell()
            box.append(self.state.output or [])
        if outer is not None:
            self.state.output = box[0]
        self.pipe_status = self.status
        return self.status

    def run_if(self, node: If) -> Status:
        """Evaluate `if`."""
        return self.if_from(node, 0)

    def if_from(self, node: If, index: int) -> Status:
        """Evaluate `if` from one of its branches on."""
        if index == len(node.branches):
            return 0 if node.otherwise is None else self.run_list(node.otherwise)
        condition, body = node.branches[index]
        first_call = self.call_count
        status = self.run_list(condition)
        if self.signal:
            return status
        last_call = self.call_count
        if isinstance(status, int):
            is_constant = self.is_tracing and _is_constant(condition)
            if status == 0:
                if is_constant and node.otherwise is not None:
                    self.run_dead(node.otherwise)
                return self.run_list(body)
            if is_constant:
                self.run_dead(body)
            return self.if_from(node, index + 1)
        then, otherwise = partial(self.run_list, body), partial(self.if_from, node, index + 1)
        if first_call == last_call:
            return self.branch(status, then, otherwise)
        return self.branch_on_calls(status, then, otherwise, first_call, last_call)

    def branch_on_calls(
        self,
        condition: Condition,
        then: Callable[[], Status],
        otherwise: Callable[[], Status],
        start: int,
        end: int,
    ) -> Status:
        """Follow both ways of a condition that some calls make: where one ends, they may not fail.

        Which of the two is the one of their failure is not asked: `if ! command` turns it round.
        """
        ended: list[bool] = []

        def following(run: Callable[[], Status]) -> Status:
            status = run()
            ended.append(self.is_failing)
            return status

        status = self.branch(condition, partial(following, then), partial(following, otherwise))
        self.note_failing(start, end, Failing.ENDS if any(ended) else Failing.GOES_ON)
        return status

    def run_while(self, node: While) -> Status:
        """Evaluate `while` and `until`."""

        def test() -> Status:
            first_call = self.call_count
            status = self.run_list(node.condition)
            self.note_failing(first_call, self.call_count, Failing.GOES_ON)
            if node.is_until:
                return int(status == 0) if isinstance(status, int) else negate(status)
            return status

        return self.loop(test, lambda: self.run_list(node.body), lambda: None)

    @_giving_up
    def run_for_arithmetic(self, node: ForArithmetic) -> Status:
        """Evaluate `for ((a; b; c))`."""
        source = node.condition.source

        failures: list[str] = []

        def step(word: Word, default: int) -> Status:
            self.spend(3)
            if not word.raw.strip():
                return int(default == 0)
            try:
                return _truth(expansion.arithmetic(self, source, word), source, word)
            except FatalProblem:
                raise
            except ExpansionProblem as problem:
                failures.append(str(problem))
                return 1

        step(node.initial, 1)
        if failures:
            return 1

        def test() -> Status:
            return 1 if failures else step(node.condition, 1)

        status = self.loop(test, lambda: self.run_list(node.body), lambda: step(node.step, 1))
        return 1 if failures and not self.signal else status

    def loop(
        self, test: Callable[[], Status], body: Callable[[], Status], step: Callable[[], object]
    ) -> Status:
        """Evaluate a loop that goes on while `test` succeeds."""
        region = self.enter_region(_LOOP)
        open_rounds = 0
        status: Status = 0
        try:
            while True:
                self.spend(1)
                result = test()
                if self.signal:
                    if self.end_round(region):
                        break
                    continue
                if not isinstance(result, int):
                    self.unknown_rounds(region, result, test, body, step)
                    status = Check(("the loop's last command",), *_place(result))
                    break
                if result != 0:
                    break
                if len(region.exits) > open_rounds:
                    open_rounds += 1
                    if open_rounds > _OPEN_ROUNDS:
                        # it may have ended in each of these rounds, and nobody knows when it does
                        goes_on = Check(("the loop goes on",), *region.exits[-1].place)
                        self.unknown_rounds(region, goes_on, test, body, step)
                        status = Check(("the loop's last command",), *_place(goes_on))
                        break
                self.status = body()
                if self.end_round(region):
                    status = self.status
                    break
                status = self.status
                step()
        finally:
            self.status = status
            self.leave_loop(region)
        return self.status

    def leave_loop(self, region: _Region) -> None:
        """Leave a loop: merge the ways that broke out of it."""
        inner = [taken for taken in region.exits if taken.count <= 1]
        outer = [taken for taken in region.exits if taken.count > 1]
        for taken in outer:
            taken.count -= 1
        region.exits = outer
        self.leave_region(region)
        region.exits = inner
        self.rejoin(region, (BREAK, CONTINUE))

    def end_round(self, region: _Region) -> bool:
        """End one round of a loop; tell whether the loop is left."""
        if self.signal == CONTINUE and self.signal_count <= 1:
            self.signal = 0
        if region.exits:
            # the ways that go on with the next round; one that leaves the loop is kept for its end
            continued = [
                taken for taken in region.exits if taken.signal == CONTINUE and taken.count <= 1
            ]
            if continued:
                region.exits = [taken for taken in region.exits if taken not in continued]
                self.rejoin(_Region(_LOOP, 0, 0, continued), (CONTINUE,))
        del self.exclusions[region.exclusions :]
        if self.signal in (BREAK, CONTINUE):
            if self.signal_count > 1:
                self.signal_count -= 1
            else:
                self.signal = 0
            return True
        return bool(self.signal)

    def unknown_rounds(
        self,
        region: _Region,
        condition: Condition,
        test: Callable[[], Status],
        body: Callable[[], Status],
        step: Callable[[], object],
    ) -> None:
        """Evaluate a loop that runs an unknown number of times, till nothing changes any more.

        Calls are recorded in the last round only, when the state is what any round could find.
        """
        reason = Unknown(f"it depends on `{condition}`", *_place(condition))
        recorded = self.calls

        def round_() -> Status:
            body()
            if self.signal == BREAK or (self.signal == CONTINUE and self.signal_count > 1):
                return 0  # this way leaves the loop, and the other one goes on
            if not self.end_round(region):
                step()
                test()
            return 0

        self.calls = None
        for _ in range(_FIXPOINT_ROUNDS):
            before, surroundings = self.state.copy(), self.surroundings
            self.branch(condition, round_, None)
            self.signal = 0
            self.state = merge(self.state, before.copy(), reason)
            if _unchanged(before, self.state) and surroundings == self.surroundings:
                break
        else:
            raise self.exhausted("a loop does not settle")
        self.calls = recorded
        if recorded is not None:
            self.branch(condition, round_, None)
            self.signal = 0

    @_giving_up
    def run_for(self, node: For) -> Status:
        """Evaluate `for name in words`."""
        if node.words is None:
            items = expansion.positional_words(self.state.positional[-1])
            origin = self.source_of(node)
        else:
            items = expansion.fields(self, node.words)
            origin = node.words[0].source if node.words else self.source_of(node)
        if node.is_select:
            self.lose(origin, node.start, node.end, "it asks somebody (`select`)")
            return Check(("select",), origin, node.start, node.end)
        region = self.enter_region(_LOOP)
        status: Status = 0
        try:
            for item in items:
                self.spend(1)
                if item.__class__ is Mixed and item.is_many:
                    condition = Check(("for", node.name, "in", item), origin, node.start, node.end)

                    def again() -> Status:
                        return condition  # noqa: B023

                    field = _as_field(item)

                    def body(field: Value = field) -> Status:
                        self.assign(node.name, field, origin, node.start, node.end)
                        return self.run_list(node.body)

                    self.unknown_rounds(region, condition, again, body, lambda: None)
                    status = Check(("the loop's last command",), origin, node.start, node.end)
                    continue
                try:
                    self.assign(node.name, item, origin, node.start, node.end)
                except FatalProblem:
                    raise
                except ExpansionProblem:
                    status = 1
                    break
                self.status = self.run_list(node.body)
                is_left = self.end_round(region)
                status = self.status
                if is_left:
                    break
        finally:
            self.status = status
            self.leave_loop(region)
        return self.status

    def source_of(self, node: Command) -> Source:
        """Return the source of a node that does not carry it: that of a command inside it."""
        stack: list[object] = [node]
        while stack:
            item = stack.pop()
            if isinstance(item, Simple | Word | Function):
                return item.source
            if isinstance(item, tuple):
                stack.extend(item)
            elif hasattr(item, "__dataclass_fields__"):
                stack.extend(getattr(item, name) for name in item.__dataclass_fields__)
        return Source("")

    @_giving_up
    def run_case(self, node: Case) -> Status:
        """Evaluate `case`."""
        self.check_case_word(node.subject)
        subject = expansion.unsplit(self, node.subject)
        return self.case_from(node, subject, 0)

    def check_case_word(self, word: Word) -> None:
        """Refuse a word in which bash (up to 5.2 at least) keeps a mark for what is empty.

        `case "${x:9}"a in a)` does not match there.
        """
        if word.literal is not None or len(word.parts) < 2:
            return
        for part in word.parts:
            if not isinstance(part, DoubleQuoted) or not part.parts:
                continue
            if all(isinstance(p, Parameter) and p.operator[:1] in _MARKING for p in part.parts):
                alone = (part,)
                if expansion.may_assign(alone) or expansion.join_parts(self, word, alone) == "":
                    raise Undecidable(
                        "an empty `${name:...}` in quotes beside other text in `case`"
                    )

    def case_from(self, node: Case, subject: Value, index: int, status: Status = 0) -> Status:
        """Evaluate `case` from one of its clauses on; `status` is its status if none matches."""
        while index < len(node.arms):
            matched = self.arm_matches(node, subject, node.arms[index])
            if matched is True:
                return self.run_arms(node, subject, index)
            if matched is not False:
                return self.branch(
                    matched,
                    partial(self.run_arms, node, subject, index),
                    partial(self.case_from, node, subject, index + 1, status),
                )
            index += 1
        return status

    def run_arms(self, node: Case, subject: Value, index: int) -> Status:
        """Evaluate a clause, and those that it falls through to (`;&`, `;;&`)."""
        while True:
            arm = node.arms[index]
            status = self.run_list(arm.body)
            if self.signal or arm.terminator == ";;" or index + 1 == len(node.arms):
                return status
            if arm.terminator == ";;&":
                return self.case_from(node, subject, index + 1, status)
            index += 1

    def arm_matches(self, node: Case, subject: Value, arm: CaseArm) -> bool | Condition:
        """Tell whether one of a clause's patterns matches."""
        from overlaylint.shell.conditionals import matches

        result: bool | Condition = False
        for word in arm.patterns:
            self.check_case_word(word)
            matched = matches(self, subject, word, ("case", node.start, node.end))
            if matched is True:
                return True
            if matched is not False:
                result = matched if result is False else either(result, matched)  # type: ignore[arg-type]
        return result

    @_giving_up
    def run_arithmetic(self, node: Arithmetic) -> Status:
        """Evaluate `((expression))`."""
        self.spend(3)
        source = node.expression.source
        try:
            status = _truth(
                expansion.arithmetic(self, source, node.expression), source, node.expression
            )
        except FatalProblem:
            raise
        except ExpansionProblem:
            status = 1  # bash only complains
        self.pipe_status = status
        return status

    @_giving_up
    def run_conditional(self, node: Conditional) -> Status:
        """Evaluate `[[ expression ]]`."""
        from overlaylint.shell.conditionals import conditional

        self.spend(1)
        result = conditional(self, node.expression)
        status: Status = int(not result) if isinstance(result, bool) else result
        self.pipe_status = status
        return status

    def run_function(self, node: Function) -> Status:
        """Define a function."""
        self.state.functions[node.name] = node
        return 0

    def run_coprocess(self, node: Coprocess) -> Status:
        """Evaluate a coprocess: nothing of it comes back."""
        with self.subshell(output=None):
            self.run(node.command)
            self.end_subshell()
        return 0

    def run_opaque(self, node: Opaque) -> Status:
        """Meet what could not be parsed."""
        self.state.make_unknown(Unknown(node.reason, None, node.start, node.end))
        return Check((node.reason,))

    @_giving_up
    def run_redirected(self, node: Redirected) -> Status:
        """Evaluate a compound command with redirections."""
        redirects = self.redirects(node.redirections)
        if self.calls is not None:
            self.record_files(redirects, self.source_of(node), node.start, node.end)

        def run() -> Status:
            with self.redirected(redirects):
                return self.run(node.command)

        opens = None if self.is_tracing else self.opens(redirects)
        return run() if opens is None else self.branch(opens, run, lambda: 1)

    # --- simple commands ---

    def run_simple(self, node: Simple) -> Status:
        """Evaluate a simple command (3.7.1)."""
        self.steps += 1
        if self.steps > MAXIMUM_STEPS:
            raise self.exhausted("it takes too many steps")
        # without a command substitution the status is 0, with one it is that of the last
        self.substituted = 0
        status: Status
        try:
            if node.details.words:
                status = self.run_words(node)
            else:
                status = self.assign_all(node)
                self.last_argument = ""
        except ExpansionProblem as problem:
            status = self.give_up(problem)
        except Undecidable as undecidable:
            self.pass_on(undecidable)
            self.may_give_up(Unknown(undecidable.reason, node.source, node.start, node.end))
            self.lose(node.source, node.start, node.end, undecidable.reason)
            status = Check((undecidable.reason,), node.source, node.start, node.end)
        self.pipe_status = status
        return status

    def assign_all(self, node: Simple) -> Status:
        """Carry out assignments with no command after them."""
        details = node.details
        for assignment in details.assignments:
            self.perform(assignment, node.source)
        if details.redirections:
            redirects = self.redirects(details.redirections)
            self.record_files(redirects, node.source, node.start, node.end)
            opens = self.opens(redirects)
            if opens is not None:
                return opens if self.substituted == 0 else both(opens, self.substituted)  # type: ignore[arg-type]
        return self.substituted

    def run_words(self, node: Simple) -> Status:
        """Evaluate a command with words."""
        details = node.details
        operands: list[Value | Assigned] = []
        arguments: list[Value] = []
        for word in details.words:
            if word.__class__ is Assignment:
                self.expand_assignment(node, word, operands)
            else:
                text = word.literal  # type: ignore[union-attr]
                if text is not None:
                    arguments.append(text)
                    operands.append(text)
                else:
                    before = len(arguments)
                    expansion.expand_word(self, word, arguments)  # type: ignore[arg-type]
                    operands.extend(arguments[before:])
        if not arguments:
            return self.assign_all(node)
        name = arguments[0]
        redirects = self.redirects(details.redirections) if details.redirections else ()
        if name.__class__ is not str:
            return self.call_unknown(node, arguments, redirects)
        invocation = Invocation(
            name,
            arguments[1:],
            operands[1:],
            node.source,
            node.start,
            node.end,
            self.input,
        )
        try:
            return self.run_invocation(node, invocation, redirects)
        finally:
            last = operands[-1]
            self.last_argument = as_one(last.text if isinstance(last, Assigned) else last)

    def expand_assignment(
        self, node: Simple, assignment: Assignment, operands: list[Value | Assigned]
    ) -> None:
        """Expand an assignment among the words of `declare` and the like."""
        value = assignment.value
        if isinstance(value, tuple):
            from overlaylint.shell.declaring import declare_compound

            declare_compound(self, node, assignment, operands)
            operands.append(assignment.name)
            return
        expansion.check_star(self, value)
        name, subscript, append = assignment.name, assignment.subscript, assignment.append
        if value.is_active and "{" in value.raw:
            words = list(expansion.brace_alternatives(self, value))
            if len(words) > 1:
                # what braces make is no assignment any more, but any word
                target = name if subscript is None else f"{name}[{subscript.raw}]"
                target += "+=" if append else "="
                for word in words:
                    expansion.expand_parts(self, word, (Text(target), *word.parts), operands)
                return
        operands.append(Assigned(name, subscript, expansion.value_of(self, value), append))

    def run_invocation(
        self, node: Simple, invocation: Invocation, redirects: tuple[Redirect, ...]
    ) -> Status:
        """Evaluate a command with its redirections, and the assignments before it."""
        details = node.details
        if not details.assignments and not redirects:
            called = None
            if node is self.alone and self.call_alone is not None:
                called = self.call_alone(self, invocation)
            status = self.invoke(invocation, (), ()) if called is None else called
            if self.sinks is not _SINKS:
                self.complain(invocation.name, status)
            return status
        environment: tuple[tuple[str, Value], ...] = ()
        if details.assignments:
            invocation.has_environment = True
            scope: dict[str, Variable] = {}
            self.state.scopes.append(scope)
            try:
                environment = tuple(self.temporary(node, details.assignments, scope))
            except BaseException:
                self.state.scopes.pop()
                raise
        try:
            if not redirects:
                return self.invoke(invocation, redirects, environment)

            def run() -> Status:
                with self.redirected(redirects):
                    invocation.input = self.input
                    status = self.invoke(invocation, redirects, environment)
                    self.complain(invocation.name, status)
                    return status

            opens = None if self.is_tracing else self.opens(redirects)
            return run() if opens is None else self.branch(opens, run, lambda: 1)
        finally:
            if details.assignments:
                self.state.scopes.pop()

    def complain(self, name: str, status: Status) -> None:
        """Write what a command that may have failed writes to standard error, if that is caught."""
        sink = self.sinks.get(2, _ELSEWHERE)
        if sink == _ELSEWHERE or status == 0 or self.state.output is None:
            return
        if name not in _QUIET and name not in self.state.functions:
            self.write_to(sink, unknown(f"it is how `{name}` fails"))

    def temporary(
        self, node: Simple, assignments: tuple[Assignment, ...], scope: dict[str, Variable]
    ) -> Iterator[tuple[str, Value]]:
        """Assign variables for one command, each seeing those before it."""
        for assignment in assignments:
            if assignment.subscript is not None:
                continue  # bash only complains
            name = assignment.name
            if isinstance(assignment.value, tuple):
                value: Value = unknown("a list is given to one command", node.source, node.start)
            else:
                value = expansion.value_of(self, assignment.value)
            hidden = self.find(name)
            if hidden is not None and hidden.flags & Flag.READONLY:
                continue  # bash only complains
            if hidden is not None and (hidden.flags & (DOUBTS | Flag.REFERENCE)):
                raise self.exhausted(f"the attributes of {name} are unknown")
            if assignment.append:
                before = hidden.value if hidden is not None else self.special(name)
                flags = hidden.flags if hidden is not None else 0
                if isinstance(before, dict):
                    before = before.get("0" if flags & Flag.ASSOCIATIVE else 0)
                place = node.source, node.start, node.end
                value = self.transformed(flags, before, value, place, append=True)
            flags = Flag.EXPORTED | Flag.TEMPORARY
            scope[name] = Variable(value, flags, node.source, node.start, node.end)
            yield name, value

    def invoke(
        self,
        invocation: Invocation,
        redirects: tuple[Redirect, ...],
        environment: tuple[tuple[str, Value], ...],
    ) -> Status:
        """Evaluate a command whose words are expanded: a function, a command or a builtin."""
        name = invocation.name
        function = self.state.functions.get(name)
        if function is not None:
            if isinstance(function, Unknown):
                reason = function.reason
                if not reason.startswith("it is unknown what `"):
                    reason = f"it is unknown what `{name}` does: {reason}"
                self.lose(invocation.source, invocation.start, invocation.end, reason)
                self.record(invocation, redirects, environment)
                return Check(
                    (name, *invocation.arguments),
                    invocation.source,
                    invocation.start,
                    invocation.end,
                )
            if self.calls is not None:
                self.record(invocation, redirects, environment, is_function=True)
            if self.guards and self.stack.count(name) >= _RECURSIONS:
                return self.not_followed(invocation, function)
            return self.call(
                name, function, invocation.arguments, has_environment=bool(environment)
            )
        builtin = self.commands.get(name) or self.builtins.get(name)
        if builtin is None and name.startswith("%"):
            return 1  # there is no job control
        if builtin is None:
            if self.calls is not None:
                self.record(invocation, redirects, environment)
            return self.when_missing(self, invocation)
        if self.calls is not None:
            if name not in self.silent:
                self.record(invocation, redirects, environment)
            elif redirects:
                source, start, end = invocation.source, invocation.start, invocation.end
                self.record_files(redirects, source, start, end)
        return builtin(self, invocation)

    def not_followed(self, invocation: Invocation, function: Function) -> Status:
        """Meet a function that calls itself, nobody knows how often: what it assigns is unknown."""
        source, start, end = invocation.source, invocation.start, invocation.end
        reason = f"`{invocation.name}` calls itself an unknown number of times"
        if not self.is_tracing:
            self.lose(source, start, end, reason)
        else:
            names, _ = assigned_names(function, self.state.functions)
            for name in names:
                variable = self.state.find(name)
                flags = (variable.flags if variable is not None else 0) | Flag.MAYBE_UNSET
                self.store(
                    name, Variable(unknown(reason, source, start, end), flags, source, start, end)
                )
        self.write(unknown(reason, source, start, end))
        return Check((invocation.name, *invocation.arguments), source, start, end)

    def call_unknown(
        self, node: Simple, arguments: list[Value], redirects: tuple[Redirect, ...]
    ) -> Status:
        """Evaluate a command whose name is unknown: it may be anything.

        A trace takes it for a program, which changes no variable; the call's name tells.
        """
        assert isinstance(arguments[0], Mixed)
        chosen = arguments[0].unknown.choices if len(arguments[0].parts) == 1 else ()
        if chosen:
            return self.call_chosen(node, chosen, arguments, redirects)
        if self.calls is not None:
            self.calls.append(
                Call(
                    arguments[0],
                    tuple(arguments[1:]),
                    node.source,
                    node.start,
                    node.end,
                    self.current_guards(),
                    tuple(self.stack),
                    redirects,
                )
            )
        reason = "a command was run whose name is unknown"
        if self.is_tracing or _is_path(arguments[0]):
            self.write(unknown(reason, node.source, node.start, node.end))
        else:
            self.lose(node.source, node.start, node.end, reason)
        return Check(tuple(arguments), node.source, node.start, node.end)

    def call_chosen(
        self,
        node: Simple,
        choices: tuple[tuple[Condition, str], ...],
        arguments: list[Value],
        redirects: tuple[Redirect, ...],
    ) -> Status:
        """Evaluate a command whose name is one of several, each under a condition."""
        condition, name = choices[0]

        def run() -> Status:
            if not name:
                return 0
            invocation = Invocation(
                name,
                arguments[1:],
                list(arguments[1:]),
                node.source,
                node.start,
                node.end,
                self.input,
            )
            return self.invoke(invocation, redirects, ())

        if len(choices) == 1:
            return run()
        return self.branch(
            condition, run, lambda: self.call_chosen(node, choices[1:], arguments, redirects)
        )

    def record(
        self,
        invocation: Invocation,
        redirects: tuple[Redirect, ...],
        environment: tuple[tuple[str, Value], ...],
        *,
        is_function: bool = False,
    ) -> None:
        """Note a call, where calls are noted."""
        if self.calls is None:
            return
        self.calls.append(
            Call(
                invocation.name,
                tuple(
                    operand.text if isinstance(operand, Assigned) else operand
                    for operand in invocation.operands
                ),
                invocation.source,
                invocation.start,
                invocation.end,
                self.current_guards(),
                tuple(self.stack),
                redirects,
                environment,
                invocation.input,
                is_function,
                self.is_dead,
            )
        )

    def record_files(
        self, redirects: tuple[Redirect, ...], source: Source, start: int, end: int
    ) -> None:
        """Note the files that are redirected from or to where no call has them."""
        files = tuple(filter(_is_of_file, redirects))
        if self.calls is not None and files:
            self.calls.append(
                Call(
                    ":",
                    (),
                    source,
                    start,
                    end,
                    self.current_guards(),
                    tuple(self.stack),
                    files,
                    is_dead=self.is_dead,
                )
            )

    def call(
        self,
        name: str,
        function: Function,
        arguments: Iterable[Value],
        *,
        has_environment: bool = False,
    ) -> Status:
        """Call a function (3.3)."""
        self.depth += 1
        if self.depth > MAXIMUM_CALLS:
            raise self.exhausted("functions call each other too deeply")
        self.enter_function(name, arguments, has_environment=has_environment)
        try:
            return self.returning(function.body)
        finally:
            self.leave_function(has_environment=has_environment)

    @contextmanager
    def function(
        self, name: str, arguments: Iterable[Value], *, has_environment: bool = False
    ) -> Iterator[None]:
        """Be inside a function: a scope and positional parameters of its own.

        `has_environment` tells that the scope around it was made by the same command (`A=b f`).
        """
        self.enter_function(name, arguments, has_environment=has_environment)
        try:
            yield
        finally:
            self.leave_function(has_environment=has_environment)

    def enter_function(
        self, name: str, arguments: Iterable[Value], *, has_environment: bool = False
    ) -> None:
        """Go into a function (see `function`); `leave_function` must follow."""
        self.stack.append(name)
        self.function_scopes.append(len(self.state.scopes))
        self.environments.append(has_environment)
        self.state.scopes.append({})
        self.state.positional.append(positional_of(arguments))

    def leave_function(self, *, has_environment: bool = False) -> None:
        """Leave a function: its scope is gone, except for what outlives it."""
        self.stack.pop()
        self.function_scopes.pop()
        self.environments.pop()
        scope = self.state.scopes.pop()
        if self.state.unnamed:
            depth = len(self.state.scopes)
            self.state.unnamed = tuple(one for one in self.state.unnamed if one.depth <= depth)
        self.state.positional.pop()
        self.depth -= 1
        if has_environment:
            self.propagate({**self.state.scopes[-1], **scope})
        elif any(variable.flags & Flag.PROPAGATED for variable in scope.values()):
            self.propagate(scope)
        saved = scope.get("-")
        if saved is not None:  # `local -`
            if not isinstance(saved.value, str):
                raise self.exhausted("the options that a function puts back are unknown")
            self.state.shell_options = options_of(saved.value)

    def propagate(self, variables: Mapping[str, Variable]) -> None:
        """Assign outside what was given to a function as its environment, and exported in it."""
        wanted = Flag.TEMPORARY | Flag.PROPAGATED
        number = self.function_scope()
        scope = self.state.scopes[number]
        for name, variable in variables.items():
            if variable.flags & wanted != wanted:
                continue
            flags = variable.flags if number else variable.flags & ~wanted
            hidden = scope.get(name)
            if hidden is None:
                self.store(name, replace(variable, flags=flags), scope)
            elif hidden.flags & ~wanted in (0, Flag.EXPORTED):
                self.store(name, replace(variable, flags=flags | hidden.flags), scope)
            elif hidden.flags & Flag.INDEXED and isinstance(hidden.value, dict):
                assert not isinstance(variable.value, dict)
                elements = {**hidden.value, 0: variable.value or ""}
                self.store(name, replace(hidden, value=elements, flags=flags | hidden.flags), scope)
            else:
                raise self.exhausted(f"{name} is assigned to where a function ends")

    def source_script(self, script: Script) -> Status:
        """Evaluate a sourced file in the current scope; `return` ends it."""
        self.depth += 1
        if self.depth > MAXIMUM_CALLS:
            raise self.exhausted("files source each other too deeply")
        try:
            return self.returning(script.body, script)
        finally:
            self.depth -= 1

    def unread_globs(self, script: Script) -> tuple[int, ...]:
        """Return where `extglob` must be on for bash to read a script."""
        if self.compatibility <= 51:
            # up to 5.1, bash reads command substitutions as if it were on
            return script.extended_globs
        return script.extended_globs + script.inner_extended_globs

    def may_leave(self, signal: int, status: int, reason: Unknown, message: str) -> None:
        """Note that the way followed may end here, and goes on where `signal` leads."""
        taken = _Exit(
            signal, 1, status, self.state.copy(), reason, self.surroundings, message
        )  # fmt: skip
        self.leave(taken, (Check((message,), reason.source, reason.start, reason.end),))

    def may_give_up(self, reason: Unknown) -> None:
        """Note that an expansion may fail here, and bash then gives up the line."""
        self.note_lost_loops()
        self.may_leave(DISCARD, 1, reason, reason.reason)

    def may_leave_by_error(self, status: int, reason: Unknown, message: str) -> None:
        """Note that a fatal error may be met here."""
        is_subshell = any(region.is_subshell for region in self.regions)
        self.may_leave(EXIT, 1 if is_subshell else status, reason, message)

    def may_parse(self, command: Command, extended_globs: tuple[int, ...]) -> bool:
        """Tell whether bash can read a command: extended patterns in it need `extglob` on."""
        return self.state.option("extglob") is not False or not any(
            command.start <= position < command.end for position in extended_globs
        )

    def run_lines(self, body: List, source: Source, extended_globs: tuple[int, ...] = ()) -> Status:
        """Evaluate the commands of a script.

        Bash reads a whole line of them before it runs the first, and an error in an expansion
        gives up the rest of the line; in a subshell it ends that.
        """
        commands = body.commands
        if not commands:
            self.status = 0
            return 0
        if any(region.is_subshell for region in self.regions):
            for line in _lines_of(commands, source.text):
                if extended_globs and not all(self.may_parse(c, extended_globs) for c in line):
                    self.die("syntax error near unexpected token `('", 2)
                    return 2
                last = line[-1]
                if isinstance(last, Opaque):
                    self.status = Check((last.reason,), source, last.start, last.end)
                    break
                for command in line:
                    self.status = _RUN[command.__class__](self, command)
                    if self.signal:
                        return self.status
            return self.status
        region = self.enter_region(_LINES)
        try:
            for line in _lines_of(commands, source.text):
                if extended_globs and not all(self.may_parse(c, extended_globs) for c in line):
                    self.die("syntax error near unexpected token `('", 2)
                    return 2
                last = line[-1]
                if isinstance(last, Opaque):
                    # bash reads the whole line before it runs any of it
                    self.status = Check((last.reason,), source, last.start, last.end)
                    break
                for command in line:
                    self.status = _RUN[command.__class__](self, command)
                    if self.signal:
                        break
                if self.signal == DISCARD:
                    self.signal = 0
                    self.status = 1
                if region.exits:
                    self.rejoin(region, (DISCARD,))
                del self.exclusions[region.exclusions :]
                if self.signal:
                    break
        finally:
            self.leave_region(region)
        return self.status

    def returning(self, body: Command, script: Script | None = None) -> Status:
        """Evaluate what `return` leaves, and merge the ways that it left by."""
        region = self.enter_region(_FUNCTION)
        try:
            if script is None:
                self.status = self.run(body)
            else:
                self.status = self.run_lines(script.body, script.source, self.unread_globs(script))
            if self.signal == RETURN:
                self.signal = 0
                self.status = self.signal_status
            if region.exits:
                self.rejoin(region, (RETURN,))
        finally:
            self.leave_region(region)
        return self.status

    def enter_region(self, kind: int) -> _Region:
        """Enter what a signal may leave."""
        region = _Region(kind, len(self.guards), len(self.exclusions), [])
        self.regions.append(region)
        return region

    def leave_region(self, region: _Region) -> None:
        """Leave a region; ways that lead further out than it go on to where they lead."""
        self.regions.pop()
        del self.guards[region.guards :]
        del self.exclusions[region.exclusions :]
        for taken in region.exits:
            outer = self.region_for(taken.signal)
            if outer is not None:
                outer.exits.append(taken)

    def give_up(self, problem: ExpansionProblem) -> Status:
        """Meet an error in an expansion: bash gives up the line, or exits."""
        self.signal_message = str(problem)
        self.note_lost_loops()
        if isinstance(problem, FatalProblem):
            self.signal = EXIT
            is_subshell = any(region.is_subshell for region in self.regions)
            self.signal_status = problem.subshell_status if is_subshell else problem.status
        else:
            self.signal = DISCARD
            self.signal_status = 1
        return 1

    def pass_on(self, undecidable: Undecidable) -> None:
        """Raise what concerns the command around the substitution that is being evaluated."""
        if self.captures and undecidable.__class__ is Unreadable:
            raise undecidable

    def note_lost_loops(self) -> None:
        """Note that loops are given up: bash goes on counting them among those it is in."""
        for region in reversed(self.regions):
            if region.is_subshell:
                return
            if region.is_loop:
                self.has_lost_loops = True
                return

    def die(self, message: Value, status: int) -> None:
        """End everything: what bash or the package manager does on a fatal error."""
        self.signal = DIE
        self.signal_status = status
        self.signal_message = message

    # --- redirections (3.6) ---

    def redirects(self, redirections: tuple[Redirection, ...]) -> tuple[Redirect, ...]:
        """Return redirections with their targets expanded."""
        return tuple(
            Redirect(item.descriptor, item.operator, expansion.value_of(self, item.target))
            for item in redirections
        )

    @contextmanager
    def redirected(self, redirects: tuple[Redirect, ...]) -> Iterator[None]:
        """Evaluate with input and output redirected."""
        self.spend(6)
        saved = self.sinks, self.input
        sinks = dict(self.sinks)
        is_input = False
        for item in redirects:
            operator, target = item.operator, item.target
            default = 0 if operator[0] == "<" else 1
            number = int(item.descriptor) if item.descriptor.isdigit() else default
            if item.descriptor.startswith("{"):
                name = item.descriptor[1:-1]
                place = _place_of(target)
                self.assign(name, unknown("it is a file descriptor's number", *place), *place)
                continue
            if operator in (">&", "<&"):
                self.duplicate(sinks, operator, item.descriptor, number, target)
                is_input = is_input or (number == 0 and target != "0")
                if number == 0 and target != "0":
                    self.input = unknown("it is read from another descriptor")
            elif operator in ("&>", "&>>"):
                sinks[1] = sinks[2] = _sink_of(sinks, target)
            elif operator[0] == ">":
                sinks[number] = _sink_of(sinks, target)
            elif number == 0:
                is_input = True
                if operator == "<<<":
                    self.input = concatenate(target, "\n")
                elif operator in ("<<", "<<-"):
                    self.input = target
                else:
                    self.input = self.content(target)
            else:
                sinks[number] = _ELSEWHERE
        self.sinks = sinks
        try:
            yield
        finally:
            self.sinks = saved[0]
            if is_input:
                self.input = saved[1]

    def duplicate(
        self, sinks: dict[int, int], operator: str, descriptor: str, number: int, target: Value
    ) -> None:
        """Carry out `>&` or `<&` (3.6.8, 3.6.9)."""
        if isinstance(target, Mixed):
            sinks[number] = _UNKNOWN
            if not descriptor:
                sinks[2] = _UNKNOWN
        elif target.rstrip("-").isdigit():
            other = int(target.rstrip("-"))
            sinks[number] = sinks.get(other, _ELSEWHERE)
            if target.endswith("-") and other != number:
                sinks[other] = _ELSEWHERE
        elif target == "-" or descriptor or operator == "<&":
            sinks[number] = _ELSEWHERE
        else:
            sinks[1] = sinks[2] = _sink_of(sinks, target)

    def descriptors(self) -> set[str]:
        """Return what may stand after `>&`."""
        return {"0", "-", *map(str, self.sinks)}

    def opens(self, redirects: tuple[Redirect, ...]) -> Check | None:
        """Return the condition under which all redirections succeed; None if they certainly do."""
        for item in redirects:
            target = item.target
            if item.operator in ("<<", "<<-", "<<<") or target in _CERTAIN_FILES:
                continue
            if item.operator in (">&", "<&") and target in self.descriptors():
                continue
            if isinstance(target, Mixed) and target.unknown.symbol in self.processes:
                continue
            return Check((item.operator, target), *_place_of(target))
        return None

    def content(self, target: Value) -> Value:
        """Return what a file holds: known of /dev/null and process substitutions only."""
        if target == "/dev/null":
            return ""
        if target in ("/dev/stdin", "/dev/fd/0") and self.input is not None:
            return self.input
        if isinstance(target, Mixed) and len(target.parts) == 1:
            symbol = target.unknown.symbol
            known = self.processes.get(symbol)
            if known is not None:
                return known
        return unknown("it is read from a file")

    def write(self, value: Value) -> None:
        """Write to standard output."""
        output = self.state.output
        if output is not None:
            self.write_to(self.sinks[1], value)

    def write_to(self, sink: int, value: Value) -> None:
        """Write to where a descriptor leads."""
        output = self.state.output
        if output is None:
            return
        if sink == _OUTPUT:
            pieces = pieces_of(value)
            if output and isinstance(output[-1], Unknown) and not output[-1].symbol:
                # after what is unknown, more of it tells nothing
                while pieces and isinstance(pieces[0], Unknown) and not pieces[0].symbol:
                    pieces = pieces[1:]
            output.extend(pieces)
            self.spend(1)
        elif sink == _OUTER:
            self.has_spilt = True
        elif sink == _UNKNOWN:
            output.append(Unknown("it is unknown where a command's output goes"))
            self.has_spilt = True


_GAP = re.compile(r"(?:[ \t\n;&]|\\\n|#[^\n]*)*")


def _lines_of(commands: tuple[Command, ...], text: str) -> Iterator[tuple[Command, ...]]:
    """Split a script's commands where its lines end, compound commands kept whole."""
    start = 0
    for index in range(1, len(commands)):
        start_of_next = commands[index].start
        if commands[index].__class__ is Opaque:
            match = _GAP.match(text, start_of_next)
            start_of_next = match.end() if match else start_of_next
        if _ends_line(text[commands[index - 1].end : start_of_next]):
            yield commands[start:index]
            start = index
    yield commands[start:]


def _last_failure(statuses: list[Status]) -> Status:
    """Return a pipeline's status with `pipefail`: the last one that is not 0."""
    result: Status = 0
    for status in statuses:
        if isinstance(status, int):
            result = status or result
        elif result == 0:
            result = status
        elif not isinstance(result, int):
            result = both(result, status)
    return result


def _place_of(value: Value) -> tuple[Source, int, int]:
    """Return where a value became unknown."""
    if isinstance(value, Mixed):
        piece = value.unknown
        if piece.source is not None:
            return piece.source, piece.start, piece.end
    return Source(""), 0, 0


def _is_of_file(redirect: Redirect) -> bool:
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
        return sinks.get(2, _ELSEWHERE)
    if isinstance(target, Mixed) and not target.is_nonempty:
        return _UNKNOWN
    return _ELSEWHERE


def _ends_line(text: str) -> bool:
    """Tell whether what stands between two commands ends a line."""
    return "\n" in text and "\n" in text.replace("\\\n", "")


def positional_of(arguments: Iterable[Value]) -> Positional:
    """Return positional parameters; from a word that may be several on, they are unknown."""
    words: list[Value] = []
    for argument in arguments:
        if argument.__class__ is Mixed and argument.is_many:
            return Positional(tuple(words), argument.unknown)
        words.append(argument)
    return Positional(tuple(words))


def _missing(shell: Interpreter, invocation: Invocation) -> Status:
    """Evaluate a command that is neither function nor builtin: its effect is unknown."""
    condition = Check(
        (invocation.name, *invocation.arguments),
        invocation.source,
        invocation.start,
        invocation.end,
    )
    shell.write(
        unknown(
            f"it is what `{invocation.name}` writes",
            invocation.source,
            invocation.start,
            invocation.end,
        )
    )
    return condition


def _as_field(value: Mixed) -> Value:
    """Return one of the fields that an unquoted expansion comes to: none of them is empty."""
    only = value.parts[0]
    if len(value.parts) == 1 and isinstance(only, Unknown) and only.choices:
        choices = tuple(choice for choice in only.choices if choice[1])
        if len(choices) == 1 and not any(sign in choices[0][1] for sign in " \t\n*?[:"):
            return choices[0][1]
        value = Mixed((replace(only, choices=choices),))
    return as_one(value)


def _is_path(name: Mixed) -> bool:
    """Tell whether a command's name is certainly that of a program: it has a slash in it."""
    return any(isinstance(part, str) and "/" in part for part in name.parts)


def _place(condition: Condition) -> tuple[Source | None, int, int]:
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
        return negate(condition) if otherwise == 0 else then
    if isinstance(otherwise, int):
        if otherwise != 0:
            return both(condition, then)  # type: ignore[arg-type]
        return either(negate(condition), then)  # type: ignore[arg-type]
    if isinstance(then, int):
        if then != 0:
            return both(negate(condition), otherwise)
        return either(condition, otherwise)
    return either(both(condition, then), both(negate(condition), otherwise))


def _is_constant(command: Command) -> bool:
    """Tell whether a condition is just `true`, `false` or `:`, whatever the state."""
    if isinstance(command, List):
        return len(command.commands) == 1 and _is_constant(command.commands[0])
    if isinstance(command, Pipeline):
        return len(command.commands) == 1 and _is_constant(command.commands[0])
    if not isinstance(command, Simple) or len(command.words) != 1:
        return False
    word = command.words[0]
    return isinstance(word, Word) and word.literal in ("true", "false", ":")


def _truth(value: Value, source: Source, word: Word) -> Status:
    """Return the status of an arithmetic command."""
    if isinstance(value, str):
        return int(int(value) == 0)
    return Check(("((", word.raw, "))"), source, word.start, word.end)


def _unchanged(before: State, after: State) -> bool:
    """Tell whether a round of a loop changed nothing that matters."""
    for one, other in zip(before.scopes, after.scopes, strict=True):
        if one.keys() != other.keys():
            return False
        for name, variable in one.items():
            there = other[name]
            if variable is there:
                continue
            if variable.flags != there.flags:
                return False
            if variable.value != there.value:
                return False
    return (
        before.functions == after.functions
        and before.unnamed == after.unnamed
        and before.positional == after.positional
        and before.output == after.output
    )


_MARKING = frozenset(":^,~@")  # operators whose empty result in quotes leaves a mark

# where what is written goes: the output of the innermost command substitution (or of the script),
# that of one around it, a file or a terminal, or nobody knows where
_OUTPUT, _OUTER, _ELSEWHERE, _UNKNOWN = range(4)
_SINKS = {1: _OUTPUT, 2: _ELSEWHERE}
_CERTAIN_FILES = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/2"})

# builtins that fail without a word
_QUIET = frozenset(
    {
        "false", "test", "[", "return", "exit", "read", "shopt", "command", "eval", "let", "!",
        "continue", "break", "shift", "getopts", "has", "hasv", "hasq", "use", "usev", "usex",
    }
)  # fmt: skip

# what starts the symbol of `$-`, before the options that are on, where it can be set again
LETTERS_SET = "$-: "

# parameters that change by themselves, or differ from machine to machine (5.1, 5.2)
_CHANGING = frozenset(
    {
        "$",
        "!",
        "RANDOM",
        "SRANDOM",
        "SECONDS",
        "LINENO",
        "BASHPID",
        "PPID",
        "UID",
        "EUID",
        "EPOCHSECONDS",
        "EPOCHREALTIME",
        "BASH",
        "BASH_VERSION",
        "BASHOPTS",
        "SHELLOPTS",
        "HOSTNAME",
        "HOSTTYPE",
        "MACHTYPE",
        "OSTYPE",
        "SHLVL",
        "BASH_COMMAND",
        "BASH_SUBSHELL",
        "HISTCMD",
        "COLUMNS",
        "LINES",
    }
)

# builtins that only change the shell's own state: a trace is no clearer with them in it
_SILENT = frozenset(
    {
        ":", "true", "false", "[", "test", "local", "declare", "typeset", "export", "readonly",
        "unset", "shift", "return", "break", "continue", "let", "set", "shopt", "getopts", "eval",
        "builtin", "command", "read", "mapfile", "readarray", "hash", "type",
    }
)  # fmt: skip

_RUN: dict[type, Callable[[Interpreter, Any], Status]] = {
    Simple: Interpreter.run_simple,
    List: Interpreter.run_list,
    AndOr: Interpreter.run_and_or,
    Pipeline: Interpreter.run_pipeline,
    Background: Interpreter.run_background,
    Group: Interpreter.run_group,
    Subshell: Interpreter.run_subshell,
    If: Interpreter.run_if,
    While: Interpreter.run_while,
    For: Interpreter.run_for,
    ForArithmetic: Interpreter.run_for_arithmetic,
    Case: Interpreter.run_case,
    Arithmetic: Interpreter.run_arithmetic,
    Conditional: Interpreter.run_conditional,
    Function: Interpreter.run_function,
    Coprocess: Interpreter.run_coprocess,
    Redirected: Interpreter.run_redirected,
    Opaque: Interpreter.run_opaque,
}
