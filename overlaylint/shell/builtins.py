"""Bash's builtin commands, as far as they change the shell's own state (bash manual 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from overlaylint.shell import assigning, branching, calling, expansion, redirecting
from overlaylint.shell.branching import BREAK, CONTINUE, EXIT, RETURN
from overlaylint.shell.calls import Invocation, Status
from overlaylint.shell.conditionals import test_command
from overlaylint.shell.declaring import assigns_unnamed, declare, lose_matching, unset
from overlaylint.shell.interpreter import LETTERS_SET, Builtin, Interpreter, positional_of
from overlaylint.shell.invocations import (
    check,
    is_many,
    problem,
    read_options,
    unknown_output,
    written,
)
from overlaylint.shell.printing import PrintingProblem, format_printf, interpret_escapes
from overlaylint.shell.problems import ExpansionProblem, FatalProblem
from overlaylint.shell.reading import mapfile, read
from overlaylint.shell.state import Positional, options_of, options_text
from overlaylint.shell.syntax import Script, Simple, Word
from overlaylint.shell.texts import script_of
from overlaylint.shell.undecidable import Undecidable
from overlaylint.shell.values import (
    Flag,
    Mixed,
    Unknown,
    Value,
    Variable,
    as_one,
    concatenate,
    unknown,
)

_OPTIONS = "shopt -p: "  # what starts the symbol of what `shopt -p` writes
_SET_OPTIONS = "shopt -po: "
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*(?:\[[^\]]*\])?)(\+?=)(.*)", re.DOTALL)


# --- nothing much --------------------------------------------------------------------------


def true(shell: Interpreter, invocation: Invocation) -> Status:
    """`:` and `true`."""
    return 0


def false(shell: Interpreter, invocation: Invocation) -> Status:
    """`false`."""
    return 1


def unknown_status(shell: Interpreter, invocation: Invocation) -> Status:
    """A builtin that changes nothing that is evaluated, with an unknown status."""
    return check(invocation)


def change_directory(shell: Interpreter, invocation: Invocation) -> Status:
    """`cd`, `pushd` and `popd`: PWD is unknown after them."""
    place = invocation.source, invocation.start, invocation.end
    for name in ("PWD", "OLDPWD"):
        value = shell.unknown("the directory was changed", *place, is_word=True)
        shell.store(name, Variable(value, Flag.EXPORTED, *place), shell.state.scopes[0])
    return 0 if invocation.name == "cd" and shell.is_tracing else check(invocation)


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
            check(invocation)
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
    shell.signal_message = "exit"
    return status


def break_(shell: Interpreter, invocation: Invocation) -> Status:
    """`break [n]` and `continue [n]`."""
    loops = 0
    for region in reversed(shell.regions):
        if region.is_loop:
            loops += 1
        elif region.is_subshell or (region.is_function and shell.compatibility > 43):
            break  # up to bash 4.3 a function could leave its caller's loop
    number = _number(invocation, 1)
    if shell.has_lost_loops and (loops == 0 or not isinstance(number, int) or number > loops):
        raise shell.exhausted("more loops are left than there are, after one was given up")
    if loops == 0:
        return 0  # bash only warns
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
    if len(invocation.arguments) > most and not is_many(invocation.arguments):
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
            shell.state.shell_options = options_of(restored.removeprefix(_SET_OPTIONS))
            return 0
        if restored.startswith(_OPTIONS):
            shell.state.options = options_of(restored.removeprefix(_OPTIONS))
            # the list ends in `shopt -s compat42`, say, which sets this as well
            place = invocation.source, invocation.start, invocation.end
            shell.assign("BASH_COMPAT", str(shell.compatibility), *place)
            return 0
    end = text if isinstance(text, str) else text.tail
    if (len(end) - len(end.rstrip("\\"))) % 2 and (shell.is_tracing or isinstance(text, str)):
        # bash is left expecting more, and may refuse the array that is assigned next
        raise shell.exhausted("text that ends in a backslash is evaluated")
    script = _script_of(shell, invocation, text)
    if script is None:
        return problem(shell, invocation, "what it evaluates is unknown")
    shell.depth += 1
    if shell.depth > 60:
        raise shell.exhausted("eval within eval, too deeply")
    try:
        status = shell.run_lines(script.body, script.source, script.extended_globs)
    finally:
        shell.depth -= 1
    if script.errors and not shell.signal:
        # a syntax error in `$(...)` is one that bash does not survive
        place = invocation.source, invocation.start, invocation.end
        branching.may_leave_by_error(shell, 127, Unknown(script.errors[0].message, *place), "eval")
    return status


def _script_of(shell: Interpreter, invocation: Invocation, text: Value) -> Script | None:
    """Return the script that a text is; None where what it says is unknown."""
    if isinstance(text, Mixed) and not shell.is_tracing:
        return None
    script = script_of(shell, invocation, text, invocation.source.name)
    if script is not None and isinstance(text, Mixed) and not _is_followed(text, script):
        return None
    return script


def _is_followed(text: Mixed, script: Script) -> bool:
    """Whether text that is partly unknown can be evaluated; only a trace does so.

    Where that may be more than a path or a number, each command must be an assignment to a known
    name, or have a known name: as a trace takes a command whose name is unknown for a program.
    """
    if script.errors or all(isinstance(part, str) or part.opening for part in text.parts):
        return not script.errors
    for command in script.body.commands:
        if not isinstance(command, Simple):
            return False
        first = command.words[0] if command.words else None
        if first is not None and (not isinstance(first, Word) or first.literal is None):
            return False
    return True


def source_(shell: Interpreter, invocation: Invocation) -> Status:
    """`source` and `.`: of what the script itself has written, and of an ebuild's own files."""
    if is_many(invocation.arguments):
        return problem(shell, invocation, "which file is read is unknown")
    words = invocation.arguments
    if words[:1] == ["--"]:
        words = words[1:]
    if not words:
        return 2
    script = _sourced(shell, invocation, words[0])
    if script is None:
        return problem(shell, invocation, "another file is read")
    positional = shell.state.positional[-1]
    if len(words) > 1:
        if _MOVES_WORDS.search(script.source.text):
            return problem(shell, invocation, "which words are left behind it is not evaluated")
        shell.state.positional[-1] = positional_of(words[1:])
    shell.stack.append("source")
    try:
        status = shell.source_script(script, is_sourced=True)
    finally:
        shell.stack.pop()
    if len(words) > 1:
        shell.state.positional[-1] = positional
    if script.errors and not shell.signal:
        # as in `eval`
        place = invocation.source, invocation.start, invocation.end
        branching.may_leave_by_error(
            shell, 127, Unknown(script.errors[0].message, *place), "source"
        )
    return status


