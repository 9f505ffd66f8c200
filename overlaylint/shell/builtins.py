"""Bash's builtin commands, as far as they change the shell's own state (bash manual 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from overlaylint.shell import expansion
from overlaylint.shell.conditionals import test_command
from overlaylint.shell.conditions import Check
from overlaylint.shell.expansion import ExpansionProblem, FatalProblem
from overlaylint.shell.interpreter import (
    BREAK,
    CONTINUE,
    EXIT,
    RETURN,
    Builtin,
    Interpreter,
    Invocation,
    Status,
)
from overlaylint.shell.parser import parse_source
from overlaylint.shell.printing import PrintingProblem, format_printf, interpret_escapes
from overlaylint.shell.state import Positional
from overlaylint.shell.syntax import Assignment, Context, Element, Source, Word, encode
from overlaylint.shell.values import (
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

_OPTIONS = "shopt -p: "  # what starts the symbol of what `shopt -p` writes
_SET_OPTIONS = "shopt -po: "
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*(?:\[[^\]]*\])?)(\+?=)(.*)", re.DOTALL)


def _check(invocation: Invocation) -> Check:
    """Return the condition that a command succeeds."""
    return Check(
        (invocation.name, *invocation.arguments),
        invocation.source,
        invocation.start,
        invocation.end,
    )


def _problem(shell: Interpreter, invocation: Invocation, reason: str) -> Status:
    """A use of a builtin that is not evaluated: everything may have changed."""
    shell.lose(
        invocation.source, invocation.start, invocation.end, f"`{invocation.name}`: {reason}"
    )
    return _check(invocation)


def _is_many(values: list[Value]) -> bool:
    return any(isinstance(value, Mixed) and value.is_many for value in values)


# --- nothing much --------------------------------------------------------------------------


def true(shell: Interpreter, invocation: Invocation) -> Status:
    """`:` and `true`."""
    return 0


def false(shell: Interpreter, invocation: Invocation) -> Status:
    """`false`."""
    return 1


def unknown_status(shell: Interpreter, invocation: Invocation) -> Status:
    """A builtin that changes nothing that is evaluated, with an unknown status."""
    return _check(invocation)


def unknown_output(shell: Interpreter, invocation: Invocation) -> Status:
    """A builtin that writes what nobody can tell."""
    shell.write(
        unknown(
            f"it is what `{invocation.name}` writes",
            invocation.source,
            invocation.start,
            invocation.end,
        )
    )
    return _check(invocation)


def change_directory(shell: Interpreter, invocation: Invocation) -> Status:
    """`cd`, `pushd` and `popd`: PWD is unknown after them."""
    place = invocation.source, invocation.start, invocation.end
    for name in ("PWD", "OLDPWD"):
        value = shell.unknown("the directory was changed", *place, is_word=True)
        shell.store(name, Variable(value, Flag.EXPORTED, *place), shell.state.scopes[0])
    return 0 if invocation.name == "cd" else _check(invocation)


# --- control -------------------------------------------------------------------------------


def _number(invocation: Invocation, default: int) -> int | Mixed | None:
    """Return a numeric argument: None if it is no number."""
    if not invocation.arguments:
        return default
    value = invocation.arguments[0]
    if isinstance(value, Mixed):
        return value
    match = re.fullmatch(r"\s*([-+]?[0-9]+)\s*", value)
    return int(match.group(1)) if match else None


def return_(shell: Interpreter, invocation: Invocation) -> Status:
    """`return [n]`: without a number, the status of the last command."""
    status: Status = shell.status
    if invocation.arguments:
        _check_count(invocation, 1)
        number = _number(invocation, 0)
        status = (
            _check(invocation)
            if isinstance(number, Mixed)
            else 2
            if number is None
            else number & 0xFF
        )
    shell.signal, shell.signal_status = RETURN, status
    return status


def exit_(shell: Interpreter, invocation: Invocation) -> Status:
    """`exit [n]`."""
    status = return_(shell, invocation)
    shell.signal = EXIT
    return status


def break_(shell: Interpreter, invocation: Invocation) -> Status:
    """`break [n]` and `continue [n]`."""
    loops = 0
    for region in reversed(shell.regions):
        if region.is_loop:
            loops += 1
        elif region.is_subshell or (region.is_function and shell.compatibility > 43):
            break  # up to bash 4.3 a function could leave its caller's loop
    if loops == 0:
        return 0  # bash only warns
    number = _number(invocation, 1)
    if isinstance(number, Mixed):
        raise shell.exhausted("how many loops are left is unknown")
    _check_count(invocation, 1)
    if number is None:
        raise FatalProblem(f"{invocation.name}: numeric argument required", 128, 128)
    shell.signal = CONTINUE if invocation.name == "continue" and number > 0 else BREAK
    shell.signal_count = min(number, loops) if number > 0 else loops
    shell.signal_status = int(number <= 0)
    return int(number <= 0)


def _check_count(invocation: Invocation, most: int) -> None:
    """Raise the error with which bash leaves everything where there are too many arguments."""
    if len(invocation.arguments) > most and not _is_many(invocation.arguments):
        raise FatalProblem(f"{invocation.name}: too many arguments", 1, 1)


def eval_(shell: Interpreter, invocation: Invocation) -> Status:
    """`eval`: the words, joined, are a script."""
    words: list[Value] = []
    for argument in invocation.arguments:
        words += [" ", argument] if words else [argument]
    text = concatenate(*words) if words else ""
    if isinstance(text, Mixed):
        restored = (
            text.unknown.symbol
            if text.head in ("shopt -", "set -") and len(text.parts) == 2
            else ""
        )
        if restored.startswith(_SET_OPTIONS):
            shell.state.shell_options = frozenset(restored.removeprefix(_SET_OPTIONS))
            return 0
        if restored.startswith(_OPTIONS):
            shell.state.options = frozenset(
                filter(None, restored.removeprefix(_OPTIONS).split(","))
            )
            return 0
        return _problem(shell, invocation, "what it evaluates is unknown")
    source = Source(
        encode(text), invocation.source.name, invocation.source, (invocation.start, invocation.end)
    )
    script = parse_source(source)
    shell.depth += 1
    if shell.depth > 60:
        raise shell.exhausted("eval within eval, too deeply")
    shell.spend(len(text) // 8)
    try:
        if script.errors:
            shell.die(f"eval: {script.errors[0].message}", 1)
            return 1
        return shell.run_lines(script.body, source) if script.body.commands else 0
    finally:
        shell.depth -= 1


def source_(shell: Interpreter, invocation: Invocation) -> Status:
    """`source` and `.`: no file is read."""
    return _problem(shell, invocation, "another file is read")


def alias(shell: Interpreter, invocation: Invocation) -> Status:
    """`alias`: commands that follow may be read as others."""
    if any(isinstance(word, Mixed) or "=" in word for word in invocation.arguments):
        return _problem(shell, invocation, "aliases are not expanded")
    return unknown_output(shell, invocation)


def trap(shell: Interpreter, invocation: Invocation) -> Status:
    """`trap`: commands that are run later, or ignoring a signal, which changes nothing here."""
    arguments = [word for word in invocation.arguments if word != "--"]
    if not arguments or arguments[0] in ("-p", "-l"):
        return unknown_output(shell, invocation)
    if len(arguments) == 1 or arguments[0] in ("", "-"):
        return 0
    signals = {str(word).upper().removeprefix("SIG") for word in arguments[1:]}
    if signals & {"DEBUG", "RETURN", "ERR", "EXIT", "0"}:
        return _problem(shell, invocation, "what it runs later is not evaluated")
    return 0


def exec_(shell: Interpreter, invocation: Invocation) -> Status:
    """`exec`: with a command the shell ends; without one only redirections take effect."""
    if not invocation.arguments:
        return 0
    shell.record(invocation, (), ())
    shell.signal, shell.signal_status = EXIT, _check(invocation)
    return shell.signal_status


def builtin(shell: Interpreter, invocation: Invocation) -> Status:
    """`builtin name`: the builtin, whatever functions there are."""
    if not invocation.arguments:
        return 0
    name = invocation.arguments[0]
    if isinstance(name, str) and name in shell.builtins:
        inner = Invocation(
            name, invocation.arguments[1:], invocation.operands[1:],
            invocation.source, invocation.start, invocation.end, invocation.input,
        )  # fmt: skip
        return shell.builtins[name](shell, inner)
    if isinstance(name, str):
        return 1
    return _problem(shell, invocation, "the builtin's name is unknown")


def command(shell: Interpreter, invocation: Invocation) -> Status:
    """`command name`: not a function; `command -v name` tells what it is."""
    arguments = invocation.arguments
    if arguments and arguments[0] in ("-v", "-V"):
        return _describe(shell, invocation, arguments[1:], is_long=arguments[0] == "-V")
    start = 1 if arguments[:1] == ["-p"] or arguments[:1] == ["--"] else 0
    if len(arguments) <= start:
        return 0
    name = arguments[start]
    if not isinstance(name, str):
        return _problem(shell, invocation, "the command's name is unknown")
    inner = Invocation(
        name, arguments[start + 1 :], invocation.operands[start + 1 :],
        invocation.source, invocation.start, invocation.end, invocation.input,
    )  # fmt: skip
    if name in shell.builtins:
        return shell.builtins[name](shell, inner)
    shell.record(inner, (), ())
    return shell.when_missing(shell, inner)


def _describe(
    shell: Interpreter, invocation: Invocation, names: list[Value], *, is_long: bool
) -> Status:
    """Tell what names are: functions and builtins are known, programs are not."""
    for name in names:
        if isinstance(name, str) and not is_long:
            function = shell.state.functions.get(name)
            if isinstance(function, Unknown):
                break
            if function is not None or name in shell.commands or name in shell.builtins:
                shell.write(name + "\n")
                continue
            if shell.finds_programs is False:
                return 1
        break
    else:
        return 0
    return unknown_output(shell, invocation)


def type_(shell: Interpreter, invocation: Invocation) -> Status:
    """`type [-tpP] name`."""
    arguments = invocation.arguments
    options = [a for a in arguments if isinstance(a, str) and a.startswith("-")]
    names = arguments[len(options) :]
    for name in names:
        if not isinstance(name, str):
            return unknown_output(shell, invocation)
        function = shell.state.functions.get(name)
        if isinstance(function, Unknown):
            return unknown_output(shell, invocation)
        kind = (
            "function"
            if function is not None or name in shell.commands
            else "builtin"
            if name in shell.builtins
            else ""
        )
        if "-P" in options or not kind:
            if shell.finds_programs is False:
                return 1
            return unknown_output(shell, invocation)
        if options == ["-t"]:
            shell.write(kind + "\n")
        elif not options:
            shell.write(
                unknown(
                    "it is how bash describes a command",
                    invocation.source,
                    invocation.start,
                    invocation.end,
                )
            )
    return 0


# --- variables -----------------------------------------------------------------------------

_LETTERS = {
    "a": Flag.INDEXED, "A": Flag.ASSOCIATIVE, "i": Flag.INTEGER, "l": Flag.LOWERCASE,
    "u": Flag.UPPERCASE, "n": Flag.REFERENCE, "r": Flag.READONLY, "x": Flag.EXPORTED,
}  # fmt: skip


def declare(shell: Interpreter, invocation: Invocation) -> Status:
    """`declare`, `typeset`, `local`, `export` and `readonly`."""
    name = invocation.name
    is_local = name == "local" or (name in ("declare", "typeset") and bool(shell.stack))
    flags = (
        Flag.EXPORTED if name == "export" else Flag.READONLY if name == "readonly" else Flag.NONE
    )
    removed = Flag.NONE
    operands = list(invocation.operands)
    letters = ""
    while operands:
        option = operands[0]
        if not isinstance(option, str) or option[:1] not in ("-", "+") or len(option) < 2:
            break
        operands.pop(0)
        if option == "--":
            break
        if option[0] == "+":
            for letter in option[1:]:
                removed |= _LETTERS.get(letter, Flag.NONE)
            continue
        letters += option[1:]
    if name == "local" and not shell.stack:
        return 1
    if operands and operands[0] == "-" and name == "local":
        return _problem(shell, invocation, "`local -` is not evaluated")
    if name == "export" and "n" in letters:
        letters, flags, removed = letters.replace("n", ""), Flag.NONE, removed | Flag.EXPORTED
    if "f" in letters or "F" in letters:
        return _functions(shell, invocation, operands, letters)
    if "p" in letters:
        return _print(shell, invocation, operands)
    for letter in letters:
        flags |= _LETTERS.get(letter, Flag.NONE)
        if letter == "g":
            is_local = False
    if not operands:
        if name in ("declare", "typeset", "export", "readonly") and not letters.strip("x"):
            return unknown_output(shell, invocation)
        return 0
    status: Status = 0
    for operand in operands:
        result = _declare_one(
            shell, invocation, operand, flags, removed,
            is_local=is_local, is_global="g" in letters, inherits="I" in letters,
        )  # fmt: skip
        if result != 0:
            status = result
        if shell.signal:
            break
    return status


def _declare_one(
    shell: Interpreter,
    invocation: Invocation,
    operand: Value | Assignment,
    flags: int,
    removed: int,
    *,
    is_local: bool,
    is_global: bool,
    inherits: bool,
) -> Status:
    """Declare one variable."""
    place = invocation.source, invocation.start, invocation.end
    name, subscript, value, append = _operand(shell, invocation, operand)
    if name is None:
        return _problem(shell, invocation, "the variable's name is unknown")
    if not _NAME.fullmatch(name):
        return 1
    if name == "_":
        return 0
    scopes = shell.state.scopes
    if is_local:
        scope = _function_scope(shell)
        existing = scope.get(name)
        if existing is None:
            # a new local variable is exported if the environment of this command has it
            outer = (
                shell.state.find(name)
                if inherits or (scopes[-1] is not scope and name in scopes[-1])
                else None
            )
            existing = outer if outer is not None else Variable(None)
            if outer is None:
                hidden = shell.state.find(name)
                if hidden is not None and hidden.flags & Flag.READONLY:
                    return 1
    elif is_global:
        scope = scopes[0]
        existing = scope.get(name) or Variable(None)
    else:
        if not flags & Flag.REFERENCE:
            name = shell.resolve(name) or name
        scope = shell.scope_of(name)
        existing = scope.get(name) or Variable(None)
        if name not in scope and shell.state.havoc is not None:
            existing = Variable(Mixed((shell.state.havoc,)), Flag.MAYBE_UNSET)
    if existing.flags & Flag.READONLY and (value is not None or removed & Flag.READONLY):
        return 1
    new_flags = (existing.flags | flags) & ~removed
    attributes = new_flags & ~Flag.READONLY
    current = existing.value
    if new_flags & (Flag.INDEXED | Flag.ASSOCIATIVE) and isinstance(current, str):
        current = {"0": current} if new_flags & Flag.ASSOCIATIVE else {0: current}
    kept = existing.source, existing.start, existing.end
    scope[name] = Variable(current, attributes, *(place if existing.source is None else kept))
    if value is not None:
        # assign in the scope that was chosen, whatever stands in an inner one
        number = next(index for index, item in enumerate(scopes) if item is scope)
        hidden_scopes = scopes[number + 1 :]
        del scopes[number + 1 :]
        try:
            if isinstance(value, tuple):
                shell.assign_compound(name, value, attributes, *place, append=append)
            elif subscript is not None:
                shell.assign_subscript(name, subscript, value, *place, append=append)
            elif flags & Flag.REFERENCE and not isinstance(value, Mixed):
                scope[name] = Variable(value, attributes, *place)
            else:
                shell.assign(name, value, *place, append=append)
        finally:
            scopes.extend(hidden_scopes)
    if new_flags & Flag.READONLY:
        variable = scope.get(name)
        if variable is not None:
            scope[name] = Variable(
                variable.value,
                variable.flags | Flag.READONLY,
                variable.source,
                variable.start,
                variable.end,
            )
    return 0


def _function_scope(shell: Interpreter) -> dict[str, Variable]:
    """Return the scope of the innermost function, below those of `A=b command`."""
    return shell.state.scopes[shell.function_scope()]


def _operand(
    shell: Interpreter, invocation: Invocation, operand: Value | Assignment
) -> tuple[str | None, Word | None, Value | tuple[Element, ...] | None, bool]:
    """Return an operand's name, subscript, value (or None) and whether that is appended."""
    if isinstance(operand, Assignment):
        value = operand.value
        if isinstance(value, Word):
            return operand.name, operand.subscript, expansion.value_of(shell, value), operand.append
        return operand.name, operand.subscript, value, operand.append
    head = operand if isinstance(operand, str) else operand.head
    match = _ASSIGNMENT.match(head)
    if match:
        rest: Value = match.group(3)
        if isinstance(operand, Mixed):
            rest = as_one(join([match.group(3), *operand.parts[1:]]))
        name, bracket, subscript = match.group(1).partition("[")
        word = None
        if bracket:
            text = encode(subscript.removesuffix("]"))
            word = Word(shell.made(text), 0, len(text), Context.OPERAND)
        return name, word, rest, match.group(2) == "+="
    if isinstance(operand, Mixed):
        return None, None, None, False
    return operand, None, None, False


