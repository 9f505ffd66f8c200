"""From a word to what it comes to: expansions, word splitting, patterns (bash manual 3.5).

The functions take the interpreter whose state they read; `:=`, arithmetic and command
substitutions may change it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from overlaylint.shell import assigning, branching
from overlaylint.shell.arithmetic import ArithmeticProblem, evaluate
from overlaylint.shell.conditions import Check
from overlaylint.shell.patterns import Pattern, compile_pattern, has_wildcard
from overlaylint.shell.printing import quote
from overlaylint.shell.problems import BadSubscript, ExpansionProblem, FatalProblem
from overlaylint.shell.state import Positional
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
)
from overlaylint.shell.undecidable import Undecidable, Unreadable
from overlaylint.shell.values import (
    ARRAYS,
    MAYBE_ARRAY,
    Elements,
    Flag,
    Mixed,
    Unknown,
    Value,
    Variable,
    as_many,
    as_one,
    associative_order,
    concatenate,
    join,
    pieces_of,
    unknown,
)

if TYPE_CHECKING:
    from overlaylint.shell.conditions import Condition
    from overlaylint.shell.interpreter import Interpreter

DEFAULT_IFS = " \t\n"
_WHITESPACE = re.compile(r"[ \t\n]+")
_WILDCARD = re.compile(r"[*?\[\\]")
_ESCAPABLE = re.compile(r"([*?\[\]\\])")
_PLAIN_NUMBER = re.compile(r"[1-9][0-9]{,16}")
MAXIMUM_WORDS = 20_000


class UnknownValue(Exception):
    """Arithmetic met a value that is not known."""

    def __init__(self, piece: Unknown) -> None:
        super().__init__(piece.reason)
        self.piece = piece


# --- one value -----------------------------------------------------------------------------


def value_of(shell: Interpreter, word: Word) -> Value:
    """Return what a word comes to where it is not split: in an assignment, after `case` ..."""
    text = word.text
    if text is not None:
        return text
    return as_one(join_parts(shell, word, word.parts))


def unsplit(shell: Interpreter, word: Word) -> Value:
    """Return what a word comes to after `case`, or as a key or element of an associative array.

    It is not split, unless there is `"$@"` or the like in it.
    """
    text = word.text
    if text is not None:
        return text
    if not has_quoted_list(word) or all(
        part.__class__ in (Text, Quoted, DoubleQuoted) for part in word.parts
    ):
        return value_of(shell, word)  # nothing in it is split
    result: list[Value] = []
    for field in unsplit_fields(shell, word):
        result += (" ", field) if result else (field,)
    return as_one(concatenate(*result)) if result else ""


def has_quoted_list(word: Word) -> bool:
    """Tell whether `"$@"` or the like stands in a word."""
    raw = word.source.text[word.start : word.end]
    return (
        '"' in raw
        and ("@" in raw or "${!" in raw)
        and (
            word.context is Context.ARITHMETIC
            or any(
                _makes_fields(part.parts) for part in word.parts if isinstance(part, DoubleQuoted)
            )
        )
    )


def _makes_fields(parts: tuple[Part, ...]) -> bool:
    """Tell whether one of the parts between double quotes may make several fields."""
    for part in parts:
        if isinstance(part, DoubleQuoted) and _makes_fields(part.parts):
            return True
        if not isinstance(part, Parameter):
            continue
        subscript = part.subscript
        if part.name == "@" or part.prefix[:1] == "!" or (subscript and subscript.raw == "@"):
            return True
        if any(operand and _makes_fields(operand.parts) for operand in (part.first, part.second)):
            return True
    return False


def is_split(shell: Interpreter, word: Word, *, joins: bool) -> bool:
    """Tell whether a pattern is split because of `"$@"` in it.

    `[[ ]]` joins the fields (`joins`), and `case` takes the first for the pattern.
    """
    if word.literal is not None or not has_quoted_list(word):
        return False
    if may_assign(word.parts):
        raise Undecidable('`"$@"` in a pattern')
    whole = value_of(shell, word)
    if joins:
        return unsplit(shell, word) != whole
    return unsplit_fields(shell, word) != [whole]


def unsplit_fields(shell: Interpreter, word: Word) -> list[Value]:
    """Return the fields of a word that is split only because of `"$@"` in it."""
    if shell.ifs() is not None:
        raise Undecidable('`"$@"` beside other text where IFS was changed')
    result: list[Value] = []
    _Unglobbed(shell, word, result).add(word.parts)
    return result


def join_parts(shell: Interpreter, word: Word, parts: tuple[Part, ...]) -> Value:
    """Return the parts' values, one after another, as if quoted."""
    if len(parts) == 1:
        return part_value(shell, word.source, parts[0])
    return concatenate(*[part_value(shell, word.source, part) for part in parts])


def part_value(shell: Interpreter, source: Source, part: Part) -> Value:
    """Return a part's value, as one string."""
    kind = part.__class__
    if kind is Text or kind is Quoted:
        return part.text  # type: ignore[union-attr]
    if kind is DoubleQuoted:
        inside = part.parts  # type: ignore[union-attr]
        if len(inside) == 1:
            return part_value(shell, source, inside[0])
        return concatenate(*[part_value(shell, source, piece) for piece in inside])
    if kind is Parameter:
        value = parameter(shell, source, part)  # type: ignore[arg-type]
        if value.__class__ is list:
            return join_words(shell, part, value)  # type: ignore[arg-type]
        return value  # type: ignore[return-value]
    if isinstance(part, CommandSubstitution):
        return shell.substitute(part)
    if isinstance(part, ArithmeticExpansion):
        return arithmetic(shell, source, part.expression)
    if isinstance(part, Piece):
        return Mixed((part.unknown,))
    if isinstance(part, Refused):
        raise Unreadable(part.reason)
    if isinstance(part, Tilde):
        return concatenate(
            shell.unknown(
                "it is somebody's home directory", source, 0, 0, symbol=part.text, is_word=True
            )
        )
    assert isinstance(part, ProcessSubstitution)
    return shell.process_substitution(part)


def join_words(shell: Interpreter, part: Parameter, words: list[Value]) -> Value:
    """Return what `$*`, `$@` or all of an array come to in one string."""
    if not words:
        return ""
    separator: Value = " "
    if part.name == "*" or (part.subscript is not None and part.subscript.raw == "*"):
        separator = separator_of(shell)
    elif (part.operator or part.prefix) and len(words) > 1 and separator_of(shell) != " ":
        return shell.unknown("how `${name[@]...}` is joined depends on IFS", Source(""), 0, 0)
    result: list[Value] = [words[0]]
    for word in words[1:]:
        result += (separator, word)
    return concatenate(*result)


def separator_of(shell: Interpreter) -> Value:
    """Return the character that `$*` is joined with."""
    ifs = shell.ifs()
    if ifs is None:
        return " "
    if not isinstance(ifs, Mixed):
        return ifs[:1]
    if len(ifs.parts) == 1 and ifs.unknown.choices:
        return with_choices(ifs, lambda text: text[:1])
    return Mixed((replace(ifs.unknown, symbol="", choices=(), is_word=False),))


# --- fields --------------------------------------------------------------------------------


