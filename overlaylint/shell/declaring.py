"""`declare`, `local`, `export`, `readonly` and `unset` (bash manual 4.2, 6.7).

This follows `declare_internal` and its neighbours in bash's own source, save for references
(`declare -n`) that lead round in a circle or to an array's element, which end the evaluation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from overlaylint.records import dataclass
from overlaylint.shell import assigning, expansion
from overlaylint.shell.invocations import (
    check,
    is_many,
    problem,
    unknown_output,
    written,
)
from overlaylint.shell.problems import ExpansionProblem, FatalProblem
from overlaylint.shell.state import OPTIONS_KEPT, Unnamed, doubtful, options_text
from overlaylint.shell.syntax import Assignment, Context, Simple, Source, Word, encode
from overlaylint.shell.values import (
    ARRAYS,
    DOUBTS,
    Elements,
    Flag,
    Mixed,
    Unknown,
    Value,
    Variable,
    as_one,
    associative_order,
    concatenate,
    join,
    unknown,
)

if TYPE_CHECKING:
    from overlaylint.shell.calls import Assigned, Invocation, Status
    from overlaylint.shell.interpreter import Interpreter

DECLARING = frozenset({"declare", "typeset", "local", "export", "readonly"})

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TARGET = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\[.+\])?", re.DOTALL)
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[([^\]]*)\])?(\+?)=(.*)", re.DOTALL)
_ELEMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\[(.*)\]", re.DOTALL)
_LETTERS = {
    "a": Flag.INDEXED, "A": Flag.ASSOCIATIVE, "i": Flag.INTEGER, "c": Flag.CAPITALIZED,
    "l": Flag.LOWERCASE, "u": Flag.UPPERCASE, "n": Flag.REFERENCE, "r": Flag.READONLY,
    "x": Flag.EXPORTED, "t": Flag.NONE,
}  # fmt: skip
_CASES = Flag.LOWERCASE | Flag.UPPERCASE | Flag.CAPITALIZED
_CHANGING = _CASES | Flag.INTEGER  # what changes a value that is assigned

Place = tuple[Source, int, int]


@dataclass(slots=True)
class _Options:
    """The options of `declare` and the like."""

    on: int = 0
    off: int = 0
    letters: str = ""  # of those that are no attributes
    is_wrong: bool = False


def _options(name: str, words: Sequence[object]) -> tuple[_Options, int]:
    """Read the options; return them with the number of words that they took."""
    options = _Options()
    valid = "nfaAp" if name in ("export", "readonly") else "acfgilnprtuxAFGI"
    for index, word in enumerate(words):
        if not isinstance(word, str) or len(word) < 2:
            return options, index
        if word == "--":
            return options, index + 1
        if word[0] == "+" and name not in ("export", "readonly"):
            for letter in word[1:]:
                options.is_wrong |= letter not in valid
                options.off |= _LETTERS.get(letter, Flag.NONE)
            continue
        if word[0] != "-":
            return options, index
        for letter in word[1:]:
            options.is_wrong |= letter not in valid
            flag = _LETTERS.get(letter)
            if flag is None or (letter == "n" and name in ("export", "readonly")):
                options.letters += letter
                continue
            options.on |= flag
            if flag & _CASES:
                options.off |= _CASES & ~flag
    return options, len(words)


def declare(shell: Interpreter, invocation: Invocation) -> Status:
    """`declare`, `typeset`, `local`, `export` and `readonly`."""
    name = invocation.name
    if name == "local" and not shell.function_scopes:
        return 1
    options, count = _options(name, invocation.operands)
    operands = invocation.operands[count:]
    if options.is_wrong:
        return 2
    named = [one for one in operands if not isinstance(one, Mixed) or _form_of_name(one) is None]
    if is_many(named if shell.is_tracing else operands):
        return problem(shell, invocation, "the variables' names are unknown")
    if name in ("export", "readonly"):
        return _set_attribute(shell, invocation, options, operands)
    if options.letters.strip("gGI") and not options.letters.strip("fFgGIp"):
        if "p" in options.letters and "f" not in options.letters.lower():
            return _print(shell, invocation, operands)
        return _functions(shell, invocation, options, operands)
    if not operands:
        return unknown_output(shell, invocation)
    is_global = "g" in options.letters or "G" in options.letters
    status = 0
    for operand in operands:
        if operand == "-" and name == "local":
            scope = shell.state.scopes[shell.function_scope()]
            saved = options_text(shell.state.shell_options)
            scope[OPTIONS_KEPT] = Variable(saved, Flag.KEPT)
            continue
        found = _operand(shell, operand)
        if found is None:
            if (
                name == "local"
                and isinstance(operand, Mixed)
                and assigns_unnamed(shell, invocation, operand, is_local=True)
            ):
                continue
            return problem(shell, invocation, "a variable's name is unknown")
        status |= _Declaration(
            shell,
            (invocation.source, invocation.start, invocation.end),
            options.on,
            options.off,
            is_local=bool(shell.function_scopes) and not is_global,
            is_global=is_global,
            inherits="I" in options.letters,
            has_environment=invocation.has_environment,
        ).declare(*found)
        if shell.signal:
            break
    return status


def assigns_unnamed(
    shell: Interpreter, invocation: Invocation, operand: Mixed, *, is_local: bool = False
) -> bool:
    """Make unknown what `export prefix_${name}_suffix=value` may assign; return whether it is that.

    Only a trace does so, which takes what is unknown in a name for a part of a name. What a local
    variable may hide is known again when the function is left.
    """
    names = _form_of_name(operand) if shell.is_tracing else None
    if names is None:
        return False
    if any(
        names.fullmatch(name) and (variable.flags | variable.flags >> Flag.DOUBT) & Flag.REFERENCE
        for scope in shell.state.scopes
        for name, variable in scope.items()
    ):
        return False
    place = invocation.source, invocation.start, invocation.end
    value = unknown("a variable may be assigned whose name is unknown", *place)
    scopes = shell.state.scopes
    first = shell.function_scope() if is_local else 0
    for name in {name for scope in scopes for name in scope if names.fullmatch(name)}:
        inside = [scope for scope in scopes[first:] if name in scope]
        for scope in inside:
            flags = scope[name].flags
            if not is_local:
                flags = doubtful(flags, flags | Flag.EXPORTED)
            scope[name] = Variable(value, flags | Flag.MAYBE_UNSET, *place)
        variable = shell.state.find(name)
        if not inside and variable is not None:
            flags = doubtful(variable.flags, 0) | Flag.MAYBE_UNSET | Flag.PERHAPS_OUTER
            scopes[first][name] = Variable(value, flags, *place)
    there = frozenset(name for scope in scopes for name in scope if names.fullmatch(name))
    unnamed = Unnamed(names, value, first + 1 if is_local else 0, there)
    if unnamed not in shell.state.unnamed:
        shell.state.unnamed += (unnamed,)
    return True


def _form_of_name(operand: Mixed) -> re.Pattern[str] | None:
    """Return what the name of a variable looks like whose start is known, as in `name=value`."""
    if not _NAME.fullmatch(operand.head):
        return None
    form = equals = ""
    for part in operand.parts:
        if isinstance(part, Unknown):
            if equals and part.is_many:
                return None  # what follows may name other variables
            form += "" if equals else r"\w*"
        elif not equals:
            known, equals, _ = part.partition("=")
            known = known.removesuffix("+") if equals else known
            if not re.fullmatch(r"\w*", known, re.ASCII):
                return None
            form += known
    return re.compile(form)


def declare_compound(
    shell: Interpreter, node: Simple, assignment: Assignment, words: Sequence[object]
) -> bool:
    """Carry out `name=(...)` among the words of `declare`: bash does so while it expands them.

    `words` are those before it, from the name of the command on. Return whether it was done.
    """
    names = [index for index, word in enumerate(words) if word in DECLARING]
    first = names[0] if names else 0
    name = str(words[first])
    options, _ = _options(name, words[first + 1 :])
    if name == "local" and not shell.function_scopes:
        return False
    place = node.source, assignment.start, assignment.end
    is_global = name in ("export", "readonly") or bool(set(options.letters) & {"g", "G"})
    wanted = ARRAYS | _CHANGING
    on, off = options.on & wanted, options.off & wanted
    declaration = _Declaration(
        shell,
        place,
        on,
        off,
        is_local=bool(shell.function_scopes) and not is_global,
        is_global=is_global and name not in ("export", "readonly"),
        inherits="I" in options.letters,
    )
    assert isinstance(assignment.value, tuple)
    # the words see the variable as it was before: in a function, that is most often another one
    is_associative = declaration.makes_associative(assignment.name)
    flags = Flag.ASSOCIATIVE if is_associative else 0
    expanded = assigning.compound_words(shell, assignment.value, flags, is_declared=True)
    if declaration.declare(assignment.name, None, None, append=False):
        if name == "local":
            return False
        raise ExpansionProblem(f"{assignment.name}: it can't be declared")
    scope = shell.state.scopes[0] if is_global and "g" in options.letters else None
    target = shell.resolve(assignment.name) or ""
    made = shell.state.find(target) if scope is None else scope.get(target)
    if made is not None and bool(made.flags & Flag.ASSOCIATIVE) is not is_associative:
        raise shell.exhausted(f"what array {target} is made is unclear")
    assigning.assign_compound(
        shell,
        assignment.name,
        assignment.value,
        0,
        *place,
        append=assignment.append,
        scope=scope,
        expanded=expanded,
    )
    return True


def _operand(
    shell: Interpreter, operand: Value | Assigned
) -> tuple[str, Word | None, Value | None, bool] | None:
    """Return an operand's name, subscript, value (None if it has none) and whether it is appended.

    None if the name is unknown.
    """
    if not isinstance(operand, str | Mixed):
        return operand.name, operand.subscript, operand.value, operand.append
    head = operand if isinstance(operand, str) else operand.head
    match = _ASSIGNMENT.match(head)
    if match:
        name, subscript, plus, text = match.groups()
        value: Value = text
        if isinstance(operand, Mixed):
            value = as_one(join([text, *operand.parts[1:]]))
        word = None
        if subscript is not None:
            source = encode(subscript)
            word = Word(shell.made(source), 0, len(source), Context.OPERAND)
        return name, word, value, bool(plus)
    if isinstance(operand, Mixed):
        return None
    element = _ELEMENT.fullmatch(operand)
    if element:
        source = encode(element.group(2))
        return element.group(1), Word(shell.made(source), 0, len(source)), None, False
    return operand, None, None, False


class _Declaration:
    """One name of a `declare`, with the attributes that are switched on and off."""

    def __init__(
        self,
        shell: Interpreter,
        place: Place,
        on: int,
        off: int,
        *,
        is_local: bool,
        is_global: bool,
        inherits: bool,
        has_environment: bool = False,
    ) -> None:
        self.shell = shell
        self.place = place
        self.on = on
        self.off = off
        self.is_local = is_local
        self.is_global = is_global
        self.inherits = inherits
        self.has_environment = has_environment

    def makes_associative(self, name: str) -> bool:
        """Whether the variable will be an associative array: it is one already, or made one."""
        if self.on & Flag.ASSOCIATIVE:
            return True
        target = self.shell.resolve(name) or name
        scopes = self.shell.state.scopes
        existing: Variable | None
        if self.is_global:
            existing = scopes[0].get(target)
        elif self.is_local and not self.inherits:
            existing = scopes[self.shell.function_scope()].get(target)
        else:
            existing = self.shell.state.find(target)
        return existing is not None and bool(existing.flags & Flag.ASSOCIATIVE)

    def declare(self, name: str, subscript: Word | None, value: Value | None, append: bool) -> int:
        """Declare a variable; return the status."""
        shell, on, off = self.shell, self.on, self.off
        if not _NAME.fullmatch(name):
            return 1
        if name == "_":
            return 0
        if (on | off) & Flag.REFERENCE:
            return self.reference(name, subscript, value, append)
        scope, variable = self.variable(name)
        if scope is None:
            return 1
        if variable is None:
            target = shell.resolve(name)
            if target is None or not _NAME.fullmatch(target):
                raise shell.exhausted(f"`{name}` refers to what can't be told")
            name = target
            scope, variable = self.variable(name)
            if scope is None:
                return 1
            assert variable is not None
        flags, current = variable.flags, variable.value
        if flags & DOUBTS:
            if (flags >> Flag.DOUBT) & Flag.READONLY:
                raise shell.exhausted(f"{name} may be readonly")
            current = unknown(f"the attributes of {name} are unknown", *self.place)
            value = None if value is None else current
        if flags & Flag.READONLY and (off & Flag.READONLY or value is not None):
            return 1
        if (
            (off & flags & ARRAYS)
            or (on & Flag.INDEXED and flags & Flag.ASSOCIATIVE)
            or (on & Flag.ASSOCIATIVE and flags & Flag.INDEXED)
        ):
            return 1
        creates = bool(on & ARRAYS)
        was_array = bool(flags & ARRAYS)
        is_list = False
        if value is not None and (subscript is not None or creates or was_array):
            # a quoted `(...)` is a list where the variable is an array, or is made one
            if isinstance(value, Mixed):
                is_list = value.head[:1] in ("", "(") and subscript is None
            else:
                is_list = value.startswith("(") and value.endswith(")") and (creates or was_array)
        if not was_array and (creates or subscript is not None):
            if not self.is_local or not creates or self.inherits or current is None:
                if isinstance(current, str):
                    current = {"0": current} if on & Flag.ASSOCIATIVE else {0: current}
            else:
                current = {}  # a local variable loses its value when it is made an array
            flags |= on & ARRAYS or Flag.INDEXED
        flags = (flags | on) & ~(off & ~ARRAYS) & ~Flag.MAYBE_UNSET
        if on & (Flag.EXPORTED | Flag.READONLY):
            if scope is not shell.state.scopes[0]:
                flags |= Flag.PROPAGATED
            if self.has_environment and not self.is_local and scope is shell.state.scopes[-1]:
                raise shell.exhausted(f"`{name}=... declare {name}` with attributes")
        kept = (variable.source, variable.start, variable.end)
        place = self.place if variable.source is None else kept
        if value is None:
            if isinstance(variable.value, Mixed):
                flags |= variable.flags & Flag.MAYBE_UNSET
            shell.store(name, Variable(current, flags, *place), scope)
            return 0
        # it has its attributes even if the assignment fails
        shell.store(name, Variable(current, flags & ~Flag.READONLY, *place), scope)
        assigned: Value | Elements
        if is_list:
            self.assign_list(name, value, scope, append)
            made = scope[name]
            assigned, flags = made.value, made.flags | flags & Flag.READONLY  # type: ignore[assignment]
        elif flags & ARRAYS:
            key: int | str | Mixed = "0" if flags & Flag.ASSOCIATIVE else 0
            if subscript is not None:
                key = expansion.subscript_key(shell, subscript, Variable(None, flags))
            assigned = assigning.element_assigned(
                shell, current, flags, key, value, self.place, append=append
            )
        else:
            assert not isinstance(current, dict)
            assigned = assigning.transformed(
                shell, flags, current, value, self.place, append=append
            )
        shell.store(name, Variable(assigned, flags, *self.place), scope)
        return 0

    def variable(self, name: str) -> tuple[dict[str, Variable] | None, Variable | None]:
        """Return the variable to be declared, and its scope.

        There is no scope where a readonly variable forbids it, and no variable where the name is a
        reference to another.
        """
        shell = self.shell
        scopes = shell.state.scopes
        if self.is_local:
            number = shell.function_scope()
            scope = scopes[number]
            existing = scope.get(name)
            if existing is None:
                return self.new_local(name, scope, number)
            if existing.flags & Flag.PERHAPS_OUTER:
                # it becomes local here, or was so already
                flags = (existing.flags | Flag.MAYBE_UNSET) & ~Flag.PERHAPS_OUTER
                reason = unknown(f"it is unknown whether `{name}` was local", *self.place)
                existing = Variable(reason, flags, *self.place)
        else:
            scope = scopes[0] if self.is_global else shell.scope_of(name)
            existing = scope.get(name)
            if existing is None:
                havoc = shell.state.havoc
                if havoc is not None:
                    return scope, Variable(Mixed((havoc,)), Flag.MAYBE_UNSET)
                value = shell.inherited(name)
                return scope, Variable(value, Flag.EXPORTED if value is not None else 0)
        if (existing.flags | existing.flags >> Flag.DOUBT) & Flag.REFERENCE:
            return scope, None
        return scope, existing

    def new_local(
        self, name: str, scope: dict[str, Variable], number: int
    ) -> tuple[dict[str, Variable] | None, Variable | None]:
        """Return a new local variable."""
        shell = self.shell
        scopes = shell.state.scopes
        given = None
        if number < len(scopes) - 1:
            given = scopes[-1].get(name)  # `A=1 local A`
            if given is not None:
                given = replace(given, flags=given.flags & ~Flag.TEMPORARY)
        elif shell.has_environment():
            given = scopes[number - 1].get(name)  # `A=1 function`
        if given is not None:
            return scope, given
        hidden = shell.state.find(name)
        if hidden is None:
            return scope, Variable(None)
        doubts = hidden.flags >> Flag.DOUBT
        if (hidden.flags | doubts) & Flag.READONLY and scopes[0].get(name) is hidden:
            if doubts & Flag.READONLY:
                raise shell.exhausted(f"{name} may be readonly")
            return None, None
        if self.inherits or "localvar_inherit" in shell.state.options:
            return scope, Variable(hidden.value, hidden.flags & ~Flag.REFERENCE)
        return scope, Variable(None, hidden.flags & (Flag.EXPORTED | Flag.EXPORTED << Flag.DOUBT))

    def reference(
        self, name: str, subscript: Word | None, value: Value | None, append: bool
    ) -> int:
        """`declare -n` and `declare +n`."""
        shell, on = self.shell, self.on
        scopes = shell.state.scopes
        if self.is_local:
            scope = scopes[shell.function_scope()]
        else:
            scope = scopes[0] if self.is_global else shell.scope_of(name)
        existing = scope.get(name)
        if existing is None:
            existing = Variable(None)
        if self.off & Flag.REFERENCE:
            if existing.flags & Flag.REFERENCE and value is None and not on:
                if existing.flags & Flag.READONLY:
                    return 1
                shell.store(name, Variable(existing.value, existing.flags & ~Flag.REFERENCE), scope)
                return 0
            raise shell.exhausted("`declare +n` is not evaluated")
        if subscript is not None or existing.flags & (ARRAYS | Flag.READONLY):
            return 1
        if existing.flags & DOUBTS or append or isinstance(value, Mixed):
            raise shell.exhausted(f"the variable that `{name}` refers to is unknown")
        target: Value | Elements | None = existing.value
        if value is not None:
            if value and not _TARGET.fullmatch(value):
                return 1
            target = value
        elif isinstance(target, str) and not _TARGET.fullmatch(target):
            return 1
        if isinstance(target, str):
            if target.partition("[")[0] == name:
                if not shell.function_scopes:
                    return 1
                raise shell.exhausted(f"`{name}` refers to itself")
        elif target is not None:
            raise shell.exhausted(f"the variable that `{name}` refers to is unknown")
        flags = (existing.flags | on) & ~_CHANGING & ~Flag.MAYBE_UNSET
        shell.store(name, Variable(target or None, flags, *self.place), scope)
        return 0

    def assign_list(
        self, name: str, value: Value, scope: dict[str, Variable], append: bool
    ) -> None:
        """Assign text that is `(...)`: bash reads it as a list of words."""
        from overlaylint.shell.parser import parse_source

        shell = self.shell
        elements: object = None
        if isinstance(value, str):
            source = Source(
                encode(f"{name}={value}"), self.place[0].name, self.place[0], self.place[1:]
            )
            script = parse_source(source)
            if not script.errors and len(script.body.commands) == 1:
                command = script.body.commands[0]
                if isinstance(command, Simple) and len(command.assignments) == 1:
                    elements = command.assignments[0].value
        if not isinstance(elements, tuple):
            reason = unknown("it is a list of words that are unknown", *self.place)
            flags = scope[name].flags
            shell.store(name, Variable(reason, flags, *self.place), scope)
            return
        assigning.assign_compound(
            shell, name, elements, 0, *self.place, append=append, scope=scope, is_declared=True
        )


def _set_attribute(
    shell: Interpreter, invocation: Invocation, options: _Options, operands: Iterable[object]
) -> Status:
    """`export` and `readonly`."""
    name = invocation.name
    place = invocation.source, invocation.start, invocation.end
    flag = Flag.EXPORTED if name == "export" else Flag.READONLY
    undoes = "n" in options.letters
    operands = list(operands)
    if not operands or "f" in options.letters:
        if operands:
            return _functions_exist(shell, invocation, operands)
        return unknown_output(shell, invocation)
    status = 0
    for operand in operands:
        found = _operand(shell, operand)  # type: ignore[arg-type]
        if (
            found is None
            and name == "export"
            and not undoes
            and isinstance(operand, Mixed)
            and assigns_unnamed(shell, invocation, operand)
        ):
            continue
        if found is None:
            return problem(shell, invocation, "a variable's name is unknown")
        target, subscript, value, append = found
        if not _NAME.fullmatch(target) or (subscript is not None and value is None):
            status = 1
            continue
        if value is not None:
            if options.on & ARRAYS:
                declaration = _Declaration(
                    shell, place, options.on, 0, is_local=False, is_global=True, inherits=False
                )
                status |= declaration.declare(target, subscript, value, append)
            else:
                try:
                    assigning.assign_subscript(
                        shell, target, subscript, value, *place, append=append
                    )
                except FatalProblem:
                    raise
                except ExpansionProblem:
                    status = 1
        if undoes and flag == Flag.READONLY:
            continue
        resolved = shell.resolve(target)
        if resolved is None or not _NAME.fullmatch(resolved):
            raise shell.exhausted(f"`{target}` refers to what can't be told")
        scope = shell.scope_of(resolved)
        if invocation.has_environment and scope is shell.state.scopes[-1] and not undoes:
            # `NAME=value export NAME`
            given = shell.state.scopes.pop()
            try:
                shell.assign(resolved, given[resolved].value, *place)  # type: ignore[arg-type]
                scope = shell.scope_of(resolved)
                made = scope[resolved]
                scope[resolved] = replace(made, flags=made.flags | Flag.EXPORTED)
            finally:
                shell.state.scopes.append(given)
        variable = scope.get(resolved)
        if variable is None:
            if undoes and shell.state.havoc is None:
                continue
            havoc = shell.state.havoc
            if havoc is not None:
                variable = Variable(Mixed((havoc,)), Flag.MAYBE_UNSET)
            else:
                variable = Variable(shell.inherited(resolved))
        flags = variable.flags & ~flag if undoes else variable.flags | flag
        if not undoes and scope is not shell.state.scopes[0]:
            flags |= Flag.PROPAGATED
        if flags & Flag.PERHAPS_OUTER:
            shell.disturb_outer(resolved, replace(variable, flags=flags), scope)
        scope[resolved] = Variable(
            variable.value,
            flags & ~(flag << Flag.DOUBT),
            variable.source,
            variable.start,
            variable.end,
        )
    return status


# --- what `declare` prints -----------------------------------------------------------------


def _functions(
    shell: Interpreter, invocation: Invocation, options: _Options, operands: Sequence[object]
) -> Status:
    """`declare -f name` and `declare -F name`: whether a function is defined."""
    if options.on & (ARRAYS | Flag.INTEGER | Flag.REFERENCE):
        return 1
    if not operands:
        return unknown_output(shell, invocation)
    if options.on or options.off:
        return _functions_exist(shell, invocation, operands)
    status = _functions_exist(shell, invocation, operands)
    if not isinstance(status, int):
        shell.write(written(invocation))
        return status
    for operand in operands:
        if operand not in shell.state.functions and operand not in shell.commands:
            continue
        if "F" in options.letters and "extdebug" not in shell.state.options:
            shell.write(f"{operand}\n")
        else:
            shell.write(written(invocation))
    return status


def _functions_exist(shell: Interpreter, invocation: Invocation, names: Iterable[object]) -> Status:
    """Return 0 if all of the names are functions."""
    status = 0
    for name in names:
        if not isinstance(name, str):
            return check(invocation)
        function = shell.state.functions.get(name)
        if isinstance(function, Unknown) or (function is None and shell.state.havoc is not None):
            return check(invocation)
        if function is None and name not in shell.commands:
            status = 1
    return status


def _print(shell: Interpreter, invocation: Invocation, operands: Sequence[object]) -> Status:
    """`declare -p name`."""
    if not operands:
        return unknown_output(shell, invocation)
    status = 0
    for operand in operands:
        if not isinstance(operand, str) or operand == "_":
            return unknown_output(shell, invocation)
        variable = shell.state.find(operand)
        if variable is None and (
            shell.state.havoc is not None or shell.special(operand) is not None
        ):
            return unknown_output(shell, invocation)
        if variable is None:
            status = 1
            continue
        letters = shell.flag_letters(variable)
        if variable.flags & Flag.MAYBE_UNSET or letters is None:
            return unknown_output(shell, invocation)
        head = f"declare -{letters or '-'} {operand}"
        value = variable.value
        if value is None:
            shell.write(head + "\n")
        elif isinstance(value, dict):
            shell.write(concatenate(head, "=(", *_print_elements(value, variable.flags), ")\n"))
        elif isinstance(value, Mixed) and variable.flags & ARRAYS:
            shell.write(concatenate(head, "=", _of_unknown_form(value), "\n"))
        else:
            shell.write(concatenate(head, "=", _double_quote(value), "\n"))
    return status


def _print_elements(value: Elements, flags: int) -> list[Value]:
    """Return an array's elements as `declare -p` shows them."""
    pieces: list[Value] = []
    if flags & Flag.ASSOCIATIVE:
        for key in associative_order(value):
            shown = key if re.fullmatch(r"[A-Za-z0-9_./:=+%^,@-]+", key) else _double_quote(key)
            pieces += ["[", shown, "]=", _double_quote(value[key]), " "]
        return pieces
    for index in sorted(value):
        if pieces:
            pieces.append(" ")
        pieces += [f"[{index}]=", _double_quote(value[index])]
    return pieces


