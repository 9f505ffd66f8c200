"""What the package manager defines for ebuilds and eclasses (PMS 10, 12), as evaluated here.

To bash these are functions, so an ebuild may define its own in their place. Commands that
only act on files are not among them: they are calls, which a trace records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from overlaylint.overlay import eapi as eapis
from overlaylint.overlay.version_functions import VersionProblem, ver_cut, ver_rs, ver_test
from overlaylint.shell.calls import Call, Failing, Invocation, Status
from overlaylint.shell.conditions import Check, Condition, UseFlag, negate
from overlaylint.shell.interpreter import Builtin, Interpreter
from overlaylint.shell.values import (
    Flag,
    Mixed,
    Unknown,
    Value,
    Variable,
    concatenate,
    unknown,
)


class Phase(Protocol):
    """What the commands of a phase need to know: the EAPI, and which USE flags are assumed."""

    eapi: str
    use: Mapping[str, bool]


def check(invocation: Invocation) -> Check:
    """Return the condition that a command succeeds."""
    return Check(
        (invocation.name, *invocation.arguments),
        invocation.source,
        invocation.start,
        invocation.end,
    )


def _first_unknown(invocation: Invocation) -> Mixed | None:
    for argument in invocation.arguments:
        if isinstance(argument, Mixed):
            return argument
    return None


def _lost(shell: Interpreter, invocation: Invocation) -> Status:
    """Write an unknown value: an argument is unknown."""
    shell.write(
        shell.value_unknown(
            "an argument is unknown",
            invocation.source,
            invocation.start,
            invocation.end,
            *invocation.arguments,
        )
    )
    return check(invocation)


def nothing(shell: Interpreter, invocation: Invocation) -> Status:
    """A message, or something else that changes nothing here."""
    return 0


def die(shell: Interpreter, invocation: Invocation) -> Status:
    """`die [-n] message`."""
    arguments = invocation.arguments
    if arguments[:1] == ["-n"]:
        variable = shell.find(_NONFATAL)
        if variable is not None and variable.value == "1":
            return shell.status if shell.status != 0 else 1
        arguments = arguments[1:]
    message: list[Value] = []
    for argument in arguments:
        message += [" ", argument] if message else [argument]
    shell.die(concatenate(*message) if message else "(no error message)", 1)
    return 1


def has(shell: Interpreter, invocation: Invocation) -> Status:
    """`has needle words`."""
    arguments = invocation.arguments
    needle = arguments[0] if arguments else ""
    undecided = isinstance(needle, Mixed) and not needle.is_symbolic
    for word in arguments[1:]:
        if word == needle and not undecided:
            return 0
    if isinstance(needle, Mixed) or any(isinstance(word, Mixed) for word in arguments[1:]):
        return check(invocation)
    return 1


def hasv(shell: Interpreter, invocation: Invocation) -> Status:
    """`hasv needle words`: prints the needle too."""
    status = has(shell, invocation)
    if status == 0:
        shell.write(concatenate(invocation.arguments[0], "\n"))
    elif not isinstance(status, int):
        return _lost(shell, invocation)
    return status


def contains_word(shell: Interpreter, invocation: Invocation) -> Status:
    """Portage's own `contains_word word text`."""
    if len(invocation.arguments) < 1 or _first_unknown(invocation) is not None:
        return check(invocation)
    word, *texts = [str(argument) for argument in invocation.arguments]
    return int(
        not (word and not any(c.isspace() for c in word) and word in " ".join(texts).split())
    )


def version_cut(shell: Interpreter, invocation: Invocation) -> Status:
    """`ver_cut range [version]`."""
    if _first_unknown(invocation) is not None:
        return _lost(shell, invocation)
    arguments = [str(argument) for argument in invocation.arguments]
    version: Value = arguments[1] if len(arguments) > 1 and arguments[1] else _variable(shell, "PV")
    if isinstance(version, Mixed):
        return _lost(shell, invocation)
    try:
        shell.write(ver_cut(arguments[0] if arguments else "", version) + "\n")
    except VersionProblem as problem:
        shell.die(f"ver_cut: {problem}", 1)
        return 1
    return 0


def version_replace(shell: Interpreter, invocation: Invocation) -> Status:
    """`ver_rs range separator [range separator ...] [version]`."""
    if _first_unknown(invocation) is not None:
        return _lost(shell, invocation)
    arguments = [str(argument) for argument in invocation.arguments]
    version: Value = arguments.pop() if len(arguments) % 2 else _variable(shell, "PV")
    if isinstance(version, Mixed):
        return _lost(shell, invocation)
    try:
        shell.write(ver_rs(list(zip(arguments[::2], arguments[1::2], strict=True)), version) + "\n")
    except VersionProblem as problem:
        shell.die(f"ver_rs: {problem}", 1)
        return 1
    return 0