def fields(shell: Interpreter, words: tuple[Word, ...]) -> list[Value]:
    """Return the words that `words` come to: braces, expansions, splitting, file names."""
    result: list[Value] = []
    for word in words:
        text = word.literal
        if text is not None:
            result.append(text)
        else:
            expand_word(shell, word, result)
    return result


def expand_word(shell: Interpreter, word: Word, result: list[Value]) -> None:
    """Add the fields that one word comes to."""
    alternatives = (word.parts,) if not word.is_active else shell.alternatives(word)
    if len(alternatives) > 1:
        options = shell.state.shell_options
        if "no braces" in options:
            alternatives = (word.parts,)
        elif "?no braces" in options:
            raise Undecidable("whether braces are expanded is unknown")
    for parts in alternatives:
        _Splitter(shell, word, result).add(parts)
        if len(result) > MAXIMUM_WORDS:
            raise shell.exhausted("a command has too many words")


def expand_parts(
    shell: Interpreter, word: Word, parts: tuple[Part, ...], result: list[Any]
) -> None:
    """Add the fields that parts come to, as those of a word in which braces were expanded."""
    _Splitter(shell, word, result).add(parts)


# What the text of a word is to word splitting (3.5.7): one of these goes with each piece.
_QUOTED, _PLAIN, _SEPARATOR, _BREAK = 0, 1, 2, 3
_WHITE = " \t\n\v\f\r"
_EMPTY = (
    "",
    _QUOTED,
)  # what a quoted empty string leaves: it makes a field where nothing else does

_Piece = tuple[str | Unknown, int]


def brace_alternatives(shell: Interpreter, word: Word) -> Iterator[Word]:
    """Yield the words that a word comes to by brace expansion, in order."""
    options = shell.state.shell_options
    if "no braces" in options or "?no braces" in options:
        yield word
        return
    for parts in shell.alternatives(word):
        alternative = Word(word.source, word.start, word.end, word.context)
        alternative.__dict__["parts"] = parts
        yield alternative


def _has_blank(ifs: Value | None) -> bool:
    """Tell whether IFS, None for its default, is known to have a blank in it."""
    return ifs is None or (isinstance(ifs, str) and " " in ifs)


def _ends_in_dollar(parts: tuple[Part, ...]) -> bool:
    """Tell whether `$` by itself stands behind the last expansion: bash forgets that there was one.

    It splits nothing then: `$x$` is always one word, and `$x$.$y` is split.
    """
    for part in reversed(parts):
        if part.__class__ is Text and "$" in part.text:
            return True
        if part.__class__ not in (Text, Quoted, DoubleQuoted):
            return False
    return False


