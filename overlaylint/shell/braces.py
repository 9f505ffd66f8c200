"""Brace expansion (bash manual 3.5.1), which works on a word before anything else does.

Bash expands braces in the text of a word, and only then reads its quotes and dollar signs. Here
the word has been read already, so what brace expansion puts together anew is read again where it
is simple (`$a{b,c}` is `$ab $ac`, `{~,x}/y` has a home directory), and not decided otherwise.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from overlaylint.shell.syntax import (
    ArithmeticExpansion,
    CommandSubstitution,
    DoubleQuoted,
    Parameter,
    Part,
    ProcessSubstitution,
    Quoted,
    Text,
    Tilde,
)
from overlaylint.shell.undecidable import TooExpensive, Undecidable

__all__ = ["TooExpensive", "TooManyWords", "Undecidable", "expand_braces"]

Parts = tuple[Part, ...]
_Item = str | Part
_Items = list[_Item]

_DEEPEST = 40
_MOST_STEPS = 1_000_000


class TooManyWords(TooExpensive):
    """Brace expansion would make more words than the limit."""


def expand_braces(parts: Parts, limit: int) -> list[Parts]:
    """Return the words that `parts` expand to: mostly that one word.

    An empty alternative gives an empty word. Raises `TooManyWords` if there would be more than
    `limit` words, before it makes them, and `Undecidable` where quotes and braces are mixed in
    ways that bash reads twice.
    """
    for part in parts:
        if part.__class__ is Text and "{" in part.text:
            break
    else:
        return [parts]
    text = "".join([part.text if isinstance(part, Text) else "\0" for part in parts])
    opening = text.index("{")
    separators = text.find(",", opening), text.find("..", opening)
    closing = text.rfind("}")
    if not any(opening < separator < closing for separator in separators):
        return [parts]
    for part in parts:
        if not isinstance(part, Text):
            _check(part)
    items: _Items = []
    for part in parts:
        if isinstance(part, Text):
            items += part.text
        else:
            items.append(part)
    words = _Expander(limit).expand(items, 0)
    if len(words) == 1 and words[0] == items:
        return [parts]
    return [_joined(word) for word in words]


# --- what is not text ------------------------------------------------------------------------


def _check(part: Part, *, is_quoted: bool = False) -> None:
    """Refuse a part whose text bash might take for more, or less, than the part.

    Bash passes over quotes and expansions here with less care than where it reads them.
    """
    if isinstance(part, Quoted):
        # `$'it\\'s'` ends at the first quote here
        if len(part.text) > 1 and "'" in part.text and not is_quoted:
            raise Undecidable("a quote in quotes next to braces")
    elif isinstance(part, DoubleQuoted):
        for inner in part.parts:
            _check(inner, is_quoted=True)
    elif isinstance(part, Parameter):
        written = _written(part)
        if not is_quoted and written.count('"') % 2 == 0 and "\n" not in written:
            # bash passes over strings in an expansion that is not quoted itself
            written = written.replace('"', "")
        if any(character in written for character in "\"'\\`") or (
            written.replace("${", "").count("{") or written.count("{") != written.count("}")
        ):
            raise Undecidable("quotes or braces in an expansion next to braces")
    elif isinstance(part, CommandSubstitution):
        if is_quoted and part.source.parent is not None and '"' in part.source.text:
            raise Undecidable("quotes in backquotes next to braces")
    elif isinstance(part, ArithmeticExpansion):
        expression = part.expression
        source = expression.source.text
        written = source[expression.start : expression.end]
        # bash doesn't know `$[...]` here
        odd = "\"'\\`{}" if source.startswith("$((", part.start) else "\"'\\`{}$,."
        if any(character in written for character in odd):
            raise Undecidable("quotes or braces in an expansion next to braces")


def _written(part: Parameter) -> str:
    """Return an expansion's text; only of those with operands, the others are plain."""
    for word in (part.first, part.subscript):
        if word is not None:
            return word.source.text[part.start : part.end]
    return ""