def _double_quote(value: Value) -> Value:
    """Return a value between double quotes, as `declare -p` writes it."""
    if isinstance(value, Mixed):
        if len(value.parts) == 1 and value.unknown.choices:
            return expansion.with_choices(value, _double_quote)
        # what is unknown in it may be what makes bash quote it in another way
        return _of_unknown_form(value)
    if any(character < " " or character == "\x7f" for character in value):
        return _ansi_quote(value)
    if not value.isascii():
        return unknown("how it is quoted depends on the locale")
    return '"' + re.sub(r'([\\"$`])', r"\\\1", value) + '"'


def _of_unknown_form(value: Mixed) -> Mixed:
    """Return what is written of a value: not the value itself."""
    return Mixed((replace(value.unknown, symbol="", pattern="", choices=(), is_word=False),))


def _ansi_quote(text: str) -> Value:
    """Return text as `$'...'`; bash does so where there are control characters in it."""
    if not text.isascii():
        return unknown("how it is quoted depends on the locale")
    names = {
        "\a": "\\a", "\b": "\\b", "\x1b": "\\E", "\f": "\\f", "\n": "\\n", "\r": "\\r",
        "\t": "\\t", "\v": "\\v", "\\": "\\\\", "'": "\\'",
    }  # fmt: skip
    inside = "".join(
        names.get(c) or (f"\\{ord(c):03o}" if c < " " or c == "\x7f" else c) for c in text
    )
    return f"$'{inside}'"