class _Splitter:
    """Builds the fields of one word.

    All of the word is expanded first, and then split as a whole, as bash does: the end of one
    expansion and the start of the next can be one separator. A separator is a character of IFS
    that came from an expansion; a break ends a field for certain (between the words of `"$@"`).
    """

    __slots__ = (
        "had_emptied",
        "had_empty",
        "in_operand",
        "is_split",
        "pieces",
        "result",
        "shell",
        "word",
    )

    def __init__(self, shell: Interpreter, word: Word, result: list[Value]) -> None:
        self.shell = shell
        self.word = word
        self.result = result
        self.pieces: list[_Piece] = []
        self.is_split = False  # whether there are separators or breaks
        self.had_empty = False  # whether `${x:-""}` was met, which counts if nothing else is there
        self.had_emptied = False  # whether another operator left nothing, which may count as well
        self.in_operand = False  # whether what is added stands after `:-` or the like

    def add(self, parts: tuple[Part, ...]) -> None:
        """Add the fields that the parts come to."""
        for part in parts:
            self.part(part)
        if self.is_split:
            if _ends_in_dollar(parts):
                raise Undecidable("a word with `$` by itself behind an expansion is not split")
            self.split_fields()
        elif self.pieces:
            self.field(self.pieces)
        elif self.had_empty:
            self.result.append("")

    def part(self, part: Part) -> None:
        """Add one unquoted part."""
        kind = part.__class__
        if kind is Text:
            self.pieces.append((part.text, _PLAIN))  # type: ignore[union-attr]
        elif kind is Quoted:
            self.pieces.append((part.text, _QUOTED))  # type: ignore[union-attr]
        elif kind is DoubleQuoted:
            self.double_quoted(part)  # type: ignore[arg-type]
        elif kind is Parameter:
            value = parameter(self.shell, self.word.source, part, keeps_operand=True)  # type: ignore[arg-type]
            if value.__class__ is str:
                if value:
                    self.split(value)
            elif value.__class__ is _Operand:
                self.operand(value)
            elif value.__class__ is list:
                self.unquoted_list(value, part)  # type: ignore[arg-type]
            else:
                self.split_mixed(value)  # type: ignore[arg-type]
        else:
            value = part_value(self.shell, self.word.source, part)
            if kind is Tilde or kind is ProcessSubstitution:
                self.quoted(value)
            elif value.__class__ is str:
                if value:
                    self.split(value)
            else:
                self.split_mixed(value)  # type: ignore[arg-type]

    def operand(self, operand: _Operand) -> None:
        """Add the word after `:-` and the like; what is quoted in it stays so."""
        count = len(self.pieces)
        outer, self.in_operand = self.in_operand, True
        for part in operand.word.parts:
            if part.__class__ is Text:
                self.split(part.text)
            else:
                self.part(part)
        self.in_operand = outer
        if len(self.pieces) > count and all(piece == _EMPTY for piece in self.pieces[count:]):
            del self.pieces[count:]
            self.had_empty = True

    def double_quoted(self, quoted: DoubleQuoted) -> None:
        """Add a double-quoted part: `"$@"` and `"${a[@]}"` in it make several fields."""
        count = len(self.pieces)
        had_empty, self.had_empty = self.had_empty, False
        had_emptied, self.had_emptied = self.had_emptied, False
        has_at = self.inside_quotes(quoted.parts)
        if len(self.pieces) == count and has_at and self.had_emptied:
            raise Undecidable(
                'an expansion to nothing, and `"$@"` without words in the same quotes'
            )
        if len(self.pieces) == count and (self.had_empty or not has_at):
            self.pieces.append(_EMPTY)
        self.had_empty, self.had_emptied = had_empty, had_emptied

    def inside_quotes(self, parts: tuple[Part, ...]) -> bool:
        """Add parts that stand between double quotes; tell whether `$@` was among them."""
        has_at = is_joined = has_escape = False
        for part in parts:
            if part.__class__ is Quoted:
                value: Value = part.text
            elif part.__class__ is Parameter:
                found = parameter(self.shell, self.word.source, part, keeps_operand=True)
                if found.__class__ is _Operand:
                    count = len(self.pieces)
                    has_escape = has_escape or "\\" in found.word.raw
                    if self.inside_quotes(found.word.parts):
                        has_at = True
                        self.had_empty = self.had_empty or len(self.pieces) == count
                    continue
                if found.__class__ is list:
                    if makes_fields(self.shell, part):
                        has_at = True
                        self.quoted_list(found)
                        continue
                    is_joined = is_joined or bool(part.operator or part.prefix)
                    found = join_words(self.shell, part, found)
                elif isinstance(found, Mixed) and _may_be_list(self.shell, part):
                    has_at = True
                    self.quoted_list([as_many(found)])
                    continue
                value = found  # type: ignore[assignment]
                if value == "" and part.operator and part.operator[-1] not in "-+":
                    self.had_emptied = True
            else:
                value = part_value(self.shell, self.word.source, part)
            self.quoted(value)
        if has_at and has_escape:
            raise Undecidable('a backslash in an expansion, and `"$@"` in the same quotes')
        if has_at and is_joined:
            raise Undecidable("`${name[*]...}` and `$@` in the same quotes")
        return has_at

    def quoted(self, value: Value) -> None:
        """Add a quoted value; an empty one leaves nothing."""
        if value.__class__ is str:
            if value:
                self.pieces.append((value, _QUOTED))
        else:
            for piece in as_one(value).parts:  # type: ignore[union-attr]
                self.pieces.append((piece, _QUOTED))

    def quoted_list(self, words: list[Value]) -> None:
        """Add the words of `"$@"`: a field each."""
        for index, word in enumerate(words):
            if index:
                self.pieces.append(("", _BREAK))
                self.is_split = True
            if word == "":
                self.pieces.append(_EMPTY)
            else:
                for piece in pieces_of(word):
                    self.pieces.append((piece, _QUOTED))

    def unquoted_list(self, words: list[Value], part: Parameter) -> None:
        """Add the words of `$@` or `$*`: bash puts separators between them, and splits them all."""
        ifs = self.shell.ifs()
        if self.in_operand and len(words) > 1 and not _has_blank(ifs):
            raise Undecidable("a list in an operand where IFS has no blank")
        if ifs == "" or ifs.__class__ is Mixed:
            if self.shell.captures and len(words) > 1 and not makes_fields(self.shell, part):
                # It is joined after all where what is substituted is assigned.
                raise Undecidable("a list in a command substitution where IFS is empty")
            separator = _without_ifs(part)
            if separator is not None:
                if ifs.__class__ is Mixed:
                    reason = "how `${name[*]...}` is joined depends on IFS"
                    lost = self.shell.unknown(reason, self.word.source, part.start, part.end)
                    self.split_mixed(lost)
                    return
                if part.operator and any(" " in str(word) for word in words):
                    raise Undecidable("a blank in a list that is joined where IFS is empty")
                joined: list[Value] = []
                for word in words:
                    joined += (separator, word) if joined else (word,)
                words = [concatenate(*joined)] if joined else []
        for index, word in enumerate(words):
            if index:
                if ifs is None or ifs.__class__ is not str:
                    self.pieces.append((" ", _SEPARATOR))
                elif ifs == "":
                    self.pieces.append(("", _BREAK))
                else:
                    self.pieces.append((ifs[0], _SEPARATOR))
                self.is_split = True
            if word.__class__ is str:
                if word:
                    self.split(word)
            else:
                self.split_mixed(word)  # type: ignore[arg-type]

    def split_mixed(self, value: Mixed) -> None:
        """Add an unquoted value that is partly unknown."""
        ifs = self.shell.ifs()
        if isinstance(ifs, Mixed) or not all(character in _WHITE for character in ifs or ""):
            # what holds no blank may still hold what it is split at here
            value = Mixed(
                tuple(
                    replace(part, is_many=True, choices=()) if part.__class__ is Unknown else part
                    for part in value.parts
                )
            )
        for piece in as_many(value).parts:
            if piece.__class__ is str:
                self.split(piece)
            else:
                self.pieces.append((piece, _PLAIN))

    def split(self, text: str) -> None:
        """Add unquoted text that came from an expansion: it is split where IFS says."""
        ifs = self.shell.ifs()
        if ifs is None:
            words = _WHITESPACE.split(text)
            if len(words) == 1:
                self.pieces.append((text, _PLAIN))
                return
            for index, word in enumerate(words):
                if index:
                    self.pieces.append((" ", _SEPARATOR))
                if word:
                    self.pieces.append((word, _PLAIN))
            self.is_split = True
        elif ifs.__class__ is not str:
            assert isinstance(ifs, Mixed)
            self.pieces.append(
                (replace(ifs.unknown, symbol="", choices=(), is_many=True, is_word=False), _PLAIN)
            )
        else:
            start = 0
            for index, character in enumerate(text):
                if character in ifs:
                    if start < index:
                        self.pieces.append((text[start:index], _PLAIN))
                    self.pieces.append((character, _SEPARATOR))
                    self.is_split = True
                    start = index + 1
            if start < len(text):
                self.pieces.append((text[start:], _PLAIN))

    def split_fields(self) -> None:
        """Add the fields between the separators (bash's `list_string`)."""
        pieces, position = self.pieces, 0
        position = self.skip_white(0)
        count = len(pieces)
        while position < count:
            start = position
            while position < count and pieces[position][1] < _SEPARATOR:
                position += 1
            if position > start:
                self.field(pieces[start:position])
            if position == count:
                return
            separator, kind = pieces[position]
            position += 1
            if kind == _BREAK:
                continue
            is_white = separator in _WHITE  # type: ignore[operator]
            if position - 1 == start and not is_white:
                self.result.append("")
            position = self.skip_white(position)
            if is_white and position < count and pieces[position][1] == _SEPARATOR:
                position = self.skip_white(position + 1)

    def skip_white(self, position: int) -> int:
        """Return where the separators that are white space end."""
        for index in range(position, len(self.pieces)):
            text, kind = self.pieces[index]
            if kind != _SEPARATOR or text not in _WHITE:  # type: ignore[operator]
                return index
        return len(self.pieces)

    def field(self, pieces: list[_Piece]) -> None:
        """Add a field; one with wildcards in it is subject to file name expansion."""
        for text, kind in pieces:
            if kind == _PLAIN and text.__class__ is str and _WILDCARD.search(text):
                if "f" not in self.shell.state.shell_options and self.file_names(pieces):
                    return
                break
        if len(pieces) == 1 and pieces[0][0].__class__ is str:
            self.result.append(pieces[0][0])
        else:
            self.result.append(join(text for text, _ in pieces))

    def file_names(self, pieces: list[_Piece]) -> bool:
        """Add a field with wildcards in it; which files there are is for the interpreter to say."""
        known = [(text if text.__class__ is str else "x", kind == _QUOTED) for text, kind in pieces]
        extended = self.shell.state.option("extglob") is not False
        if not has_wildcard(known, extended):
            return False
        pattern: list[str | Unknown] = []
        for text, kind in pieces:
            if kind == _QUOTED and text.__class__ is str:
                text = _ESCAPABLE.sub(r"\\\1", text)
            pattern.append(text)
        plain = join(text for text, _ in pieces)
        self.result.extend(self.shell.file_names(self.word, join(pattern), plain))
        return True


def _without_ifs(part: Parameter) -> str | None:
    """Return what the words of an unquoted list are joined with where IFS is empty.

    None is returned for most lists: each of their words is a field then.
    """
    if part.prefix == "!names":
        return "" if part.operator == "*" else None
    if part.operator[:1] in ("#", "%"):
        return None if part.name in ("@", "*") else " "
    is_star = part.subscript is not None and part.subscript.raw == "*"
    return " " if part.prefix == "!" and not part.operator and is_star else None


class _Unglobbed(_Splitter):
    """Builds fields that are no patterns of file names."""

    __slots__ = ()

    def file_names(self, pieces: list[_Piece]) -> bool:
        return False