def _may_hold_comma(part: Part) -> bool:
    """Whether the text of a part may have a comma in it that no backslash protects."""
    if isinstance(part, Quoted):
        return "," in part.text
    if isinstance(part, DoubleQuoted):
        return any(map(_may_hold_comma, part.parts))
    if isinstance(part, Parameter):
        return "," in _written(part)
    if isinstance(part, ArithmeticExpansion):
        expression = part.expression
        return "," in expression.source.text[expression.start : expression.end]
    if isinstance(part, CommandSubstitution | ProcessSubstitution):
        return "," in part.source.text[part.start : part.end] or part.source.parent is not None
    return False


# --- expansion -------------------------------------------------------------------------------

_SEQUENCE = re.compile(
    r"(?:([+-]?[0-9]+)\.\.([+-]?[0-9]+)|([A-Za-z])\.\.([A-Za-z]))(?:\.\.([+-]?[0-9]+))?"
)
_LARGEST: Final = (1 << 63) - 1
_SMALLEST: Final = -(1 << 63)


class _Expander:
    """Expands one word: a list of its characters, and of parts that aren't text."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.steps = 0

    def find(self, items: _Items, start: int, wanted: str) -> int:
        """Return where `wanted` (`{`, `}` or `,`) is, outside of inner braces, or -1.

        A closing brace counts only after a comma or two dots.
        """
        level = 0
        separators = 0 if wanted == "}" else 1
        end = len(items)
        for position in range(start, end):
            self.steps += 1
            item = items[position]
            if not isinstance(item, str):
                continue
            if item == wanted and not level and separators:
                if item != "{" or not self.is_lone(items, position):
                    return position
                # bash passes over this one without counting it
                continue
            if item == "{":
                level += 1
            elif item == "}" and level:
                level -= 1
            elif wanted == "}" and not level and self.separates(items, position):
                separators += 1
        if self.steps > _MOST_STEPS:
            raise TooExpensive("a word with very many braces")
        return -1

    def separates(self, items: _Items, position: int) -> bool:
        """Whether a comma is here, or two dots that no brace follows."""
        if items[position] == ",":
            return True
        return items[position : position + 2] == [".", "."] and items[
            position + 2 : position + 3
        ] != ["}"]

    def is_lone(self, items: _Items, position: int) -> bool:
        """Whether a brace stands for itself: `{}`, or one with blanks around it."""
        following = items[position + 1] if position + 1 < len(items) else ""
        if following not in ("", "}"):
            return False
        before = items[position - 1] if position else ""
        if isinstance(before, Quoted) and before.text[-1:] in (" ", "\t", "\n"):
            raise Undecidable("a quoted blank before a brace")
        return before == ""

    def expand(self, items: _Items, depth: int) -> list[_Items]:
        """Return the words that `items` expand to."""
        if depth > _DEEPEST:
            raise TooExpensive("braces nested too deeply")
        results: list[_Items] = [[]]
        start = 0
        while start < len(items) or not start:
            position = start
            if start:
                # what follows a brace is a text of its own
                self.steps += len(items)
                items, start, position = items[start:], 0, 0
            opening, closing = self.brace(items, position)
            if opening < 0:
                results = self.product(results, [items])
                break
            results = self.product(results, [items[:opening]])
            inside = items[opening + 1 : closing]
            words = self.alternatives(inside, depth)
            if words is None:
                words = [items[opening : closing + 1]]
            results = self.product(results, words)
            start = closing + 1
        return results

    def brace(self, items: _Items, start: int) -> tuple[int, int]:
        """Return where the first brace expansion opens and closes, or -1."""
        position = start
        while True:
            opening = self.find(items, position, "{")
            if opening < 0:
                return -1, -1
            closing = self.find(items, opening + 1, "}")
            if closing >= 0:
                return opening, closing
            position = opening + 1

    def alternatives(self, inside: _Items, depth: int) -> list[_Items] | None:
        """Return the words that stand between two braces, or None if they are only text."""
        if "," not in inside:
            if any(not isinstance(item, str) and _may_hold_comma(item) for item in inside):
                raise Undecidable("a quoted comma in braces without others")
            return self.sequence(inside)
        words: list[_Items] = []
        start = 0
        while True:
            comma = self.find(inside, start, ",")
            words += self.expand(inside[start : comma if comma >= 0 else len(inside)], depth + 1)
            if len(words) > self.limit:
                raise TooManyWords("brace expansion to very many words")
            if comma < 0:
                return words
            start = comma + 1

    def product(self, first: list[_Items], second: list[_Items]) -> list[_Items]:
        """Return each of `first` with each of `second` after it."""
        if len(first) * len(second) > self.limit:
            raise TooManyWords("brace expansion to very many words")
        self.steps += len(first) * sum(map(len, second)) + len(second) * sum(map(len, first))
        if self.steps > _MOST_STEPS:
            raise TooExpensive("brace expansion to very many words")
        return [[*left, *right] for left in first for right in second]

    def sequence(self, inside: _Items) -> list[_Items] | None:
        """Return the words of `a..e` or `1..10..2`, or None if it is no such thing."""
        text = "".join([item if isinstance(item, str) else "\0" for item in inside])
        match = _SEQUENCE.fullmatch(text)
        if not match:
            return None
        first, last, low, high, increment = match.groups()
        step = int(increment) if increment else 1
        start, end = (int(first), int(last)) if first else (ord(low), ord(high))
        if not all(_SMALLEST <= number <= _LARGEST for number in (start, end, step)):
            return None
        numbers = self.numbers(start, end, step)
        if numbers is None:
            return None
        if not first:
            if "\\" in (words := list(map(chr, numbers))) or "`" in words:
                raise Undecidable("a sequence of letters with a backslash or backquote in it")
            return [[word] for word in words]
        if not any(re.match(r"-?0.", number) for number in (first, last)):
            return [[*str(number)] for number in numbers]
        width = max(len(first), len(last))
        # bash prints these as C's int
        return [
            [*f"{(number + (1 << 31)) % (1 << 32) - (1 << 31):0{width}d}"] for number in numbers
        ]

    def numbers(self, start: int, end: int, step: int) -> range | None:
        """Return what a sequence counts, or None where bash leaves it alone."""
        if step == _SMALLEST:
            raise Undecidable("a sequence with the smallest of all increments")
        step = abs(step) or 1
        distance = end - start
        if not _SMALLEST + 3 <= distance <= _LARGEST - 2 or abs(distance) // step > (1 << 31) - 4:
            return None
        count = abs(distance) // step + 1
        if count > self.limit:
            raise TooManyWords("brace expansion to very many words")
        return range(start, end + 1, step) if start <= end else range(start, end - 1, -step)


# --- words again -----------------------------------------------------------------------------

_NAME_REST = re.compile(r"[A-Za-z0-9_]+")
_TILDE = re.compile(r"~[A-Za-z0-9._+-]*(?=[/:]|\Z)")


def _joined(items: _Items) -> Parts:
    """Return the parts of a word that brace expansion put together."""
    parts: list[Part] = []
    text = ""
    for item in items:
        if isinstance(item, str):
            text += item
            continue
        if text.endswith("$"):
            raise Undecidable("a dollar sign before what braces put there")
        if text:
            _add_text(parts, text)
            text = ""
        parts.append(item)
    if text:
        _add_text(parts, text)
    return _with_tilde(parts)


def _add_text(parts: list[Part], text: str) -> None:
    """Add text to parts; a `$name` before it takes what continues the name."""
    if parts:
        last = parts[-1]
        if isinstance(last, Parameter) and _is_bare(last) and re.match(r"[A-Za-z_]", last.name):
            match = _NAME_REST.match(text)
            if match:
                parts[-1] = replace(last, name=last.name + match.group())
                text = text[match.end() :]
    if re.search(r"\$[A-Za-z0-9_@*#?!({$'\"-]|[<>]\(", text):
        raise Undecidable("a dollar sign before what braces put there")
    if text:
        parts.append(Text(text))


def _is_bare(parameter: Parameter) -> bool:
    """Whether an expansion is `$name`, without braces."""
    return parameter.end - parameter.start == len(parameter.name.encode()) + 1


def _with_tilde(parts: list[Part]) -> Parts:
    """Return the parts with a home directory at the start, if there is one."""
    if not parts or not isinstance(first := parts[0], Text | Tilde):
        return tuple(parts)
    text, rest = first.text, parts[1:]
    if isinstance(first, Tilde) and rest and isinstance(rest[0], Text):
        text += rest[0].text
        rest = rest[1:]
    match = _TILDE.match(text)
    if not match or (match.end() == len(text) and rest):
        return (Text(text), *rest) if text else tuple(rest)
    start = Tilde(match.group())
    return (start, Text(text[match.end() :]), *rest) if match.end() < len(text) else (start, *rest)
