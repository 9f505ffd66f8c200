"""Text from a checked overlay, made safe to show.

Ebuilds and file names may hold anything: escape sequences that rewrite a terminal, letters
that reverse the text after them, line feeds that start a line of their own.
"""

from __future__ import annotations

from functools import lru_cache

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    r"""Return text of one line in which nothing controls how it is shown.

    Control, format and private characters are written as `\x1b`, `\u202e` and so on, and so
    are bytes that are no UTF-8 (`\xff`).
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(visible_character, text))


@lru_cache(maxsize=4096)
def visible_character(character: str) -> str:
    """Return what stands for one character; itself if it is harmless."""
    # isprintable is false for the categories Cc, Cf, Cn, Co, Cs, Zl, Zp and blanks but " ".
    if character.isprintable():
        return character
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def without_commands(text: str) -> str:
    """Return a line in which a GitHub runner finds no command.

    The runner takes `##[` anywhere in a line for one of its older commands. `::` counts at
    the start of a line only, where our lines have text of their own.
    """
    return text.replace("##[", "#\\x23[")


def plain(text: str) -> str:
    r"""Return text that every JSON parser takes: bytes that are no UTF-8 become `\xff`."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