# --- parameters (3.5.3) --------------------------------------------------------------------


class _Operand:
    """The operand of `:-` or `:+`, to be split as if it stood in the place of the parameter."""

    __slots__ = ("word",)

    def __init__(self, word: Word) -> None:
        self.word = word


def makes_fields(shell: Interpreter, part: Parameter) -> bool:
    """Tell whether a quoted parameter that is a list makes a field of each of its words."""
    if part.prefix == "!names":
        return part.operator == "@"
    if part.prefix == "!" and (part.subscript is None or part.subscript.raw not in ("@", "*")):
        # what it stands for was found already, so it is known
        target = fetch(shell, shell.made(""), part.name, part.subscript)
        return isinstance(target, str) and (target == "@" or target.endswith("[@]"))
    return part.name == "@" or (part.subscript is not None and part.subscript.raw == "@")


def _may_be_list(shell: Interpreter, part: Parameter) -> bool:
    """Tell whether what `${name:-word}` and the like come to in quotes may be a list's words."""
    if part.first is None or part.operator[-1] not in "-+=":
        return False
    waiting: list[Part] = [part]
    while waiting:
        one = waiting.pop()
        if isinstance(one, DoubleQuoted):
            waiting += one.parts
        elif isinstance(one, Parameter):
            if makes_fields(shell, one):
                return True
            if one.first is not None and one.operator and one.operator[-1] in "-+=":
                waiting += one.first.parts
    return False


def parameter(
    shell: Interpreter, source: Source, part: Parameter, *, keeps_operand: bool = False
) -> Value | list[Value] | _Operand:
    """Return what a parameter comes to: a value, or a list (`$@`, `${a[@]}` and the like)."""
    name = part.name
    if not part.operator and not part.prefix and part.subscript is None:
        variable = shell.state.find(name)
        if variable is not None:
            value = variable.value
            if (value.__class__ is str or value.__class__ is Mixed) and variable.flags < 32:
                return value
        elif name and name[0] not in "@*":
            value = shell.special(name)
            return "" if value is None else value
    if part.is_bad:
        raise ExpansionProblem("bad substitution")
    if part.prefix == "!names":
        return shell.names_with(name)
    subscript = part.subscript
    if part.prefix == "!":
        if subscript is not None and not part.operator and subscript.raw in ("@", "*"):
            return keys_of(shell, name)
        referring = shell.state.find(name)
        if referring is not None and subscript is None and referring.flags & Flag.REFERENCE:
            # of a reference it is the name that it refers to
            if part.operator or not isinstance(referring.value, str):
                raise Undecidable("`${!name}` of a reference")
            return referring.value
        target = fetch(shell, source, name, subscript)
        if target is None and (name.isdigit() or shell.find(name) is not None):
            # it is declared, and has no value: nothing is what it stands for
            if part.operator not in ("", "-", ":-", "+", ":+"):
                raise Undecidable("`${!name}` with an operator, of a name without value")
            name, subscript = "", None
            if not part.operator:
                return ""
            return default(shell, source, part, "", None, None, keeps_operand=keeps_operand)
        name, subscript = indirect(shell, target)
        if not name:
            return shell.value_unknown(
                "the name it stands for is unknown", source, part.start, part.end, target
            )
    if part.prefix == "#":
        return length_of(shell, source, part, name, subscript)
    current = fetch(shell, source, name, subscript)
    operator = part.operator
    if not operator:
        return "" if current is None else current
    if operator[-1] in "-=?+" and operator[0] != "@":
        return default(shell, source, part, name, subscript, current, keeps_operand=keeps_operand)
    if operator == ":":
        return substring(shell, source, part, name, current)
    if current is None:
        if operator[0] != "@" or operator in ("@", "@Q"):
            return ""  # what is not set is not even anchored to, or quoted
        current = ""
    if operator == "@":
        return unknown_operator(shell, source, part, current)
    if isinstance(current, list):
        if not current:
            return current  # bash does not even look at the pattern then
        change = transformer(shell, source, part, name)
        return [change(value) for value in current]
    if operator[0] in "#%":
        if current == "":
            return ""
        if (
            isinstance(current, Mixed)
            and not current.is_nonempty
            and re.search(r"=|\+\+|--", part.first.raw)  # type: ignore[union-attr]
            and may_assign(part.first.parts)  # type: ignore[union-attr]
        ):
            raise Undecidable("a pattern that assigns, for a value that may be empty")
    return transformer(shell, source, part, name)(current)


_SPECIAL = frozenset("@*#?-$!")
_ALWAYS_SET = frozenset("0$-#?")


def unknown_operator(
    shell: Interpreter, source: Source, part: Parameter, current: Value | list[Value]
) -> Value:
    """Meet `${name@X}` with an operator that bash does not know: it exits, if `name` is set."""
    if (isinstance(current, str | list) and current != []) or part.name in _ALWAYS_SET:
        raise FatalProblem(f"{part.name}: bad substitution", 127)
    reason = Unknown(f"it depends on whether {part.name} is set", source, part.start, part.end)
    branching.may_leave_by_error(shell, 127, reason, f"{part.name}: bad substitution")
    return ""


def indirect(shell: Interpreter, target: Value | list[Value] | None) -> tuple[str, Word | None]:
    """Return the parameter that `${!x}` stands for; an empty name if nobody can tell."""
    if not isinstance(target, str):
        if target is None:
            raise ExpansionProblem("invalid indirect expansion")
        if isinstance(target, list):
            branching.may_give_up(shell, Unknown("`${!name[@]}` with an operator"))
        return "", None
    match = re.fullmatch(
        r"([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])(?:\[(.*)\])?", target, re.DOTALL
    )
    if not match:
        raise ExpansionProblem("invalid variable name")
    if match.group(2) is None:
        return match.group(1), None
    from overlaylint.shell.syntax import Context, encode

    text = encode(match.group(2))
    return match.group(1), Word(shell.made(text), 0, len(text), Context.OPERAND)


def fetch(
    shell: Interpreter,
    source: Source,
    name: str,
    subscript: Word | None,
    *,
    heeds_range: bool = False,
) -> Value | list[Value] | None:
    """Return a parameter's value; None if it is not set; a list for all elements or parameters.

    `heeds_range` tells that a negative subscript must be one of the array's.
    """
    if name in ("@", "*"):
        return positional_words(shell.state.positional[-1])
    variable = shell.state.find(name)
    if variable is None:
        variable = shell.dynamic(name)
    elif variable.flags & Flag.REFERENCE:
        resolved = shell.resolve(name)
        if resolved is not None and "[" in resolved and subscript is None:
            base, element = indirect(shell, resolved)
            return fetch(shell, source, base, element)
        variable = shell.find(name)
        if variable is None and resolved is not None:
            name = resolved
    if variable is None:
        special = shell.special(name)
        if subscript is not None and subscript.raw in ("@", "*"):
            if special is None:
                return []
            # it may not be set where nobody knows its value
            return [as_many(special) if isinstance(special, Mixed) else special]
        return special
    value = variable.value
    if subscript is None:
        if isinstance(value, dict):
            return value.get("0" if variable.flags & Flag.ASSOCIATIVE else 0)
        if value.__class__ is Mixed and variable.flags & MAYBE_ARRAY:
            return as_one(value)
        return value
    raw = subscript.raw
    if raw in ("@", "*"):
        if value is None:
            return []
        if isinstance(value, dict):
            return elements_of(value, variable.flags)
        if value.__class__ is Mixed and variable.flags & (MAYBE_ARRAY | Flag.MAYBE_UNSET):
            return [any_number_of(value)]
        return [value]
    if value is None:
        return None
    if value.__class__ is Mixed and variable.flags & (MAYBE_ARRAY | Flag.MAYBE_UNSET):
        return as_one(value)
    key = subscript_key(shell, subscript, variable)
    if isinstance(key, Mixed):
        return shell.value_unknown(
            "its subscript is unknown", source, subscript.start, subscript.end, key
        )
    if isinstance(value, dict):
        if isinstance(key, int) and key < 0:
            key += last_index(value) + 1
        if heeds_range and (key == "" or (isinstance(key, int) and key < 0)):
            raise BadSubscript(name)
        return value.get(key)
    if heeds_range and isinstance(key, int) and key < -1:
        raise BadSubscript(name)
    return value if key in (0, -1) else None


