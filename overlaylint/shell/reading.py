"""`read` and `mapfile` (bash manual 4.2): from a here-string, a here-document or a pipe.

What comes from anywhere else is unknown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from overlaylint.shell import assigning, branching, expansion
from overlaylint.shell.calls import Invocation
from overlaylint.shell.invocations import check, is_many, problem, read_options
from overlaylint.shell.problems import ExpansionProblem, FatalProblem
from overlaylint.shell.values import (
    ARRAYS,
    Elements,
    Flag,
    Mixed,
    Value,
    Variable,
    concatenate,
    unknown,
)

if TYPE_CHECKING:
    from overlaylint.shell.calls import Status
    from overlaylint.shell.interpreter import Interpreter

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\[.+\])?", re.DOTALL)
_WHITE = " \t\n"
_WIDER_WHITE = " \t\n\v\f\r"

_Characters = list[tuple[str, bool]]  # each with whether a backslash stood before it


# --- read ----------------------------------------------------------------------------------


def read(shell: Interpreter, invocation: Invocation) -> Status:
    """`read`."""
    shell.spend(8)
    place = invocation.source, invocation.start, invocation.end
    if is_many(invocation.arguments):
        return problem(shell, invocation, "the variables' names are unknown")
    found = read_options(list(invocation.arguments), "adiNnptu", "ers")
    if found is None:
        return problem(shell, invocation, "its options are unknown")
    if isinstance(found, int):
        return found
    options, words = found
    array = options.get("a")
    if isinstance(array, Mixed) or any(isinstance(word, Mixed) for word in words):
        return problem(shell, invocation, "a variable's name is unknown")
    names = [str(word) for word in words]
    if names and not _NAME.fullmatch(names[0]):
        return 1
    ifs = shell.ifs()
    text = _available(shell, options)
    if not isinstance(text, str) or isinstance(ifs, Mixed):
        return _read_unknown(shell, invocation, names, array, text)
    delimiter = options.get("d", "\n")
    limit = options.get("N", options.get("n", "0"))
    assert isinstance(delimiter, str)
    assert isinstance(limit, str)
    line, rest, is_whole = _line(
        text,
        "" if "N" in options else delimiter[:1] or "\0",
        raw="r" in options,
        limit=int(limit) if "N" in options or "n" in options else -1,
    )
    shell.input = rest
    separators = expansion.DEFAULT_IFS if ifs is None else ifs
    if "N" in options:
        separators = ""
    status = 0 if is_whole else 1
    if array is not None:
        variable = _array(shell, array)
        if variable is None:
            return 1
        elements: Elements = dict(enumerate(_words(line, separators)))
        for index, value in elements.items():
            elements[index] = assigning.transformed(
                shell, variable.flags, None, value, place, append=False
            )
        shell.store(array, Variable(elements, variable.flags, *place))
        return status
    if not names:
        shell.assign("REPLY", _text(line), *place)
        return status
    position = _skip(line, 0, separators, _WHITE)
    for name in names[:-1]:
        if not _NAME.fullmatch(name):
            return 1
        word, position = _word(line, position, separators)
        if not _assign(shell, name, word, place):
            return 1
    if not _NAME.fullmatch(names[-1]):
        return 1
    return status if _assign(shell, names[-1], _rest(line, position, separators), place) else 1


def _available(shell: Interpreter, options: dict[str, Value]) -> Value | None:
    """Return what there is to read, where the options are such that this decides it."""
    if any(isinstance(value, Mixed) for value in options.values()):
        return None
    if options.get("u", "0") != "0" or "e" in options or shell.find("TMOUT") is not None:
        return None
    timeout = options.get("t", "1")
    if not re.fullmatch(r"[1-9][0-9]*", str(timeout)):
        return None
    if any(not re.fullmatch(r"[0-9]{1,6}", str(options.get(key, "0"))) for key in "nN"):
        return None
    text = shell.input
    if isinstance(text, str) and not text.isascii() and set("nN") & options.keys():
        return None
    return text


def _read_unknown(
    shell: Interpreter,
    invocation: Invocation,
    names: list[str],
    array: Value | None,
    cause: Value | None,
) -> Status:
    """Read what nobody knows."""
    place = invocation.source, invocation.start, invocation.end
    value = shell.value_unknown("it is read from somewhere", *place, cause)
    if shell.input is not None:
        shell.input = value
    for name in names or (["REPLY"] if array is None else []):
        if _NAME.fullmatch(name):
            _assign(shell, name, value, place)
    if isinstance(array, str):
        variable = _array(shell, array)
        if variable is not None:
            shell.store(array, Variable(value, variable.flags | Flag.MAYBE_UNSET, *place))
    return check(invocation)


def _array(shell: Interpreter, name: str) -> Variable | None:
    """Return an array to be filled; None if it can't be one."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return None
    variable = shell.state.find(name)
    if variable is None:
        return Variable(None, Flag.INDEXED)
    doubts = variable.flags >> Flag.DOUBT
    if doubts & ~(Flag.INDEXED | Flag.EXPORTED) or variable.flags & Flag.REFERENCE:
        raise shell.exhausted(f"the attributes of {name} are unknown")
    if variable.flags & (Flag.READONLY | Flag.ASSOCIATIVE):
        return None
    flags = (variable.flags | Flag.INDEXED) & ~(Flag.INDEXED << Flag.DOUBT) & ~Flag.MAYBE_UNSET
    return Variable(variable.value, flags)


