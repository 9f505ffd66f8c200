"""What commands `xargs` makes of the text that it reads (xargs(1), POSIX and GNU)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_FLAGS = frozenset({"r", "t", "x", "p", "o"})
_LONG_FLAGS = frozenset({"no-run-if-empty", "verbose", "exit", "interactive", "open-tty"})
_TAKING = frozenset({"n", "I", "d", "P", "s", "E"})
_LONG = {"max-args": "n", "delimiter": "d", "max-procs": "P", "max-chars": "s"}

_ESCAPED = {"\\n": "\n", "\\0": "\0", "\\t": "\t", "\\\\": "\\"}


class UnknownXargs(Exception):
    """An option, or the text, is not understood; the text says which."""


def xargs(arguments: Sequence[str], text: str) -> Iterator[list[str]]:
    """Yield the commands that xargs runs for a text, in their order. Raises UnknownXargs."""
    said, command = _options(arguments)
    command = command or ["echo"]
    mark = said.get("I")
    if mark is not None and "n" in said:
        raise UnknownXargs("both `-I` and `-n`")
    end = _end(said, mark)
    if "\0" in text and end != "\0":
        raise UnknownXargs("text that is cut off")
    items = list(_items(text)) if end is None else text.split(end)
    if end is not None and items[-1] == "":
        del items[-1]
    if mark is not None:
        if "d" not in said:
            _refuse_quotes(text)
            # Blanks before a line are not part of it.
            items = [item.lstrip(" \t") for item in items if item.strip(" \t")]
        for item in items:
            yield [word.replace(mark, item) for word in command]
        return
    if not items:
        if "r" not in said and "no-run-if-empty" not in said:
            yield command
        return
    size = said.get("n", "")
    if size and not (size.isdecimal() and int(size)):
        raise UnknownXargs(f"`-n {size}`")
    step = int(size) if size else len(items)
    for at in range(0, len(items), step):
        yield [*command, *items[at : at + step]]


def _options(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return what the options say by their letters, and the command."""
    said: dict[str, str] = {}
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name == "null":
                said["d"] = "\\0"
            elif name in _LONG and (equals or rest):
                said[_LONG[name]] = value if equals else rest.pop(0)
            elif name == "replace":
                said["I"] = value or "{}"
            elif name in _LONG_FLAGS:
                said[name] = ""
            else:
                raise UnknownXargs(f"`{word}`")
            continue
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in _TAKING and (letters or rest):
                said[letter] = letters or rest.pop(0)
                letters = ""
            elif letter == "i":
                said["I"], letters = letters or "{}", ""
            elif letter == "0":
                said["d"] = "\\0"
            elif letter in _FLAGS:
                said[letter] = ""
            else:
                raise UnknownXargs(f"`{word}`")
    return said, rest


def _end(said: dict[str, str], mark: str | None) -> str | None:
    """Return what ends an item; None where blanks do, and quotes are taken off."""
    if "E" in said or "s" in said:
        raise UnknownXargs("where its input or a command ends")
    if "d" in said:
        end = _ESCAPED.get(said["d"], said["d"])
        if len(end) != 1:
            raise UnknownXargs(f"`-d {said['d']}`")
        return end
    return None if mark is None else "\n"


def _items(text: str) -> Iterator[str]:
    _refuse_quotes(text)
    yield from text.split()


def _refuse_quotes(text: str) -> None:
    if set(text) & set("'\"\\"):
        raise UnknownXargs("quotes in its input")
