"""What `sed` does to a line of a file that is not at hand (sed(1), GNU sed's manual).

Only what needs no other line is understood: substitutions, deletions, insertions, and addresses
that are regular expressions. Everything else is unknown, never guessed. Expressions are matched by
the same code as bash's, in a number of steps that does not grow with what a script says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from overlaylint.records import dataclass
from overlaylint.shell.regexes import search
from overlaylint.shell.undecidable import Undecidable
from overlaylint.shell.values import Mixed, Value

#: Stands for a piece of a script that is not known; no expression may hold it, and lines may.
UNKNOWN = "\x01"

# Each place of a line is tried on its own.
_LONGEST_LINE = 500

# An expression without anchors, and without backslashes that stand for one.
_LOCAL = re.compile(r"(?:[^\\^$]|\\[^A-Za-z<>'`0-9])*")

_REPEATED_TWICE = re.compile(r"(?<!\\)[*+?}][*+?{]")

_TAKES_ARGUMENT = "efl"
_LONG = {
    "--quiet": "n", "--silent": "n", "--regexp-extended": "E", "--in-place": "i",
    "--expression": "e", "--file": "f", "--null-data": "z", "--separate": "s",
}  # fmt: skip


class UnknownEdit(Exception):
    """What a script does can't be told from one line, or is not understood here."""


@dataclass(frozen=True, slots=True)
class SedCall:
    """A command line of sed, taken apart."""

    script: str
    files: tuple[Value, ...]
    is_in_place: bool
    is_quiet: bool
    is_extended: bool

    def edit(self, line: str) -> tuple[str, ...]:
        """Return what becomes of a line: none, itself, or more. Raises UnknownEdit."""
        return _run(_Parser(self.script, self.is_extended).parse(), line, self.is_quiet)

    def new_texts(self) -> tuple[str, ...]:
        """Return the texts that the script may put into a file. Raises UnknownEdit.

        A NUL stands for what a replacement takes up of the line.
        """
        return tuple(_new_texts(_Parser(self.script, self.is_extended).parse()))

    def inserted(self) -> tuple[str, ...]:
        """Return the texts that the script may put before, behind or in the place of a line.

        Raises UnknownEdit.
        """
        return tuple(_new_texts(_Parser(self.script, self.is_extended).parse(), "aic"))


def parse_call(arguments: Sequence[Value]) -> SedCall:
    """Take sed's arguments apart. Raises UnknownEdit where they are not understood."""
    scripts: list[str] = []
    operands: list[Value] = []
    flags: set[str] = set()
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        text = argument if isinstance(argument, str) else ""
        if text == "--":
            operands += waiting
            break
        if not text.startswith("-") or text == "-":
            if isinstance(argument, Mixed) and argument.head.startswith("-"):
                raise UnknownEdit("an option is unknown")
            operands.append(argument)
            continue
        name, equals, value = text.partition("=")
        if name.startswith("--"):
            letters = _LONG.get(name)
            if letters is None:
                raise UnknownEdit(f"the option {name}")
            rest = value if equals else None
        else:
            letters, rest = _cluster(text)
        flags.update(letters)
        takes = letters[-1]
        if takes in _TAKES_ARGUMENT:
            if rest is None and not waiting:
                raise UnknownEdit(f"the option {name} lacks its argument")
            given: Value = rest if rest is not None else waiting.pop(0)
            if takes != "e":
                raise UnknownEdit(f"the option {name}")
            scripts.append(_text(given))
    if not scripts:
        if not operands:
            raise UnknownEdit("there is no script")
        scripts.append(_text(operands.pop(0)))
    if "z" in flags:
        raise UnknownEdit("lines that end in NUL")
    return SedCall(
        "\n".join(scripts), tuple(operands), "i" in flags, "n" in flags, bool(flags & {"E", "r"})
    )