def _functions(
    shell: Interpreter, invocation: Invocation, operands: list[Value | Assignment], letters: str
) -> Status:
    """`declare -F name`: whether a function is defined."""
    if invocation.name in ("export", "readonly") or "x" in letters or "r" in letters:
        return 0
    if not operands:
        return unknown_output(shell, invocation)
    status: Status = 0
    for operand in operands:
        if not isinstance(operand, str):
            return unknown_output(shell, invocation)
        function = shell.state.functions.get(operand)
        if isinstance(function, Unknown) or (function is None and shell.state.havoc is not None):
            return _check(invocation)
        if function is None and operand not in shell.commands:
            status = 1
        elif "F" in letters:
            shell.write(operand + "\n")
        else:
            unknown_output(shell, invocation)
    return status


def _print(
    shell: Interpreter, invocation: Invocation, operands: list[Value | Assignment]
) -> Status:
    """`declare -p name`."""
    if not operands:
        return unknown_output(shell, invocation)
    status: Status = 0
    for operand in operands:
        variable = shell.find(operand) if isinstance(operand, str) else None
        if not isinstance(operand, str) or (variable is None and shell.state.havoc is not None):
            return unknown_output(shell, invocation)
        if variable is None:
            status = 1
            continue
        if variable.flags & Flag.MAYBE_UNSET:
            return unknown_output(shell, invocation)
        letters = shell.flag_letters(variable) or "-"
        head = f"declare -{letters} {operand}"
        value = variable.value
        if value is None:
            shell.write(head + "\n")
        elif isinstance(value, dict):
            shell.write(concatenate(head, "=(", *_print_elements(value, variable.flags), ")\n"))
        elif isinstance(value, Mixed) and variable.flags & (Flag.INDEXED | Flag.ASSOCIATIVE):
            shell.write(concatenate(head, "=(", value, ")\n"))
        else:
            shell.write(concatenate(head, "=", _double_quote(value), "\n"))
    return status


