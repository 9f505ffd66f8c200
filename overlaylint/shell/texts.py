"""Text that a script makes and has a shell read: `eval "${text}"`, `bash -c "${text}"`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from overlaylint.shell.parser import parse_source
from overlaylint.shell.syntax import Script, Source, encode
from overlaylint.shell.values import Unknown, Value, pieces_of

if TYPE_CHECKING:
    from overlaylint.shell.calls import Invocation
    from overlaylint.shell.interpreter import Interpreter

# What can't be followed by a piece that is unknown: a backslash, which takes the piece's first
# character, and where it would be part of a name or of a here-document's delimiter.
_BOUND = re.compile(r"\\\Z|\$(?:\{[!#]?\w*)?\Z|(?<!<)<<(?!<)-?[ \t]*\S*\Z")


def source_of(text: Value, name: str, parent: Source, start: int, end: int) -> Source | None:
    """Return the source of a text that a command of `parent`, from `start` to `end`, has read.

    What is unknown in it is taken for words, or parts of words, without quotes or operators. The
    parser meets a parameter in its place, of a name that is nowhere in the text. None where that
    can't be.
    """
    parts = pieces_of(text)
    prefix = "piece"
    while any(isinstance(part, str) and prefix in part for part in parts):
        prefix += "_"
    written: list[str] = []
    pieces: dict[str, Unknown] = {}
    for part in parts:
        if isinstance(part, str):
            written.append(part)
            continue
        if written and _BOUND.search(written[-1]):
            return None
        parameter = f"{prefix}{len(pieces)}"
        pieces[parameter] = part
        written.append(f"${{{parameter}}}")
    return Source(encode("".join(written)), name, parent, (start, end), pieces=pieces or None)


def script_of(shell: Interpreter, invocation: Invocation, text: Value, name: str) -> Script | None:
    """Parse a text that a command has read; None where `source_of` makes no source of it."""
    source = source_of(text, name, invocation.source, invocation.start, invocation.end)
    if source is None:
        return None
    shell.spend(2 * len(source.text) + 20)  # parsing takes longer than running
    return parse_source(source)
