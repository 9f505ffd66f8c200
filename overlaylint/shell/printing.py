"""What `printf` and `echo -e` print, and how bash quotes text (bash manual 4.2, 3.5.3).

Widths and precisions count bytes, as in C, so formatting works on text that has one character
for each byte.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from overlaylint.records import dataclass
from overlaylint.shell.patterns import to_bytes
from overlaylint.shell.undecidable import TooExpensive, Undecidable

__all__ = [
    "PrintingProblem",
    "TooExpensive",
    "Undecidable",
    "format_printf",
    "interpret_escapes",
    "quote",
    "quote_word",
]

_WIDEST = 100_000
_LONGEST = 4_000_000

_LARGEST_SIGNED: Final = (1 << 63) - 1
_SMALLEST_SIGNED: Final = -(1 << 63)
_LARGEST_UNSIGNED: Final = (1 << 64) - 1
_LARGEST_INT: Final = (1 << 31) - 1


class PrintingProblem(Exception):
    """`printf` would fail, with `message`; it prints (or assigns) `output` all the same."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.message = message
        self.output = output


# --- escapes ---------------------------------------------------------------------------------

_SIMPLE: Final = {
    "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
    "v": "\v", "\\": "\\",
}  # fmt: skip
_NUMBERS: Final = r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})"
_IN_ECHO: Final = re.compile(rf"\\(?:([abeEfnrtv\\])|0([0-7]{{0,3}})|{_NUMBERS}|(c))")
_IN_ARGUMENT: Final = re.compile(rf"\\(?:([abeEfnrtv\\])|(0?[0-7]{{1,3}}|0)|{_NUMBERS}|(c))")
_IN_FORMAT: Final = re.compile(rf"\\(?:([abeEfnrtv\\'\"?])|([0-7]{{1,3}})|{_NUMBERS})")


def interpret_escapes(text: str, *, for_printf: bool = False) -> tuple[str, bool]:
    r"""Return what `echo -e` makes of `text`, and whether `\c` ended it.

    With `for_printf`, the same for `%b`, which knows `\1` beside `\01`. Raises `Undecidable` for
    a NUL, and for `\u` outside ASCII, which depends on the locale.
    """
    if "\\" not in text:
        return text, False
    result, stops = _escapes(to_bytes(text), _IN_ARGUMENT if for_printf else _IN_ECHO)
    return _from_bytes(result), stops


def _from_bytes(text: str) -> str:
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "surrogateescape")


def _escapes(text: str, escape: re.Pattern[str]) -> tuple[str, bool]:
    pieces: list[str] = []
    position = 0
    for match in escape.finditer(text):
        # a backslash that starts no escape is text, and what follows it may be one
        pieces.append(text[position : match.start()])
        if escape is not _IN_FORMAT and match.group(6):
            return "".join(pieces), True
        pieces.append(_escaped(match))
        position = match.end()
    return "".join(pieces) + text[position:], False


def _escaped(match: re.Match[str]) -> str:
    """Return what one escape stands for."""
    simple, octal, hexadecimal, short, long = match.groups()[:5]
    if simple:
        return _SIMPLE.get(simple, simple)
    if octal is not None:
        code = int(octal or "0", 8) & 0xFF
    elif hexadecimal:
        code = int(hexadecimal, 16)
    else:
        code = int(short or long, 16)
        if code > 0x7F:
            raise Undecidable("a Unicode escape, which depends on the locale")
    if not code:
        raise Undecidable("a NUL in what is printed")
    return chr(code)


# --- quoting ---------------------------------------------------------------------------------

_UNPRINTABLE = re.compile(r"[\x01-\x1f\x7f]")
_ANSI_NAMES: Final = {
    "\x1b": "E", "\a": "a", "\v": "v", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t",
    "\\": "\\", "'": "'",
}  # fmt: skip
_META = re.compile(r"[ !\"$&'()*,;<>?\[\\\]^`{|}]|\A#|(?:\A|(?<=[:=]))~")