def _print_elements(value: Elements, flags: int) -> list[Value]:
    """Return an array's elements as `declare -p` shows them."""
    pieces: list[Value] = []
    if flags & Flag.ASSOCIATIVE:
        for key in associative_order(value):
            shown = key if re.fullmatch(r"[A-Za-z0-9_./:=+%^,-]+", key) else _double_quote(key)
            pieces += ["[", shown, "]=", _double_quote(value[key]), " "]
        return pieces
    for index in sorted(value):
        if pieces:
            pieces.append(" ")
        pieces += [f"[{index}]=", _double_quote(value[index])]
    return pieces


def _double_quote(value: Value) -> Value:
    """Return a value between double quotes, as `declare -p` writes it."""
    if isinstance(value, str):
        if any(character < " " or character == "\x7f" for character in value):
            return _ansi_quote(value)
        return '"' + re.sub(r'([\\"$`])', r"\\\1", value) + '"'
    return concatenate('"', value, '"')


def _ansi_quote(text: str) -> str:
    """Return text as `$'...'`; bash does so where there are control characters in it."""
    names = {
        "\a": "\\a", "\b": "\\b", "\x1b": "\\E", "\f": "\\f", "\n": "\\n", "\r": "\\r",
        "\t": "\\t", "\v": "\\v", "\\": "\\\\", "'": "\\'",
    }  # fmt: skip
    inside = "".join(
        names.get(c) or (f"\\{ord(c):03o}" if c < " " or c == "\x7f" else c) for c in text
    )
    return f"$'{inside}'"