# What decides whether the words that a file is sourced with stay after it, or leaves it otherwise.
_MOVES_WORDS = re.compile(
    r"\b(?:set|shift|break|continue|eval|source)\b|(?:^|\s)\.\s", re.MULTILINE
)


def _sourced(shell: Interpreter, invocation: Invocation, path: Value) -> Script | None:
    """Return the script that a file holds; None if that is unknown."""
    if shell.is_tracing and shell.files is not None:
        script = shell.files.script(path)
        if script is not None:
            shell.spend(2 * len(script.source.text) + 20)
            return script
    text = redirecting.content(shell, path)
    if path in redirecting.STANDARD_INPUT:
        # All of it is read before the first command is run.
        shell.input = "" if isinstance(text, str) else shell.input
    return _script_of(shell, invocation, text)


def alias(shell: Interpreter, invocation: Invocation) -> Status:
    """`alias`: commands that follow may be read as others, or a list of those."""
    arguments = invocation.arguments
    if any(isinstance(word, Mixed) or "=" in word for word in arguments):
        return problem(shell, invocation, "aliases are not expanded")
    if shell.state.havoc is not None:
        return unknown_output(shell, invocation)
    found = read_options(list(arguments), "", "p")
    if not isinstance(found, tuple):
        return 2
    options, names = found
    return int(bool(names) and not options)  # there is none: to define one is not evaluated