def last_index(elements: Elements) -> int:
    """Return the largest index of an array, -1 if it is empty."""
    return max((index for index in elements if isinstance(index, int)), default=-1)


def elements_of(value: Elements, flags: int) -> list[Value]:
    """Return an array's elements in bash's order."""
    if flags & Flag.ASSOCIATIVE:
        return [value[key] for key in associative_order(value)]
    return [value[index] for index in sorted(value)]


def keys_of(shell: Interpreter, name: str) -> Value | list[Value]:
    """Return what `${!name[@]}` comes to."""
    variable = shell.find(name)
    if variable is None or variable.value is None:
        return []
    value = variable.value
    if isinstance(value, dict):
        if variable.flags & Flag.ASSOCIATIVE:
            return list(associative_order(value))
        return [str(index) for index in sorted(value)]
    if value.__class__ is Mixed and variable.flags & (MAYBE_ARRAY | Flag.MAYBE_UNSET):
        return [any_number_of(value)]
    return ["0"]


def any_number_of(value: Mixed) -> Mixed:
    """Return what stands for any number of words of which nothing is known."""
    return Mixed((replace(value.unknown, symbol="", choices=(), is_word=False, is_many=True),))


def subscript_key(
    shell: Interpreter, subscript: Word, variable: Variable | None
) -> int | str | Mixed:
    """Return an array's key: text for an associative array, else a number."""
    if variable is not None and variable.flags & Flag.ASSOCIATIVE:
        return unsplit(shell, subscript)
    return subscript_number(shell, subscript, value_of(shell, subscript))


def subscript_number(shell: Interpreter, subscript: Word, text: Value) -> int | Mixed:
    """Return the number that the text of an indexed array's subscript comes to."""
    if text.__class__ is str and (text == "0" or _PLAIN_NUMBER.fullmatch(text)):
        return int(text)
    try:
        number = computed(shell, subscript.source, subscript, text)
    except FatalProblem:
        raise
    except ExpansionProblem as problem:
        raise FatalProblem(str(problem)) from problem
    return int(number) if isinstance(number, str) else number


def positional_words(positional: Positional) -> list[Value]:
    """Return `$@`; the last word stands for any number where more may follow."""
    if positional.rest is None:
        return list(positional.words)
    return [*positional.words, as_many(Mixed((positional.rest,)))]


def length_of(
    shell: Interpreter, source: Source, part: Parameter, name: str, subscript: Word | None
) -> Value:
    """Return `${#name}`: characters, or elements."""
    if name in ("@", "*"):
        return shell.special("#") or ""
    current = fetch(shell, source, name, subscript, heeds_range=True)
    if isinstance(current, list):
        if any(value.__class__ is Mixed and value.is_many for value in current):
            return shell.value_unknown(
                "the number of its elements is unknown", source, part.start, part.end, *current
            )
        return str(len(current))
    if isinstance(current, Mixed):
        return shell.value_unknown("its length is unknown", source, part.start, part.end, current)
    if current and not current.isascii():
        return shell.value_unknown("its length depends on the locale", source, part.start, part.end)
    return str(len(current or ""))


def default(
    shell: Interpreter,
    source: Source,
    part: Parameter,
    name: str,
    subscript: Word | None,
    current: Value | list[Value] | None,
    *,
    keeps_operand: bool,
) -> Value | list[Value] | _Operand:
    """Return what `${name:-word}`, `:=`, `:?` and `:+` come to."""
    operator = part.operator
    assert part.first is not None
    if current == [""] and len(operator) > 1:
        # in an assignment it counts as something, between quotes and among words as nothing
        raise Undecidable("`:-` and the like of a list whose one element is empty")
    is_set = _is_set(shell, name, current, counts_empty=len(operator) == 1)
    kind = operator[-1]
    if is_set is None:
        return _perhaps_default(shell, source, part, name, subscript, current)
    if kind == "+":
        if not is_set:
            # `"${name[@]+}"` makes no field then
            return [] if current in (None, []) and makes_fields(shell, part) else ""
        return _Operand(part.first) if keeps_operand else operand_value(shell, part.first)
    if is_set:
        return "" if current is None else current
    if kind == "-":
        return _Operand(part.first) if keeps_operand else operand_value(shell, part.first)
    operand = operand_value(shell, part.first)
    if kind == "?":
        raise FatalProblem(f"{name}: {str(operand) or 'parameter null or not set'}", 127)
    if name in _SPECIAL or name.isdigit():
        raise ExpansionProblem("cannot assign in this way")
    assigning.assign_subscript(shell, name, subscript, operand, source, part.start, part.end)
    return operand


def operand_value(shell: Interpreter, word: Word) -> Value:
    """Return what the operand of `:-` and the like comes to where it is not split."""
    if word.context is Context.WORD_OPERAND:
        check_star(shell, word)
    return value_of(shell, word)


def check_star(shell: Interpreter, word: Word) -> None:
    """Refuse an unquoted `$*` where it is not split: with an empty IFS bash may put blanks in."""
    if word.text is None and shell.ifs() == "":
        for part in word.parts:
            if isinstance(part, Parameter) and (
                part.name == "*"
                or (
                    (part.prefix or part.operator)
                    and part.subscript is not None
                    and part.subscript.raw == "*"
                )
            ):
                raise Undecidable("an unquoted `$*` where IFS is empty")