def unset(shell: Interpreter, invocation: Invocation) -> Status:
    """`unset [-fv] name`: a variable, or else a function."""
    kind = ""
    for argument in invocation.arguments:
        if isinstance(argument, Mixed):
            if argument.is_many:
                return _problem(shell, invocation, "what it unsets is unknown")
            return _problem(shell, invocation, "the name of what it unsets is unknown")
        if argument in ("-f", "-v", "-n"):
            kind = argument
            continue
        name, bracket, rest = argument.partition("[")
        if kind == "-f":
            shell.state.functions.pop(name, None)
            continue
        if kind != "-n":
            target = shell.resolve(name)
            if target is None:
                return _problem(shell, invocation, "the variable that a reference names is unknown")
            name = target
        variable = shell.state.find(name)
        if variable is not None and variable.flags & Flag.READONLY:
            return 1
        if bracket:
            _unset_element(shell, invocation, name, rest.removesuffix("]"), variable)
        elif variable is None and kind != "-v" and name in shell.state.functions:
            del shell.state.functions[name]
        else:
            shell.unset_variable(name)
    return 0


def _unset_element(
    shell: Interpreter, invocation: Invocation, name: str, subscript: str, variable: Variable | None
) -> None:
    """Unset one element of an array."""
    if variable is None or not isinstance(variable.value, dict):
        if variable is not None and isinstance(variable.value, str) and subscript in ("0", "-1"):
            shell.unset_variable(name)
        return
    if subscript in ("@", "*") and not variable.flags & Flag.ASSOCIATIVE:
        shell.unset_variable(name)
        return
    text = encode(subscript)
    key = expansion.subscript_key(
        shell, Word(shell.made(text), 0, len(text), Context.OPERAND), variable
    )
    place = invocation.source, invocation.start, invocation.end
    if isinstance(key, Mixed):
        shell.store(name, Variable(key, variable.flags, *place))
        return
    elements = dict(variable.value)
    if isinstance(key, int) and key < 0:
        key += max((k for k in elements if isinstance(k, int)), default=-1) + 1
    elements.pop(key, None)
    shell.store(name, Variable(elements, variable.flags, *place))