def quote(text: str) -> str:
    """Return `${x@Q}` for a variable with this value: in single quotes, mostly."""
    if not text:
        return "''"
    _check_printable(text)
    if _UNPRINTABLE.search(text):
        return _ansi_quoted(text)
    if text == "'":
        return "\\'"
    return "'" + text.replace("'", "'\\''") + "'"


def quote_word(text: str) -> str:
    """Return what `printf %q` prints: with backslashes, and only where they are needed."""
    if not text:
        return "''"
    _check_printable(text)
    if _UNPRINTABLE.search(text):
        return _ansi_quoted(text)
    return _META.sub(r"\\\g<0>", text)


def _check_printable(text: str) -> None:
    if not text.isascii():
        raise Undecidable("quoting of characters outside ASCII, which depends on the locale")


def _ansi_quoted(text: str) -> str:
    def escape(match: re.Match[str]) -> str:
        character = match.group()
        name = _ANSI_NAMES.get(character)
        return "\\" + (name or f"{ord(character):03o}")

    return "$'" + re.sub(r"[\x01-\x1f\x7f\\']", escape, text) + "'"


# --- printf ----------------------------------------------------------------------------------

_TEXT = re.compile(r"[^\\%]++")
_CONVERSION = re.compile(
    r"%(?P<flags>[#'\-+ 0]*)(?P<width>\*|[0-9]*)(?P<precision>\.(?:\*|-?[0-9]*))?"
    r"[hjlLtz]*(?P<kind>.?)",
    re.DOTALL,
)
_NUMBER = re.compile(r"[ \t-\r]*([+-]?)(?:0[xX]([0-9A-Fa-f]+)|(0[0-7]*)|([1-9][0-9]*))")


@dataclass(frozen=True, slots=True)
class _Conversion:
    """One `%...`: `width` and `precision` are None if they aren't given."""

    flags: str
    width: int | None
    precision: int | None
    kind: str

    def padded(self, text: str) -> str:
        """Return text in a field of the wanted width."""
        width = self.width or 0
        return text.ljust(width) if "-" in self.flags else text.rjust(width)

    def string(self, text: str) -> str:
        """Return text cut and padded."""
        return self.padded(text if self.precision is None else text[: self.precision])

    def number(self, value: int) -> str:
        """Return a number as C would."""
        kind, flags, precision = self.kind, self.flags, self.precision
        sign = ""
        if kind in "di":
            sign = "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""
            digits = str(abs(value))
        else:
            digits = format(value, {"u": "d"}.get(kind, kind))
        if precision is not None:
            digits = "" if not value and not precision else digits.rjust(precision, "0")
        if "#" in flags:
            if kind == "o" and not digits.startswith("0"):
                digits = "0" + digits
            elif kind in "xX" and value:
                sign = "0" + kind
        if "0" in flags and "-" not in flags and precision is None:
            digits = digits.rjust((self.width or 0) - len(sign), "0")
        return self.padded(sign + digits)


