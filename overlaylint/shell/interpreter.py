"""Static evaluation of bash: what a script's commands do to variables and functions.

Nothing is run: a command that is neither a function, a builtin nor one of the `commands` that
the caller gives is reported to the caller, and its effect is unknown. Where the outcome of a
condition is unknown both ways are followed, and what differs between them is unknown after it.

The state is bash's own (dynamic scopes, positional parameters, options). Every evaluation has a
budget of steps and of text, so that any script ends quickly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol, cast

from overlaylint.shell import assigning, branching, calling, compound, expansion, redirecting
from overlaylint.shell.braces import TooManyWords, expand_braces
from overlaylint.shell.branching import (
    BREAK,
    CONTINUE,
    DIE,
    DISCARD,
    EXIT,
    FUNCTION,
    LINES,
    RETURN,
    SUBSHELL,
    Region,
    Surroundings,
)
from overlaylint.shell.budget import MAXIMUM_CALLS, MAXIMUM_STEPS, MAXIMUM_TEXT, Exhausted
from overlaylint.shell.calls import Call, Failing, Failure, Invocation, Pipe, Redirect, Status
from overlaylint.shell.conditions import (
    Check,
    Condition,
)
from overlaylint.shell.redirecting import OUTER, OUTPUT, SINKS
from overlaylint.shell.state import (
    BESIDE,
    OPTIONS_KEPT,
    Output,
    Positional,
    State,
    Unnamed,
    doubtful,
    merged_options,
    options_of,
    options_text,
)
from overlaylint.shell.syntax import (
    AndOr,
    Arithmetic,
    Background,
    Case,
    Command,
    CommandSubstitution,
    Conditional,
    Coprocess,
    For,
    ForArithmetic,
    Function,
    Group,
    If,
    List,
    Opaque,
    Part,
    Pipeline,
    ProcessSubstitution,
    Redirected,
    Script,
    Simple,
    Source,
    Subshell,
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
    concatenate,
    join,
    pieces_of,
    unknown,
)

_RECURSIONS = 2  # how often a function is followed into itself under an unknown condition

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

    def script(self, path: Value) -> Script | None:
        """Return what `source path` reads."""
        ...


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
        self.sinks: dict[int, int] = SINKS  # where what is written to a descriptor goes
        # in a trace, which redirection leads what is written to a descriptor into a file
        self.outlets: Mapping[int, Redirect] = {}
        self.printed: list[Value] | None = None  # what the innermost call noted has written
        self.is_keeping = False  # whether `exec` is to keep the redirections that it was given
        self.kept = 0  # how often it did
        self.has_spilt = False  # whether something was written to an outer substitution's output
        self.input: Value | None = None
        self.processes: dict[
            str, Value
        ] = {}  # what a process substitution's file holds, by its symbol
        self.guards: list[Condition] = []
        self.exclusions: list[tuple[Condition, ...]] = []
        self.regions: list[Region] = []
        self.stack: list[str] = []
        self.callers: tuple[str, ...] = ("source", "main")  # what FUNCNAME ends in
        self.steps = 0
        self.depth = 0
        self.possible_deaths: list[tuple[Condition, Value]] = []
        self.calls: list[Call] | None = None
        self.pipe: Pipe | None = None  # where in a pipeline the commands here are
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
        return self.sinks == SINKS

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
            statuses: Elements = dict(enumerate(map(_status_text, pipe_status)))
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
            return _status_text(self.status)
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
                        assigning.assign_subscript_text(
                            self, target, value, source, start, end, append=append
                        )
                        return
                if flags & Flag.READONLY:
                    raise assigning.read_only(name)
                if flags & DOUBTS:
                    self.assign_doubtful(name, current, source, start, end)
                    return
                if flags & ARRAYS:
                    key: int | str = "0" if flags & Flag.ASSOCIATIVE else 0
                    assigning.assign_element(
                        self, name, key, value, source, start, end, append=append
                    )
                    return
                assert not isinstance(current.value, dict)
                value = assigning.transformed(
                    self, flags, current.value, value, (source, start, end), append=append
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
            branching.may_leave(self, DISCARD, 1, reason, "no match")
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
            return value.replace("\0", "").rstrip("\n") if value else value
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
                self.pipe = None
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
        redirect = redirecting.redirects(self, details.redirections)[0]
        calling.record_files(self, (redirect,), command.source, command.start, command.end)
        self.status = redirecting.opens(self, (redirect,)) or 0
        return redirecting.content(self, redirect.target)

    def process_substitution(self, part: ProcessSubstitution) -> Value:
        """Return the file that stands for a process, with what it would hold if that is known."""
        status = self.status
        content: Value = ""
        if part.direction == "<":
            content = self.capture(part.body)
        else:
            outer = self.state.output
            with self.subshell(output=None):
                self.pipe = None
                self.run(part.body)
                self.end_subshell()
                is_written = self.state.output != outer
            if is_written:
                self.state.output = [BESIDE]
        self.status = status  # nobody waits for the process
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
        saved, sinks, outlets = self.state, self.sinks, self.outlets
        self.state = saved.copy()
        if output is not None:
            self.state.output = output
            if outlets:
                self.outlets = {number: one for number, one in outlets.items() if number != 1}
            self.sinks = {
                number: OUTER if sink == OUTPUT else sink for number, sink in sinks.items()
            }
            self.sinks[1] = OUTPUT
        region = branching.enter_region(self, SUBSHELL)
        last_argument, pipe_status, pipe = self.last_argument, self.pipe_status, self.pipe
        box: list[Output] = []
        try:
            yield box
        finally:
            self.regions.pop()
            del self.guards[region.guards :]
            del self.exclusions[region.exclusions :]
            self.state, self.sinks, self.outlets = saved, sinks, outlets
            self.last_argument, self.pipe_status, self.pipe = last_argument, pipe_status, pipe
            self.depth -= 1

    def end_subshell(self) -> None:
        """Merge the ways that left a subshell early."""
        if self.signal and self.signal != DIE:
            self.status = self.signal_status
            self.signal = 0
        branching.rejoin(self, self.regions[-1], (RETURN, BREAK, CONTINUE, EXIT, DISCARD))

    # --- unknown conditions ---

    @property
    def surroundings(self) -> Surroundings:
        """What is not part of the state and yet differs from way to way."""
        return self.last_argument, self.input, self.pipe_status

    @surroundings.setter
    def surroundings(self, value: Surroundings) -> None:
        self.last_argument, self.input, self.pipe_status = value

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

    # what comes of a call's failure

    @property
    def call_count(self) -> int:
        """How many calls are noted so far."""
        return 0 if self.calls is None else len(self.calls)

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

    # --- simple commands ---

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
                calling.record(self, invocation, redirects, environment)
                return Check(
                    (name, *invocation.arguments),
                    invocation.source,
                    invocation.start,
                    invocation.end,
                )
            if self.calls is not None:
                calling.record(self, invocation, redirects, environment, is_function=True)
            if self.guards and self.stack.count(name) >= _RECURSIONS:
                return calling.not_followed(self, invocation, function)
            return self.call(
                name, function, invocation.arguments, has_environment=bool(environment)
            )
        builtin = self.commands.get(name) or self.builtins.get(name)
        if builtin is None and name.startswith("%"):
            return 1  # there is no job control
        if builtin is None:
            builtin = self.when_missing
        elif self.calls is not None and name in self.silent:
            if redirects:
                source, start, end = invocation.source, invocation.start, invocation.end
                calling.record_files(self, redirects, source, start, end)
            if self.is_tracing and 1 in self.outlets:
                return calling.run_silent(self, builtin, invocation)
            return builtin(self, invocation)
        if self.calls is not None:
            calling.record(self, invocation, redirects, environment)
            if self.is_tracing:
                return calling.run_noted(self, builtin, invocation)
        return builtin(self, invocation)

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
            for one in self.state.unnamed:
                if one.depth > depth:
                    self.leave_unnamed(one)
            self.state.unnamed = tuple(one for one in self.state.unnamed if one.depth <= depth)
        self.state.positional.pop()
        self.depth -= 1
        if has_environment:
            self.propagate({**self.state.scopes[-1], **scope})
        elif any(variable.flags & Flag.PROPAGATED for variable in scope.values()):
            self.propagate(scope)
        saved = scope.get(OPTIONS_KEPT)
        if saved is not None:
            if not isinstance(saved.value, str):
                raise self.exhausted("the options that a function puts back are unknown")
            options = options_of(saved.value)
            if saved.flags & Flag.MAYBE_UNSET:
                options = merged_options(self.state.shell_options, options)
            self.state.shell_options = options

    def leave_unnamed(self, unnamed: Unnamed) -> None:
        """Leave open what else was assigned while a local variable may have had that name."""
        for scope in self.state.scopes:
            for name, variable in scope.items():
                if name not in unnamed.there and unnamed.names.fullmatch(name):
                    flags = variable.flags | Flag.MAYBE_UNSET
                    scope[name] = replace(variable, value=unnamed.value, flags=flags)

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

    def source_script(self, script: Script, *, is_sourced: bool = False) -> Status:
        """Evaluate a sourced file in the current scope; `return` ends it.

        With `is_sourced`, `break` in it leaves a loop around `source`.
        """
        self.depth += 1
        if self.depth > MAXIMUM_CALLS:
            raise self.exhausted("files source each other too deeply")
        try:
            return self.returning(script.body, script, is_sourced=is_sourced)
        finally:
            self.depth -= 1

    def unread_globs(self, script: Script) -> tuple[int, ...]:
        """Return where `extglob` must be on for bash to read a script."""
        if self.compatibility <= 51:
            # up to 5.1, bash reads command substitutions as if it were on
            return script.extended_globs
        return script.extended_globs + script.inner_extended_globs

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
        is_subshell = any(region.is_subshell for region in self.regions)
        region = None if is_subshell else branching.enter_region(self, LINES)
        try:
            for line in _lines_of(commands, source.text):
                if extended_globs and not all(self.may_parse(c, extended_globs) for c in line):
                    if isinstance(line[-1], Opaque):
                        raise self.exhausted("a line has more than one syntax error")
                    self.die("syntax error near unexpected token `('", 2)
                    return 2
                last = line[-1]
                if isinstance(last, Opaque) and not last.is_error:
                    raise self.exhausted(last.reason)
                if isinstance(last, Opaque):
                    # bash reads the whole line before it runs any of it
                    self.status = Check((last.reason,), source, last.start, last.end)
                    break
                for command in line:
                    self.status = _RUN[command.__class__](self, command)
                    if self.signal:
                        break
                if region is not None:
                    if self.signal == DISCARD:
                        self.signal = 0
                        self.status = 1
                    if region.exits:
                        branching.rejoin(self, region, (DISCARD,))
                    del self.exclusions[region.exclusions :]
                if self.signal:
                    break
        finally:
            if region is not None:
                branching.leave_region(self, region)
        return self.status

    def returning(
        self, body: Command, script: Script | None = None, *, is_sourced: bool = False
    ) -> Status:
        """Evaluate what `return` leaves, and merge the ways that it left by."""
        region = branching.enter_region(self, FUNCTION)
        region.is_sourced = is_sourced
        try:
            if script is None:
                self.status = self.run(body)
            else:
                self.status = self.run_lines(script.body, script.source, self.unread_globs(script))
            if self.signal == RETURN:
                self.signal = 0
                self.status = self.signal_status
            if region.exits:
                branching.rejoin(self, region, (RETURN,))
        finally:
            branching.leave_region(self, region)
        return self.status

    def die(self, message: Value, status: int) -> None:
        """End everything: what bash or the package manager does on a fatal error."""
        self.signal = DIE
        self.signal_status = status
        self.signal_message = message

    # --- redirections (3.6) ---

    def write(self, value: Value) -> None:
        """Write to standard output."""
        if self.printed is not None:
            self.printed.append(value)
        output = self.state.output
        if output is not None:
            redirecting.write_to(self, self.sinks[1], value)


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


def _ends_line(text: str) -> bool:
    """Tell whether what stands between two commands ends a line."""
    return "\n" in text and "\n" in text.replace("\\\n", "")


def _status_text(status: Status) -> Value:
    """Return a status as a parameter has it."""
    if isinstance(status, Failure):
        return unknown("it is the status of a command that fails", is_word=True)
    if isinstance(status, int):
        return str(status)
    return unknown(f"it depends on `{status}`", is_word=True)


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
        "builtin", "command", "exec", "read", "mapfile", "readarray", "hash", "type",
    }
)  # fmt: skip

_RUN: dict[type, Callable[[Interpreter, Any], Status]] = {
    Simple: calling.run_simple,
    List: Interpreter.run_list,
    AndOr: compound.run_and_or,
    Pipeline: compound.run_pipeline,
    Background: compound.run_background,
    Group: compound.run_group,
    Subshell: compound.run_subshell,
    If: compound.run_if,
    While: compound.run_while,
    For: compound.run_for,
    ForArithmetic: compound.run_for_arithmetic,
    Case: compound.run_case,
    Arithmetic: compound.run_arithmetic,
    Conditional: compound.run_conditional,
    Function: compound.run_function,
    Coprocess: compound.run_coprocess,
    Redirected: compound.run_redirected,
    Opaque: compound.run_opaque,
}
