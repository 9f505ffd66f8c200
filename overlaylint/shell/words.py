"""From a word to its parts: quotes, escapes and expansions (bash manual 3.1.2, 3.5)."""

from __future__ import annotations

import re

from overlaylint.shell.parser import ANSI, BACKQUOTED, Parser, parse_source
from overlaylint.shell.syntax import (
    ArithmeticExpansion,
    CommandSubstitution,
    Context,
    DoubleQuoted,
    List,
    Parameter,
    Part,
    ProcessSubstitution,
    Quoted,
    Source,
    Text,
    Tilde,
    Word,
    decode,
)

_UNQUOTED_RUN = re.compile(r"[^'\"`$\\<>]++")
_QUOTED_RUN = re.compile(r"[^\"`$\\]++")
_SIMPLE_PARAMETER = re.compile(
    r"\$(?:([A-Za-z_][A-Za-z0-9_]*+|[0-9@*#?$!\-])|\{([A-Za-z_][A-Za-z0-9_]*+|[0-9@*#?$!\-])\})"
)
_TILDE = re.compile(r"~[A-Za-z0-9._+-]*(?=[/:]|\Z)")
_BRACED_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+|[0-9]++|[@*#?$!\-]")
_OPERATOR = re.compile(r":[-=?+]|[-=?+]|##?|%%?|/[/#%]?|\^\^?|,,?|:|@(?=[A-Za-z]\})")
_QUOTE = re.compile(r"['\"\\]")
_QUOTED_CONTEXTS = frozenset(
    {
        Context.QUOTED_OPERAND,
        Context.HERE_DOCUMENT,
        Context.ARITHMETIC,
        Context.QUOTED_REPLACEMENT,
    }
)
# what a backslash protects between double quotes, and in a here-document
_PROTECTED = {
    Context.QUOTED_OPERAND: '$`"\\}',
    Context.HERE_DOCUMENT: "$`\\",
    Context.ARITHMETIC: '$`"\\',
    Context.QUOTED_REPLACEMENT: '$`"\\',
}


def parse_parts(word: Word) -> tuple[Part, ...]:
    """Return the parts of a word."""
    source, context = word.source, word.context
    text = source.text
    if context is Context.PLAIN:
        return (Quoted(decode(text[word.start : word.end])),) if word.end > word.start else ()
    parts: list[Part] = []
    if context in _QUOTED_CONTEXTS:
        _Reader(source, word.start, word.end).quoted_into(parts, context)
        return tuple(parts)
    start = word.start
    if context is Context.COMMAND and text.startswith("~", start):
        match = _TILDE.match(text, start, word.end)
        if match:
            parts.append(Tilde(match.group()))
            start = match.end()
    _Reader(source, start, word.end).unquoted_into(parts, context)
    return tuple(parts)


class _Reader:
    """Reads the parts of the text of `source` from `start` to `end`."""

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.text = source.text
        self.position = start
        self.end = end

    def scanner(self) -> Parser:
        """Return a parser that stands where this reader does."""
        return Parser(self.source, self.position, self.end)

    def unquoted_into(self, parts: list[Part], context: Context) -> None:
        """Read unquoted text to the end."""
        text, end = self.text, self.end
        while self.position < end:
            match = _UNQUOTED_RUN.match(text, self.position, end)
            if match:
                parts.append(Text(decode(match.group())))
                self.position = match.end()
                continue
            character = text[self.position]
            if character == "$":
                self.dollar(parts, is_quoted=False)
            elif character == '"':
                self.double_quoted(parts)
            elif character == "'":
                close = text.index("'", self.position + 1)
                parts.append(Quoted(decode(text[self.position + 1 : close])))
                self.position = close + 1
            elif character == "\\":
                escaped = text[self.position + 1 : self.position + 2]
                if self.position + 1 >= end:
                    parts.append(Quoted("\\"))
                elif escaped != "\n":
                    parts.append(Quoted(self.escaped_character()))
                self.position = min(end, self.position + 1 + len(escaped))
            elif character == "`":
                self.backquoted(parts, is_quoted=False)
            elif text.startswith("(", self.position + 1) and context is Context.COMMAND:
                start = self.position
                scanner = self.scanner()
                found = scanner.substitution(2)
                self.position = found.end
                parts.append(
                    ProcessSubstitution(self.source, start, found.end, character, found.body)
                )
            else:
                parts.append(Text(character))
                self.position += 1

    def escaped_character(self) -> str:
        """Return the character after a backslash, all its bytes."""
        start = self.position + 1
        stop = start + 1
        while self.text[start] >= "\x80" and stop < self.end and "\x80" <= self.text[stop] < "\xc0":
            stop += 1
        self.position += stop - start - 1
        return decode(self.text[start:stop])

    def quoted_into(self, parts: list[Part], context: Context) -> None:
        """Read text in which only `$`, backquotes and some backslashes mean something."""
        text, end = self.text, self.end
        protected = _PROTECTED[context]
        while self.position < end:
            match = _QUOTED_RUN.match(text, self.position, end)
            if match:
                parts.append(Quoted(decode(match.group())))
                self.position = match.end()
                continue
            character = text[self.position]
            if character == "$":
                self.dollar(parts, is_quoted=context is not Context.QUOTED_REPLACEMENT)
            elif character == "`":
                self.backquoted(parts, is_quoted=True)
            elif character == '"':
                if context in (Context.HERE_DOCUMENT, Context.QUOTED_REPLACEMENT):
                    parts.append(Quoted('"'))
                self.position += 1
            else:
                escaped = (
                    text[self.position + 1 : self.position + 2] if self.position + 1 < end else ""
                )
                if escaped == "\n":
                    self.position += 2
                elif escaped and escaped in protected:
                    parts.append(Quoted(escaped))
                    self.position += 2
                else:
                    parts.append(Quoted("\\"))
                    self.position += 1

    def double_quoted(self, parts: list[Part]) -> None:
        """Read `"..."`."""
        scanner = self.scanner()
        scanner.double_quoted()
        inside: list[Part] = []
        _Reader(self.source, self.position + 1, scanner.position - 1).inside_quotes(inside)
        parts.append(DoubleQuoted(tuple(inside)))
        self.position = scanner.position

    def inside_quotes(self, parts: list[Part]) -> None:
        """Read what stands between double quotes."""
        self.quoted_into(parts, Context.ARITHMETIC)

    def backquoted(self, parts: list[Part], *, is_quoted: bool) -> None:
        """Read an old-style command substitution; within it a backslash protects $, ` and itself."""
        match = BACKQUOTED.match(self.text, self.position, self.end)
        assert match
        start, self.position = self.position, match.end()
        inside = match.group()[1:-1]
        if "\\" in inside:
            protected = '$`\\"' if is_quoted else "$`\\"
            inside = re.sub(rf"\\([{re.escape(protected)}])", r"\1", inside)
        source = Source(inside, self.source.name, self.source, (start, match.end()))
        parts.append(CommandSubstitution(source, start, match.end(), parse_source(source).body))

    def dollar(self, parts: list[Part], *, is_quoted: bool) -> None:
        """Read what a dollar sign starts."""
        text, start = self.text, self.position
        match = _SIMPLE_PARAMETER.match(text, start, self.end)
        if match:
            parts.append(Parameter(start, match.end(), match.group(1) or match.group(2)))
            self.position = match.end()
            return
        following = text[start + 1] if start + 1 < self.end else ""
        scanner = self.scanner()
        if following == "'" and not is_quoted:
            match = ANSI.match(text, start, self.end)
            assert match
            parts.append(Quoted(decode_ansi(match.group()[2:-1])))
            self.position = match.end()
            return
        if following == '"' and not is_quoted:
            self.position += 1
            self.double_quoted(parts)
            return
        if following not in ("(", "{", "["):
            parts.append(Quoted("$") if is_quoted else Text("$"))
            self.position += 1
            return
        scanner.dollar(is_quoted=is_quoted)
        self.position = end = scanner.position
        if following == "[":
            parts.append(
                ArithmeticExpansion(
                    start, end, Word(self.source, start + 2, end - 1, Context.ARITHMETIC)
                )
            )
        elif following == "{":
            parts.append(self.parameter(start, end, is_quoted=is_quoted))
        elif scanner.arithmetic_ends.get(start + 1, -1) >= 0:
            parts.append(
                ArithmeticExpansion(
                    start, end, Word(self.source, start + 3, end - 2, Context.ARITHMETIC)
                )
            )
        else:
            body: List = self.source.substitutions[start].body
            parts.append(CommandSubstitution(self.source, start, end, body))

    def parameter(self, start: int, end: int, *, is_quoted: bool) -> Parameter:
        """Read `${...}`, which stands from `start` to `end`."""
        text = self.text
        position, last = start + 2, end - 1
        prefix = ""
        bad = Parameter(start, end, "", is_bad=True)
        if text[position] in "!#" and position + 1 < last:
            following = text[position + 1]
            is_name = _BRACED_NAME.match(text, position + 1, last)
            if text[position] == "!" and is_name and following not in "-":
                prefix = "!"
            elif (
                text[position] == "#"
                and is_name
                and (following not in "-?#!$" or position + 2 == last)
            ):
                prefix = "#"
        match = _BRACED_NAME.match(text, position + len(prefix), last)
        if not match:
            return bad
        name, position = match.group(), match.end()
        subscript: Word | None = None
        if position < last and text[position] == "[":
            scanner = Parser(self.source, position, last)
            scanner.subscript()
            subscript = Word(self.source, position + 1, scanner.position - 1, Context.OPERAND)
            position = scanner.position
        if position == last:
            return Parameter(start, end, name, prefix, subscript)
        if prefix == "!" and subscript is None and text[position:last] in ("*", "@"):
            return Parameter(start, end, name, "!names", None, text[position:last])
        match = _OPERATOR.match(text, position, end)
        if not match or prefix == "#":
            return bad
        operator, position = match.group(), match.end()
        if operator == "@":
            return Parameter(start, end, name, prefix, subscript, "@" + text[position])
        if operator == ":":
            return self.substring(start, end, name, prefix, subscript, position)
        if operator[0] == "/":
            split = self.delimiter(position, last, "/")
            pattern = Word(self.source, position, split, Context.OPERAND)
            replacement = old = None
            if split < last:
                replacement = Word(self.source, split + 1, last, Context.OPERAND)
                if is_quoted and _QUOTE.search(text, split + 1, last):
                    old = Word(self.source, split + 1, last, Context.QUOTED_REPLACEMENT)
            return Parameter(
                start, end, name, prefix, subscript, operator, pattern, replacement, old_second=old
            )
        is_pattern = operator[0] in "#%^,"
        context = Context.QUOTED_OPERAND if is_quoted and not is_pattern else Context.OPERAND
        operand = Word(self.source, position, last, context)
        return Parameter(start, end, name, prefix, subscript, operator, operand)

    def substring(
        self, start: int, end: int, name: str, prefix: str, subscript: Word | None, position: int
    ) -> Parameter:
        """Read the offset and length of `${name:offset:length}`."""
        last = end - 1
        split = self.delimiter(position, last, ":")
        offset = Word(self.source, position, split, Context.ARITHMETIC)
        length = Word(self.source, split + 1, last, Context.ARITHMETIC) if split < last else None
        return Parameter(start, end, name, prefix, subscript, ":", offset, length)

    def delimiter(self, start: int, end: int, delimiter: str) -> int:
        """Return where `delimiter` first stands unquoted, or `end`; `?:` of arithmetic is passed."""
        scanner = Parser(self.source, start, end)
        text = self.text
        depth = 0
        while scanner.position < end:
            character = text[scanner.position]
            if character == delimiter and depth == 0:
                return scanner.position
            if character == "\\":
                scanner.position += 2
            elif character in "'\"`$":
                scanner.expansion()
            else:
                if delimiter == ":":
                    if character in "(?[":
                        depth += 1
                    elif character in "):]":
                        depth -= 1
                scanner.position += 1
        return end


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