# --- unset ---------------------------------------------------------------------------------


def unset(shell: Interpreter, invocation: Invocation) -> Status:
    """`unset [-fvn] name`: a variable, or else a function."""
    arguments = list(invocation.arguments)
    letters = ""
    while arguments and isinstance(arguments[0], str) and re.match(r"-.", arguments[0]):
        option = str(arguments.pop(0))
        if option == "--":
            break
        letters += option[1:]
    if letters.strip("fvn"):
        return 2
    if "f" in letters and "v" in letters:
        return 1
    status: Status = 0
    for argument in arguments:
        if isinstance(argument, Mixed):
            element = _element_not_a_file(shell, argument)
            if element is not None:
                status = _unset_one(shell, invocation, element, letters) or status
                continue
            if not lose_matching(shell, invocation, argument):
                return problem(shell, invocation, "the name of what it unsets is unknown")
            status = check(invocation)
            continue
        result = _unset_one(shell, invocation, argument, letters)
        if result != 0 and status == 0:
            status = result
    return status


def _element_not_a_file(shell: Interpreter, argument: Mixed) -> str | None:
    """Return an unquoted `name[0]` where it stands for no file, else None.

    Only where files are certain to have other names (see `Interpreter`).
    """
    word = argument.unknown.pattern
    is_element = len(argument.parts) == 1 and re.fullmatch(r"[A-Za-z_]\w*\[[0-9]+\]", word)
    if not is_element or not shell.elements_are_no_files:
        return None
    options = (shell.state.option(name) for name in ("failglob", "nullglob"))
    return word if all(option is False for option in options) else None