def unalias(shell: Interpreter, invocation: Invocation) -> Status:
    """`unalias`: there is none to be forgotten."""
    if shell.state.havoc is not None or any(isinstance(one, Mixed) for one in invocation.arguments):
        return check(invocation)
    found = read_options(list(invocation.arguments), "", "a")
    if not isinstance(found, tuple):
        return 2
    options, names = found
    if options:
        return 0
    return 1 if names else 2


# What a trap for these runs is not told of by a signal from outside.
_OWN_SIGNALS = frozenset({"DEBUG", "RETURN", "ERR", "EXIT", "0"})

_SIGNALS = frozenset(
    {
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS", "RTMIN", "RTMAX",
        *(f"RTMIN+{number}" for number in range(1, 16)),
        *(f"RTMAX-{number}" for number in range(1, 15)),
    }
)  # fmt: skip
_MOST_SIGNALS = 64


def _signal(word: Value) -> str | None:
    """Return a signal's name as bash lists it, without `SIG`, or its number; None for another word.

    It is empty where the word is unknown.
    """
    if isinstance(word, Mixed):
        return ""
    name = word.upper()
    if (word.isdecimal() and int(word) <= _MOST_SIGNALS) or name in _OWN_SIGNALS:
        return name
    name = name.removeprefix("SIG")
    return name if name in _SIGNALS else None


def trap(shell: Interpreter, invocation: Invocation) -> Status:
    """`trap`: commands that are run later, or ignoring a signal, which changes nothing here.

    A trace meets the commands where they are set: they are run by a signal, or at the end.
    """
    found = read_options(list(invocation.arguments), "", "lp")
    if isinstance(found, int):
        return found
    options, words = found or ({}, list(invocation.arguments))
    if options or not words:
        return unknown_output(shell, invocation)
    text = words[0]
    if _signal(text) and (len(words) == 1 or str(text).isdecimal()):
        text = "-"  # all of them are signals
    else:
        del words[0]
    if not words:
        return check(invocation) if isinstance(text, Mixed) else 2
    names = [_signal(word) for word in words]
    status: Status = int(None in names)
    if found is None or "" in names:
        status = check(invocation)
    if text in ("", "-"):
        return status
    signals = {name for name in names if name is not None}
    if not signals:
        return status
    if shell.is_tracing:
        _follow_later(shell, invocation, text, signals)
    is_met = shell.is_tracing and shell.state.output is None
    if signals & (_OWN_SIGNALS - {"EXIT", "0"} if is_met else _OWN_SIGNALS | {""}):
        reason = "what it runs later is not evaluated"
        if not shell.is_tracing:
            # whatever comes after it may be changed by that again
            raise shell.exhausted(f"`trap`: {reason}")
        return problem(shell, invocation, reason)
    return status


def _follow_later(
    shell: Interpreter, invocation: Invocation, text: Value, signals: set[str]
) -> None:
    """Meet the commands of a trap, which change nothing that comes before them."""
    script = _script_of(shell, invocation, text)
    if script is None or script.errors:
        return
    with shell.subshell(output=[]):
        if signals.isdisjoint(("EXIT", "0")):
            shell.guards.append(check(invocation))
        shell.run_lines(script.body, script.source, script.extended_globs)
        shell.end_subshell()


def hash_(shell: Interpreter, invocation: Invocation) -> Status:
    """`hash name`: whether a program is found; functions and builtins are passed over."""
    arguments = invocation.arguments
    if not arguments or shell.finds_programs is not False or shell.state.havoc is not None:
        return unknown_output(shell, invocation)
    if any(not isinstance(word, str) or word.startswith("-") or "/" in word for word in arguments):
        return unknown_output(shell, invocation)
    known = (shell.state.functions, shell.commands, shell.builtins)
    return int(not all(any(word in names for names in known) for word in arguments))


def exec_(shell: Interpreter, invocation: Invocation) -> Status:
    """`exec`: with a command the shell ends; without one only redirections take effect."""
    found = read_options(list(invocation.arguments), "a", "cl")
    if isinstance(found, int):
        return found
    words = invocation.arguments if found is None else found[1]
    if not words:
        shell.is_keeping = True
        return 0
    calling.record(shell, invocation, (), ())
    if found is None or all(is_many((word,)) for word in words):
        # its words may come to none, or to options that there are not
        shell.is_keeping = True
        status = check(invocation)
        return branching.branch(
            shell, status, lambda: _become(shell, invocation, words[0]), lambda: status
        )
    return _become(shell, invocation, words[0])