def shift(shell: Interpreter, invocation: Invocation) -> Status:
    """`shift [n]`."""
    number = _number(invocation, 1)
    positional = shell.state.positional[-1]
    if not isinstance(number, int):
        reason = (
            number.unknown if isinstance(number, Mixed) else Unknown("`shift` was given no number")
        )
        shell.state.positional[-1] = Positional((), reason)
        return _check(invocation)
    if number < 0:
        return 1
    if number <= len(positional.words):
        shell.state.positional[-1] = Positional(positional.words[number:], positional.rest)
        return 0
    if positional.rest is not None:
        shell.state.positional[-1] = Positional((), positional.rest)
        return _check(invocation)
    return 1


_LONG_OPTIONS = {
    "noglob": "f", "errexit": "e", "nounset": "u", "xtrace": "x", "noexec": "n",
    "pipefail": "P", "allexport": "a", "posix": "X", "braceexpand": "B",
}  # fmt: skip


def set_(shell: Interpreter, invocation: Invocation) -> Status:
    """`set`: options, and the positional parameters."""
    arguments = invocation.arguments
    if not arguments:
        return unknown_output(shell, invocation)
    index = 0
    while index < len(arguments):
        argument = arguments[index]
        if isinstance(argument, Mixed):
            break
        if argument == "--":
            index += 1
            break
        if argument in ("-", "+"):
            return _problem(shell, invocation, "it is not evaluated")
        if argument[:1] not in ("-", "+"):
            break
        is_on = argument[0] == "-"
        letters = argument[1:]
        if "o" in letters:
            index += 1
            if index >= len(arguments):
                return unknown_output(shell, invocation)
            option = _LONG_OPTIONS.get(str(arguments[index]))
            if option is None:
                return _problem(shell, invocation, "the option is not evaluated")
            letters = letters.replace("o", option)
        changed = frozenset(letters)
        if changed & {"B", "X", "a"} or (is_on and changed & {"n", "k", "u", "e"}):
            return _problem(shell, invocation, "the option is not evaluated")
        shell.state.shell_options = (
            shell.state.shell_options | changed if is_on else shell.state.shell_options - changed
        )
        index += 1
    else:
        if arguments[-1] != "--":
            return 0
    from overlaylint.shell.interpreter import positional_of

    shell.state.positional[-1] = positional_of(arguments[index:])
    return 0