def lose_matching(
    shell: Interpreter, invocation: Invocation, argument: Mixed, *, assigns: bool = False
) -> bool:
    """Make unknown what an unquoted `name[0]` may unset or assign: it is a pattern of file names.

    Tell whether that could be done.
    """
    whole = argument.unknown
    element = _ELEMENT.fullmatch(whole.pattern)
    if len(argument.parts) != 1 or element is None or re.search(r"[*?\\\[]", element.group(2)):
        return False
    base, characters = element.groups()
    if not characters or characters[0] in "!^" or "-" in characters[1:-1]:
        return False
    place = invocation.source, invocation.start, invocation.end
    lost = unknown(whole.reason, *place)
    for name in {base, *(base + character for character in characters)}:
        variable = shell.state.find(name)
        if variable is None and not (assigns and _NAME.fullmatch(name)):
            continue
        flags = (variable.flags if variable is not None else 0) | Flag.MAYBE_UNSET
        if assigns and name == base and not flags & ARRAYS:
            flags |= Flag.INDEXED << Flag.DOUBT
        shell.store(name, Variable(lost, flags, *place))
    return True


def _unset_one(shell: Interpreter, invocation: Invocation, argument: str, letters: str) -> Status:
    """Unset one variable or function."""
    functions = shell.state.functions
    element = None if letters.strip("v") else _ELEMENT.fullmatch(argument)
    name = element.group(1) if element else argument
    is_name = bool(_NAME.fullmatch(name)) and (element is None or element.group(2) != "")
    if "f" in letters or (not is_name and not letters.strip("n")):
        functions.pop(name, None)
        return 0
    if not is_name:
        return 1
    if "n" in letters:
        variable = shell.state.find(name)
        if variable is not None and variable.flags & DOUBTS:
            raise shell.exhausted(f"{name} may be a reference")
        is_reference = variable is not None and variable.flags & Flag.REFERENCE
        if is_reference and not variable.flags & Flag.READONLY:  # type: ignore[union-attr]
            shell.unset_variable(name)
        return 0
    target = shell.resolve(name)
    if target is None:
        raise shell.exhausted("the variable that a reference names is unknown")
    if element is None and target != name:
        element = _ELEMENT.fullmatch(target)
        target = element.group(1) if element else target
    name = target
    variable = shell.state.find(name)
    if variable is None:
        if shell.state.havoc is not None:
            if element is None:
                shell.unset_variable(name)
            return 0
        if "v" not in letters:
            functions.pop(name, None)
        return 0
    if variable.flags & DOUBTS and (variable.flags >> Flag.DOUBT) & Flag.READONLY:
        raise shell.exhausted(f"{name} may be readonly")
    if variable.flags & Flag.READONLY:
        return 1
    if element is not None:
        return _unset_element(shell, invocation, name, element.group(2), variable)
    if variable.flags & Flag.MAYBE_UNSET and "v" not in letters and name in functions:
        # which of the two is unset depends on whether the variable is set
        functions[name] = (
            variable.value.unknown
            if isinstance(variable.value, Mixed)
            else Unknown("it may be unset")
        )
    shell.unset_variable(name)
    return 0


