"""Simple commands (bash manual 3.7.1): their words and assignments, and what they call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from overlaylint.shell import assigning, branching, expansion, redirecting
from overlaylint.shell.budget import MAXIMUM_STEPS
from overlaylint.shell.calls import Assigned, Call, Invocation, Redirect, Status
from overlaylint.shell.conditions import Check, Condition, both
from overlaylint.shell.effects import assigned_names
from overlaylint.shell.problems import ExpansionProblem
from overlaylint.shell.redirecting import ELSEWHERE, SINKS, is_of_file
from overlaylint.shell.syntax import (
    Assignment,
    DoubleQuoted,
    Function,
    Parameter,
    Quoted,
    Simple,
    Source,
    Text,
)
from overlaylint.shell.undecidable import Undecidable
from overlaylint.shell.values import (
    DOUBTS,
    Flag,
    Mixed,
    Unknown,
    Value,
    Variable,
    as_one,
    concatenate,
    unknown,
)

if TYPE_CHECKING:
    from overlaylint.shell.interpreter import Builtin, Interpreter

# builtins that fail without a word
_QUIET = frozenset(
    {
        "false", "test", "[", "return", "exit", "read", "shopt", "command", "eval", "let", "!",
        "continue", "break", "shift", "getopts", "has", "hasv", "hasq", "use", "usev", "usex",
    }
)  # fmt: skip


def run_simple(shell: Interpreter, node: Simple) -> Status:
    """Evaluate a simple command (3.7.1)."""
    shell.steps += 1
    if shell.steps > MAXIMUM_STEPS:
        raise shell.exhausted("it takes too many steps")
    # without a command substitution the status is 0, with one it is that of the last
    shell.substituted = 0
    status: Status
    try:
        if node.details.words:
            status = run_words(shell, node)
        else:
            status = assign_all(shell, node)
            shell.last_argument = ""
    except ExpansionProblem as problem:
        status = branching.give_up(shell, problem)
    except Undecidable as undecidable:
        branching.pass_on(shell, undecidable)
        branching.may_give_up(shell, Unknown(undecidable.reason, node.source, node.start, node.end))
        shell.lose(node.source, node.start, node.end, undecidable.reason)
        if not node.details.words:
            _keep_arrays(shell, node, undecidable.reason)
        status = Check((undecidable.reason,), node.source, node.start, node.end)
    shell.pipe_status = status
    return status


def _keep_arrays(shell: Interpreter, node: Simple, reason: str) -> None:
    """Know what is assigned a list for an array, where nobody knows of what."""
    for assignment in node.details.assignments:
        if isinstance(assignment.value, tuple):
            place = node.source, assignment.start, assignment.end
            flags = Flag.INDEXED | Flag.INDEXED << Flag.DOUBT | Flag.ASSOCIATIVE << Flag.DOUBT
            shell.store(assignment.name, Variable(unknown(reason, *place), flags, *place))


def assign_all(shell: Interpreter, node: Simple) -> Status:
    """Carry out assignments with no command after them."""
    details = node.details
    for assignment in details.assignments:
        assigning.perform(shell, assignment, node.source)
    if details.redirections:
        redirects = redirecting.redirects(shell, details.redirections)
        record_files(shell, redirects, node.source, node.start, node.end)
        opens = redirecting.opens(shell, redirects)
        if opens is not None:
            return opens if shell.substituted == 0 else both(opens, shell.substituted)  # type: ignore[arg-type]
    return shell.substituted


def run_words(shell: Interpreter, node: Simple) -> Status:
    """Evaluate a command with words."""
    details = node.details
    operands: list[Value | Assigned] = []
    arguments: list[Value] = []
    for word in details.words:
        if word.__class__ is Assignment:
            expand_assignment(shell, node, word, operands)
        else:
            text = word.literal  # type: ignore[union-attr]
            if text is not None:
                arguments.append(text)
                operands.append(text)
            else:
                before = len(arguments)
                expansion.expand_word(shell, word, arguments)  # type: ignore[arg-type]
                operands.extend(arguments[before:])
    if not arguments:
        return assign_all(shell, node)
    name = arguments[0]
    redirects: tuple[Redirect, ...] = ()
    if details.redirections:
        try:
            redirects = redirecting.redirects(shell, details.redirections)
        except ExpansionProblem:
            if details.assignments:
                # bash has made them, and forgets to take them back
                raise shell.exhausted("a redirection fails after variables were assigned") from None
            raise
    if name.__class__ is not str:
        return call_unknown(shell, node, arguments, redirects)
    invocation = Invocation(
        name,
        arguments[1:],
        operands[1:],
        node.source,
        node.start,
        node.end,
        shell.input,
    )
    try:
        return run_invocation(shell, node, invocation, redirects)
    finally:
        last = operands[-1]
        shell.last_argument = as_one(last.text if isinstance(last, Assigned) else last)


def expand_assignment(
    shell: Interpreter, node: Simple, assignment: Assignment, operands: list[Value | Assigned]
) -> None:
    """Expand an assignment among the words of `declare` and the like."""
    value = assignment.value
    if isinstance(value, tuple):
        from overlaylint.shell.declaring import declare_compound

        declare_compound(shell, node, assignment, operands)
        operands.append(assignment.name)
        return
    expansion.check_star(shell, value)
    name, subscript, append = assignment.name, assignment.subscript, assignment.append
    if value.is_active and "{" in value.raw:
        try:
            words = list(expansion.brace_alternatives(shell, value))
        except Undecidable as problem:
            is_quoted = all(isinstance(part, Text | Quoted | DoubleQuoted) for part in value.parts)
            if not is_quoted or expansion.may_assign(value.parts):
                raise
            # however many words it makes, each assigns to the same variable
            lost = shell.unknown(problem.reason, node.source, assignment.start, assignment.end)
            operands.append(Assigned(name, subscript, lost, append))
            return
        if len(words) > 1:
            # what braces make is no assignment any more, but any word
            target = name if subscript is None else f"{name}[{subscript.raw}]"
            target += "+=" if append else "="
            for word in words:
                expansion.expand_parts(shell, word, (Text(target), *word.parts), operands)
            return
    operands.append(Assigned(name, subscript, expansion.value_of(shell, value), append))


def run_invocation(
    shell: Interpreter, node: Simple, invocation: Invocation, redirects: tuple[Redirect, ...]
) -> Status:
    """Evaluate a command with its redirections, and the assignments before it."""
    details = node.details
    if not details.assignments and not redirects:
        called = None
        if node is shell.alone and shell.call_alone is not None:
            called = shell.call_alone(shell, invocation)
        status = shell.invoke(invocation, (), ()) if called is None else called
        if shell.sinks is not SINKS:
            complain(shell, invocation.name, status)
        return status
    environment: tuple[tuple[str, Value], ...] = ()
    if details.assignments:
        invocation.has_environment = True
        shell.state.scopes.append({})
    try:
        if details.assignments:
            environment = tuple(temporary(shell, node, details.assignments))
        if not redirects:
            return shell.invoke(invocation, redirects, environment)

        def run() -> Status:
            with redirecting.redirected(shell, redirects):
                invocation.input = shell.input
                status = shell.invoke(invocation, redirects, environment)
                complain(shell, invocation.name, status)
                return status

        opens = None if shell.is_tracing else redirecting.opens(shell, redirects)
        return run() if opens is None else branching.branch(shell, opens, run, lambda: 1)
    finally:
        if details.assignments:
            shell.state.scopes.pop()


def complain(shell: Interpreter, name: str, status: Status) -> None:
    """Write what a command that may have failed writes to standard error, if that is caught."""
    sink = shell.sinks.get(2, ELSEWHERE)
    if sink == ELSEWHERE or status == 0 or shell.state.output is None:
        return
    if name not in _QUIET and name not in shell.state.functions:
        redirecting.write_to(shell, sink, unknown(f"it is how `{name}` fails"))


def temporary(
    shell: Interpreter, node: Simple, assignments: tuple[Assignment, ...]
) -> Iterator[tuple[str, Value]]:
    """Assign variables in the innermost scope, for one command, each seeing those before it."""
    for assignment in assignments:
        if assignment.subscript is not None:
            continue  # bash only complains
        name = assignment.name
        if isinstance(assignment.value, tuple):
            value: Value = unknown("a list is given to one command", node.source, node.start)
        else:
            value = expansion.value_of(shell, assignment.value)
        hidden = shell.find(name)
        if hidden is not None and hidden.flags & Flag.READONLY:
            continue  # bash only complains
        if hidden is not None and (hidden.flags & (DOUBTS | Flag.REFERENCE)):
            raise shell.exhausted(f"the attributes of {name} are unknown")
        if assignment.append:
            before = hidden.value if hidden is not None else shell.special(name)
            flags = hidden.flags if hidden is not None else 0
            if isinstance(before, dict):
                before = before.get("0" if flags & Flag.ASSOCIATIVE else 0)
            place = node.source, node.start, node.end
            value = assigning.transformed(shell, flags, before, value, place, append=True)
        flags = Flag.EXPORTED | Flag.TEMPORARY
        variable = Variable(value, flags, node.source, node.start, node.end)
        shell.state.scopes[-1][name] = variable
        yield name, value


def not_followed(shell: Interpreter, invocation: Invocation, function: Function) -> Status:
    """Meet a function that calls itself, nobody knows how often: what it assigns is unknown."""
    source, start, end = invocation.source, invocation.start, invocation.end
    reason = f"`{invocation.name}` calls itself an unknown number of times"
    if not shell.is_tracing:
        shell.lose(source, start, end, reason)
    else:
        names, _ = assigned_names(function, shell.state.functions)
        for name in names:
            variable = shell.state.find(name)
            flags = (variable.flags if variable is not None else 0) | Flag.MAYBE_UNSET
            shell.store(
                name, Variable(unknown(reason, source, start, end), flags, source, start, end)
            )
    shell.write(unknown(reason, source, start, end))
    return Check((invocation.name, *invocation.arguments), source, start, end)


def call_unknown(
    shell: Interpreter, node: Simple, arguments: list[Value], redirects: tuple[Redirect, ...]
) -> Status:
    """Evaluate a command whose name is unknown: it may be anything.

    A trace takes it for a program, which changes no variable; the call's name tells.
    """
    assert isinstance(arguments[0], Mixed)
    chosen = arguments[0].unknown.choices if len(arguments[0].parts) == 1 else ()
    if chosen:
        return call_chosen(shell, node, chosen, arguments, redirects)
    note(shell, arguments[0], tuple(arguments[1:]), (node.source, node.start, node.end), redirects)
    reason = "a command was run whose name is unknown"
    if shell.is_tracing or _is_path(arguments[0]):
        shell.write(unknown(reason, node.source, node.start, node.end))
    else:
        shell.lose(node.source, node.start, node.end, reason)
    return Check(tuple(arguments), node.source, node.start, node.end)


def call_chosen(
    shell: Interpreter,
    node: Simple,
    choices: tuple[tuple[Condition, str], ...],
    arguments: list[Value],
    redirects: tuple[Redirect, ...],
) -> Status:
    """Evaluate a command whose name is one of several, each under a condition."""
    condition, name = choices[0]
    is_quoted = any(not isinstance(part, Parameter) for part in node.words[0].parts)  # type: ignore[union-attr]

    def run() -> Status:
        words = [name, *arguments[1:]] if name or is_quoted else arguments[1:]
        if not words:
            return 0
        if not isinstance(words[0], str):
            return call_unknown(shell, node, words, redirects)
        place = node.source, node.start, node.end
        invocation = Invocation(words[0], words[1:], list(words[1:]), *place, shell.input)
        return run_invocation(shell, node, invocation, redirects)

    if len(choices) == 1:
        return run()
    return branching.branch(
        shell, condition, run, lambda: call_chosen(shell, node, choices[1:], arguments, redirects)
    )


def note(
    shell: Interpreter,
    name: Value,
    arguments: tuple[Value, ...],
    place: tuple[Source, int, int],
    redirects: tuple[Redirect, ...],
    environment: tuple[tuple[str, Value], ...] = (),
    *,
    is_function: bool = False,
) -> None:
    """Note a call, where calls are noted."""
    if shell.calls is None:
        return
    shell.calls.append(
        Call(
            name,
            arguments,
            *place,
            branching.current_guards(shell),
            tuple(shell.stack),
            redirects,
            environment,
            shell.input,
            is_function,
            shell.is_dead,
            pipe=shell.pipe,
            outlet=shell.outlets.get(1),
        )
    )


def run_noted(shell: Interpreter, builtin: Builtin, invocation: Invocation) -> Status:
    """Run a command of a trace that is the last call noted, and add what it writes."""
    assert shell.calls is not None
    index = len(shell.calls) - 1
    around, shell.printed = shell.printed, []
    try:
        return builtin(shell, invocation)
    finally:
        printed, shell.printed = shell.printed, around
        if not printed:
            shell.calls[index] = replace(shell.calls[index], output="")
        else:
            output = concatenate(*printed)
            if isinstance(output, str) or len(output.parts) > 1 or output.unknown.symbol:
                shell.calls[index] = replace(shell.calls[index], output=output)


def run_silent(shell: Interpreter, builtin: Builtin, invocation: Invocation) -> Status:
    """Run a command of a trace that is not noted, while standard output leads into a file."""
    around, shell.printed = shell.printed, []
    try:
        return builtin(shell, invocation)
    finally:
        printed, shell.printed = shell.printed, around
        if printed and shell.calls is not None:
            note(shell, ":", (), (invocation.source, invocation.start, invocation.end), ())
            shell.calls[-1] = replace(shell.calls[-1], output=concatenate(*printed))


def record(
    shell: Interpreter,
    invocation: Invocation,
    redirects: tuple[Redirect, ...],
    environment: tuple[tuple[str, Value], ...],
    *,
    is_function: bool = False,
) -> None:
    """Note a command that is run."""
    if shell.calls is None:
        return
    words = (one.text if isinstance(one, Assigned) else one for one in invocation.operands)
    place = invocation.source, invocation.start, invocation.end
    note(
        shell,
        invocation.name,
        tuple(words),
        place,
        redirects,
        environment,
        is_function=is_function,
    )


def record_files(
    shell: Interpreter, redirects: tuple[Redirect, ...], source: Source, start: int, end: int
) -> None:
    """Note the files that are redirected from or to where no call has them."""
    files = tuple(filter(is_of_file, redirects))
    if files:
        note(shell, ":", (), (source, start, end), files)


def _is_path(name: Mixed) -> bool:
    """Tell whether a command's name is certainly that of a program: it has a slash in it."""
    return any(isinstance(part, str) and "/" in part for part in name.parts)