def shopt(shell: Interpreter, invocation: Invocation) -> Status:
    """`shopt -s`, `-u`, `-q` and `-p`."""
    options = [a for a in invocation.arguments if isinstance(a, str) and a.startswith("-")]
    names = invocation.arguments[len(options) :]
    letters = "".join(str(option)[1:] for option in options)
    if letters == "p" and not names:
        # which options there are depends on bash's version; as a whole they can be restored
        options_now = ",".join(sorted(shell.state.options))
        listing = shell.unknown(
            "it lists the shell's options", invocation.source, invocation.start, invocation.end,
            symbol=_OPTIONS + options_now, is_word=True,
        )  # fmt: skip
        shell.write(concatenate("shopt -", listing))
        return 0
    if sorted(letters) == ["o", "p"] and not names:
        listing = shell.unknown(
            "it lists the shell's options", invocation.source, invocation.start, invocation.end,
            symbol=_SET_OPTIONS + "".join(sorted(shell.state.shell_options)), is_word=True,
        )  # fmt: skip
        shell.write(concatenate("set -", listing))
        return 0
    if "o" in letters or any(not isinstance(name, str) for name in names) or not names:
        return unknown_output(shell, invocation)
    chosen = frozenset(str(name) for name in names)
    if "s" in letters:
        shell.state.options |= chosen
    elif "u" in letters:
        shell.state.options -= chosen
    else:
        for name in names:
            is_on = name in shell.state.options
            if not is_on and name not in _OFF_BY_DEFAULT:
                return unknown_output(shell, invocation)
            if "p" in letters:
                shell.write(f"shopt -{'s' if is_on else 'u'} {name}\n")
            elif "q" not in letters:
                shell.write(f"{name:<15}\t{'on' if is_on else 'off'}\n")
        return int(not all(name in shell.state.options for name in chosen))
    return 0


_OFF_BY_DEFAULT = frozenset(
    {
        "extglob",
        "nullglob",
        "failglob",
        "dotglob",
        "nocaseglob",
        "nocasematch",
        "lastpipe",
        "globstar",
    }
)


def let(shell: Interpreter, invocation: Invocation) -> Status:
    """`let`: arithmetic on each argument."""
    status: Status = 1
    for argument in invocation.arguments:
        if isinstance(argument, Mixed):
            return _problem(shell, invocation, "an expression is unknown")
        text = encode(argument)
        source = Source(
            text, invocation.source.name, invocation.source, (invocation.start, invocation.end)
        )
        try:
            value = expansion.arithmetic(shell, source, Word(source, 0, len(text), Context.PLAIN))
        except FatalProblem:
            raise
        except ExpansionProblem:
            return 1
        status = _check(invocation) if isinstance(value, Mixed) else int(int(value) == 0)
    return status


# --- input and output ----------------------------------------------------------------------


def echo(shell: Interpreter, invocation: Invocation) -> Status:
    """`echo [-neE]`."""
    arguments = list(invocation.arguments)
    newline, escapes = True, False
    while arguments and isinstance(arguments[0], str) and re.fullmatch(r"-[neE]+", arguments[0]):
        for letter in arguments.pop(0)[1:]:  # type: ignore[index]
            if letter == "n":
                newline = False
            else:
                escapes = letter == "e"
    if shell.state.output is None or shell.is_redirected:
        return 0
    pieces: list[Value] = []
    for argument in arguments:
        if pieces:
            pieces.append(" ")
        if escapes:
            if isinstance(argument, Mixed):
                argument = shell.value_unknown(
                    "", invocation.source, invocation.start, invocation.end, argument
                )
            else:
                argument, stops = interpret_escapes(argument)
                if stops:
                    pieces.append(argument)
                    newline = False
                    break
        pieces.append(argument)
    if newline:
        pieces.append("\n")
    shell.write(concatenate(*pieces) if pieces else "")
    return 0


def printf(shell: Interpreter, invocation: Invocation) -> Status:
    """`printf [-v name] format arguments`."""
    arguments = list(invocation.arguments)
    place = invocation.source, invocation.start, invocation.end
    target: str | None = None
    if arguments and arguments[0] == "-v":
        if len(arguments) < 2 or not isinstance(arguments[1], str):
            return _problem(shell, invocation, "the variable's name is unknown")
        target = str(arguments[1])
        del arguments[:2]
    if arguments and arguments[0] == "--":
        del arguments[0]
    if not arguments:
        return 2
    status: Status = 0
    value: Value
    known = [argument for argument in arguments if isinstance(argument, str)]
    if len(known) < len(arguments):
        value = _printf_mixed(shell, invocation, arguments)
    else:
        try:
            value = format_printf(known[0], known[1:])
        except PrintingProblem as problem:
            value = shell.value_unknown(str(problem), *place)
            status = _check(invocation)
    if target is None:
        shell.write(value)
    else:
        variable = shell.find(target.partition("[")[0])
        if variable is not None and variable.flags & Flag.READONLY:
            return 1
        shell.assign_subscript_text(target, value, *place)
    return status