def _become(shell: Interpreter, invocation: Invocation, name: Value) -> Status:
    """End the shell, which a program takes the place of."""
    if isinstance(name, str) and shell.finds_programs is False and "/" not in name:
        shell.signal, shell.signal_status = EXIT, 127
    else:
        shell.write(written(invocation))
        shell.signal, shell.signal_status = EXIT, check(invocation)
    shell.signal_message = "exec: the shell ends"
    return shell.signal_status


def builtin(shell: Interpreter, invocation: Invocation) -> Status:
    """`builtin name`: the builtin, whatever functions there are."""
    start = 1 if invocation.arguments[:1] == ["--"] else 0
    if len(invocation.arguments) <= start:
        return 0
    name = invocation.arguments[start]
    if isinstance(name, str) and name in shell.builtins:
        return shell.builtins[name](shell, _inner(invocation, start))
    if isinstance(name, str):
        return 1
    return problem(shell, invocation, "the builtin's name is unknown")


def _inner(invocation: Invocation, start: int) -> Invocation:
    """Return the command that stands among the words of another."""
    return Invocation(
        str(invocation.arguments[start]),
        invocation.arguments[start + 1 :],
        invocation.operands[start + 1 :],
        invocation.source,
        invocation.start,
        invocation.end,
        invocation.input,
    )


def command(shell: Interpreter, invocation: Invocation) -> Status:
    """`command name`: not a function; `command -v name` tells what it is."""
    arguments = invocation.arguments
    start = 0
    letters = ""
    while start < len(arguments):
        word = arguments[start]
        if not isinstance(word, str) or len(word) < 2 or word[0] != "-":
            break
        start += 1
        if word == "--":
            break
        letters += word[1:]
    if letters.strip("pvV"):
        return 2
    if len(arguments) <= start:
        return 0
    if "v" in letters or "V" in letters:
        return _describe(shell, invocation, arguments[start:], "V" if "V" in letters else "v")
    name = arguments[start]
    if not isinstance(name, str):
        return problem(shell, invocation, "the command's name is unknown")
    inner = _inner(invocation, start)
    if name in shell.builtins:
        return shell.builtins[name](shell, inner)
    calling.record(shell, inner, (), ())
    return shell.when_missing(shell, inner)


_KEYWORDS = frozenset(
    {
        "if", "then", "else", "elif", "fi", "case", "esac", "for", "select", "while", "until",
        "do", "done", "in", "function", "time", "{", "}", "!", "[[", "]]", "coproc",
    }
)  # fmt: skip


def _describe(shell: Interpreter, invocation: Invocation, names: list[Value], how: str) -> Status:
    """Tell what names are, as `command -v`, `command -V`, `type` or `type -t` does."""
    failed = False
    found_any = False
    for name in names:
        function = shell.state.functions.get(name) if isinstance(name, str) else None
        if (
            not isinstance(name, str)
            or isinstance(function, Unknown)
            or (function is None and shell.state.havoc is not None)
        ):
            return unknown_output(shell, invocation)
        kind = (
            "keyword"
            if name in _KEYWORDS
            else "function"
            if function is not None or name in shell.commands
            else "builtin"
            if name in shell.builtins
            else ""
        )
        if not kind:
            if shell.finds_programs is not False or "/" in name:
                return unknown_output(shell, invocation)
            failed = True
            continue
        found_any = True
        if how == "t":
            shell.write(kind + "\n")
        elif how == "v":
            shell.write(name + "\n")
        elif kind == "function":
            shell.write(written(invocation))
        else:
            shell.write(f"{name} is a shell {kind}\n")
    if how in "vV":
        return 0 if found_any else 1
    return int(failed)


