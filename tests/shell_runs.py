"""A script run by bash itself and evaluated by overlaylint, to be compared.

Bash is started once for each script: it sources it in an empty folder, with no program on PATH
and with the options that Portage sets while it makes metadata, and then says what every
variable, function and option came to. It is not sourced in a subshell, because there bash ends
where elsewhere it gives up a line.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from overlaylint.shell.branching import DIE, EXIT
from overlaylint.shell.budget import Exhausted
from overlaylint.shell.builtins import BUILTINS
from overlaylint.shell.calls import Failure, Invocation, Status
from overlaylint.shell.interpreter import Interpreter
from overlaylint.shell.parser import parse
from overlaylint.shell.state import State
from overlaylint.shell.syntax import Function
from overlaylint.shell.values import Flag, Mixed, Unknown, Value, Variable, associative_order

_PATIENCE = 20  # seconds
_MARK = "\n\x01overlaylint\x01\n"
# extdebug, which Portage sets too, changes nothing here but what `declare -F name` writes
_DRIVER = """
shopt -u patsub_replacement globskipdots
trap '
  __status=$?
  printf "\\n\\1overlaylint\\1\\n%s\\0%s\\0%s\\0" "$__status" "${#FUNCNAME[@]}" "$-"
  printf "%s\\0" "$#" "$@"
  declare -p
  printf "\\0"
  declare -F
  printf "\\0"
  shopt
' EXIT
source "$0"
"""
_OPTIONS_AT_START = frozenset(
    {
        "checkwinsize", "cmdhist", "complete_fullquote", "extquote", "force_fignore",
        "globasciiranges", "hostcomplete", "interactive_comments", "progcomp", "promptvars",
        "sourcepath",
    }
)  # fmt: skip
# what bash keeps itself, or was given: nothing that a script did
_OWN = frozenset(
    {
        "BASH", "BASHOPTS", "BASHPID", "BASH_ALIASES", "BASH_ARGC", "BASH_ARGV", "BASH_ARGV0",
        "BASH_CMDS", "BASH_COMMAND", "BASH_EXECUTION_STRING", "BASH_LINENO",
        "BASH_LOADABLES_PATH", "BASH_SOURCE", "BASH_SUBSHELL", "BASH_VERSINFO", "BASH_VERSION",
        "COLUMNS", "COMP_WORDBREAKS", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS", "EUID",
        "FUNCNAME", "GROUPS", "HISTCMD", "HOSTNAME", "HOSTTYPE", "LC_ALL", "LINENO", "LINES",
        "MACHTYPE", "OLDPWD", "OPTERR", "OSTYPE", "PATH", "PIPESTATUS", "PPID", "PS4", "PWD",
        "RANDOM", "SECONDS", "SHELL", "SHELLOPTS", "SHLVL", "SRANDOM", "TERM", "UID", "_",
        "__status",
    }
)  # fmt: skip
_LETTERS = {
    "a": Flag.INDEXED, "A": Flag.ASSOCIATIVE, "i": Flag.INTEGER, "l": Flag.LOWERCASE,
    "c": Flag.CAPITALIZED, "u": Flag.UPPERCASE, "n": Flag.REFERENCE, "r": Flag.READONLY,
    "x": Flag.EXPORTED,
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """A variable as bash shows it: its attributes' letters, and its value (None if it has none)."""

    letters: frozenset[str]
    value: str | dict[int, str] | dict[str, str] | None


@dataclass(frozen=True)
class Outcome:
    """What bash made of a script."""

    output: str
    status: int
    depth: int  # functions that it ended in
    letters: str
    positional: tuple[str, ...]
    variables: Mapping[str, Found]
    functions: frozenset[str]
    options: frozenset[str]
    errors: str


_folder: Path | None = None


def _workplace() -> Path:
    """Return a folder for the script, with an empty one in it to run in."""
    global _folder  # noqa: PLW0603 - one for each process
    if _folder is None:
        _folder = Path(tempfile.mkdtemp(prefix="overlaylint-"))
        (_folder / "empty").mkdir()
        owner = os.getpid()
        atexit.register(lambda: os.getpid() == owner and shutil.rmtree(str(_folder), True))
    return _folder