def _cluster(text: str) -> tuple[str, str | None]:
    """Split `-ne` into its letters, and `-escript` or `-i.bak` into the letter and the rest."""
    letters = ""
    for at, letter in enumerate(text[1:], 1):
        letters += letter
        if letter in _TAKES_ARGUMENT or letter == "i":
            return letters, text[at + 1 :] or None
        if letter not in "nErsuz":
            raise UnknownEdit(f"the option -{letter}")
    return letters, None


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    return "".join(part if isinstance(part, str) else UNKNOWN for part in value.parts)


# --- scripts ---


@dataclass(frozen=True, slots=True)
class _Expression:
    """A regular expression, in POSIX's extended form."""

    text: str
    ignore_case: bool = False

    @property
    def has_choice(self) -> bool:
        """Whether a `|` stands in it, which what comes before must not become a part of."""
        return "|" in self.text

    @property
    def groups(self) -> int:
        """How many groups it has."""
        count = at = 0
        while at < len(self.text):
            character = self.text[at]
            count += character == "("
            at = _bracket_end(self.text, at) if character == "[" else at + 1 + (character == "\\")
        return count

    @property
    def is_local(self) -> bool:
        """Whether it asks nothing of what is around the text that it matches."""
        return _LOCAL.fullmatch(self.text) is not None

    def find(self, line: str, start: int = 0) -> tuple[int, tuple[str, ...]] | None:
        """Return where the leftmost match from `start` on is, and its text with its groups'."""
        if len(line) > _LONGEST_LINE:
            raise UnknownEdit("the line is too long")
        try:
            if self.is_local:
                match = search([(self.text, False)], line[start:], ignore_case=self.ignore_case)
                return None if match is None else (line.index(match[0], start), match)
            if search([(self.text, False)], line, ignore_case=self.ignore_case) is None:
                return None
            for at in range(start, len(line) + 1):
                # From the line's own start, for the sake of anchors and word boundaries.
                before = f"^.{{{at}}}" if at else "^"
                if not self.has_choice:
                    anchored = before + self.text
                    found = search([(anchored, False)], line, ignore_case=self.ignore_case)
                    if found is not None:
                        return at, (found[0][at:], *found[1:])
                    continue
                anchored = f"{before}({self.text})"
                found = search([(anchored, False)], line, ignore_case=self.ignore_case)
                if found is not None:
                    return at, found[1:]
        except Undecidable as problem:
            raise UnknownEdit(str(problem)) from problem
        return None


@dataclass(frozen=True, slots=True)
class _Command:
    """One command with its address; `body` is what `{` holds."""

    name: str
    address: _Expression | None
    is_negated: bool
    expression: _Expression | None = None
    replacement: tuple[str | int, ...] = ()
    flags: str = ""
    text: str = ""
    body: tuple[_Command, ...] = ()


