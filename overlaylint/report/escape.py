"""Text from a checked overlay, made safe to show.

Ebuilds and file names may hold anything: escape sequences that rewrite a terminal, letters
that reverse the text after them, line feeds that start a line of their own.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SURROGATE = re.compile("[\ud800-\udfff]")
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
    # Half of a UTF-16 pair, which bash can name though UTF-8 can't, becomes `\ud800`.
    return _SURROGATE.sub(lambda match: visible_character(match[0]), text)


def is_exact(text: str) -> bool:
    """Whether a host can be given text to put into a file just as it is."""
    return all(one.isprintable() or one in "\n\t" for one in text)


def shortened(text: str, longest: int) -> str:
    """Return text of at most `longest` characters; `...` says that there was more."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