def _unset_element(
    shell: Interpreter, invocation: Invocation, name: str, subscript: str, variable: Variable
) -> Status:
    """Unset one element of an array."""
    place = invocation.source, invocation.start, invocation.end
    value, flags = variable.value, variable.flags
    if flags & DOUBTS or (flags & Flag.MAYBE_UNSET and not flags & ARRAYS):
        reason = unknown("an element of what may be an array was unset", *place)
        shell.store(name, Variable(reason, flags | Flag.MAYBE_UNSET, *place))
        return check(invocation)
    text = encode(subscript)
    word = Word(shell.made(text), 0, len(text), Context.OPERAND)
    if not flags & ARRAYS:
        if subscript in ("@", "*"):
            return 1
        key = expansion.subscript_key(shell, word, variable)
        if isinstance(key, Mixed):
            shell.store(name, Variable(key, flags | Flag.MAYBE_UNSET, *place))
            return check(invocation)
        if key != 0:
            return 1
        shell.unset_variable(name)
        return 0
    if flags & Flag.INDEXED and subscript in ("@", "*"):
        shell.store(name, Variable({}, flags & ~Flag.MAYBE_UNSET, *place))
        return 0
    key = expansion.subscript_key(shell, word, variable)
    if isinstance(key, Mixed) or not isinstance(value, dict):
        if value is None:
            return 0
        reason = key if isinstance(key, Mixed) else value  # type: ignore[assignment]
        shell.store(name, Variable(reason, flags, *place))
        return check(invocation)
    elements = dict(value)
    if key == "":
        return 1
    if isinstance(key, int) and key < 0:
        key += expansion.last_index(value) + 1
        if key < 0:
            return 1
    elements.pop(key, None)
    shell.store(name, Variable(elements, flags, *place))
    return 0