class NeverMatched(Exception):
    """bash does not come to an end with `*(...)` or `+(...)`: each character doubles its time."""


_REPEATED = re.compile(rb"[*+]\(")


def run_bash(script: bytes, *, locale: str = "C.UTF-8", prelude: str = "") -> Outcome | None:
    """Return what bash makes of a script, which is sourced after `prelude`.

    It is None where bash ran nothing after the script: not even the trap on its exit. It does so
    after `break 2` in one loop, if it gave up another loop before. Raises NeverMatched.
    """
    folder = _workplace()
    path = folder / "script"
    path.write_bytes(script)
    try:
        done = subprocess.run(
            ["/bin/bash", "--norc", "--noprofile", "-c", prelude + _DRIVER, str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"PATH": "/dev/null", "LC_ALL": locale},
            cwd=folder / "empty",
            check=False,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        if not _REPEATED.search(script):
            raise
        raise NeverMatched(script) from None
    text = done.stdout.decode("utf-8", "surrogateescape")
    output, mark, rest = text.rpartition(_MARK)
    errors = done.stderr.decode("utf-8", "replace")
    if not mark and done.returncode >= 0:
        return None
    assert mark, f"bash said nothing of its variables: {text!r} {errors!r}"
    status, depth, letters, count, *fields = rest.split("\0")
    positional = tuple(fields[: int(count)])
    # with no parameter at all, `printf "%s\0" "$#" "$@"` writes just the number
    declared, functions, options = fields[int(count) :]
    return Outcome(
        output,
        int(status),
        int(depth),
        letters,
        positional,
        {name: found for name, found in _variables(declared) if name not in _OWN},
        frozenset(line.split()[-1] for line in functions.splitlines()),
        frozenset(line.split()[0] for line in options.splitlines() if line.endswith("\ton")),
        errors,
    )


_DECLARATION = re.compile(r"declare -([-a-zA-Z]+) ([A-Za-z_][A-Za-z0-9_]*)")
_ANSI = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))", re.DOTALL)
_SIMPLE = {
    "a": "\a", "b": "\b", "E": "\x1b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
    "v": "\v",
}  # fmt: skip


def _variables(text: str) -> Iterable[tuple[str, Found]]:
    """Read what `declare -p` writes."""
    position = 0
    while position < len(text):
        match = _DECLARATION.match(text, position)
        assert match, f"declare -p wrote {text[position : position + 80]!r}"
        letters, name = frozenset(match.group(1)) - {"-"}, match.group(2)
        position = match.end()
        value: str | dict[int, str] | dict[str, str] | None = None
        if text[position] == "=":
            position += 1
            if text[position] == "(" and letters & {"a", "A"}:
                value, position = _array(text, position + 1, is_associative="A" in letters)
            else:
                value, position = _word(text, position)
        assert text[position] == "\n", f"{name}: {text[position : position + 80]!r}"
        position += 1
        yield name, Found(letters, value)


def _array(
    text: str, position: int, *, is_associative: bool
) -> tuple[dict[int, str] | dict[str, str], int]:
    """Read an array's elements."""
    elements: dict[str, str] = {}
    while text[position] != ")":
        assert text[position] == "["
        key, position = _word(text, position + 1)
        assert text.startswith("]=", position), text[position : position + 40]
        value, position = _word(text, position + 2)
        elements[key] = value
        if text[position] == " ":
            position += 1
    if is_associative:
        return elements, position + 1
    return {int(key): value for key, value in elements.items()}, position + 1


def _word(text: str, position: int) -> tuple[str, int]:
    """Read a word as `declare -p` quotes it."""
    if text.startswith("$'", position):
        end = position + 2
        while text[end] != "'":
            end += 2 if text[end] == "\\" else 1
        return _decode_ansi(text[position + 2 : end]), end + 1
    if text.startswith('"', position):
        end = position + 1
        pieces: list[str] = []
        while text[end] != '"':
            if text[end] == "\\":
                end += 1
            pieces.append(text[end])
            end += 1
        return "".join(pieces), end + 1
    end = position
    while text[end] not in "]\n ":
        end += 1
    return text[position:end], end