def type_(shell: Interpreter, invocation: Invocation) -> Status:
    """`type [-tpPaf] name`."""
    arguments = list(invocation.arguments)
    letters = ""
    while arguments and isinstance(arguments[0], str) and re.match(r"-.", arguments[0]):
        word = str(arguments.pop(0))
        if word == "--":
            break
        letters += word[1:]
    if letters.strip("afptP"):
        return 2
    if not arguments:
        return 0
    if letters not in ("", "t"):
        if (
            letters == "P"
            and shell.finds_programs is False
            and all(isinstance(name, str) and "/" not in name for name in arguments)
        ):
            return 1
        return unknown_output(shell, invocation)
    return _describe(shell, invocation, arguments, letters)


# --- parameters and options ----------------------------------------------------------------


def shift(shell: Interpreter, invocation: Invocation) -> Status:
    """`shift [n]`."""
    _check_count(invocation, 1)
    number = _number(invocation, 1)
    if number is None:
        return 1
    positional = shell.state.positional[-1]
    if isinstance(number, Mixed):
        shell.state.positional[-1] = Positional((), number.unknown)
        return check(invocation)
    if number < 0:
        return 1
    if number <= len(positional.words):
        shell.state.positional[-1] = Positional(positional.words[number:], positional.rest)
        return 0
    if positional.rest is not None:
        shell.state.positional[-1] = Positional((), positional.rest)
        return check(invocation)
    return 1


_LONG_OPTIONS = {
    "allexport": "a", "braceexpand": "B", "emacs": "", "errexit": "e", "errtrace": "E",
    "functrace": "T", "hashall": "h", "histexpand": "H", "history": "", "ignoreeof": "",
    "interactive-comments": "#", "keyword": "k", "monitor": "m", "noclobber": "C", "noexec": "n",
    "noglob": "f", "nolog": "", "notify": "b", "nounset": "u", "onecmd": "t", "physical": "P",
    "pipefail": "|", "posix": "X", "privileged": "p", "verbose": "v", "vi": "", "xtrace": "x",
}  # fmt: skip
_LETTERS = frozenset("abefhkmnptuvxBCEHPT")
# these are on unless it is said; that they are off is kept under names of its own
_ON_AT_FIRST = {"B": "no braces", "h": "no hashing"}


def set_(shell: Interpreter, invocation: Invocation) -> Status:
    """`set`: options, and the positional parameters."""
    arguments = invocation.arguments
    if not arguments:
        return unknown_output(shell, invocation)
    state = shell.state
    index = 0
    keeps = True  # the positional parameters
    changes: list[tuple[str, bool]] = []
    while index < len(arguments):
        argument = arguments[index]
        if isinstance(argument, Mixed):
            restored = _restored_letters(argument)
            if restored is not None:
                changes += restored
                index += 1
                continue
            if argument.head[:1] in ("", "-", "+"):
                if shell.is_tracing:
                    # options of which only this one changes what a trace says
                    state.shell_options = state.shell_options - {"f"} | {"?f"}
                    state.positional[-1] = Positional((), argument.unknown)
                    return check(invocation)
                return problem(shell, invocation, "it is unknown whether it sets options")
            break
        if argument in ("--", "-"):
            index += 1
            keeps = argument == "-" and index == len(arguments)
            if argument == "-":
                changes += [("x", False), ("v", False)]
            break
        if argument[:1] not in ("-", "+"):
            break
        index += 1
        is_on = argument[0] == "-"
        for letter in argument[1:]:
            if letter != "o":
                if letter not in _LETTERS:
                    return 2
                changes.append((letter, is_on))
                continue
            if index >= len(arguments):
                shell.write(written(invocation))
                continue
            option = arguments[index]
            index += 1
            if isinstance(option, Mixed):
                return problem(shell, invocation, "the option is unknown")
            if option not in _LONG_OPTIONS:
                return 2
            changes.append((_LONG_OPTIONS[option], is_on))
    for letter, is_on in changes:
        if letter == "#" and is_on:
            continue
        if letter in _ON_AT_FIRST:
            letter, is_on = _ON_AT_FIRST[letter], not is_on
        if letter in ("X", "a", "#", "p") or (is_on and letter in ("n", "k", "u", "e", "t")):
            return problem(shell, invocation, "the option is not evaluated")
        if not letter:
            continue
        options = state.shell_options - {f"?{letter}"}
        state.shell_options = options | {letter} if is_on else options - {letter}
    if index < len(arguments) or not keeps:
        from overlaylint.shell.interpreter import positional_of

        state.positional[-1] = positional_of(arguments[index:])
    return 0