def version_test(shell: Interpreter, invocation: Invocation) -> Status:
    """`ver_test [left] operator right`."""
    if _first_unknown(invocation) is not None:
        return check(invocation)
    arguments: list[Value] = list(invocation.arguments)
    if len(arguments) == 2:
        arguments.insert(0, _variable(shell, "PVR"))
    if len(arguments) != 3:
        shell.die("ver_test: bad number of arguments", 1)
        return 1
    left, operator, right = arguments
    if isinstance(left, Mixed):
        return check(invocation)
    try:
        return int(not ver_test(left, str(operator), str(right)))
    except VersionProblem as problem:
        shell.die(f"ver_test: {problem}", 1)
        return 1


def _variable(shell: Interpreter, name: str) -> Value:
    variable = shell.find(name)
    value = variable.value if variable is not None else None
    return value if isinstance(value, str | Mixed) else ""


_NONFATAL = "PORTAGE_NONFATAL"


def nonfatal(shell: Interpreter, invocation: Invocation) -> Status:
    """`nonfatal command`: a failing helper does not die."""
    if not invocation.arguments or not isinstance(invocation.arguments[0], str):
        return check(invocation)
    shell.state.scopes.append({_NONFATAL: Variable("1", Flag.EXPORTED)})
    first_call = shell.call_count
    try:
        return shell.invoke(inner(invocation), (), ())
    finally:
        shell.state.scopes.pop()
        calls = shell.calls or []
        for index in range(first_call, shell.call_count):
            call = calls[index]
            calls[index] = replace(call, environment=(*call.environment, (_NONFATAL, "1")))
        shell.note_failing(first_call, shell.call_count, Failing.IGNORED)


def is_nonfatal(call: Call) -> bool:
    """Whether a call is made under `nonfatal`."""
    return (_NONFATAL, "1") in call.environment


# What ends the build where it fails, in all EAPIs and from EAPI 4 on (PMS 12.3). What an EAPI has
# no such command for is a program, or an eclass's function.
_FATAL = frozenset({"econf", "unpack", "eapply", "eapply_user"})
_FATAL_FROM_4 = frozenset(
    {
        "emake", "einstall", "einstalldocs", "dobin", "doconfd", "dodir", "dodoc", "doenvd",
        "doexe", "dohtml", "doinfo", "doinitd", "doins", "dolib", "dolib.a", "dolib.so", "doman",
        "domo", "dosbin", "dosym", "doheader", "fowners", "fperms", "keepdir", "newbin",
        "newconfd", "newdoc", "newenvd", "newexe", "newheader", "newinitd", "newins", "newlib.a",
        "newlib.so", "newman", "newsbin",
    }
)  # fmt: skip


def is_fatal(call: Call, eapi: str) -> bool:
    """Whether a call of the package manager's ends the build where it fails, whatever is tested."""
    if is_nonfatal(call):
        return False
    return call.name in _FATAL or (call.name in _FATAL_FROM_4 and eapis.helpers_die(eapi))


def inner(invocation: Invocation) -> Invocation:
    """Return the command that is another one's argument."""
    return Invocation(
        str(invocation.arguments[0]), invocation.arguments[1:], invocation.operands[1:],
        invocation.source, invocation.start, invocation.end, invocation.input,
    )  # fmt: skip


# --- USE flags (PMS 12.3.9), in phases only -----------------------------------------------


def _flag(invocation: Invocation, index: int = 0) -> tuple[str, bool] | None:
    """Return the flag that an argument names, and whether `!` stands before it."""
    if len(invocation.arguments) <= index or not isinstance(invocation.arguments[index], str):
        return None
    text = str(invocation.arguments[index])
    return text.removeprefix("!"), text.startswith("!")


def use_condition(shell: Interpreter, phase: Phase, invocation: Invocation) -> Status:
    """Return whether a flag is on: as the phase assumes, else a condition."""
    flag = _flag(invocation)
    if flag is None:
        return check(invocation)
    name, is_negated = flag
    assumed = phase.use.get(name)
    if assumed is not None:
        return int(assumed == is_negated)
    condition = UseFlag(name)
    return negate(condition) if is_negated else condition