class _Printf:
    """One call of `printf`."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.arguments = arguments
        self.next = 0
        self.output: list[str] = []
        self.length = 0
        self.problem = ""

    def write(self, text: str) -> None:
        """Print some text."""
        self.length += len(text)
        if self.length > _LONGEST:
            raise TooExpensive("very long output of printf")
        self.output.append(text)

    def fail(self, message: str) -> PrintingProblem:
        """Return the exception that ends the call."""
        return PrintingProblem(message, _from_bytes("".join(self.output)))

    def text(self) -> str:
        """Return the next argument, or nothing."""
        if self.next >= len(self.arguments):
            return ""
        self.next += 1
        return to_bytes(self.arguments[self.next - 1])

    def number(self, smallest: int, largest: int) -> int:
        """Return the next argument as a number, or 0."""
        if self.next >= len(self.arguments):
            return 0
        text = self.arguments[self.next]
        self.next += 1
        if text[:1] in ("'", '"') and text:
            character = text[1:2]
            if not character.isascii():
                raise Undecidable("the code of a character outside ASCII")
            return ord(character) if character else 0
        match = _NUMBER.match(text)
        if (match is None and text) or (match and match.end() < len(text)):
            self.problem = "invalid number"
        if not match:
            return 0
        sign, hexadecimal, octal, decimal = match.groups()
        if max(map(len, (hexadecimal or "", octal or "", decimal or ""))) > 400:
            raise TooExpensive("a very long number for printf")
        value = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal)
        if not smallest and sign == "-" and value <= largest:
            # an unsigned number wraps around
            return -value & _LARGEST_UNSIGNED
        if not smallest:
            return min(value, largest)
        return max(smallest, min(-value if sign == "-" else value, largest))

    def size(self) -> int:
        """Return the next argument as a width or precision."""
        value = self.number(_SMALLEST_SIGNED, _LARGEST_SIGNED)
        if abs(value) > _LARGEST_INT:
            raise TooExpensive("a very wide field in a format")
        return value

    def run(self, form: str) -> None:
        """Go through the format once. Raises `PrintingProblem`."""
        position = 0
        while position < len(form):
            match = _TEXT.match(form, position)
            if match:
                self.write(match.group())
            elif form[position] == "\\":
                match = _IN_FORMAT.match(form, position)
                if not match:
                    self.write("\\")
                    position += 1
                    continue
                self.write(_escaped(match))
            elif form.startswith("%%", position):
                self.write("%")
                position += 2
                continue
            else:
                match = _CONVERSION.match(form, position)
                assert match
                if self.convert(match):
                    raise _Stop
            position = match.end()

    def convert(self, match: re.Match[str]) -> bool:
        r"""Print one conversion; return whether `\c` ends the whole."""
        flags = match["flags"]
        width = precision = None
        if match["width"] == "*":
            width = self.size()
            if width < 0:
                width, flags = -width, flags + "-"
        elif match["width"]:
            width = _size(match["width"])
        written = match["precision"]
        if written == ".*":
            precision = self.size()
            if precision < 0:
                precision = None
        elif written is not None:
            if written.startswith(".-"):
                raise Undecidable("a negative precision in a format")
            precision = _size(written[1:] or "0")
        kind = match["kind"]
        if not kind:
            raise self.fail("missing format character")
        if max(width or 0, precision or 0) > _WIDEST:
            raise TooExpensive("a very wide field in a format")
        conversion = _Conversion(flags, width, precision, kind)
        if kind == "s":
            self.write(conversion.string(self.text()))
        elif kind in "di":
            self.write(conversion.number(self.number(_SMALLEST_SIGNED, _LARGEST_SIGNED)))
        elif kind in "ouxX":
            self.write(conversion.number(self.number(0, _LARGEST_UNSIGNED)))
        elif kind == "c":
            text = self.text()
            if not text:
                raise Undecidable("a NUL in what is printed")
            self.write(conversion.padded(text[0]))
        elif kind == "b":
            text, stops = _escapes(self.text(), _IN_ARGUMENT)
            self.write(conversion.string(text))
            return stops
        elif kind == "q" or (kind == "Q" and written is None):
            self.write(conversion.string(quote_word(_from_bytes(self.text()))))
        elif kind in "(nQeEfFgGaA":
            raise Undecidable(f"printf with %{kind if kind != '(' else '(...)T'}")
        else:
            raise self.fail("invalid format character")
        return False


def _size(text: str) -> int:
    """Return a width or precision that a format gives."""
    return int(text) if len(text) < 10 else _LARGEST_INT


class _Stop(Exception):
    r"""A `\c` was printed."""


def format_printf(format: str, arguments: Sequence[str]) -> str:  # noqa: A002 - printf's own word
    """Return what `printf format arguments` prints.

    The format is used again while arguments remain. Raises `PrintingProblem` where printf would
    fail, and `Undecidable` for times, floating point numbers and whatever depends on the locale.
    """
    if format == "%s" and len(arguments) == 1:
        return arguments[0]
    call = _Printf(arguments)
    form = to_bytes(format)
    try:
        call.run(form)
        before = 0
        while before < call.next < len(arguments):
            before = call.next
            call.run(form)
    except _Stop:
        call.problem = ""
    if call.problem:
        raise call.fail(call.problem)
    return _from_bytes("".join(call.output))