def _restored_letters(argument: Mixed) -> list[tuple[str, bool]] | None:
    """Return what `-` or `+` with a value of `$-` behind it changes; None for other words."""
    if argument.head not in ("-", "+") or len(argument.parts) != 2:
        return None
    symbol = argument.unknown.symbol
    if not symbol.startswith(LETTERS_SET):
        return None
    is_on = argument.head == "-"
    kept = options_of(symbol.removeprefix(LETTERS_SET))
    if any(option.startswith("?") for option in kept):
        return None
    letters = kept & _LETTERS | {one for one, name in _ON_AT_FIRST.items() if name not in kept}
    return [(letter, is_on) for letter in sorted(letters)]


# what `shopt` knows of in bash 5.0 and later, without those that older versions are imitated by
_OPTION_NAMES = frozenset(
    {
        "autocd", "assoc_expand_once", "cdable_vars", "cdspell", "checkhash", "checkjobs",
        "checkwinsize", "cmdhist", "complete_fullquote", "direxpand", "dirspell", "dotglob",
        "execfail", "expand_aliases", "extdebug", "extglob", "extquote", "failglob",
        "force_fignore", "globasciiranges", "globskipdots", "globstar", "gnu_errfmt",
        "histappend", "histreedit", "histverify", "hostcomplete", "huponexit", "inherit_errexit",
        "interactive_comments", "lastpipe", "lithist", "localvar_inherit", "localvar_unset",
        "login_shell", "mailwarn", "no_empty_cmd_completion", "nocaseglob", "nocasematch",
        "noexpand_translation", "nullglob", "patsub_replacement", "progcomp", "progcomp_alias",
        "promptvars", "restricted_shell", "shift_verbose", "sourcepath", "syslog_history",
        "varredir_close", "xpg_echo",
    }
)  # fmt: skip
# what is on at the start, and changes something that is evaluated when it is switched off
_ON_BY_DEFAULT = frozenset({"extquote", "globasciiranges", "interactive_comments"})
# what changes something that is evaluated, and is not followed
_NOT_EVALUATED = frozenset({"localvar_unset", "assoc_expand_once", "execfail"})


def shopt(shell: Interpreter, invocation: Invocation) -> Status:
    """`shopt -s`, `-u`, `-q`, `-p` and `-o`."""
    arguments = list(invocation.arguments)
    letters = ""
    while arguments and isinstance(arguments[0], str) and re.match(r"-.", arguments[0]):
        word = str(arguments.pop(0))
        if word == "--":
            break
        letters += word[1:]
    if letters.strip("opqsu"):
        return 2
    state = shell.state
    if letters == "p" and not arguments:
        # which options there are depends on bash's version; as a whole they can be restored
        shell.write(_listing(invocation, "shopt -", _OPTIONS + options_text(state.options)))
        return 0
    if sorted(letters) == ["o", "p"] and not arguments:
        kept = _SET_OPTIONS + options_text(state.shell_options)
        shell.write(_listing(invocation, "set -", kept))
        return 0
    if not arguments:
        return unknown_output(shell, invocation)
    if "s" in letters and "u" in letters:
        return 1
    if any(not isinstance(name, str) for name in arguments):
        if "s" in letters or "u" in letters:
            return problem(shell, invocation, "the option is unknown")
        return unknown_output(shell, invocation)
    names = [str(name) for name in arguments]
    if "o" in letters:
        return _set_by_name(shell, invocation, letters, names)
    status: Status = 0
    for name in names:
        if name not in _OPTION_NAMES:
            if name.startswith("compat"):
                return problem(shell, invocation, "the option is not evaluated")
            status = 1
        elif "s" in letters or "u" in letters:
            is_on = "s" in letters
            if (name in _NOT_EVALUATED and is_on) or (name in _ON_BY_DEFAULT and not is_on):
                return problem(shell, invocation, f"the option `{name}` is not evaluated")
            options = state.options - {f"?{name}"}
            state.options = options | {name} if is_on else options - {name}
        else:
            value = state.option(name)
            if value is None or (not value and name not in _OFF_BY_DEFAULT):
                return unknown_output(shell, invocation)
            status = status or int(not value)
            if "q" in letters:
                continue
            if "p" in letters:
                shell.write(f"shopt -{'s' if value else 'u'} {name}\n")
            else:
                shell.write(f"{name:<15}\t{'on' if value else 'off'}\n")
    return status


