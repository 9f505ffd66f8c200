"""Which program a command line runs in the end, and the text that a shell is given to run.

`env X=y bash scripts/tool "${D}"` is a run of `tool`; `chroot "${D}" sh -c "ldconfig; updatedb"`
runs a script of two commands, and `bash <<EOF` the lines that follow.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from overlaylint.records import dataclass
from overlaylint.shell.calls import Invocation, Status
from overlaylint.shell.interpreter import Interpreter
from overlaylint.shell.state import Positional
from overlaylint.shell.texts import script_of
from overlaylint.shell.values import ARRAYS, Flag, Value, Variable

# Commands that run what their arguments say, and options of theirs that take a word.
AROUND: dict[str, frozenset[str]] = {
    "env": frozenset({"-u", "-C", "--unset", "--chdir"}),
    "nonfatal": frozenset(),
    "command": frozenset(),
    "builtin": frozenset(),
    "exec": frozenset({"-a"}),
    "nice": frozenset({"-n", "--adjustment"}),
    "sudo": frozenset({"-u", "-g", "-C", "-D", "-h", "-p", "--user", "--group"}),
    "edo": frozenset(),
    "try": frozenset(),
    "chroot": frozenset(),
    "timeout": frozenset({"-k", "-s", "--kill-after", "--signal"}),
    "setsid": frozenset(),
    "fakeroot": frozenset(),
    "nohup": frozenset(),
    "ionice": frozenset({"-c", "-n", "-p", "--class", "--classdata"}),
    "stdbuf": frozenset({"-i", "-o", "-e", "--input", "--output", "--error"}),
    "taskset": frozenset(),
    "unshare": frozenset({"-R", "-w", "-S", "-G", "--root", "--wd", "--setuid", "--setgid"}),
    "flock": frozenset({"-w", "-E", "--timeout", "--wait", "--conflict-exit-code"}),
    "setarch": frozenset(),
    "linux32": frozenset(),
    "linux64": frozenset(),
    "busybox": frozenset(),
}

# Of these, the first word is not yet the program: a root, how long it may run, on what, or a lock.
_TAKES_OPERAND = frozenset({"chroot", "flock", "setarch", "taskset", "timeout"})

SHELLS = frozenset({"bash", "sh", "dash"})
READING = SHELLS | {".", "source"}

#: Programs that run a script of another language than the shell's, which is not read here.
INTERPRETERS = frozenset(
    {"awk", "gawk", "mawk", "nawk", "perl", "python", "python2", "python3", "ruby"}
)

#: An option of `env` that takes a text apart, with others before it: `-S`, `-iS`.
SPLITTING = re.compile(r"-(?!-)[^uCS]*S|--s[a-z-]*(?==|\Z)", re.DOTALL)

# What a source is called whose text a shell of its own runs: it changes nothing outside of it.
SHELL_TEXT = "the text that a shell is given"

# Filters that leave the same in every locale, for text of ASCII.
_FILTERS = frozenset(
    {
        "basename",
        "cat",
        "cut",
        "dirname",
        "egrep",
        "fgrep",
        "grep",
        "paste",
        "sed",
        "tee",
        "tr",
        "uniq",
    }
)

_MAXIMUM_DEPTH = 60


def unwrapped(name: Value, arguments: Sequence[Value]) -> tuple[str, tuple[Value, ...]]:
    """Return the program that a command line runs in the end, and that program's arguments.

    The name is without folders, and empty where it is unknown. A shell that runs a file is that
    file; one that is given its script as text is the program itself.
    """
    program, words = base_name(name), tuple(arguments)
    while program in AROUND or program in READING:
        if program in SHELLS:
            script = _script(words)
            if script.file is None:
                break
            program, words = base_name(script.file), script.words
            continue
        rest = _without_options(program, words)
        if program in _TAKES_OPERAND:
            rest[:1] = []
        if not rest:
            break
        program, words = base_name(rest[0]), tuple(rest[1:])
    return program, words


def _without_options(program: str, words: Sequence[Value]) -> list[Value]:
    """Return what stands behind the options of one of `AROUND`, and behind what `env` assigns."""
    rest = list(words)
    while rest and str(rest[0]).startswith("-"):
        option = rest.pop(0)
        if option == "--":
            break
        splitting = SPLITTING.match(str(option)) if program == "env" else None
        if splitting is not None:
            rest[:0] = _split_string(option, splitting.end(), rest)
        elif option in AROUND.get(program, ()) and rest:
            rest.pop(0)
    while program == "env" and rest and "=" in str(rest[0]):
        rest.pop(0)
    return rest


def _split_string(option: Value, start: int, rest: list[Value]) -> list[Value]:
    """Return the words that `env -S` makes of a text, in the option or taken from `rest`."""
    text: Value = option
    if isinstance(option, str):
        text = option[start:].removeprefix("=") if option.startswith("--") else option[start:]
        if not text and rest:
            text = rest.pop(0)
    if not isinstance(text, str):
        return [text]
    try:
        return list(shlex.split(text))
    except ValueError:
        # Its quotes do not match, and env refuses it.
        return list(text.split())


def base_name(name: Value) -> str:
    """Return a program's name without its folders; empty where it is unknown."""
    if isinstance(name, str):
        return name if name in (".", "..") else name.rstrip("/").rpartition("/")[2]
    return name.tail.rpartition("/")[2] if "/" in name.tail else ""