def _assign(shell: Interpreter, name: str, value: Value, place: object) -> bool:
    """Assign a variable; tell whether it was possible."""
    try:
        assigning.assign_subscript_text(shell, name, value, *place)  # type: ignore[misc]
    except FatalProblem:
        raise
    except ExpansionProblem:
        return False
    return True


def _line(text: str, delimiter: str, *, raw: bool, limit: int) -> tuple[_Characters, str, bool]:
    """Take a line from `text`: its characters, what remains, and whether it was whole.

    A `limit` that is not negative ends it after so many characters; there is no end to it but
    the limit where there is no delimiter.
    """
    if limit == 0:
        return [], text, True
    if (raw or "\\" not in text) and limit < 0:
        line, found, rest = text.partition(delimiter)
        return [(character, False) for character in line], rest, bool(found)
    characters: _Characters = []
    position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if character == delimiter:
            return characters, text[position:], True
        if character == "\\" and not raw:
            if position == len(text):
                break
            character = text[position]
            position += 1
            if character == "\n":
                continue  # a backslash at the end of a line joins it with the next
            characters.append((character, True))
        else:
            characters.append((character, False))
        if len(characters) == limit:
            return characters, text[position:], True
    return characters, "", False


def _text(line: _Characters) -> str:
    return "".join(character for character, _ in line)


def _skip(line: _Characters, position: int, separators: str, white: str) -> int:
    """Return where the separators that are white space end."""
    while position < len(line):
        character, is_escaped = line[position]
        if is_escaped or character not in separators or character not in white:
            break
        position += 1
    return position


def _word(line: _Characters, position: int, separators: str) -> tuple[str, int]:
    """Return the next word and where the one after it starts (bash's `get_word_from_string`)."""
    is_usual = separators == expansion.DEFAULT_IFS
    white = _WHITE if is_usual else _WIDER_WHITE
    position = _skip(line, position, separators, white)
    start = position
    while position < len(line) and (line[position][1] or line[position][0] not in separators):
        position += 1
    word = _text(line[start:position])
    if position == len(line):
        return word, position
    is_white = line[position][0] in white
    position = _skip(line, position + 1, separators, _WHITE)
    if is_white and position < len(line):
        character, is_escaped = line[position]
        if not is_escaped and character in separators and character not in white:
            position = _skip(line, position + 1, separators, white)
    return word, position


def _rest(line: _Characters, position: int, separators: str) -> str:
    """Return what the last variable gets: the rest of the line, unless that is just one word."""
    if position == len(line):
        return ""
    word, after = _word(line, position, separators)
    if after == len(line):
        return word
    end = len(line)
    while end > position:
        character, is_escaped = line[end - 1]
        if character not in _WHITE or character not in separators:
            break
        if end - 1 == position and not is_escaped:
            break  # bash leaves the first character
        end -= 1
    # Of an escaped one it leaves the mark by which it knows that it was.
    return _text(line[position:end]) if end > position else "\x01"


def _words(line: _Characters, separators: str) -> list[str]:
    """Split a line as an unquoted expansion is split (bash's `list_string`)."""
    is_usual = separators == expansion.DEFAULT_IFS
    white = _WHITE if is_usual else _WIDER_WHITE
    words: list[str] = []
    position = _skip(line, 0, separators, _WIDER_WHITE)
    while position < len(line):
        start = position
        while position < len(line) and (line[position][1] or line[position][0] not in separators):
            position += 1
        if position > start:
            words.append(_text(line[start:position]))
        if position == len(line):
            break
        is_white = line[position][0] in white
        if position == start and not is_white:
            words.append("")
        position = _skip(line, position + 1, separators, white)
        if is_white and position < len(line):
            character, is_escaped = line[position]
            if not is_escaped and character in separators and character not in white:
                position = _skip(line, position + 1, separators, white)
    return words


