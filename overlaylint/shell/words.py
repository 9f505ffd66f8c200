"""From a word to its parts: quotes, escapes and expansions (bash manual 3.1.2, 3.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from overlaylint.shell.parser import (
    ANSI,
    ARITHMETIC,
    BACKQUOTED,
    BRACED,
    QUOTED_INSIDE,
    SUBSCRIPT,
    ParseError,
    Parser,
    Unsure,
    parse_source,
)
from overlaylint.shell.syntax import (
    ArithmeticExpansion,
    CommandSubstitution,
    Context,
    DoubleQuoted,
    Parameter,
    Part,
    Piece,
    ProcessSubstitution,
    Quoted,
    Refused,
    Source,
    Text,
    Tilde,
    Word,
    decode,
)

if TYPE_CHECKING:
    from overlaylint.shell.values import Unknown

_UNQUOTED_RUN = re.compile(r"[^'\"`$\\<>]++")
_QUOTED_RUN = re.compile(r"[^\"`$\\]++")
_SIMPLE_PARAMETER = re.compile(
    r"\$(?:([A-Za-z_][A-Za-z0-9_]*+|[0-9@*#?$!\-])(?!\\\n)"
    r"|\{([A-Za-z_][A-Za-z0-9_]*+|[0-9@*#?$!\-])\})"
)
# a parameter's name, or the start of `${...}`, that continued lines may split
_SPLIT_PARAMETER = re.compile(
    r"\$(?:(?>(?:[A-Za-z_0-9]|\\\n(?=(?>(?:\\\n)*)[A-Za-z_0-9]))*)"
    r"|\{(?>(?:[^'\"`$\\}\[/ \t\n]|\\\n)*))"
)
_TILDE = re.compile(r"~[A-Za-z0-9._+-]*(?=[/:]|\Z)")
_ASSIGNS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+\+?=")
_BRACED_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*+)|[0-9]++|[@*#?$!\-]")
_INDIRECT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+|[0-9]++|[#?@*]")
_ENDS_IN_NAME = re.compile(r'\$\w+"*+\Z')
_PROCESS = re.compile(r"[<>]\(")
_OPERATES = re.compile(r"[#%^,~:\-=?+/]")
# What an unbraced name goes on with in an operand between double quotes, and in quotes in there.
_NAME_OUTSIDE = re.compile(r'[A-Za-z0-9_]+|"+(?=[\\A-Za-z0-9_])')
_NAME_INSIDE = re.compile(r'[A-Za-z0-9_]+|\\(?=[A-Za-z0-9_])|"+(?=[\\A-Za-z0-9_])')
_AFTER_NAME = re.compile(r"[#%^,~:\-=?+/@]")  # with one of these the name in `${!name*}` ends
_OPERATOR = re.compile(r":[-=?+]|[-=?+]|##?|%%?|/[/#%]?|\^\^?|,,?|~~?|:(?!\})|@")
_TRANSFORMATIONS = frozenset("aAEKkLPQuU")
# of these parameters bash changes no case, and after `#` these operators are none
_UNCHANGEABLE = frozenset("?#-")
_AFTER_COUNT = frozenset("%/=+")
_NAMED = re.compile(r"(\$\{\w+\})")
_QUOTE = re.compile(r"['\"\\]")
_QUOTED_CONTEXTS = frozenset(
    {
        Context.QUOTED_OPERAND,
        Context.UNQUOTED_OPERAND,
        Context.HERE_DOCUMENT,
        Context.ARITHMETIC,
        Context.QUOTED_REPLACEMENT,
    }
)
# where `~` at the start is somebody's home directory
_TILDE_CONTEXTS = frozenset(
    {Context.COMMAND, Context.ASSIGNED, Context.WORD_OPERAND, Context.REGULAR_EXPRESSION}
)
# in these, quotes that are opened again are taken away
_OPERANDS = frozenset({Context.QUOTED_OPERAND, Context.UNQUOTED_OPERAND})
# what a backslash protects between double quotes, and in a here-document
_PROTECTED = {
    Context.QUOTED_OPERAND: '$`"\\}',
    Context.UNQUOTED_OPERAND: '$`"\\}',
    Context.HERE_DOCUMENT: "$`\\",
    Context.ARITHMETIC: '$`"\\',
    Context.QUOTED_REPLACEMENT: '$`"\\',
}


def parse_parts(word: Word) -> tuple[Part, ...]:
    """Return the parts of a word. Nothing is raised.

    What bash finds wrong only when it expands the word (an open quote in a here-document, say) is
    a bad substitution that reaches to the end of the word.
    """
    pieces = word.source.pieces
    if word.context is Context.PLAIN:
        text = word.source.text[word.start : word.end]
        parts: list[Part] = [Quoted(decode(text))] if text else []
        return tuple(parts if pieces is None else _with_pieces(parts, pieces))
    parts = []
    reader = _Reader(word.source, word.start, word.end)
    reader.takes_ansi = word.context is Context.QUOTED_OPERAND
    try:
        if word.context in _QUOTED_CONTEXTS:
            reader.quoted_into(parts, word.context)
        else:
            reader.word_into(parts, word.context)
    except Unsure as error:
        parts.append(Refused(error.message))
    except ParseError:
        parts.append(Parameter(reader.position, word.end, "", is_bad=True))
    return tuple(parts if pieces is None else _with_pieces(parts, pieces))


def _with_pieces(parts: Iterable[Part], pieces: Mapping[str, Unknown]) -> Iterator[Part]:
    """Put what is unknown of a text where a parameter stands for it (see `Source.pieces`)."""
    for part in parts:
        if isinstance(part, Parameter) and part.name in pieces:
            yield Piece(pieces[part.name])
        elif isinstance(part, DoubleQuoted):
            yield DoubleQuoted(tuple(_with_pieces(part.parts, pieces)))
        elif isinstance(part, Quoted) and "${" in part.text:
            # it was between single quotes, where a parameter is text
            texts = filter(None, _NAMED.split(part.text))
            found = ((text, pieces.get(text[2:-1])) for text in texts)
            yield DoubleQuoted(tuple(Piece(it) if it else Quoted(text) for text, it in found))
        else:
            yield part


def _is_refused(parts: tuple[Part, ...]) -> bool:
    """Tell whether a part is not read as bash does (see `ansi_operand`)."""
    return any(
        _is_refused(part.parts) if isinstance(part, DoubleQuoted) else isinstance(part, Refused)
        for part in parts
    )


# an operand with `$'...'` of which bash makes something else
_ODD_ANSI = Refused(
    "`$'...'` in an operand between quotes, beside what bash takes for more than text"
)


class _Reader:
    """Reads the parts of the text of `source` from `start` to `end`."""

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.text = source.text
        self.start = self.position = start
        self.end = end
        self.takes_ansi = False  # whether `$'...'` in an operand is a quote

    def scanner(self) -> Parser:
        """Return a parser that stands where this reader does."""
        return Parser(self.source, self.position, self.end)

    def word_into(self, parts: list[Part], context: Context) -> None:
        """Read a whole word that is not between quotes."""
        text, start = self.text, self.position
        # where an assignment's value starts: `~` means a home directory there, and after a colon
        assigned = start if context is Context.ASSIGNED else -1
        if context in _TILDE_CONTEXTS and start < self.end:
            if text[start] == "~":
                self.tilde_into(parts)
            elif context is Context.COMMAND:
                match = _ASSIGNS.match(text, start, self.end)
                if match:
                    assigned = match.end()
        self.unquoted_into(parts, context, assigned)

    def tilde_into(self, parts: list[Part]) -> None:
        """Read the `~` that stands here, if it is somebody's home directory."""
        match = _TILDE.match(self.text, self.position, self.end)
        if match:
            parts.append(Tilde(match.group()))
            self.position = match.end()

    def unquoted_into(self, parts: list[Part], context: Context, assigned: int) -> None:
        """Read unquoted text to the end."""
        end = self.end
        while self.position < end:
            text = self.text
            match = _UNQUOTED_RUN.match(text, self.position, end)
            if match:
                run = match.group()
                if assigned >= 0 and "~" in run:
                    self.assigned_into(parts, match.end(), assigned)
                else:
                    parts.append(Text(decode(run)))
                    self.position = match.end()
                continue
            character = text[self.position]
            if character == "$":
                self.dollar(parts, is_quoted=False)
            elif character == '"':
                self.double_quoted(parts)
            elif character == "'":
                close = text.find("'", self.position + 1, end)
                if close < 0:
                    raise ParseError(self.position, end, "`'` is never closed by `'`")
                parts.append(Quoted(decode(text[self.position + 1 : close])))
                self.position = close + 1
            elif character == "\\":
                self.escaped_into(parts)
            elif character == "`":
                self.backquoted(parts, is_quoted=False)
            elif text.startswith("(", self.position + 1) and context is not Context.OPERAND:
                start = self.position
                found = self.scanner().late_substitution(2)
                self.position = found.end
                parts.append(
                    ProcessSubstitution(self.source, start, found.end, character, found.body)
                )
            else:
                parts.append(Text(character))
                self.position += 1

    def assigned_into(self, parts: list[Part], stop: int, assigned: int) -> None:
        """Read unquoted text up to `stop`, with home directories where an assignment has them."""
        text, start = self.text, self.position
        while self.position < stop:
            tilde = text.find("~", self.position, stop)
            self.position = stop if tilde < 0 else tilde
            if tilde >= 0 and tilde != assigned and (tilde == start or text[tilde - 1] != ":"):
                self.position = tilde + 1
                continue
            if self.position > start:
                parts.append(Text(decode(text[start : self.position])))
            start = self.position
            if tilde >= 0:
                self.tilde_into(parts)
                if self.position == tilde:
                    self.position += 1
                else:
                    start = self.position
        if stop > start:
            parts.append(Text(decode(text[start:stop])))

    def escaped_into(self, parts: list[Part]) -> None:
        """Read a backslash and the character that it protects, all bytes of it."""
        text, start, end = self.text, self.position + 1, self.end
        if start >= end:
            parts.append(Quoted("\\"))
            self.position = end
            return
        stop = start + 1
        while text[start] >= "\x80" and stop < end and "\x80" <= text[stop] < "\xc0":
            stop += 1
        if text[start] != "\n":
            parts.append(Quoted(decode(text[start:stop])))
        self.position = stop

    def quoted_into(self, parts: list[Part], context: Context) -> None:
        """Read text in which only `$`, backquotes and some backslashes mean something."""
        end = self.end
        protected = _PROTECTED[context]
        is_inner = False  # whether quotes were opened within `"${x:-...}"`
        while self.position < end:
            text = self.text
            match = _QUOTED_RUN.match(text, self.position, end)
            if match:
                parts.append(Quoted(decode(match.group())))
                self.position = match.end()
                continue
            character = text[self.position]
            if character == "$":
                if context in _OPERANDS:
                    written = self.split_name(is_inner=is_inner)
                    if written is not None:
                        name = written.replace('"', "").replace("\\", "")
                        stop = self.position + 1 + len(written)
                        parts.append(Parameter(self.position, stop, name))
                        is_inner ^= written.count('"') % 2 == 1
                        self.position = stop
                        continue
                if context is Context.QUOTED_OPERAND and not is_inner:
                    # `$'...'` and `$"..."` are quotes there (`shopt extquote`)
                    ansi = ANSI.match(text, self.position, end)
                    if ansi:
                        self.ansi_operand(parts, ansi)
                        continue
                    if text.startswith('"', self.position + 1):
                        self.position += 1
                        continue
                self.dollar(parts, is_quoted=context is not Context.QUOTED_REPLACEMENT)
            elif character == "`":
                self.backquoted(parts, is_quoted=True)
            elif character == '"':
                if context in (Context.HERE_DOCUMENT, Context.QUOTED_REPLACEMENT):
                    parts.append(Quoted('"'))
                is_inner = not is_inner and context in _OPERANDS
                self.position += 1
            else:
                escaped = text[self.position + 1] if self.position + 1 < end else ""
                if escaped == "\n":
                    self.position += 2
                elif escaped and (escaped in protected or is_inner):
                    parts.append(Quoted(escaped))
                    self.position += 2
                else:
                    parts.append(Quoted("\\"))
                    self.position += 1

    def split_name(self, *, is_inner: bool) -> str | None:
        """Return a name with quotes or backslashes in it, as it is written; None for another.

        Bash takes them away before it looks for the name's end.
        """
        start = position = self.position + 1
        known = start
        while position < self.end:
            match = (_NAME_INSIDE if is_inner else _NAME_OUTSIDE).match(
                self.text, position, self.end
            )
            if match is None:
                break
            text, position = match.group(), match.end()
            if text[0] == '"':
                is_inner ^= len(text) % 2 == 1
            elif text != "\\":
                known = position
        written = self.text[start:known]
        name = written.replace('"', "").replace("\\", "")
        if name == written or name[:1].isdigit() or written.startswith('"'):
            return None
        return written

    def ansi_operand(self, parts: list[Part], match: re.Match[str]) -> None:
        """Read `$'...'` in an operand between double quotes: bash reads its text once more."""
        self.position = match.end()
        text = decode_ansi(match.group()[2:-1])
        # an unbraced name before it would go on in it
        is_name = _ENDS_IN_NAME.search(self.text, self.start, match.start())
        if _PROCESS.search(self.text, self.start, self.end):
            # it looks for the end of a process substitution, in quotes as well
            parts.append(_ODD_ANSI)
            return
        if not re.search(r"""[$`'"\\}]""", text) and not (is_name and re.match(r"\w", text)):
            parts.append(Quoted(text))
            return
        parts.append(_ODD_ANSI)

    def braced_into(self, parts: list[Part], start: int, end: int, *, is_quoted: bool) -> None:
        """Read `${...}`, which stands from `start` to `end`."""
        part = self.parameter(start, end, is_quoted=is_quoted)
        if part.first is not None and self.text.find("$'", start, end) > 0:
            # bash takes what is in the subscript for an operator, and reads the quotes after it in
            # another way; an error it finds even where it does not look at the operand
            subscript = part.subscript if is_quoted else None
            if (subscript and _OPERATES.search(subscript.raw)) or _is_refused(part.first.parts):
                parts.append(_ODD_ANSI)
                return
        parts.append(part)

    def double_quoted(self, parts: list[Part]) -> None:
        """Read `"..."`."""
        match = QUOTED_INSIDE.match(self.text, self.position + 1, self.end)
        assert match
        end = match.end() + 1
        if end > self.end or self.text[end - 1] != '"':
            scanner = self.scanner()
            scanner.double_quoted()
            end = scanner.position
        inside: list[Part] = []
        reader = _Reader(self.source, self.position + 1, end - 1)
        reader.takes_ansi = True
        reader.quoted_into(inside, Context.ARITHMETIC)
        self.text = self.source.text
        parts.append(DoubleQuoted(tuple(inside)))
        self.position = end

    def backquoted(self, parts: list[Part], *, is_quoted: bool) -> None:
        """Read an old-style command substitution: a backslash in it protects $, ` and itself."""
        match = BACKQUOTED.match(self.text, self.position, self.end)
        if not match:
            raise ParseError(self.position, self.end, "`` ` `` is never closed")
        start, self.position = self.position, match.end()
        inside = match.group()[1:-1]
        if "\\" in inside:
            protected = '$`\\"' if is_quoted else "$`\\"
            inside = re.sub(rf"\\([{re.escape(protected)}])", r"\1", inside)
        source = Source(
            inside, self.source.name, self.source, (start, match.end()), pieces=self.source.pieces
        )
        parts.append(CommandSubstitution(source, start, match.end(), parse_source(source).body))

    def dollar(self, parts: list[Part], *, is_quoted: bool) -> None:
        """Read what a dollar sign starts."""
        match = _SIMPLE_PARAMETER.match(self.text, self.position, self.end)
        if match:
            parts.append(Parameter(self.position, match.end(), match.group(1) or match.group(2)))
            self.position = match.end()
            return
        match = (
            None if self.source.is_continued else BRACED.match(self.text, self.position, self.end)
        )
        if match:
            start, self.position = self.position, match.end()
            self.braced_into(parts, start, self.position, is_quoted=is_quoted)
            return
        scanner = self.scanner()
        if scanner.is_continued:
            self.join(scanner)
            match = _SIMPLE_PARAMETER.match(self.text, self.position, self.end)
            if match:
                name = match.group(1) or match.group(2)
                parts.append(Parameter(self.position, match.end(), name))
                self.position = match.end()
                return
        text, start = self.text, self.position
        following = text[start + 1] if start + 1 < self.end else ""
        if following == '"' and not is_quoted:
            self.position += 1
            self.double_quoted(parts)
            return
        if following not in ("(", "{", "[") and (following != "'" or is_quoted):
            parts.append(Quoted("$") if is_quoted else Text("$"))
            self.position += 1
            return
        scanner.dollar(is_quoted=is_quoted)
        self.text = self.source.text
        self.position = end = scanner.position
        if following == "'":
            parts.append(Quoted(decode_ansi(text[start + 2 : end - 1])))
        elif following == "[":
            inside = Word(self.source, start + 2, end - 1, Context.ARITHMETIC)
            parts.append(ArithmeticExpansion(start, end, inside))
        elif following == "{":
            self.braced_into(parts, start, end, is_quoted=is_quoted)
        elif self.is_arithmetic(start, end):
            inside = Word(self.source, start + 3, end - 2, Context.ARITHMETIC)
            parts.append(ArithmeticExpansion(start, end, inside))
        else:
            scanner.position = start
            body = scanner.late_substitution(2).body
            parts.append(CommandSubstitution(self.source, start, end, body))

    def join(self, scanner: Parser) -> None:
        """Put together what starts here and continued lines split."""
        scanner.join_dollar()
        match = _SPLIT_PARAMETER.match(scanner.text, scanner.position, scanner.end)
        if match and "\\\n" in match.group():
            scanner.join(scanner.position, match.end())
        self.text, self.position = scanner.text, scanner.position

    def is_arithmetic(self, start: int, end: int) -> bool:
        """Tell whether `$(` at `start`, whose `)` is before `end`, is `$((expression))`."""
        if not self.text.startswith("$((", start):
            return False
        scanner = Parser(self.source, start + 2, end - 1)
        scanner.pair(ARITHMETIC)
        return scanner.position == end - 1

    def parameter(self, start: int, end: int, *, is_quoted: bool) -> Parameter:
        """Read `${...}`, which stands from `start` to `end`."""
        source, text = self.source, self.text
        position, last = start + 2, end - 1
        bad = Parameter(start, end, "", is_bad=True)
        prefix = self.prefix(position, last)
        match = _BRACED_NAME.match(text, position + len(prefix), last)
        if not match:
            return bad
        name, position = match.group(), match.end()
        subscript: Word | None = None
        if match.group(1) and position < last and text[position] == "[":
            scanner = Parser(source, position, last)
            scanner.pair(SUBSCRIPT)
            subscript = Word(source, position + 1, scanner.position - 1, Context.OPERAND)
            position = scanner.position
            if subscript.start == subscript.end:
                return bad
        if position == last:
            return Parameter(start, end, name, prefix, subscript)
        if (
            prefix == "!"
            and text[last - 1] in "*@"
            and not _AFTER_NAME.search(text, position, last - 1)
        ):
            if match.group(1):
                # with more before the last character than a name, it is the start of no name at all
                return Parameter(
                    start, end, text[start + 3 : last - 1], "!names", None, text[last - 1]
                )
            if name.isdigit():
                return bad
        match = _OPERATOR.match(text, position, end)
        if not match or prefix == "#":
            return bad
        operator, position = match.group(), match.end()
        if operator == "@":
            letter = text[position:last]
            known = "@" + letter if letter in _TRANSFORMATIONS else "@"
            return Parameter(start, end, name, prefix, subscript, known)
        if name in _UNCHANGEABLE and operator[0] in "^,~":
            return bad
        if name == "#" and not prefix and operator in _AFTER_COUNT and position == last:
            return bad
        second = old = None
        if operator == ":":
            split = self.delimiter(position, last, ":")
            first = Word(source, position, split, Context.ARITHMETIC)
            if split < last:
                second = Word(source, split + 1, last, Context.ARITHMETIC)
        elif operator[0] == "/":
            # a slash behind `//` is the pattern's first character
            skipped = operator == "//" and position < last and text[position] == "/"
            split = self.delimiter(position + skipped, last, "/")
            first = Word(source, position, split, Context.WORD_OPERAND)
            if split < last:
                second = Word(source, split + 1, last, Context.WORD_OPERAND)
                if is_quoted and _QUOTE.search(text, split + 1, last):
                    old = Word(source, split + 1, last, Context.QUOTED_REPLACEMENT)
        else:
            is_word = not is_quoted or operator[0] in "#%^,~"
            quoted = Context.QUOTED_OPERAND if self.takes_ansi else Context.UNQUOTED_OPERAND
            context = Context.WORD_OPERAND if is_word else quoted
            first = Word(source, position, last, context)
        return Parameter(
            start, end, name, prefix, subscript, operator, first, second, old_second=old
        )

    def prefix(self, position: int, last: int) -> str:
        """Return `!` or `#` if it stands here before a name, and is not the name itself."""
        character = self.text[position]
        if position + 1 >= last:
            return ""
        if character == "!" and _INDIRECT_NAME.match(self.text, position + 1, last):
            return "!"
        if character == "#" and _BRACED_NAME.match(self.text, position + 1, last):
            # of these, all but the length of the parameter is an operator
            is_operator = self.text[position + 1] in "-?#@"
            return "" if is_operator and position + 2 < last else "#"
        return ""

    def delimiter(self, start: int, end: int, delimiter: str) -> int:
        """Return where `delimiter` first stands unquoted, or `end`; a colon is of arithmetic."""
        scanner = Parser(self.source, start, end)
        return scanner.find(delimiter, is_arithmetic=delimiter == ":")


_ANSI_ESCAPES = {
    "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r",
    "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip
_ANSI_ESCAPE = re.compile(
    r"\\(?:([abeEfnrtv\\'\"?])|([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|c(.))",
    re.DOTALL,
)


def decode_ansi(text: str) -> str:
    """Return what `$'text'` stands for (3.1.2.4); `text` is as in a source."""

    def replace(match: re.Match[str]) -> str:
        simple, octal, hexadecimal, short, long, control = match.groups()
        if simple:
            return _ANSI_ESCAPES[simple]
        if octal:
            return chr(int(octal, 8) & 0xFF)
        if hexadecimal:
            return chr(int(hexadecimal, 16))
        if short or long:
            code = int(short or long, 16)
            if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                return match.group()
            return chr(code).encode("utf-8").decode("latin-1")
        return chr(ord(control.upper()) ^ 0x40 if control != "?" else 0x7F)

    # a NUL ends the string, as in C
    return decode(_ANSI_ESCAPE.sub(replace, text).partition("\0")[0])