def phase_commands(phase: Phase) -> Mapping[str, Builtin]:
    """Return the commands whose outcome depends on USE flags."""

    def use(shell: Interpreter, invocation: Invocation) -> Status:
        return use_condition(shell, phase, invocation)

    def chosen(
        shell: Interpreter, invocation: Invocation, on: Value, off: Value, status_off: int
    ) -> Status:
        """Write one text where the flag is on and another where it is off."""
        status = use_condition(shell, phase, invocation)
        if isinstance(status, int):
            shell.write(concatenate(on if status == 0 else off, "\n"))
            return 0 if status == 0 else status_off
        if on == off:
            shell.write(concatenate(on, "\n"))
        else:
            choices: tuple[tuple[Condition, str], ...] = ()
            if isinstance(on, str) and isinstance(off, str):
                choices = ((status, on), (negate(status), off))
            piece = Unknown(
                f"it depends on `{status}`",
                invocation.source,
                invocation.start,
                invocation.end,
                choices=choices,
            )
            shell.write(concatenate(Mixed((piece,)), "\n"))
        return 0 if status_off == 0 else status

    def usev(shell: Interpreter, invocation: Invocation) -> Status:
        flag = _flag(invocation)
        if flag is None:
            return _lost(shell, invocation)
        text: Value = flag[0]
        if len(invocation.arguments) > 1 and eapis.usev_takes_text(phase.eapi):
            text = invocation.arguments[1]
        status = use_condition(shell, phase, invocation)
        if isinstance(status, int):
            if status == 0:
                shell.write(concatenate(text, "\n"))
            return status
        shell.write(
            unknown(
                f"it depends on `{status}`", invocation.source, invocation.start, invocation.end
            )
        )
        return status

    def usex(shell: Interpreter, invocation: Invocation) -> Status:
        texts: list[Value] = ["yes", "no", "", ""]
        for index, argument in enumerate(invocation.arguments[1:5]):
            texts[index] = argument
        return chosen(
            shell, invocation, concatenate(texts[0], texts[2]), concatenate(texts[1], texts[3]), 0
        )

    def configure_option(shell: Interpreter, invocation: Invocation) -> Status:
        flag = _flag(invocation)
        if flag is None:
            return _lost(shell, invocation)
        arguments = invocation.arguments
        name: Value = arguments[1] if len(arguments) > 1 and arguments[1] != "" else flag[0]
        value: Value = concatenate("=", arguments[2]) if len(arguments) > 2 else ""
        on, off = (
            ("--with-", "--without-")
            if invocation.name == "use_with"
            else ("--enable-", "--disable-")
        )
        return chosen(shell, invocation, concatenate(on, name, value), concatenate(off, name), 1)

    return {
        "use": use, "useq": use, "usev": usev, "usex": usex,
        "use_with": configure_option, "use_enable": configure_option,
    }  # fmt: skip


# --- sets of commands ----------------------------------------------------------------------

COMMON: Mapping[str, Builtin] = {
    "die": die, "has": has, "nonfatal": nonfatal, "contains_word": contains_word,
    **dict.fromkeys(
        (
            "einfo", "einfon", "elog", "ewarn", "eerror", "eqawarn", "ebegin",
            "debug-print", "debug-print-function", "debug-print-section",
        ),
        nothing,
    ),
}  # fmt: skip


def end(shell: Interpreter, invocation: Invocation) -> Status:
    """`eend status`: returns the status it is given."""
    if not invocation.arguments:
        return 0
    argument = invocation.arguments[0]
    if isinstance(argument, str):
        return int(argument) & 0xFF if argument.isdecimal() else 0
    return check(invocation)


# these only ask or say something: a trace is no clearer with them in it
SILENT = frozenset(
    {
        "has", "hasv", "hasq", "use", "useq", "usev", "usex", "use_with", "use_enable", "in_iuse",
        "ver_cut", "ver_rs", "ver_test", "contains_word", "debug-print", "debug-print-function",
        "debug-print-section",
    }
)  # fmt: skip

# Portage has these die while metadata is made: they make no sense in global scope
FORBIDDEN = frozenset(
    {
        "diropts", "docompress", "dostrip", "exeopts", "get_KV", "insopts", "KV_major",
        "KV_micro", "KV_minor", "KV_to_int", "libopts", "register_die_hook",
        "register_success_hook", "use", "useq", "usev", "use_with", "use_enable", "usex",
        "in_iuse", "get_libdir", "best_version", "has_version", "portageq", "addread", "addwrite",
        "adddeny", "addpredict",
    }
)  # fmt: skip

# Portage catches these before they are looked for in PATH: they fail, and nobody dies
INTERCEPTED = frozenset(
    {
        "awk", "bash", "cc", "egrep", "equery", "fgrep", "g++", "gawk", "gcc", "grep", "javac",
        "java-config", "nawk", "perl", "pkg-config", "python", "python-config", "sed",
    }
)  # fmt: skip


class Refusal(str):
    """Why Portage refuses what an ebuild does; not every version of it does so."""

    __slots__ = ()


def forbidden(shell: Interpreter, invocation: Invocation) -> Status:
    """Die: the command may not be called in global scope."""
    shell.die(Refusal(f"{invocation.name}() calls are not allowed in global scope"), 1)
    return 1


def intercepted(shell: Interpreter, invocation: Invocation) -> Status:
    """Fail as a program does that is not there."""
    return 127


def missing(shell: Interpreter, invocation: Invocation) -> Status:
    """Die: no program can be run in global scope."""
    message = f"External commands disallowed while sourcing ebuild: {invocation.name}"
    shell.die(Refusal(message), 127)
    return 127


def versions(eapi: str) -> Mapping[str, Builtin]:
    """Return the functions that only some EAPIs have."""
    found: dict[str, Builtin] = {"eend": end}
    if eapis.has_version_functions(eapi):
        found |= {"ver_cut": version_cut, "ver_rs": version_replace, "ver_test": version_test}
    if eapis.has_hasv(eapi):
        found |= {"hasv": hasv, "hasq": has}
    else:
        found |= {"hasv": _banned, "hasq": _banned}
    return found


def _banned(shell: Interpreter, invocation: Invocation) -> Status:
    """Die: the EAPI has no such function."""
    shell.die(f"'{invocation.name}' banned in this EAPI", 1)
    return 1