def _perhaps_default(
    shell: Interpreter,
    source: Source,
    part: Parameter,
    name: str,
    subscript: Word | None,
    current: Value | list[Value] | None,
) -> Value:
    """Return what `${name:-word}` and the like come to where it is unknown which way they go."""
    word = part.first
    assert word is not None
    kind = part.operator[-1]
    place = source, part.start, part.end
    condition = Check((f"${{{name}{part.operator}...}}",), *place)
    operands: list[Value] = []

    def expand() -> int:
        try:
            operands.append(operand_value(shell, word))
        except ExpansionProblem as problem:
            if isinstance(problem, FatalProblem):
                branching.may_leave_by_error(
                    shell, problem.status, Unknown(str(problem), *place), "error"
                )
            else:
                branching.may_give_up(shell, Unknown(str(problem), *place))
        return 0

    if kind == "?":
        reason = Unknown(f"it depends on whether {name} is set", *place)
        branching.may_leave_by_error(shell, 127, reason, f"{name}: parameter null or not set")
        return shell.value_unknown("it is unknown whether it is set", *place, current)
    status, substituted = shell.status, shell.substituted
    if may_assign(word.parts):
        branching.branch(shell, condition, expand, None)
    else:
        expand()
    # that of a command substitution which may not be run
    either = Check((f"$? of ${{{name}{part.operator}...}}",), *place)
    shell.status = status if shell.status == status else either
    shell.substituted = substituted if shell.substituted == substituted else either
    alternative = "" if kind == "+" else current
    if isinstance(alternative, str) and operands == [alternative]:
        return alternative
    result = shell.value_unknown("it depends on a value that is unknown", *place, current)
    if kind == "=":
        if name in _SPECIAL:
            branching.may_give_up(shell, Unknown("cannot assign in this way", *place))
            return result
        assigning.assign_subscript(shell, name, subscript, result, *place)
    return result


def may_assign(parts: tuple[Part, ...]) -> bool:
    """Tell whether expanding the parts of a word may change anything."""
    waiting: list[Part] = list(parts)
    while waiting:
        part = waiting.pop()
        if isinstance(part, DoubleQuoted):
            waiting += part.parts
        elif isinstance(part, ArithmeticExpansion):
            return True
        elif isinstance(part, Parameter):
            if part.operator in ("=", ":=", "?", ":?", ":") or part.subscript is not None:
                return True
            for operand in (part.first, part.second):
                if operand is not None:
                    waiting += operand.parts
    return False


def _is_set(
    shell: Interpreter,
    name: str,
    current: Value | list[Value] | None,
    *,
    counts_empty: bool,
) -> bool | None:
    """Tell whether a parameter is set (and, unless `counts_empty`, not empty); None if unknown."""
    if current is None:
        return False
    if isinstance(current, list):
        if not current:
            return False
        if len(current) > 1:
            if any(value.__class__ is Mixed and value.is_many for value in current):
                return None
            return True
        current = current[0]
        if isinstance(current, Mixed) and current.is_many:
            return None
    if current.__class__ is str:
        return counts_empty or current != ""
    assert isinstance(current, Mixed)
    if counts_empty:
        variable = shell.find(name)
        if variable is not None and not variable.flags & Flag.MAYBE_UNSET:
            return True
    return True if current.is_nonempty else None


def substring(
    shell: Interpreter,
    source: Source,
    part: Parameter,
    name: str,
    current: Value | list[Value] | None,
) -> Value | list[Value]:
    """Return `${name:offset:length}`.

    Where nothing is set, or the offset lies outside, bash does not look at what follows.
    """
    assert part.first is not None
    if current is None:
        return ""
    place = source, part.start, part.end
    if isinstance(current, list) and name not in ("@", "*"):
        variable = shell.find(name)
        if variable is not None and isinstance(variable.value, str):
            current = variable.value  # `[@]` after what is no array counts for nothing
        elif not current:
            return []
    offset = _bound(shell, source, part.first)
    if isinstance(offset, Mixed):
        _length_of_slice(shell, source, part)
        lost = shell.value_unknown("its offset is unknown", *place, offset)
        return [as_many(lost)] if isinstance(current, list) else lost
    if isinstance(current, list):
        return _slice_words(shell, source, part, name, current, offset)
    if isinstance(current, str):
        if not current.isascii():
            _length_of_slice(shell, source, part)
            return shell.value_unknown("it depends on the locale", *place)
        if offset < 0:
            offset += len(current)
        if not 0 <= offset <= len(current):
            return ""
    length = _length_of_slice(shell, source, part)
    if isinstance(length, Mixed):
        return shell.value_unknown("its length is unknown", *place, length)
    if isinstance(current, Mixed):
        return _slice_mixed(shell, place, current, offset, length)
    if length is None:
        return current[offset:]
    if length < 0:
        end = len(current) + length
        if end < offset:
            raise ExpansionProblem("substring expression < 0")
        return current[offset:end]
    return current[offset : offset + length]


def _bound(shell: Interpreter, source: Source, word: Word) -> int | Mixed:
    """Return the value of an offset or a length."""
    value = arithmetic(shell, source, word)
    return value if isinstance(value, Mixed) else int(value)


def _length_of_slice(shell: Interpreter, source: Source, part: Parameter) -> int | Mixed | None:
    """Return the length of `${name:offset:length}`; None if it has none."""
    return None if part.second is None else _bound(shell, source, part.second)


def _slice_mixed(
    shell: Interpreter,
    place: tuple[Source, int, int],
    value: Mixed,
    offset: int,
    length: int | None,
) -> Value:
    """Return a part of a text that is partly unknown."""
    if offset == 0 and length is None:
        return value
    head = value.head
    if offset >= 0 and head.isascii():
        if length is not None and length >= 0 and offset + length <= len(head):
            return head[offset : offset + length]
        if length is None and offset <= len(head):
            return join([head[offset:], *value.parts[1:]])
    return shell.value_unknown("the text is unknown", *place, value)


def _slice_words(
    shell: Interpreter,
    source: Source,
    part: Parameter,
    name: str,
    words: list[Value],
    offset: int,
) -> Value | list[Value]:
    """Return `${@:offset:length}` or `${array[@]:offset:length}`."""
    variable = None if name in ("@", "*") else shell.find(name)
    if any(word.__class__ is Mixed and word.is_many for word in words):
        _length_of_slice(shell, source, part)
        reason = "the number of its elements is unknown"
        return [as_many(shell.value_unknown(reason, source, part.start, part.end, *words))]
    is_associative = variable is not None and variable.flags & Flag.ASSOCIATIVE
    if variable is None:
        zero = shell.special("0") or ""
        numbered = dict(enumerate([zero, *words]))
        end = last = len(words) + 1
    elif isinstance(variable.value, dict) and not is_associative:
        numbered = {int(index): value for index, value in variable.value.items()}
        last = last_index(variable.value) + 1
        end = last - 1
    else:
        # an associative array's elements are counted from one
        numbered = dict(enumerate(words, 1))
        last = len(words) + 1
        end = last - 1
    if offset < 0:
        offset += last
    if not 0 <= offset <= end:
        return []
    length = _length_of_slice(shell, source, part)
    if isinstance(length, Mixed):
        reason = "its length is unknown"
        return [as_many(shell.value_unknown(reason, source, part.start, part.end, length))]
    if length is not None and length < 0:
        raise ExpansionProblem("substring expression < 0")
    chosen = [numbered[index] for index in sorted(numbered) if index >= offset]
    if length == 0 and is_associative:
        length = 1  # a fault of bash's
    return chosen if length is None else chosen[:length]


def transformer(
    shell: Interpreter, source: Source, part: Parameter, name: str
) -> Callable[[Value], Value]:
    """Return what applies `#`, `%`, `/`, `^`, `,` or `@` to a value.

    The pattern and the replacement are expanded now, and once for all elements of an array.
    """
    operator = part.operator
    if operator[0] == "@":
        return lambda value: _transformed(shell, source, part, name, value)
    assert part.first is not None
    pieces = pattern_pieces(shell, part.first)
    replacement: Value = ""
    if operator[0] == "/" and part.second is not None:
        is_old = shell.compatibility <= 42 and part.old_second is not None
        replacement = value_of(shell, part.old_second if is_old else part.second)  # type: ignore[arg-type]
        if "&" in str(replacement) and shell.state.option("patsub_replacement") is not False:
            raise Undecidable("`&` in a replacement, which depends on bash's version")
    return lambda value: _transform(shell, source, part, value, pieces, replacement)