# --- mapfile -------------------------------------------------------------------------------


def mapfile(shell: Interpreter, invocation: Invocation) -> Status:
    """`mapfile` and `readarray`: lines into an array."""
    place = invocation.source, invocation.start, invocation.end
    if is_many(invocation.arguments):
        return problem(shell, invocation, "the array's name is unknown")
    found = read_options(list(invocation.arguments), "CcdnOsu", "t")
    if found is None:
        return problem(shell, invocation, "its options are unknown")
    if isinstance(found, int):
        return found
    options, words = found
    name = words[0] if words else "MAPFILE"
    if not isinstance(name, str):
        return problem(shell, invocation, "the array's name is unknown")
    if not name:
        return 1
    numbers: dict[str, int] = {}
    is_decided = options.get("u", "0") == "0" and isinstance(options.get("d", ""), str)
    for letter in "nOsc":
        value = options.get(letter, "0")
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}", value):
            numbers[letter] = int(value)
        else:
            is_decided = False
    variable = _array(shell, name)
    if variable is None:
        return 1
    text = shell.input
    callback = options.get("C", "")
    if callback and not (isinstance(text, str) and is_decided):
        return _calling_back_unknown(shell, invocation, callback)
    if numbers.get("c", 1) == 0 and "c" in options:
        return 1
    if not isinstance(text, str) or not is_decided:
        reason = shell.value_unknown("it is read from somewhere", *place, text)
        shell.store(name, Variable(reason, variable.flags | Flag.MAYBE_UNSET, *place))
        if text is not None:
            shell.input = reason
        return check(invocation)
    delimiter = str(options.get("d", "\n"))[:1] or "\0"
    elements: Elements = {}
    if "O" in options:
        current = variable.value
        if isinstance(current, Mixed):
            shell.store(name, Variable(current, variable.flags | Flag.MAYBE_UNSET, *place))
            return 0
        if isinstance(current, dict):
            elements.update(current)
        elif current is not None:
            elements[0] = current
    lines = text.split(delimiter)
    last = lines.pop()
    lines = [line if "t" in options else line + delimiter for line in lines]
    if last:
        lines.append(last)
    chosen = lines[numbers["s"] :]
    if numbers["n"] and len(chosen) > numbers["n"]:
        chosen = chosen[: numbers["n"]]
        # what is left could be read by another command
        shell.input = shell.value_unknown("part of it was read", *place)
    else:
        shell.input = ""
    flags = variable.flags & ~ARRAYS | Flag.INDEXED
    quantum = numbers["c"] or _QUANTUM
    for number, line in enumerate(chosen):
        index = numbers["O"] + number
        if callback and (number + 1) % quantum == 0:
            so_far = Variable(dict(elements), flags, *place)
            shell.store(name, so_far)
            rest = shell.input = shell.value_unknown("the lines are being read", *place)
            status = _call_back(shell, invocation, callback, str(index), _quoted(line))
            if shell.signal in (branching.BREAK, branching.CONTINUE):
                callback = ""  # the lines are still read, and nothing is run for them
            elif shell.signal:
                return status
            if shell.state.find(name) is not so_far or shell.input is not rest:
                return problem(shell, invocation, "what it runs changes the array, or reads")
            shell.input = ""
        elements[index] = assigning.transformed(shell, flags, None, line, place, append=False)
    shell.spend(len(elements) // 16)
    shell.store(name, Variable(elements, flags, *place))
    return 0


# After so many lines `mapfile -C` runs its command, where `-c` says nothing else.
_QUANTUM = 5000


def _call_back(
    shell: Interpreter, invocation: Invocation, callback: Value, index: Value, line: Value
) -> Status:
    """Run the command of `mapfile -C` for a line."""
    words = [concatenate(callback, " ", index, " ", line)]
    place = invocation.source, invocation.start, invocation.end
    return shell.builtins["eval"](shell, Invocation("eval", words, list(words), *place))


def _quoted(line: str) -> str:
    """Return a line in single quotes, as `mapfile -C` gives it to its command."""
    return "'" + line.replace("'", "'\\''") + "'"


def _calling_back_unknown(shell: Interpreter, invocation: Invocation, callback: Value) -> Status:
    """Meet the command of `mapfile -C` where the lines are unknown, and so how often it is run."""
    place = invocation.source, invocation.start, invocation.end
    if shell.is_tracing:
        index, line = (
            unknown(f"it is the {what} of a line", *place, is_word=True)
            for what in ("number", "text")
        )
        branching.branch(
            shell,
            check(invocation),
            lambda: _call_back(shell, invocation, callback, index, line),
            None,
        )
    return problem(shell, invocation, "what it runs for its lines is unknown")