@dataclass(frozen=True, slots=True)
class _Script:
    """What a shell's words say of its script: the text behind `-c`, or the file.

    `words` are what is `$0` and so on to a text, and the arguments of a file. `reads_input` tells
    that the script is what the shell reads.
    """

    text: Value | None = None
    words: tuple[Value, ...] = ()
    reads_input: bool = False
    file: Value | None = None


def _script(words: Sequence[Value]) -> _Script:
    """Return what a shell's words say of its script (bash(1), OPTIONS)."""
    rest = list(words)
    letters = ""
    while rest and str(rest[0])[:1] in ("-", "+"):
        option = str(rest.pop(0))
        if option in ("-", "--"):
            break
        if option.startswith("--"):
            if option in ("--rcfile", "--init-file"):
                rest[:1] = []
            continue
        letters += option[1:]
        if option[1:].lower().endswith("o"):
            rest[:1] = []
    if "c" in letters and rest:
        return _Script(rest[0], tuple(rest[1:]))
    if "s" in letters or not rest:
        return _Script(None, ("", *rest), reads_input="c" not in letters)
    return _Script(words=tuple(rest[1:]), file=rest[0])


def run_program(shell: Interpreter, invocation: Invocation) -> Status:
    """Meet a program in a trace: one that is given a script as text runs what that says.

    A filter writes what it leaves of what it reads, if that is known. What another one writes is
    unknown, and none changes a variable.
    """
    if invocation.name in _FILTERS:
        from overlaylint.overlay.text_filters import run_filter

        return run_filter(shell, invocation, invocation.arguments, shell.input)
    name, words = unwrapped(invocation.name, invocation.arguments)
    script = _script(words) if name in SHELLS else _Script()
    text = invocation.input if script.reads_input else script.text
    if text is None or shell.depth >= _MAXIMUM_DEPTH:
        return _unseen(shell, invocation)
    parsed = script_of(shell, invocation, text, SHELL_TEXT)
    if parsed is None or parsed.errors:
        return _unseen(shell, invocation)
    outer, commands = shell.state.output, shell.commands
    shell.depth += 1
    try:
        with shell.subshell(output=None) as box:
            _start(shell, script.words)
            shell.commands = {}
            shell.status = shell.run_lines(parsed.body, parsed.source, parsed.extended_globs)
            shell.end_subshell()
            box.append(shell.state.output or [])
    finally:
        shell.depth -= 1
        shell.commands = commands
    if outer is not None:
        shell.state.output = box[0]
    return shell.status


def _unseen(shell: Interpreter, invocation: Invocation) -> Status:
    from overlaylint.shell.invocations import check, written

    shell.write(written(invocation))
    return check(invocation)


def _start(shell: Interpreter, words: tuple[Value, ...]) -> None:
    """Make the state that of a new shell: it has of this one what is exported."""
    state = shell.state
    exported: dict[str, Variable] = {}
    for scope in state.scopes:
        for name, variable in scope.items():
            exported.pop(name, None)
            if variable.flags & Flag.EXPORTED and not variable.flags & ARRAYS:
                exported[name] = variable
    state.scopes[:] = [exported, *({} for _ in state.scopes[1:])]
    state.functions = {}
    state.positional[-1] = Positional(words[1:])
    state.options = frozenset()
    state.shell_options = frozenset()