def _transform(
    shell: Interpreter,
    source: Source,
    part: Parameter,
    value: Value,
    pieces: list[tuple[Value, bool]],
    replacement: Value,
) -> Value:
    """Return a value after `#`, `%`, `/`, `^` or `,` was applied to it."""
    operator = part.operator
    assert part.first is not None
    known = known_pieces(pieces)
    if known is None:
        causes = [text for text, _ in pieces]
        return shell.value_unknown("the pattern is unknown", source, part.start, part.end, *causes)
    try:
        pattern = pattern_of(shell, known, heeds_case=operator[0] == "/")
        if isinstance(value, str):
            return _changed(shell, source, part, value, pattern, replacement)
        if len(value.parts) == 1 and value.unknown.choices and isinstance(replacement, str):
            return with_choices(
                value, lambda text: _changed(shell, source, part, text, pattern, replacement)
            )
    except Undecidable as undecidable:
        return shell.value_unknown(undecidable.reason, source, part.start, part.end)
    changed = (
        _with_characters_replaced(value, pattern, replacement)
        if operator == "//"
        else _trim_mixed(value, operator, pattern, part.first)
    )
    if changed is not None:
        return changed
    return shell.value_unknown("the text is unknown", source, part.start, part.end, value)


def in_case(
    shell: Interpreter, flags: int, value: Value, source: Source, start: int, end: int
) -> Value:
    """Return what is assigned to a variable with an attribute that changes upper and lower case."""
    if any(isinstance(piece, str) and not piece.isascii() for piece in pieces_of(value)):
        return shell.value_unknown("it depends on the locale", source, start, end)
    if flags & Flag.CAPITALIZED:
        if isinstance(value, str):
            return value[:1].upper() + value[1:].lower()
        return shell.value_unknown("the text is unknown", source, start, end, value)
    change = str.upper if flags & Flag.UPPERCASE else str.lower
    if isinstance(value, str):
        return change(value)
    return join(
        change(piece)
        if isinstance(piece, str)
        else replace(
            piece,
            symbol="",
            pattern="",
            choices=tuple((condition, change(text)) for condition, text in piece.choices),
        )
        for piece in value.parts
    )


def with_choices(value: Mixed, change: Callable[[str], Value]) -> Value:
    """Return what `change` makes of a value that is one of several texts."""
    whole = value.unknown
    changed: list[tuple[Condition, str]] = []
    for condition, text in whole.choices:
        result = change(text)
        if not isinstance(result, str):
            return result
        changed.append((condition, result))
    if all(text == changed[0][1] for _, text in changed):
        return changed[0][1]
    return Mixed((replace(whole, choices=tuple(changed)),))