def _listing(invocation: Invocation, head: str, symbol: str) -> Value:
    """Return the list of all options, by which they can be restored."""
    listing = unknown(
        "it lists the shell's options",
        invocation.source,
        invocation.start,
        invocation.end,
        symbol=symbol,
        is_word=True,
    )
    return concatenate(head, listing)


def _set_by_name(
    shell: Interpreter, invocation: Invocation, letters: str, names: list[str]
) -> Status:
    """`shopt -o`: the options of `set`."""
    status: Status = 0
    for name in names:
        letter = _LONG_OPTIONS.get(name)
        if letter is None:
            status = 1
        elif "s" in letters or "u" in letters:
            inner = replace(
                invocation, name="set", arguments=["-o" if "s" in letters else "+o", name]
            )
            status = set_(shell, inner) or status
        elif "q" in letters and letter in "fCP|uevx":
            if f"?{letter}" in shell.state.shell_options:
                return check(invocation)
            status = status or int(letter not in shell.state.shell_options)
        else:
            return unknown_output(shell, invocation)
    return status


_OFF_BY_DEFAULT = frozenset(
    {
        "extglob", "nullglob", "failglob", "dotglob", "nocaseglob", "nocasematch", "lastpipe",
        "globstar", "localvar_inherit", "xpg_echo",
    }
)  # fmt: skip


def let(shell: Interpreter, invocation: Invocation) -> Status:
    """`let`: arithmetic on each argument."""
    status: Status = 1
    arguments = invocation.arguments
    for argument in arguments[1:] if arguments[:1] == ["--"] else arguments:
        word = Word(invocation.source, invocation.start, invocation.end)
        if isinstance(argument, Mixed) and argument.is_many:
            return problem(shell, invocation, "the expressions are unknown")
        try:
            value = expansion.computed(shell, invocation.source, word, argument)
        except FatalProblem:
            raise
        except ExpansionProblem:
            return 1
        status = check(invocation) if isinstance(value, Mixed) else int(int(value) == 0)
    return status


# --- input and output ----------------------------------------------------------------------


def echo(shell: Interpreter, invocation: Invocation) -> Status:
    """`echo [-neE]`."""
    arguments = list(invocation.arguments)
    newline, escapes = True, shell.state.option("xpg_echo")
    while arguments and isinstance(arguments[0], str) and re.fullmatch(r"-[neE]+", arguments[0]):
        for letter in arguments.pop(0)[1:]:  # type: ignore[index]
            if letter == "n":
                newline = False
            else:
                escapes = letter == "e"
    if shell.state.output is None and shell.printed is None:
        return 0
    place = invocation.source, invocation.start, invocation.end
    if escapes is None and any(isinstance(a, Mixed) or "\\" in a for a in arguments):
        return unknown_output(shell, invocation)
    if arguments and isinstance(arguments[0], Mixed) and _may_be_option(arguments[0]):
        shell.write(shell.value_unknown("", *place, *arguments))
        return 0
    pieces: list[Value] = []
    is_first = True  # nothing was written yet that is certainly something
    for argument in arguments:
        vanishes = isinstance(argument, Mixed) and argument.is_many and not argument.is_nonempty
        if pieces and not is_first and not vanishes:
            pieces.append(" ")
        # the space beside a word that may vanish is part of what is unknown
        is_first = is_first and vanishes
        if escapes:
            if isinstance(argument, Mixed):
                argument = shell.value_unknown("", *place, argument)
            else:
                argument, stops = interpret_escapes(argument)
                if stops:
                    pieces.append(argument)
                    newline = False
                    break
        pieces.append(as_one(argument))
    if newline:
        pieces.append("\n")
    shell.write(concatenate(*pieces) if pieces else "")
    return 0