def _decode_ansi(text: str) -> str:
    data = _ANSI.sub(
        lambda m: (
            chr(int(m[1], 8)) if m[1] else chr(int(m[2], 16)) if m[2] else _SIMPLE.get(m[3], m[3])
        ),
        text.encode("utf-8", "surrogateescape").decode("latin-1"),
    )
    return data.encode("latin-1").decode("utf-8", "surrogateescape")


@dataclass
class Evaluation:
    """What overlaylint makes of a script; `is_exhausted` says that it gave up."""

    shell: Interpreter
    output: Value
    status: Status
    exhausted: str = ""
    is_dead: bool = False
    unknown: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """The shell's state at the end."""
        return self.shell.state


def missing(shell: Interpreter, invocation: Invocation) -> Status:
    """Meet a command that there is not: PATH is empty."""
    return 127


def interpreter(variables: Mapping[str, Variable] | None = None) -> Interpreter:
    """Return an interpreter that stands where `run_bash` sources the script."""
    shell = Interpreter(
        commands={},
        builtins=BUILTINS,
        variables={
            "IFS": Variable(" \t\n"),
            "OPTIND": Variable("1", Flag.INTEGER),
            "OPTERR": Variable("1"),
            "PS4": Variable("+ "),
            "PATH": Variable("/dev/null", Flag.EXPORTED),
            **(variables or {}),
        },
    )
    shell.state.options = _OPTIONS_AT_START
    shell.finds_programs = False
    shell.callers = ("source",)
    shell.when_missing = missing
    shell.state.output = []
    return shell


def evaluate(script: bytes, *, shell: Interpreter | None = None) -> Evaluation:
    """Return what overlaylint makes of a script."""
    from overlaylint.shell.values import join

    if shell is None:
        shell = interpreter()
    exhausted = ""
    status: Status = 0
    try:
        status = shell.source_script(parse(script))
    except (Exhausted, RecursionError) as problem:
        exhausted = str(problem) or "RecursionError"
    if shell.signal in (DIE, EXIT):
        status = shell.signal_status
    return Evaluation(shell, join(shell.state.output or []), status, exhausted, shell.signal == DIE)


def compare(ours: Evaluation, theirs: Outcome | None) -> list[str]:
    """Return where what is known differs from bash, one line each; note what is unknown."""
    if ours.exhausted:
        ours.unknown["*"] = ours.exhausted
        return []
    if ours.shell.possible_deaths:
        ours.unknown["*"] = str(ours.shell.possible_deaths[0][0])
        return []
    if theirs is None:
        return ["bash gives up, and runs nothing any more"]
    state = ours.state
    wrong: list[str] = []

    def unknown(what: str, reason: str) -> None:
        ours.unknown[what] = reason

    if state.output is not None:
        _compare_value("output", ours.output, theirs.output, wrong, unknown)
    if isinstance(ours.status, Failure):
        unknown("?", "it fails")
        if theirs.status == 0:
            wrong.append("it fails, but not in bash")
    elif isinstance(ours.status, int):
        if ours.status != theirs.status:
            wrong.append(f"status {ours.status}, in bash {theirs.status}")
    else:
        unknown("?", str(ours.status))
    if theirs.depth:
        return wrong  # it ended inside a function, and so local variables are shown
    havoc = state.havoc
    for name in sorted(theirs.variables.keys() | state.scopes[0].keys()):
        if name in _OWN:
            continue
        _compare_variable(
            name, state.scopes[0].get(name), theirs.variables.get(name), wrong, unknown, havoc
        )
    for name in sorted(theirs.functions | state.functions.keys()):
        function = state.functions.get(name)
        if isinstance(function, Unknown):
            unknown(f"{name}()", function.reason)
        elif function is None and havoc is not None:
            unknown(f"{name}()", havoc.reason)
        elif isinstance(function, Function) != (name in theirs.functions):
            wrong.append(f"function {name}: {function is not None} here")
    positional = state.positional[-1]
    for index, value in enumerate(positional.words):
        if index >= len(theirs.positional):
            wrong.append(f"${index + 1} is set here: {value!r}")
        else:
            _compare_value(f"${index + 1}", value, theirs.positional[index], wrong, unknown)
    if positional.rest is not None:
        unknown("$@", positional.rest.reason)
    elif len(positional.words) != len(theirs.positional):
        wrong.append(f"{len(positional.words)} positional parameters, in bash {theirs.positional}")
    doubtful = {name.lstrip("?") for name in state.options if name.startswith("?")}
    differing = {name for name in state.options if "?" not in name} ^ theirs.options
    if havoc is None and differing - doubtful:
        wrong.append(f"options differ: {sorted(differing - doubtful)}")
    wrong += [
        f"set -{letter} differs"
        for letter in "fueCvnx"
        if havoc is None
        and f"?{letter}" not in state.shell_options
        and (letter in state.shell_options) != (letter in theirs.letters)
    ]
    return wrong