def _changed(
    shell: Interpreter,
    source: Source,
    part: Parameter,
    value: str,
    pattern: Pattern,
    replacement: Value,
) -> Value:
    """Return known text after `#`, `%`, `/`, `^` or `,`. Raises Undecidable."""
    operator = part.operator
    assert part.first is not None
    if operator[0] in "#%":
        trim = pattern.remove_prefix if operator[0] == "#" else pattern.remove_suffix
        return trim(value, len(operator) == 2)
    if operator[0] == "/":
        # No text has a NUL: it stands for a replacement that is known in part.
        word = replacement if isinstance(replacement, str) else "\0"
        shell.spend(len(value) * (1 + len(word)) // 16)
        changed = pattern.replace(
            value,
            word,
            everywhere=operator == "//",
            anchor=operator[1:] if operator[1:] in ("#", "%") else "",  # type: ignore[arg-type]
        )
        if isinstance(replacement, str) or "\0" not in changed:
            return changed
        if shell.state.option("patsub_replacement") is not False:
            return shell.value_unknown(
                "the replacement is unknown", source, part.start, part.end, replacement
            )
        first, *others = changed.split("\0")
        shell.spend(len(others) * len(replacement.parts))
        following = ((*replacement.parts, other) for other in others)
        return join((first, *chain.from_iterable(following)))
    if not value.isascii():
        return shell.value_unknown("it depends on the locale", source, part.start, part.end)
    change = {"^": str.upper, ",": str.lower, "~": str.swapcase}[operator[0]]
    matches_all = part.first.start == part.first.end
    if len(operator) == 1:
        if value and (matches_all or pattern.matches(value[0])):
            return change(value[0]) + value[1:]
        return value
    return "".join(change(c) if matches_all or pattern.matches(c) else c for c in value)


def _with_characters_replaced(value: Mixed, pattern: Pattern, replacement: Value) -> Value | None:
    """Return a partly known value with each of one character replaced; None for other patterns."""
    character = pattern.literal
    if character is None or len(character) != 1 or not isinstance(replacement, str):
        return None
    return join(
        piece.replace(character, replacement)
        if isinstance(piece, str)
        else replace(piece, symbol="", pattern="", choices=(), is_word=False)
        for piece in value.parts
    )


def _trim_mixed(value: Mixed, operator: str, pattern: Pattern, word: Word) -> Value | None:
    """Return a partly known value without a prefix or suffix, where that is certain; else None."""
    text = word.text
    if text is None or operator[0] not in "#%":
        return None
    head, tail = value.head, value.tail
    literal = pattern.literal
    if literal is not None:
        if not literal:
            return value
        known = head if operator[0] == "#" else tail
        if len(known) >= len(literal):
            if operator[0] == "#" and known.startswith(literal):
                return join([known[len(literal) :], *value.parts[1:]])
            if operator[0] == "%" and known.endswith(literal):
                return join([*value.parts[:-1], known[: -len(literal)]])
            return value
        if literal == "/" and operator[0] == "%" and not known:
            last = value.parts[-1]
            if isinstance(last, Unknown) and last.symbol and last.is_word:
                return value  # `${D%/}`: a path, with or without a slash after it
        if known and operator[0] == "#" and not literal.startswith(known):
            return value
        if known and operator[0] == "%" and not literal.endswith(known):
            return value
        return None
    # `##*x` and `%x*`: the last x stands in the known tail; `#*x` and `%%x*`: the first in the head
    stop = text.strip("*")
    if not stop or re.search(r"[*?\[\\(|]", stop):
        return None
    if operator == "##" and text == "*" + stop and stop in tail:
        return tail.rpartition(stop)[2]
    if operator == "%" and text == stop + "*" and stop in tail:
        return join([*value.parts[:-1], tail.rpartition(stop)[0]])
    if operator == "#" and text == "*" + stop and stop in head:
        return join([head.partition(stop)[2], *value.parts[1:]])
    if operator == "%%" and text == stop + "*" and stop in head:
        return head.partition(stop)[0]
    return None


def _transformed(
    shell: Interpreter, source: Source, part: Parameter, name: str, value: Value
) -> Value:
    """Return `${name@operator}`."""
    operator = part.operator[1]
    if isinstance(value, Mixed) and value.is_many:
        reason = "how many values there are is unknown"
        return shell.value_unknown(reason, source, part.start, part.end, value)
    if operator == "a":
        variable = shell.find(name)
        if variable is None:
            return ""
        letters = shell.flag_letters(variable)
        if letters is not None and not variable.flags & Flag.MAYBE_UNSET:
            return letters
    if isinstance(value, str):
        if operator == "Q":
            return quote(value)
        if value.isascii():
            if operator == "U":
                return value.upper()
            if operator == "u":
                return value[:1].upper() + value[1:]
            if operator == "L":
                return value.lower()
        if operator == "E":
            from overlaylint.shell.syntax import encode
            from overlaylint.shell.words import decode_ansi

            return decode_ansi(encode(value))
    return shell.value_unknown(f"@{operator} is not evaluated", source, part.start, part.end)


# --- patterns and arithmetic ---------------------------------------------------------------


def pattern_pieces(shell: Interpreter, word: Word) -> list[tuple[Value, bool]]:
    """Return a pattern's pieces, each with whether it is quoted."""
    pieces: list[tuple[Value, bool]] = []
    for part in word.parts:
        kind = part.__class__
        if kind is Text:
            pieces.append((part.text, False))  # type: ignore[union-attr]
        elif kind is Quoted:
            pieces.append((part.text, True))  # type: ignore[union-attr]
        else:
            value = as_one(part_value(shell, word.source, part))
            pieces.append((value, kind is DoubleQuoted or kind is Tilde))
    return pieces


def known_pieces(pieces: list[tuple[Value, bool]]) -> tuple[tuple[str, bool], ...] | None:
    """Return a pattern's pieces where all of them are known, else None."""
    known = tuple((text, is_quoted) for text, is_quoted in pieces if isinstance(text, str))
    return known if len(known) == len(pieces) else None


def pattern_of(
    shell: Interpreter,
    pieces: tuple[tuple[str, bool], ...],
    *,
    always_extended: bool = False,
    heeds_case: bool = False,
) -> Pattern:
    """Return the pattern that consists of `pieces`. Raises Undecidable.

    `heeds_case` tells that `shopt nocasematch` applies to it.
    """
    extended = always_extended or shell.state.option("extglob")
    if extended is None:
        if any(not is_quoted and "(" in text for text, is_quoted in pieces):
            raise Undecidable("whether extended patterns are on is unknown")
        extended = False
    ignore_case = False
    if heeds_case:
        ignored = shell.state.option("nocasematch")
        if ignored is None:
            raise Undecidable("whether case is ignored is unknown")
        ignore_case = ignored
    return compile_pattern(pieces, extended=extended, ignore_case=ignore_case)


def arithmetic(shell: Interpreter, source: Source, word: Word) -> Value:
    """Return an arithmetic expression's value, as text."""
    text = value_of(shell, word)
    if text.__class__ is str and "[" in text and has_quoted_list(word) and "  " in text:
        raise Undecidable('blanks in a key beside `"$@"` in an expression')
    return computed(shell, source, word, text)


def computed(shell: Interpreter, source: Source, word: Word, text: Value) -> Value:
    """Return the value of an arithmetic expression that is `text`, written as `word`.

    What is unknown in the text is taken to be a number, and to assign nothing.
    """
    if sum(map(_length_of, pieces_of(text))) > _LONGEST_EXPRESSION:
        raise Undecidable("a very long expression")
    if text.__class__ is str:
        if text.isdecimal() and (text[0] != "0" or len(text) == 1) and len(text) < 18:
            return text
        try:
            return str(evaluate(text, Variables(shell, source, word)))
        except UnknownValue as problem:
            value = Mixed((replace(problem.piece, symbol="", choices=(), is_many=False),))
        except Undecidable as undecidable:
            value = shell.unknown(undecidable.reason, source, word.start, word.end)
            # it may be refused as well
            branching.may_give_up(shell, value.unknown)
        except ArithmeticProblem as problem:
            if problem.is_late:
                reason = "a syntax error after an assignment in an expression"
                lose_assigned(shell, source, word, text, unknown(reason, source, word.start))
            raise ExpansionProblem(str(problem)) from problem
        known: str = text
    else:
        value = shell.value_unknown(
            "it is computed from an unknown value", source, word.start, word.end, text
        )
        known = "".join(part if isinstance(part, str) else " 0 " for part in pieces_of(text))
    lose_assigned(shell, source, word, known, value)
    return value


def lose_assigned(shell: Interpreter, source: Source, word: Word, text: str, value: Mixed) -> None:
    """Make unknown whatever an expression may assign to, also through a variable's text."""
    waiting, seen = [text], set()
    while waiting:
        expression = waiting.pop()
        for match in _ASSIGNED.finditer(expression):
            name = match.group(1) or match.group(3)
            current = shell.state.find(name)
            flags = Flag.MAYBE_UNSET if current is None else current.flags
            if match.group(2) and not flags & ARRAYS:
                flags |= Flag.INDEXED << Flag.DOUBT
            shell.store(name, Variable(value, flags, source, word.start, word.end))
        for name in _IDENTIFIER.findall(expression):
            if name not in seen:
                seen.add(name)
                current = shell.state.find(name)
                if current is not None and isinstance(current.value, str):
                    waiting.append(current.value)
                elif current is not None and isinstance(current.value, dict):
                    waiting += [item for item in current.value.values() if isinstance(item, str)]


_LONGEST_EXPRESSION = 8_000


def _length_of(piece: str | Unknown) -> int:
    return len(piece) if isinstance(piece, str) else 1


_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_ASSIGNED = re.compile(
    # looked for at each name, also within what stands between an outer name and its operator
    r"(?<!\w)(?=([A-Za-z_]\w*+)\s*(\[.{0,1000}?\])?\s*(?:(?:<<|>>|[-+*/%&|^])?=(?!=)|\+\+|--))"
    r"|(?:\+\+|--)\s*([A-Za-z_]\w*)",
    re.DOTALL,
)


class Variables:
    """The interpreter's variables, as arithmetic sees them."""

    __slots__ = ("shell", "source", "word")

    def __init__(self, shell: Interpreter, source: Source, word: Word) -> None:
        self.shell = shell
        self.source = source
        self.word = word

    def subscript(self, text: str | None) -> Word | None:
        """Return a subscript's text as a word."""
        if text is None:
            return None
        from overlaylint.shell.syntax import Context, encode

        text = encode(text)
        return Word(self.shell.made(text), 0, len(text), Context.OPERAND)

    def get(self, name: str, subscript: str | None) -> str:
        """Return a variable's value; raise UnknownValue if it is not known."""
        value = fetch(self.shell, self.source, name, self.subscript(subscript))
        if isinstance(value, list):
            value = value[0] if value else ""
        if isinstance(value, Mixed):
            raise UnknownValue(value.unknown)
        return value or ""

    def set(self, name: str, subscript: str | None, value: int) -> None:
        """Assign a number; where an array has no such element, bash only complains.

        It goes on with the expression, which is not so where the variable is readonly.
        """
        with suppress(BadSubscript):
            assigning.assign_subscript(
                self.shell,
                name,
                self.subscript(subscript),
                str(value),
                self.source,
                self.word.start,
                self.word.end,
            )