def _printf_mixed(shell: Interpreter, invocation: Invocation, arguments: list[Value]) -> Value:
    """Return what `printf` writes with partly unknown arguments: plain `%s` keeps what is known."""
    place = invocation.source, invocation.start, invocation.end
    format_ = arguments[0]
    if isinstance(format_, Mixed) or _is_many(arguments):
        return shell.value_unknown("", *place, *arguments)
    pieces = re.split(r"(%s|%%)", format_)
    count = pieces.count("%s")
    if not count or any("%" in piece for piece in pieces if piece not in ("%s", "%%")):
        return shell.value_unknown("", *place, *arguments)
    rest = arguments[1:]
    result: list[Value] = []
    while rest:
        for piece in pieces:
            if piece == "%s":
                result.append(rest.pop(0) if rest else "")
            elif piece == "%%":
                result.append("%")
            else:
                result.append(interpret_escapes(piece)[0])
    return concatenate(*result)


def read(shell: Interpreter, invocation: Invocation) -> Status:
    """`read`: from a here-string, a here-document or a pipe; else what comes is unknown."""
    place = invocation.source, invocation.start, invocation.end
    if _is_many(invocation.arguments):
        return _problem(shell, invocation, "the variables' names are unknown")
    raw = False
    array: str | None = None
    delimiter = "\n"
    undecided = False
    arguments = list(invocation.arguments)
    while arguments and isinstance(arguments[0], str) and re.match(r"-[a-zA-Z]", arguments[0]):
        option = str(arguments.pop(0))[1:]
        if option == "-":
            break
        while option:
            letter, option = option[0], option[1:]
            if letter == "r":
                raw = True
            elif letter in "adinNptu":
                value = option or (arguments.pop(0) if arguments else "")
                option = ""
                if letter == "a":
                    array = value if isinstance(value, str) else None
                elif letter == "d" and isinstance(value, str):
                    delimiter = value[:1] or "\0"
                else:
                    undecided = undecided or letter != "p"
    names = [name if isinstance(name, str) else None for name in arguments] or ["REPLY"]
    if None in names:
        return _problem(shell, invocation, "a variable's name is unknown")
    text = shell.input
    if not isinstance(text, str) or undecided or isinstance(shell.ifs(), Mixed):
        value = shell.value_unknown("it is read from somewhere", *place, text)
        if array is not None:
            shell.store(array, Variable(value, Flag.INDEXED, *place))
        else:
            for name in names:
                shell.assign(str(name), value, *place)
        return Check(("read", *invocation.arguments), *place)
    line, rest, found = _line(text, delimiter, raw=raw)
    shell.input = rest
    separators = expansion.DEFAULT_IFS if shell.ifs() is None else str(shell.ifs())
    if array is not None:
        words: Elements = dict(enumerate(_split(line, separators, None)))
        shell.store(array, Variable(words, Flag.INDEXED, *place))
    elif not arguments:
        shell.assign("REPLY", "".join(character for character, _ in line), *place)
    else:
        split = _split(line, separators, len(names))
        for index, name in enumerate(names):
            shell.assign(str(name), split[index] if index < len(split) else "", *place)
    return 0 if found else 1


_Characters = list[tuple[str, bool]]  # each with whether a backslash stood before it


def _line(text: str, delimiter: str, *, raw: bool) -> tuple[_Characters, str, bool]:
    """Take a line from `text`: its characters, what remains, and whether its end was found."""
    if raw or "\\" not in text:
        line, found, rest = text.partition(delimiter)
        return [(character, False) for character in line], rest, bool(found)
    characters: _Characters = []
    position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if character == delimiter:
            return characters, text[position:], True
        if character != "\\":
            characters.append((character, False))
        elif position < len(text):
            if text[position] != "\n":  # a backslash at the end of a line joins it with the next
                characters.append((text[position], True))
            position += 1
    return characters, "", False


