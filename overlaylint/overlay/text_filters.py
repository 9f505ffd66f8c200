"""What grep, sed, tr and other filters leave of text that is known (their POSIX and GNU manuals).

Only what lists of paths and words are filtered with is understood; everything else raises
UnknownFilter.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence

from overlaylint.overlay.sed import UnknownEdit, extended, parse_call
from overlaylint.shell.calls import Invocation, Status
from overlaylint.shell.interpreter import Interpreter
from overlaylint.shell.invocations import check
from overlaylint.shell.regexes import search
from overlaylint.shell.undecidable import Undecidable
from overlaylint.shell.values import Mixed, Value, unknown

_READS_NOTHING = frozenset({"basename", "dirname"})


class UnknownFilter(Exception):
    """A filter, or one of its options, is not understood; the text says which."""


def filtered(name: str, arguments: Sequence[str], text: str) -> tuple[str, int]:
    """Return what a filter writes, and its status, with `text` on its standard input.

    Raises UnknownFilter for what is not understood, files as arguments among it.
    """
    return FILTERS[name](name, list(arguments), text)


def run_filter(
    shell: Interpreter, invocation: Invocation, arguments: Sequence[Value], text: Value | None
) -> Status:
    """Meet a filter: write what it leaves of `text`, its input, where that can be known.

    `text` is None where nobody knows what it reads.
    """
    name = invocation.name
    reads_input = name == "tee" or not (name in _READS_NOTHING or reads_files(name, arguments))
    if reads_input and shell.input is not None:
        shell.input = unknown(f"`{name}` has read of it")
    try:
        if name not in _READS_NOTHING and not reads_input:
            raise UnknownFilter(f"{name} on a file")  # noqa: TRY301
        output: Value
        status: Status
        if text is not None and _passes_on(name, arguments):
            output, status = text, check(invocation) if name == "tee" else 0
        else:
            output, status = _left(name, arguments, text)
        if reads_input and shell.input is not None and not name.endswith("grep"):
            shell.input = ""  # `grep -q` may leave some
    except UnknownFilter as problem:
        place = invocation.source, invocation.start, invocation.end
        shell.write(unknown(f"it is not known what `{name}` leaves: {problem}", *place))
        return check(invocation)
    shell.write(output)
    return status


# Options of filters that take the next word, and how many operands stand before the files.
_TAKES_WORD = {
    "cut": re.compile(r"-[bcdf]"), "paste": re.compile(r"-s?d"), "sort": re.compile(r"-[kotST]"),
    "sed": re.compile(r"-[nErsz]*[efl]"),
    **dict.fromkeys(("grep", "egrep", "fgrep"), re.compile(r"-[A-Za-z]*[efABCm]")),
}  # fmt: skip
_FIRST_OPERANDS = {"sed": 1, "grep": 1, "egrep": 1, "fgrep": 1, "tr": 2}


def reads_files(name: str, arguments: Sequence[Value]) -> bool:
    """Whether a filter is given files, and so does not read its input."""
    texts = [one if isinstance(one, str) else "".join(one.texts) or "?" for one in arguments]
    options = [one for one in texts if one.startswith("-") and one != "-"]
    operands = len([one for one in texts if one != "-"]) - len(options)
    takes_word = _TAKES_WORD.get(name)
    if takes_word is not None:
        operands -= sum(takes_word.fullmatch(one) is not None for one in options)
    given = any(re.match(r"-[A-Za-z]*[ef]|--(?:regexp|file|expression)", one) for one in options)
    return operands > (0 if given else _FIRST_OPERANDS.get(name, 0))


def _passes_on(name: str, arguments: Sequence[Value]) -> bool:
    """Whether a filter writes just what it reads, whatever that is."""
    return name == "tee" or (name == "cat" and all(one in ("-", "-u") for one in arguments))


def _left(name: str, arguments: Sequence[Value], text: Value | None) -> tuple[str, int]:
    """Return what a filter writes, and its status, where its words and its input may be unknown."""
    words = [one for one in arguments if isinstance(one, str)]
    if len(words) < len(arguments):
        raise UnknownFilter("an argument is unknown")
    if name in _READS_NOTHING:
        text = ""
    elif text is None:
        raise UnknownFilter("nobody knows what it reads")
    if isinstance(text, Mixed):
        raise UnknownFilter(text.unknown.reason)
    if not all(map(str.isascii, (text, *words))):
        raise UnknownFilter("what it takes for a character is a locale's")
    return filtered(name, words, text)


def _lines(text: str, end: str = "\n") -> list[str]:
    return text.removesuffix(end).split(end) if text else []


def _text(lines: Sequence[str], end: str = "\n") -> str:
    return "".join(line + end for line in lines)


# --- grep ---

_GREP_LONG = {
    "--invert-match": "v", "--word-regexp": "w", "--line-regexp": "x", "--ignore-case": "i",
    "--extended-regexp": "E", "--basic-regexp": "G", "--fixed-strings": "F", "--quiet": "q",
    "--silent": "q", "--null-data": "z", "--no-filename": "h", "--no-messages": "s",
    "--text": "a", "--line-buffered": "",
}  # fmt: skip


def _grep(name: str, arguments: list[str], text: str) -> tuple[str, int]:
    flags = {"egrep": "E", "fgrep": "F"}.get(name, "")
    patterns: list[str] = []
    operands: list[str] = []
    while arguments:
        word = arguments.pop(0)
        if word == "--":
            operands += arguments
            break
        if word.startswith("--"):
            option, equals, value = word.partition("=")
            if option == "--regexp":
                patterns.append(value if equals else _next(name, arguments))
            elif option in _GREP_LONG:
                flags += _GREP_LONG[option]
            elif option not in ("--color", "--colour") or value not in ("", "never", "auto"):
                raise UnknownFilter(f"{name} {word}")
        elif word.startswith("-") and word != "-":
            flags += _cluster(name, word[1:], arguments, patterns)
        else:
            operands.append(word)
    if not patterns:
        if not operands:
            raise UnknownFilter(f"{name} without a pattern")
        patterns.append(operands.pop(0))
    if operands not in ([], ["-"]):
        raise UnknownFilter(f"{name} on a file")
    expressions = [_expression(one, flags) for pattern in patterns for one in pattern.split("\n")]
    end = "\0" if "z" in flags else "\n"
    if end != "\0" and "\0" in text:
        raise UnknownFilter(f"{name} of what is no text")
    for pattern in patterns:
        for one in pattern.split("\n"):
            _matches(_expression(one, flags.replace("w", "").replace("x", "")), "", False)
    kept = [
        line
        for line in _lines(text, end)
        if any(_matches(one, line, "i" in flags) for one in expressions) != ("v" in flags)
    ]
    return "" if "q" in flags else _text(kept, end), int(not kept)


def _cluster(name: str, letters: str, arguments: list[str], patterns: list[str]) -> str:
    """Take `-vwe pattern` apart; return its letters without those that take an argument."""
    flags = ""
    for at, letter in enumerate(letters):
        if letter == "e":
            patterns.append(letters[at + 1 :] or _next(name, arguments))
            return flags
        if letter not in "vwxiyEGFqzhsa":
            raise UnknownFilter(f"{name} -{letter}")
        flags += "i" if letter == "y" else letter
    return flags


def _next(name: str, arguments: list[str]) -> str:
    if not arguments:
        raise UnknownFilter(f"{name} lacks an argument")
    return arguments.pop(0)


def _expression(pattern: str, flags: str) -> str:
    """Return a pattern as an extended regular expression that is searched for in a line."""
    # The last of -E, -F and -G counts.
    kind = next((letter for letter in reversed(flags) if letter in "EFG"), "G")
    if kind == "F":
        text = re.sub(r"([][\\.^$*+?(){}|])", r"\\\1", pattern)
    else:
        text = pattern if kind == "E" else extended(pattern)
    if "x" in flags:
        return f"^({text})$"
    if "w" in flags:
        return f"(^|[^_[:alnum:]])({text})([^_[:alnum:]]|$)"
    return text


def _matches(expression: str, line: str, ignore_case: bool) -> bool:
    if not expression:
        return True
    try:
        return search(((expression, False),), line, ignore_case=ignore_case) is not None
    except Undecidable as problem:
        raise UnknownFilter(str(problem)) from problem


# --- the others ---


def _sed(name: str, arguments: list[str], text: str) -> tuple[str, int]:
    try:
        call = parse_call(arguments)
        if call.files or call.is_in_place:
            raise UnknownFilter(f"{name} on a file")
        if not text:
            call.edit("")  # raises UnknownEdit for what it would not read either
        elif not text.endswith("\n"):
            raise UnknownFilter(f"{name} of a line without an end")
        return _text([one for line in _lines(text) for one in call.edit(line)]), 0
    except UnknownEdit as problem:
        raise UnknownFilter(f"{name}: {problem}") from problem


_CLASSES: Mapping[str, str] = {
    "[:space:]": " \t\n\v\f\r", "[:blank:]": " \t",
    "[:lower:]": "abcdefghijklmnopqrstuvwxyz", "[:upper:]": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "[:digit:]": "0123456789",
}  # fmt: skip
_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\0": "\0", "\\\\": "\\"}


def _set(text: str) -> str:
    """Return the characters of an operand of tr."""
    found: list[str] = []
    at = 0
    while at < len(text):
        if text.startswith("[:", at):
            end = text.find(":]", at) + 2
            found.append(_CLASSES.get(text[at:end], ""))
            if not found[-1]:
                raise UnknownFilter(f"tr with {text}")
            at = end
        elif text[at] == "\\":
            character = _ESCAPES.get(text[at : at + 2])
            if character is None:
                raise UnknownFilter(f"tr with {text}")
            if text[at + 2 : at + 3] == "-":
                raise UnknownFilter(f"tr with {text}")
            found.append(character)
            at += 2
        elif text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            if text[at + 2] in "\\[" or text[at] > text[at + 2]:
                raise UnknownFilter(f"tr with {text}")
            found.append("".join(map(chr, range(ord(text[at]), ord(text[at + 2]) + 1))))
            at += 3
        else:
            found.append(text[at])
            at += 1
    return "".join(found)


def _tr(name: str, arguments: list[str], text: str) -> tuple[str, int]:
    flags = ""
    while arguments and arguments[0].startswith("-") and arguments[0] != "-":
        flags += arguments.pop(0)[1:]
    is_odd = any("[" in one and "*" in one for one in arguments)
    if set(flags) == {"d", "s"} or set(flags) - set("ds") or is_odd or not 0 < len(arguments) < 3:
        raise UnknownFilter(f"{name} {' '.join(arguments)}")
    has_class = any("[:" in one for one in arguments)
    if len(arguments) == 2 and has_class and sorted(arguments) != ["[:lower:]", "[:upper:]"]:
        raise UnknownFilter(f"{name} with classes")
    first, *others = map(_set, arguments)
    if "d" in flags and not others:
        return "".join(one for one in text if one not in first), 0
    if "d" in flags or ("s" in flags and others) or (not flags and not others):
        raise UnknownFilter(f"{name} -{flags}")
    if "s" in flags:
        return "".join(
            one for at, one in enumerate(text) if at == 0 or one not in first or text[at - 1] != one
        ), 0
    if not others or not others[0]:
        raise UnknownFilter(f"{name} with one set")
    second = others[0].ljust(len(first), others[0][-1])
    return text.translate({ord(a): b for a, b in zip(first, second, strict=False)}), 0


def _sort(name: str, arguments: list[str], text: str) -> tuple[str, int]:
    flags = _flags(name, arguments, "urz")
    end = "\0" if "z" in flags else "\n"
    lines = _lines(text, end)
    ordered = sorted(set(lines) if "u" in flags else lines, reverse="r" in flags)
    return _text(ordered, end), 0


def _uniq(name: str, arguments: list[str], text: str) -> tuple[str, int]:
    _flags(name, arguments, "")
    lines = _lines(text)
    return _text([one for at, one in enumerate(lines) if at == 0 or lines[at - 1] != one]), 0


def _cat(name: str, arguments: list[str], text: str) -> tuple[str, int]:
    _flags(name, arguments, "u")
    return text, 0


def _paste(name: str, arguments: list[str], text: str) -> tuple[str, int]:
    delimiter = "\t"
    is_serial = False
    inputs = 0
    while arguments:
        word = arguments.pop(0)
        if word.startswith("-s"):
            is_serial = True
            word = f"-{word[2:]}" if len(word) > 2 else ""
        if word.startswith("-d"):
            delimiter = word[2:] or _next(name, arguments)
        elif word not in ("", "-"):
            raise UnknownFilter(f"{name} {word}")
        inputs += word == "-"
    if not is_serial or len(delimiter) != 1 or delimiter == "\\" or inputs > 1:
        raise UnknownFilter(f"{name} without -s")
    return delimiter.join(_lines(text)) + "\n", 0


def _cut(name: str, arguments: list[str], text: str) -> tuple[str, int]:
    delimiter, fields = "\t", ""
    while arguments:
        word = arguments.pop(0)
        if word.startswith("-d"):
            delimiter = word[2:] or _next(name, arguments)
        elif word.startswith("-f") and not fields:
            fields = word[2:] or _next(name, arguments)
        else:
            raise UnknownFilter(f"{name} {word}")
    match = re.fullmatch(r"([1-9][0-9]*)(-?)", fields)
    if match is None or len(delimiter) != 1 or delimiter == "\n":
        raise UnknownFilter(f"{name} -f {fields}")
    first = int(match[1]) - 1
    lines = []
    for line in _lines(text):
        parts = line.split(delimiter)
        chosen = parts[first:] if match[2] else parts[first : first + 1]
        lines.append(delimiter.join(chosen) if len(parts) > 1 else line)
    return _text(lines), 0


def _basename(name: str, arguments: list[str], _text_given: str) -> tuple[str, int]:
    is_many = False
    suffix = ""
    while arguments and arguments[0].startswith("-"):
        word = arguments.pop(0)
        if word in ("-a", "--multiple"):
            is_many = True
        elif word == "-s":
            is_many, suffix = True, _next(name, arguments)
        elif word == "--":
            break
        else:
            raise UnknownFilter(f"{name} {word}")
    if not is_many and len(arguments) == 2:
        suffix = arguments.pop()
    if not all(arguments) or not arguments or (not is_many and len(arguments) != 1):
        raise UnknownFilter(f"{name} of nothing, or of several")
    names = [one.rstrip("/").rpartition("/")[2] or "/" for one in arguments]
    return _text([one.removesuffix(suffix) if one != suffix else one for one in names]), 0


def _dirname(name: str, arguments: list[str], _text_given: str) -> tuple[str, int]:
    _flags(name, [one for one in arguments if one.startswith("-")], "")
    if not arguments or any(one.startswith("//") or not one.strip("/") for one in arguments):
        raise UnknownFilter(f"{name} of nothing, or of slashes")
    return _text([posixpath.dirname(one.rstrip("/")) or "." for one in arguments]), 0


def _flags(name: str, arguments: list[str], lawful: str) -> str:
    flags = ""
    for word in arguments:
        if word == "-":
            continue
        if not word.startswith("-") or set(word[1:]) - set(lawful):
            raise UnknownFilter(f"{name} {word}")
        flags += word[1:]
    return flags


FILTERS: Mapping[str, Callable[[str, list[str], str], tuple[str, int]]] = {
    "grep": _grep, "egrep": _grep, "fgrep": _grep, "sed": _sed, "tr": _tr, "sort": _sort,
    "uniq": _uniq, "cat": _cat, "paste": _paste, "cut": _cut, "basename": _basename,
    "dirname": _dirname,
}  # fmt: skip