def _may_be_option(value: Mixed) -> bool:
    """Tell whether partly known text may be an option of `echo`; what has a name is none."""
    if value.is_symbolic or any(isinstance(part, Unknown) and part.is_word for part in value.parts):
        return False
    known = "".join(part for part in value.parts if isinstance(part, str))
    return re.fullmatch(r"[-neE]*", known) is not None and value.head[:1] in ("", "-")


def printf(shell: Interpreter, invocation: Invocation) -> Status:
    """`printf [-v name] format arguments`."""
    arguments = list(invocation.arguments)
    place = invocation.source, invocation.start, invocation.end
    target: str | None = None
    if arguments and isinstance(arguments[0], str) and re.match(r"-.", arguments[0]):
        option = str(arguments.pop(0))
        if option.startswith("-v"):
            name: Value | None = option[2:]
            if not name:
                name = arguments.pop(0) if arguments else None
            if name is None:
                return 2
            if isinstance(name, Mixed):
                if lose_matching(shell, invocation, name, assigns=True):
                    return check(invocation)
                if assigns_unnamed(shell, invocation, name):
                    return check(invocation)
                return problem(shell, invocation, "the variable's name is unknown")
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*(?:\[.+\])?", name, re.DOTALL):
                return 2
            target = name
            if arguments and arguments[0] == "--":
                del arguments[0]
        elif option != "--":
            return 2
    if not arguments:
        return 2
    status: Status = 0
    value: Value
    known = [argument for argument in arguments if isinstance(argument, str)]
    if len(known) < len(arguments):
        value = _printf_mixed(shell, invocation, arguments)
        if isinstance(value, Mixed) and value.parts == (value.unknown,):
            status = check(invocation)
    else:
        try:
            value = format_printf(known[0], known[1:])
        except PrintingProblem as wrong:
            value, status = wrong.output, 1
        except Undecidable as undecidable:
            value, status = shell.unknown(undecidable.reason, *place), check(invocation)
    if target is None:
        shell.write(value)
        return status
    try:
        assigning.assign_subscript_text(shell, target, value, *place)
    except FatalProblem:
        raise
    except ExpansionProblem:
        return 1
    return status


def _printf_mixed(shell: Interpreter, invocation: Invocation, arguments: list[Value]) -> Value:
    """Return what `printf` writes with partly unknown arguments: plain `%s` keeps what is known."""
    place = invocation.source, invocation.start, invocation.end
    format_ = arguments[0]
    if isinstance(format_, Mixed) or is_many(arguments):
        return shell.value_unknown("", *place, *arguments)
    pieces = re.split(r"(%s|%%)", format_)
    count = pieces.count("%s")
    if not count or any("%" in piece for piece in pieces if piece not in ("%s", "%%")):
        return shell.value_unknown("", *place, *arguments)
    rest = arguments[1:]
    result: list[Value] = []
    while rest:
        shell.spend(1)
        for piece in pieces:
            if piece == "%s":
                result.append(rest.pop(0) if rest else "")
            elif piece:
                result.append(format_printf(piece, ()))
    return concatenate(*result)


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
            return problem(shell, invocation, "the variable's name is unknown")
        variable = shell.state.find(name)
        if name == "OPTIND" or (variable is not None and variable.flags & ~Flag.MAYBE_UNSET):
            shell.assign(name, shell.unknown("`getopts` is not evaluated", *place), *place)
        else:
            value = shell.unknown("`getopts` is not evaluated", *place)
            shell.store(name, Variable(value, Flag.MAYBE_UNSET, *place))
    return check(invocation)


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
    "ulimit": unknown_output, "trap": trap, "wait": unknown_status, "hash": hash_,
    "alias": alias, "unalias": unalias, "exec": exec_, "kill": unknown_status,
    "jobs": unknown_output, "times": unknown_output, "caller": unknown_output,
    "enable": unknown_status, "disown": unknown_status, "bind": unknown_status,
    "complete": unknown_status, "compopt": unknown_status, "history": unknown_output,
    "fc": unknown_output, "help": unknown_output, "fg": unknown_status, "bg": unknown_status,
    "suspend": unknown_status, "logout": unknown_status,
}  # fmt: skip