def _split(line: _Characters, separators: str, limit: int | None) -> list[str]:
    """Split a line as `read` does (4.2): the last of `limit` words takes the rest."""

    def is_white(index: int) -> bool:
        character, is_escaped = line[index]
        return not is_escaped and character in separators and character in expansion.DEFAULT_IFS

    def is_separator(index: int) -> bool:
        character, is_escaped = line[index]
        return not is_escaped and character in separators

    position, end = 0, len(line)
    while position < end and is_white(position):
        position += 1
    while end > position and is_white(end - 1):
        end -= 1
    words: list[str] = []
    while position < end:
        if limit is not None and len(words) == limit - 1:
            # one separator at the very end is dropped if it is the only one left
            rest = range(position, end)
            others = [index for index in rest if is_separator(index) and not is_white(index)]
            if others == [end - 1]:
                end -= 1
                while end > position and is_white(end - 1):
                    end -= 1
            words.append("".join(line[index][0] for index in range(position, end)))
            return words
        start = position
        while position < end and not is_separator(position):
            position += 1
        words.append("".join(line[index][0] for index in range(start, position)))
        while position < end and is_white(position):
            position += 1
        if position < end and is_separator(position):
            position += 1
            while position < end and is_white(position):
                position += 1
    return words


def mapfile(shell: Interpreter, invocation: Invocation) -> Status:
    """`mapfile` and `readarray`: lines into an array."""
    place = invocation.source, invocation.start, invocation.end
    arguments = list(invocation.arguments)
    strips = False
    delimiter = "\n"
    undecided = _is_many(arguments)
    while arguments and isinstance(arguments[0], str) and arguments[0].startswith("-"):
        option = str(arguments.pop(0))
        for index, letter in enumerate(option[1:]):
            if letter == "t":
                strips = True
            elif letter in "dnOsuCc":
                value = option[index + 2 :] or (arguments.pop(0) if arguments else "")
                if letter == "d" and isinstance(value, str):
                    delimiter = value[:1] or "\0"
                else:
                    undecided = True
                break
    name = arguments[0] if arguments else "MAPFILE"
    if not isinstance(name, str):
        return _problem(shell, invocation, "the array's name is unknown")
    text = shell.input
    if not isinstance(text, str) or undecided:
        value = shell.value_unknown("it is read from somewhere", *place, text)
        shell.store(name, Variable(value, Flag.INDEXED, *place))
        return _check(invocation)
    lines = text.split(delimiter)
    last = lines.pop()
    elements: list[Value] = [line if strips else line + delimiter for line in lines]
    if last:
        elements.append(last)
    shell.store(name, Variable(dict(enumerate(elements)), Flag.INDEXED, *place))
    return 0


def test(shell: Interpreter, invocation: Invocation) -> Status:
    """`test` and `[`."""
    arguments = invocation.arguments
    if invocation.name == "[":
        if not arguments or arguments[-1] != "]":
            return 2
        arguments = arguments[:-1]
    truth = test_command(shell, arguments, invocation.source, invocation.start, invocation.end)
    if truth is None:
        return 2
    if isinstance(truth, bool):
        return int(not truth)
    return truth


def getopts(shell: Interpreter, invocation: Invocation) -> Status:
    """`getopts`: which option comes next is not evaluated."""
    place = invocation.source, invocation.start, invocation.end
    names = [invocation.arguments[1]] if len(invocation.arguments) > 1 else []
    for name in [*names, "OPTARG", "OPTIND"]:
        if not isinstance(name, str):
            return _problem(shell, invocation, "the variable's name is unknown")
        shell.assign(name, shell.unknown("`getopts` is not evaluated", *place), *place)
    return _check(invocation)


def compgen(shell: Interpreter, invocation: Invocation) -> Status:
    """`compgen -A function prefix` and `-v prefix`: names, in order."""
    arguments = [a for a in invocation.arguments if isinstance(a, str)]
    is_plain = len(arguments) == len(invocation.arguments) == 3 and not shell.state.havoc
    if is_plain and arguments[:2] == ["-A", "function"]:
        names = [n for n in shell.state.functions if n.startswith(arguments[2])]
        if not any(isinstance(shell.state.functions[n], Unknown) for n in names) and not any(
            name.startswith(arguments[2]) for name in shell.commands
        ):
            shell.write("".join(name + "\n" for name in sorted(names)))
            return int(not names)
    return unknown_output(shell, invocation)


BUILTINS: Mapping[str, Builtin] = {
    ":": true, "true": true, "false": false, "return": return_, "exit": exit_, "break": break_,
    "continue": break_, "eval": eval_, "source": source_, ".": source_, "builtin": builtin,
    "command": command, "type": type_, "declare": declare, "typeset": declare, "local": declare,
    "export": declare, "readonly": declare, "unset": unset, "shift": shift, "set": set_,
    "shopt": shopt, "let": let, "echo": echo, "printf": printf, "read": read, "mapfile": mapfile,
    "readarray": mapfile, "test": test, "[": test, "getopts": getopts, "compgen": compgen,
    "cd": change_directory, "pushd": change_directory, "popd": change_directory,
    "dirs": unknown_output, "pwd": unknown_output, "umask": unknown_output,
    "ulimit": unknown_output, "trap": trap, "wait": unknown_status, "hash": unknown_status,
    "alias": alias, "unalias": true, "exec": exec_, "kill": unknown_status,
    "jobs": unknown_output, "times": unknown_output, "caller": unknown_output,
    "enable": unknown_status, "disown": unknown_status, "bind": unknown_status,
    "complete": unknown_status,
}  # fmt: skip