class _Parser:
    """Reads a script."""

    def __init__(self, text: str, is_extended: bool) -> None:
        self.text = text
        self.at = 0
        self.is_extended = is_extended
        self.last: _Expression | None = None

    def parse(self, depth: int = 0) -> tuple[_Command, ...]:
        """Return the commands up to the end, or up to the `}` of a block."""
        found: list[_Command] = []
        while True:
            self._skip(" \t\n;")
            if self.at >= len(self.text):
                if depth:
                    raise UnknownEdit("a `{` without `}`")
                return tuple(found)
            if self.text[self.at] == "}":
                self.at += 1
                if not depth:
                    raise UnknownEdit("a `}` without `{`")
                return tuple(found)
            if self.text[self.at] == "#":
                self._line()
                continue
            found.append(self._command(depth))

    def _command(self, depth: int) -> _Command:
        address = self._address()
        self._skip(" \t")
        is_negated = self._peek() == "!"
        if is_negated:
            self.at += 1
            self._skip(" \t")
        name = self._peek()
        self.at += 1
        if name == "{":
            if depth > 20:
                raise UnknownEdit("blocks are nested too deeply")
            return _Command(name, address, is_negated, body=self.parse(depth + 1))
        if name == "s":
            return self._substitution(address, is_negated)
        if name in "dp":
            self._end()
            return _Command(name, address, is_negated)
        if name in "aic":
            self._skip(" \t")
            if self.text.startswith("\\", self.at):
                self.at += 1
                self._skip(" \t")
                self.at += self.text.startswith("\n", self.at)
            return _Command(name, address, is_negated, text=self._line())
        raise UnknownEdit(f"the command {name!r}")

    def _substitution(self, address: _Expression | None, is_negated: bool) -> _Command:
        delimiter = self._peek()
        if delimiter in "\\\n":
            raise UnknownEdit("a delimiter that is none")
        self.at += 1
        expression = self._until(delimiter, brackets=True)
        replacement = self._until(delimiter, brackets=False)
        start = self.at
        while self._peek() and self._peek() in "gpIi0123456789":
            self.at += 1
        flags = self.text[start : self.at]
        self._end()
        wanted = self._expression(expression, "i" in flags.lower())
        parts = _replacement(replacement)
        if max((part for part in parts if isinstance(part, int)), default=0) > wanted.groups:
            raise UnknownEdit("a replacement asks for a group that is not there")
        return _Command("s", address, is_negated, wanted, parts, flags)

    def _address(self) -> _Expression | None:
        first = self._peek()
        if first == "\\":
            self.at += 1
            first = self._peek()
        elif first != "/":
            if first.isdecimal() or first == "$":
                raise UnknownEdit("an address that counts lines")
            return None
        self.at += 1
        text = self._until(first, brackets=True)
        ignore_case = self._peek() == "I"
        self.at += ignore_case
        self._skip(" \t")
        if self._peek() == ",":
            raise UnknownEdit("a range of lines")
        return self._expression(text, ignore_case)

    def _expression(self, text: str, ignore_case: bool) -> _Expression:
        if UNKNOWN in text:
            raise UnknownEdit("a part of an expression is unknown")
        if not text:
            # The empty expression is the last one that was used, which is the last one here
            # unless an address kept a command from being run.
            if self.last is None:
                raise UnknownEdit("an empty expression")
            return self.last
        wanted = text if self.is_extended else extended(text)
        if _REPEATED_TWICE.search(wanted):
            # sed refuses some of these.
            raise UnknownEdit("a repetition of a repetition")
        self.last = _Expression(wanted, ignore_case)
        return self.last

    def _until(self, delimiter: str, *, brackets: bool) -> str:
        """Read up to a delimiter that nothing protects, and past it."""
        found: list[str] = []
        text = self.text
        while self.at < len(text):
            character = text[self.at]
            if character == "\\" and self.at + 1 < len(text):
                following = text[self.at + 1]
                # A protected delimiter is the plain character.
                found.append(following if following == delimiter else character + following)
                self.at += 2
            elif character == delimiter:
                self.at += 1
                return "".join(found)
            elif brackets and character == "[":
                end = _bracket_end(text, self.at)
                found.append(text[self.at : end])
                self.at = end
            else:
                found.append(character)
                self.at += 1
        raise UnknownEdit("an expression without end")

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _skip(self, characters: str) -> None:
        while self.at < len(self.text) and self.text[self.at] in characters:
            self.at += 1

    def _line(self) -> str:
        end = self.text.find("\n", self.at)
        end = len(self.text) if end < 0 else end
        line = self.text[self.at : end]
        self.at = end
        return line

    def _end(self) -> None:
        self._skip(" \t")
        if self._peek() and self._peek() not in ";\n}#":
            raise UnknownEdit(f"{self._peek()!r} after a command")


def _bracket_end(text: str, start: int) -> int:
    """Return the place after the `]` of a bracket expression; after the `[` where it has none."""
    at = start + 1
    at += text.startswith("^", at)
    at += text.startswith("]", at)
    while at < len(text):
        if text[at] == "]":
            return at + 1
        if text[at] == "[" and text[at + 1 : at + 2] in (":", ".", "="):
            end = text.find(text[at + 1] + "]", at + 2)
            at = end + 2 if end >= 0 else at + 1
        else:
            at += 1
    return start + 1