def _compare_variable(
    name: str, variable: Variable | None, found: Found | None, wrong: list[str], unknown, havoc
) -> None:  # type: ignore[no-untyped-def]
    if variable is None:
        if havoc is not None:
            unknown(name, havoc.reason)
        elif found is not None:
            wrong.append(f"{name} is not set here, in bash {found}")
        return
    value = variable.value
    if variable.flags & Flag.MAYBE_UNSET:
        reason = value.unknown.reason if isinstance(value, Mixed) else "it may be unset"
        unknown(name, reason)
        if isinstance(value, str) and found is not None and found.value != value:
            wrong.append(f"{name} is {value!r} here if it is set, in bash {found}")
        return
    if found is None:
        if value is not None or havoc is None:
            wrong.append(f"{name} is not set in bash, here {value!r}")
        return
    letters = frozenset(letter for letter, flag in _LETTERS.items() if variable.flags & flag)
    doubts = variable.flags >> Flag.DOUBT
    possible = frozenset(letter for letter, flag in _LETTERS.items() if doubts & flag)
    if letters - possible != found.letters - possible:
        wrong.append(f"{name} has attributes {sorted(letters)}, in bash {sorted(found.letters)}")
    if value is None:
        if havoc is not None:
            unknown(name, havoc.reason)  # it is unset, or has no value
        elif found.value is not None:
            wrong.append(f"{name} has no value here, in bash {found.value!r}")
    elif isinstance(value, dict):
        if not isinstance(found.value, dict):
            wrong.append(f"{name} is {value!r} here, in bash {found.value!r}")
            return
        if value.keys() != found.value.keys():
            wrong.append(f"{name} has keys {list(value)}, in bash {list(found.value)}")
            return
        if variable.flags & Flag.ASSOCIATIVE:
            order = associative_order(str(key) for key in value)
            if order != [str(key) for key in found.value]:
                wrong.append(f"{name}: the order is {order}, in bash {list(found.value)}")
        for key, element in value.items():
            _compare_value(
                f"{name}[{key}]",
                element,
                found.value[key],
                wrong,
                unknown,  # type: ignore[index]
            )
    elif found.value is None:
        wrong.append(f"{name} has no value in bash, here {value!r}")
    elif isinstance(found.value, dict):
        perhaps = variable.flags | doubts
        if isinstance(value, Mixed) and perhaps & (Flag.INDEXED | Flag.ASSOCIATIVE):
            unknown(name, value.unknown.reason)
        else:
            wrong.append(f"{name} is {value!r} here, in bash {found.value!r}")
    else:
        _compare_value(name, value, found.value, wrong, unknown)


def _compare_value(name: str, value: Value, found: str, wrong: list[str], unknown) -> None:  # type: ignore[no-untyped-def]
    if isinstance(value, str):
        if value != found:
            wrong.append(f"{name} is {value!r} here, in bash {found!r}")
        return
    unknown(name, value.unknown.reason)
    pattern = []
    for part in value.parts:
        if isinstance(part, str):
            pattern.append(re.escape(part))
        elif part.choices:
            pattern.append("(?:" + "|".join(re.escape(text) for _, text in part.choices) + ")")
        else:
            pattern.append(".+" if part.is_word else ".*")
    if not re.fullmatch("".join(pattern), found, re.DOTALL):
        wrong.append(f"{name} is {value} here, in bash {found!r}")