def extended(basic: str) -> str:
    """Return a basic regular expression in the extended form (regex(7), with GNU's `\\+`)."""
    found: list[str] = []
    at = 0
    at_start = True  # where `*` is a character
    may_anchor = True  # where `^` is none
    while at < len(basic):
        character = basic[at]
        following = basic[at + 1 : at + 2]
        if character == "\\" and following:
            at += 2
            if following in "(){}+?|":
                found.append(following)
                at_start = may_anchor = following in "(|"
                continue
            found.append(character + following)
        elif character == "[":
            end = _bracket_end(basic, at)
            found.append(basic[at:end])
            at = end
        else:
            at += 1
            is_plain = (
                character in "(){}+?|"
                or (character == "*" and at_start)
                or (character == "^" and not may_anchor)
                or (character == "$" and following and basic[at : at + 2] not in (r"\)", r"\|"))
            )
            found.append(f"\\{character}" if is_plain else character)
            if character == "^" and may_anchor:
                may_anchor = False
                continue
        at_start = may_anchor = False
    return "".join(found)


def _replacement(text: str) -> tuple[str | int, ...]:
    """Split a replacement into text and the numbers of the groups that it takes up."""
    found: list[str | int] = []
    at = 0
    while at < len(text):
        character = text[at]
        at += 1
        if character == "&":
            found.append(0)
        elif character == "\\" and at < len(text):
            following = text[at]
            at += 1
            if following.isdecimal():
                found.append(int(following))
            elif following in "lLuUEcdox":
                raise UnknownEdit(f"\\{following} in a replacement")
            else:
                found.append({"n": "\n", "t": "\t"}.get(following, following))
        else:
            found.append(character)
    return tuple(found)


def _new_texts(commands: tuple[_Command, ...], names: str = "saic") -> Iterator[str]:
    for one in commands:
        if one.name not in names:
            pass
        elif one.name == "s":
            yield "".join(part if isinstance(part, str) else "\0" for part in one.replacement)
        else:
            yield one.text
        yield from _new_texts(one.body, names)


# --- running ---


def _run(commands: tuple[_Command, ...], line: str, is_quiet: bool) -> tuple[str, ...]:
    before: list[str] = []
    after: list[str] = []
    line, is_alive = _apply(commands, line, before, after)
    kept = [line] if is_alive and not is_quiet else []
    return tuple(one for text in (*before, *kept, *after) for one in text.split("\n"))


def _apply(
    commands: tuple[_Command, ...], line: str, before: list[str], after: list[str]
) -> tuple[str, bool]:
    for command in commands:
        if command.address is not None:
            if (command.address.find(line) is not None) is command.is_negated:
                continue
        elif command.is_negated:
            continue
        match command.name:
            case "{":
                line, is_alive = _apply(command.body, line, before, after)
                if not is_alive:
                    return line, False
            case "s":
                line, is_changed = _substitute(command, line)
                if is_changed and "p" in command.flags:
                    before.append(line)
            case "p":
                before.append(line)
            case "i":
                before.append(command.text)
            case "a":
                after.append(command.text)
            case "c":
                after.append(command.text)
                return line, False
            case _:
                return line, False
    return line, True


def _substitute(command: _Command, line: str) -> tuple[str, bool]:
    if command.expression is None:
        raise UnknownEdit("a substitution without an expression")
    digits = "".join(one for one in command.flags if one.isdecimal())
    first = int(digits) if digits else 1
    is_global = "g" in command.flags
    done: list[str] = []
    count = 0
    at = 0  # how much of the line is done
    last_end = -1  # where the last match ended
    start = 0
    is_changed = False
    while (found := command.expression.find(line, start)) is not None:
        begin, groups = found
        end = begin + len(groups[0])
        if begin == end == last_end:
            # Nothing, right after a match: that is no match of its own.
            start = end + 1
        else:
            count += 1
            last_end = end
            start = end if end > begin else end + 1
            if count >= first:
                is_changed = True
                done += [line[at:begin], *_filled(command.replacement, groups)]
                at = end
                if not is_global:
                    break
        if start > len(line):
            break
    return "".join(done) + line[at:], is_changed


def _filled(parts: tuple[str | int, ...], groups: tuple[str, ...]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        else:
            yield groups[part]
